"""One pass over a video for all signals that look at its pictures or hear its sound."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they load PyAV, and plans do without
    from videoxl2.frames import FrameSpan, MediaInfo
    from videoxl2.frames.reading.stills.keyframes import Keyframe
    from videoxl2.watching import FramesWanted, Watched, Watcher

from jobs.signals.outcomes import Outcome, collect, failed
from jobs.signals.signal import (
    USUAL_LOOK,
    USUAL_TALK,
    Costs,
    Lineage,
    Look,
    ReadingSignal,
    Signal,
    Talk,
    VideoFile,
    Watching,
    WatchingSignal,
    signal_id,
)
from schemas.identity import VideoObject
from schemas.measured import Measured

# Of opening, decoding and hearing; what signals do with it is theirs.
PASS_COSTS = Costs(
    video_s=0.02, hour_s=0.0, memory_bytes=150 << 20, kilopicture_s=0.2, gigapixel_s=3.2, sound_hour_s=10.0
)

_OF_PASS, _OF_DRAFT = 0.5, 0.65  # what a picture a second, and a draft, take of it
_OF_MODEL = ("model_id", "model_revision")


def watching_of(signals: Iterable[Signal]) -> list[WatchingSignal]:
    """Return the signals that are shown the video where all of these are read: a signal that could also read
    it by itself only if a pass is made anyway."""
    able = [one for one in signals if isinstance(one, WatchingSignal)]
    is_made = any(not isinstance(one, ReadingSignal) for one in able)
    return able if is_made else []


def own_share(signal: Signal) -> float:
    """Return what a signal takes of the costs of a pass where no other makes one, from 0 to 1."""
    if not isinstance(signal, WatchingSignal):
        return 0.0
    return _OF_PASS if isinstance(signal, ReadingSignal) else _share_of_pass((signal,))


def _share_of_pass(signals: Sequence[Signal]) -> float:
    return _OF_DRAFT if takes_draft(signals) else 1.0


def takes_draft(signals: Iterable[Signal]) -> bool:
    """Whether a draft of the film will do: all that have an `is_draft` take one; others, such as those
    that look at a picture a second, take what there is."""
    said = [one.is_draft for one in signals if hasattr(one, "is_draft")]
    return bool(said) and all(said)


@dataclass(frozen=True)
class WatchedBefore:
    """The outcomes of a pass that also took a model's frames."""

    outcomes: Mapping[str, Outcome]  # by the signal's name; what is not of the video in rows is still open
    stills: "Mapping[int, Keyframe]"  # of some of the frames, by the ms at which they begin

    def of_run(self, lineages: Mapping[str, Lineage]) -> dict[str, Outcome]:
        """The same, with rows of these lineages, by the signal's name."""
        return {
            name: replace(outcome, rows=tuple(_settled(row, lineages[name]) for row in outcome.rows))
            for name, outcome in self.outcomes.items()
            if name in lineages
        }


def watch_all(
    file: VideoFile, signals: Sequence[WatchingSignal], lineage_of: Callable[[str], Lineage]
) -> dict[str, Outcome]:
    """Return what each signal found, by its name. The video is opened once, where there is a signal at
    all."""
    begun = time.process_time()
    under_way, outcomes = _begun(file, signals)
    if under_way:
        outcomes |= _shown(file, under_way, lineages_of(signals, lineage_of), takes_draft(signals))
    return _timed(outcomes, signals, file, time.process_time() - begun)


def watch_beside_model(
    file: VideoFile, signals: Sequence[WatchingSignal], wanted: "FramesWanted"
) -> "Generator[FrameSpan, None, WatchedBefore]":
    """Watch, and give a model's frames meanwhile. Raises `MediaError` where the pass breaks off."""
    from videoxl2.watching import watch_with_frames

    begun = time.process_time()
    under_way, outcomes = _begun(file, signals)
    watched = yield from watch_with_frames(file.path, file.info, _watchers(under_way), wanted, file.limits)
    outcomes |= _found(under_way, watched, lineages_of(signals, partial(_open_lineage, file.video)))
    seconds = time.process_time() - begun
    return WatchedBefore(_timed(outcomes, signals, file, seconds), watched.stills)


def lineages_of(signals: Iterable[Signal], lineage_of: Callable[[str], Lineage]) -> dict[str, Lineage]:
    """The lineages of their rows, by name."""
    return {signal.name: lineage_of(signal_id(signal)) for signal in signals}


def _open_lineage(video: VideoObject, signal: str) -> Lineage:
    """Of rows that do not know yet what they are for."""
    of_video = {"video_id": video.video_id, "object_rev": video.object_rev, "created_at": datetime.now(UTC)}
    open_ids = dict.fromkeys(("recipe_id", "analysis_key", "run_id"), "")
    return of_video | open_ids | dict.fromkeys(_OF_MODEL) | {"prompt_id": None, "signal_id": signal}


def _settled(row: Measured, lineage: Lineage) -> Measured:
    """The row with a lineage, but for the weights that made it."""
    return row.model_copy(update={name: one for name, one in lineage.items() if name not in _OF_MODEL})


def _begun(
    file: VideoFile, signals: Iterable[WatchingSignal]
) -> tuple[dict[str, Watching], dict[str, Outcome]]:
    """Those that can watch, and what came of those that cannot, by name."""
    under_way: dict[str, Watching] = {}
    outcomes: dict[str, Outcome] = {}
    for signal in signals:
        try:
            under_way[signal.name] = signal.watch(file)
        except Exception as error:
            outcomes[signal.name] = failed(error)
    return under_way, outcomes


def _watchers(under_way: Mapping[str, Watching]) -> "list[Watcher]":
    return [watcher for one in under_way.values() for watcher in one.watchers]


def _shown(
    file: VideoFile, under_way: Mapping[str, Watching], lineages: Mapping[str, Lineage], is_draft: bool
) -> dict[str, Outcome]:
    from videoxl2.watching import watch

    try:
        watched = watch(file.path, file.info, _watchers(under_way), file.limits, is_draft)
    except Exception as error:
        return {name: failed(error) for name in under_way}
    return _found(under_way, watched, lineages)


def _found(
    under_way: Mapping[str, Watching], watched: "Watched", lineages: Mapping[str, Lineage]
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    place = 0
    for name, one in under_way.items():
        own = range(place, place + len(one.watchers))
        place = own.stop
        errors = [watched.failures[number] for number in own if number in watched.failures]
        rows = partial(one.rows, watched, lineages[name])
        outcomes[name] = failed(errors[0]) if errors else collect(rows)
    return outcomes


def _timed(
    outcomes: Mapping[str, Outcome], signals: Sequence[Signal], file: VideoFile, seconds: float
) -> dict[str, Outcome]:
    """The same, with the time of the pass shared out as costs say."""
    shares = shares_of(signals, 1, file.info.duration_ms / 3_600_000, look=look_of(file.info))
    return {
        signal.name: replace(outcomes[signal.name], seconds=seconds * share / sum(shares))
        for signal, share in zip(signals, shares, strict=True)
    }


def look_of(info: "MediaInfo") -> Look:
    """Return how much there is to see and hear in a second of a video."""
    fps = float(info.fps)
    return Look(fps, fps * info.width * info.height / 1e6, min(1.0, fps), float(bool(info.audio_codecs)))


def shares_of(
    signals: Iterable[Signal],
    num_videos: float,
    hours: float,
    talk: Talk = USUAL_TALK,
    look: Look = USUAL_LOOK,
) -> list[float]:
    """Seconds of one core that each takes where all are read; the first that watches pays for the pass."""
    together = list(signals)
    watching = {signal.name for signal in watching_of(together)}
    pass_s = PASS_COSTS.seconds(num_videos, hours, talk, look)
    shares, is_paid = [], False
    for signal in together:
        seconds = signal.rough_costs.seconds(num_videos, hours, talk, look)
        if signal.name in watching and not is_paid:
            seconds += _share_of_pass([one for one in together if one.name in watching]) * pass_s
            is_paid = True
        elif signal.name not in watching:
            seconds += own_share(signal) * pass_s
        shares.append(seconds)
    return shares


def most_memory(signals: Sequence[Signal]) -> int:
    """Bytes that reading them takes beyond what every task has: those that watch together, others in turn."""
    watching = {one.name: one.rough_costs.memory_bytes for one in watching_of(signals)}
    others = [one.rough_costs.memory_bytes for one in signals if one.name not in watching]
    return max([*others, PASS_COSTS.memory_bytes + sum(watching.values()) if watching else 0])
