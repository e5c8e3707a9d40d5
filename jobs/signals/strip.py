"""The signal `strip`: tiny pictures of all of a video on one sheet, for finding a place by eye."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jobs.signals.signal import Costs, Lineage, VideoFile
from schemas.measured import Measured, Strip
from schemas.rows import columns_of

if TYPE_CHECKING:  # they load PyAV, and plans do without
    from videoxl2.frames.reading.stills.strip import StripMaker
    from videoxl2.watching import Watched


@dataclass(frozen=True)
class Strips:
    """A sheet of pictures at even steps."""

    name: ClassVar[str] = "strip"
    version: ClassVar[int] = 1
    rough_costs: ClassVar[Costs] = Costs(video_s=0.05, hour_s=0.0)
    tables: ClassVar[tuple[str, ...]] = ("strips",)
    reads_sidecars: ClassVar[bool] = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {}

    def watch(self, file: VideoFile) -> "_Watching":
        """Takes tiles as their pictures pass by."""
        from videoxl2.frames.reading.stills.strip import StripMaker

        return _Watching(StripMaker(file.info.duration_ms, file.info.pixel_aspect))


class _Watching:
    def __init__(self, maker: "StripMaker") -> None:
        self._maker = maker

    @property
    def watchers(self) -> "Sequence[StripMaker]":
        return (self._maker,)

    def rows(self, watched: "Watched", lineage: Lineage) -> Iterator[Measured]:
        """One, or none where no picture could be drawn."""
        if (strip := self._maker.finish()) is not None:
            yield Strip(**lineage, **columns_of(Strip, strip), media_type="image/jpeg")
