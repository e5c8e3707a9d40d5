"""How long a file is by its header, or a few looks at it: no more than a hint. `probe` measures."""

import os
from fractions import Fraction

from videoxl2.frames.clocks.pieces import HOLD_S, WRAPS
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.probing.looks import looked_s

_ALIKE, _SLACK_S = Fraction(1, 20), 1  # how far a statement may be off to be believed
_TIMES_TOO_LONG = 2  # of what the file's own index lists


def stated_ms(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> int | None:
    """Milliseconds of the video stream, else of the file; None where neither is stated, or what is stated
    cannot be and nothing cheap says better.

    Raises what `probe` raises for a file that cannot be opened. Few packets are read: those with which FFmpeg
    finds out what a headerless file holds, and of streams whose clock may jump some here and there.
    """
    with freed_at_once(), open_video(path, limits) as video:
        said_s = _said_s(video)
        found_s = looked_s(video, path) if video.demuxer in WRAPS else _indexed_s(video, said_s)
        if video.demuxer in WRAPS and found_s is None and (said_s or 0) > HOLD_S:
            return None  # two stamps are too few to see a jump, unless it is short
        if found_s is not None and (said_s is None or _differ(said_s, found_s)):
            said_s = found_s
        return round(said_s * 1000) if said_s else None


def _said_s(video: OpenVideo) -> Fraction | None:
    if video.stream.duration:
        return video.stream.duration * video.time_base
    duration = video.container.duration
    return Fraction(duration, 1_000_000) if duration else None


def _differ(said_s: Fraction, found_s: Fraction) -> bool:
    return abs(said_s - found_s) > max(Fraction(_SLACK_S), found_s * _ALIKE)


def _indexed_s(video: OpenVideo, said_s: Fraction | None) -> Fraction | None:
    """The length that a complete index lists, where the header claims far more or less; else None."""
    if said_s is None or not (video.demuxer.startswith("mov,") or video.demuxer == "avi"):
        return None
    entries = video.stream.index_entries
    if len(entries) < 2:
        return None
    first, before, last = (int(entries[n].timestamp) for n in (0, -2, -1))
    listed_s = (last - first + max(0, last - before)) * video.time_base
    is_alike: bool = listed_s / _TIMES_TOO_LONG - _SLACK_S <= said_s <= listed_s * _TIMES_TOO_LONG + _SLACK_S
    return None if is_alike else listed_s
