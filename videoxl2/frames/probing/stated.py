"""How long a file is, and how much is in it, by its header or a few looks: a hint. `probe` measures."""

import os
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from av.error import FFmpegError

from videoxl2.frames.clocks.edits import OddEdits, end_s, lay_out, read_edits
from videoxl2.frames.clocks.pieces import HOLD_S, WRAPS
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.formats.matroska_end import last_tick
from videoxl2.frames.files.packets import AnyPacket, VideoPacket
from videoxl2.frames.probing.looks import looked_s
from videoxl2.frames.probing.rates import stated_period

_ALIKE, _SLACK_S = Fraction(1, 20), 1  # how far a statement may be off to be believed
_MATROSKA = "matroska,webm"
_ENDS_TELL = frozenset({_MATROSKA, "asf", "mxf", "ogg"})
_MOST_PACKETS = 2000
_FIRST = 4  # packets of a video, of which one is the first to be shown
_SMALL, _LOOKED_AT = 1 << 21, 1 << 16  # bytes; packets of ASF are filled up with many zeros
_TIMES_TOO_LONG = 2  # of what the file's own index lists


@dataclass(frozen=True)
class Stated:
    """Facts that a file states before it is read. `pictures` may be a fraction: a rate, times the length."""

    ms: int
    pictures: float
    width: int  # of one of them, as it is stored
    height: int
    has_sound: bool

    @property
    def pixels(self) -> int:
        """Number of pixels of one picture."""
        return self.width * self.height


def read_stated(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Stated | None:
    """Read what is stated of the video stream, else of the file; None where no length is stated, or what is
    stated cannot be and nothing cheap says better.

    Raises what `probe` raises for a file that cannot be opened. Few packets are read: those with which FFmpeg
    finds out what a headerless file holds, and of streams whose clock may jump some here and there.
    """
    with freed_at_once(), open_video(path, limits) as video:
        said_s = _length_s(video, path)
        if not said_s:
            return None
        pictures = float(said_s / (stated_period(video) * video.time_base))
        width, height = video.stream.width, video.stream.height
        return Stated(round(said_s * 1000), pictures, width, height, bool(video.container.streams.audio))


def _length_s(video: OpenVideo, path: str | os.PathLike[str]) -> Fraction | None:
    said_s = _said_s(video)
    found_s = _found_s(video, path, said_s)
    if video.demuxer in WRAPS and found_s is None and (said_s or 0) > HOLD_S:
        return None  # two stamps are too few to see a jump, unless it is short
    if found_s is not None and (said_s is None or _differ(said_s, found_s)):
        said_s = found_s
    return _edited_s(video, path, said_s) if said_s and video.demuxer.startswith("mov,") else said_s


def _edited_s(video: OpenVideo, path: str | os.PathLike[str], media_s: Fraction) -> Fraction:
    """What the edit list shows of media of that length."""
    first = video.stream.start_time or 0
    try:
        edits = read_edits(path, video.stream.id)
    except OddEdits:
        return media_s
    _, parts = lay_out(edits, video.time_base, first, first + int(media_s / video.time_base))
    return end_s(parts[-1], video.time_base) if parts else media_s


def _found_s(video: OpenVideo, path: str | os.PathLike[str], said_s: Fraction | None) -> Fraction | None:
    """The length that the file itself tells at no great cost, where it does."""
    if video.demuxer in WRAPS:
        return looked_s(video, path)
    if said_s is None or video.demuxer not in _ENDS_TELL:
        return _indexed_s(video, path, said_s)
    start = _first_tick(video)
    if video.demuxer == _MATROSKA:
        end = last_tick(path, video.stream.index)
    else:
        end = _last_tick(video, path, said_s)
    if end is None or start is None or end < start:
        return None
    rate = video.stream.average_rate or video.stream.guessed_rate
    return (end - start) * video.time_base + (1 / rate if rate else 0)


def _first_tick(video: OpenVideo) -> int | None:
    """What FFmpeg saw of the video, else, of the first packets, when one is shown or at least decoded."""
    if video.stream.start_time is not None:
        return video.stream.start_time
    try:
        packets = islice(video.container.demux(), _MOST_PACKETS)
        own = islice((packet for packet in packets if packet.stream_index == video.stream.index), _FIRST)
        ticks = [tick for packet in own if (tick := _tick(packet)) is not None]
    except (FFmpegError, IndexError):
        return None
    return min(ticks, default=None)


def _tick(packet: AnyPacket | VideoPacket) -> int | None:
    return packet.dts if packet.pts is None else packet.pts


def _last_tick(video: OpenVideo, path: str | os.PathLike[str], said_s: Fraction) -> int | None:
    """When the last picture is shown, read from where the stated end leads; None where that is far off."""
    if _is_partly_here(path):
        return None
    last: int | None = None
    with suppress(FFmpegError):  # what is small is read from where it is
        video.container.seek(int(said_s / video.time_base), stream=video.stream)
    try:
        for number, packet in enumerate(video.container.demux(video.stream)):
            if number > _MOST_PACKETS:
                return None
            tick = _tick(packet)
            last = last if tick is None else max(tick, last or tick)
    except (FFmpegError, IndexError):
        return None
    return last


def _is_partly_here(path: str | os.PathLike[str]) -> bool:
    """Whether only head and tail are here, as of an object on S3."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size // 2)
        return size > _SMALL and not any(file.read(_LOOKED_AT))


def _said_s(video: OpenVideo) -> Fraction | None:
    if video.stream.duration:
        return video.stream.duration * video.time_base
    duration = video.container.duration
    return Fraction(duration, 1_000_000) if duration else None


def _differ(said_s: Fraction, found_s: Fraction) -> bool:
    return abs(said_s - found_s) > max(Fraction(_SLACK_S), found_s * _ALIKE)


def _indexed_s(video: OpenVideo, path: str | os.PathLike[str], said_s: Fraction | None) -> Fraction | None:
    """The length that a complete index lists, where the header claims far more or less, or as much of it as
    a cut has left; else None."""
    if said_s is None or not (video.demuxer.startswith("mov,") or video.demuxer == "avi"):
        return None
    entries, size = video.stream.index_entries, Path(path).stat().st_size
    stop = bisect_left(range(len(entries)), size, key=lambda n: entries[n].pos)
    if stop < 2:
        return None
    first, before, last = (int(entries[n].timestamp) for n in (0, stop - 2, stop - 1))
    listed_s = (last - first + max(0, last - before)) * video.time_base
    is_alike: bool = listed_s / _TIMES_TOO_LONG - _SLACK_S <= said_s <= listed_s * _TIMES_TOO_LONG + _SLACK_S
    return None if is_alike and stop == len(entries) else listed_s
