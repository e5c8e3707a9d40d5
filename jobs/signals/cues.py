"""The signal `cues`: what a machine sees and hears of a film without understanding it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # they load PyAV, and plans know signals by name only
    from videoxl2.cues import FilmCues
    from videoxl2.watching import Watched, Watcher

from jobs.signals.signal import Costs, Lineage, PartlyRead, VideoFile
from schemas.measured import Cue, Measured
from schemas.rows import columns_of


@dataclass(frozen=True)
class Cues:
    """Black, freezes, colour bars, letterbox, damage; silence, tones, loudness. A draft's begin a picture or
    two late."""

    is_draft: bool = False

    name: ClassVar[str] = "cues"
    version: ClassVar[int] = 2
    rough_costs: ClassVar[Costs] = Costs(video_s=0.0, hour_s=0.0, kilopicture_s=0.03, sound_hour_s=8.0)
    tables: ClassVar[tuple[str, ...]] = ("cues",)
    reads_sidecars: ClassVar[bool] = False

    @property
    def settings(self) -> Mapping[str, str]:
        return {"pictures": "draft"} if self.is_draft else {}

    def watch(self, file: VideoFile) -> "_Watching":
        """Looks and listens for them."""
        from videoxl2.cues import FilmCues

        return _Watching(FilmCues(file.info))


class _Watching:
    def __init__(self, film: "FilmCues") -> None:
        self._film = film

    @property
    def watchers(self) -> "Sequence[Watcher]":
        return self._film.watchers

    def rows(self, watched: "Watched", lineage: Lineage) -> Iterator[Measured]:
        """By when they begin; without loudness where its sound cannot be measured."""
        for cue in self._film.finish(watched.sound):
            yield Cue(**lineage, **columns_of(Cue, cue))
        if self._film.unmeasured is not None:
            raise PartlyRead(self._film.unmeasured)
