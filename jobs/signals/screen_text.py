"""The signal `text`: what is written in the pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from jobs.signals.signal import Costs, Lineage, VideoFile
from schemas.failures import PreflightError
from schemas.measured import Measured, ScreenText
from schemas.rows import columns_of

NAME = "text"


@dataclass(frozen=True)
class TextSignal:
    """Reads a picture a second, where something changed."""

    revision: str  # of the weights
    engines: tuple[tuple[str, str], ...]  # name and version of what runs them

    name: ClassVar[str] = NAME
    version: ClassVar[int] = 1
    rough_costs: ClassVar[Costs] = Costs(video_s=1.0, hour_s=250.0, memory_bytes=400_000_000)
    tables: ClassVar[tuple[str, ...]] = ("screen_text",)
    reads_sidecars: ClassVar[bool] = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {"weights": self.revision, **dict(self.engines)}

    def read(self, file: VideoFile, lineage: Lineage) -> Iterator[Measured]:
        """A row for each line, by its start, then from top to bottom."""
        from videoxl2.screen_text import MODEL_ID, read_screen_text

        of_weights = {"model_id": MODEL_ID, "model_revision": self.revision}
        for number, line in enumerate(read_screen_text(file.path, file.info, limits=file.limits)):
            box = {f"box_{edge}": place for edge, place in asdict(line.outline).items()}
            own = columns_of(ScreenText, line) | box | {"line": number, "language": None}
            yield ScreenText(**{**lineage, **of_weights}, **own)


def find_text() -> TextSignal:
    """The signal with the weights that are installed. Raises `PreflightError`."""
    from videoxl2.screen_text import ScreenTextError, find_text_weights, text_engine

    try:
        return TextSignal(find_text_weights().revision, tuple(text_engine().items()))
    except ScreenTextError as error:
        raise PreflightError(error.message, error.hint) from None
