"""The signal `text`: what is written in the pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # they load PyAV, and plans do without
    from videoxl2.screen_text import Line, TextWatcher
    from videoxl2.watching import Watched, Watcher

from jobs.signals.signal import Costs, Lineage, VideoFile
from schemas.failures import PreflightError
from schemas.measured import Measured, ScreenText
from schemas.rows import columns_of

NAME = "text"


@dataclass(frozen=True)
class TextSignal:
    """The signal of text on screen: a picture a second, where something changed, in the pass that others
    make, else by itself."""

    revision: str  # of the weights
    engines: tuple[tuple[str, str], ...]  # name and version of what runs them

    name: ClassVar[str] = NAME
    version: ClassVar[int] = 2
    rough_costs: ClassVar[Costs] = Costs(video_s=2.0, hour_s=200.0, memory_bytes=400_000_000)
    tables: ClassVar[tuple[str, ...]] = ("screen_text",)
    reads_sidecars: ClassVar[bool] = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {"weights": self.revision, **dict(self.engines)}

    def read(self, file: VideoFile, lineage: Lineage) -> Iterator[Measured]:
        """A row for each line, by its start, then from top to bottom."""
        from videoxl2.screen_text import check_text_weights, read_screen_text

        check_text_weights(self.revision)
        return _rows(read_screen_text(file.path, file.info, limits=file.limits), lineage, self.revision)

    def watch(self, file: VideoFile) -> "_Watching":
        """Return what reads the same off the pictures that it is shown."""
        from videoxl2.screen_text import TextWatcher, check_text_weights

        check_text_weights(self.revision)
        return _Watching(TextWatcher(file.info), self.revision)


class _Watching:
    def __init__(self, watcher: "TextWatcher", revision: str) -> None:
        self._watcher, self._revision = watcher, revision

    @property
    def watchers(self) -> "Sequence[Watcher]":
        return (self._watcher,)

    def rows(self, watched: "Watched", lineage: Lineage) -> Iterator[Measured]:
        return _rows(self._watcher.finish(), lineage, self._revision)


def _rows(lines: "Iterable[Line]", lineage: Lineage, revision: str) -> Iterator[Measured]:
    from videoxl2.screen_text import MODEL_ID

    of_weights = {"model_id": MODEL_ID, "model_revision": revision}
    for number, line in enumerate(lines):
        box = {f"box_{edge}": place for edge, place in asdict(line.outline).items()}
        own = columns_of(ScreenText, line) | box | {"line": number, "language": None}
        yield ScreenText(**{**lineage, **of_weights}, **own)


def find_text() -> TextSignal:
    """The signal with the weights that are installed. Raises `PreflightError`."""
    from videoxl2.screen_text import ScreenTextError, find_text_weights, text_engines

    try:
        return TextSignal(find_text_weights().revision, tuple(text_engines().items()))
    except ScreenTextError as error:
        raise PreflightError(error.message, error.hint) from None
