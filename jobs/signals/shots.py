"""The signal `shots`: where shots begin and end, and a picture of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # they load PyAV, and plans know signals by name only
    from videoxl2.watching import Watched, Watcher
    from videoxl2.watching.shots import ShotWatcher

from jobs.signals.signal import Costs, Lineage, VideoFile
from schemas.measured import Measured, Shot, ShotKeyframe
from schemas.rows import columns_of


@dataclass(frozen=True)
class Shots:
    """The signal of shots: start, end, how each begins, and a keyframe. A draft of the film takes less
    time."""

    is_draft: bool = False

    name: ClassVar[str] = "shots"
    version: ClassVar[int] = 2
    rough_costs: ClassVar[Costs] = Costs(
        video_s=0.02, hour_s=6.0, memory_bytes=100 << 20, kilopicture_s=0.1, gigapixel_s=0.05
    )
    tables: ClassVar[tuple[str, ...]] = ("shots", "shot_keyframes")
    reads_sidecars: ClassVar[bool] = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {"pictures": "draft"} if self.is_draft else {}

    def watch(self, file: VideoFile) -> "_Watching":
        """Looks for them."""
        from videoxl2.watching.shots import ShotWatcher

        return _Watching(ShotWatcher(file.path, file.info, file.limits, self.is_draft))


class _Watching:
    def __init__(self, film: "ShotWatcher") -> None:
        self._film = film

    @property
    def watchers(self) -> "Sequence[Watcher]":
        return (self._film,)

    def rows(self, watched: "Watched", lineage: Lineage) -> Iterator[Measured]:
        """By their start, each before its keyframe."""
        for shot, still in self._film.finish():
            yield Shot(**lineage, **columns_of(Shot, shot), shot_index=shot.index)
            if still is not None:
                own = columns_of(ShotKeyframe, still) | {"shot_index": shot.index}
                yield ShotKeyframe(**lineage, **own, media_type="image/jpeg")
