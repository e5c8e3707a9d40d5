"""A length without reading a file whole, where its clock may jump: a few looks at stamps all over it.

FFmpeg subtracts a file's first stamp from its last. Where recordings were put together, or a recorder's clock
was set, that is hours off. So bytes are held against ticks: between two looks at which they do not go
together one more look is taken, until the jump lies between two looks that are next to each other.
"""

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from av.error import FFmpegError

from videoxl2.frames.clocks.clock import centred
from videoxl2.frames.clocks.pieces import HOLD_S, WRAPS
from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.probing.scan import in_turns

_SHARES = (0, Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))  # of the file, looked at first
_TAILS = (1 << 16, 1 << 18, 1 << 20)  # bytes before the end
_SMALL = 1 << 21  # bytes of a file that is read whole
_NEAR = 1 << 14  # bytes between which no look is worth it
_STAMPS = 8  # at a look
_MOST_PACKETS = 2000  # without a stamp
_MOST_LOOKS = 120
_SLACK_S = 2
_TIMES_PACE = 2  # a stretch goes by the usual pace within this factor, else it is looked into
_TIMES_HELD = 8


class _Unknown(Exception):  # noqa: N818  # the answer, not an error
    """Nobody can say without reading the whole file."""


class _Stamp(NamedTuple):
    byte: int
    tick: int


def looked_s(video: OpenVideo, path: str | os.PathLike[str]) -> Fraction | None:
    """Seconds from the first picture to the end of the last one; None where looks do not tell.

    Only for containers of `pieces.WRAPS`. Moves the file's position.
    """
    try:
        ticks = _Looks(video, Path(path)).length()
    except (_Unknown, FFmpegError, IndexError):
        return None
    return ticks * video.time_base


class _Looks:
    def __init__(self, video: OpenVideo, path: Path) -> None:
        self._video, self._path = video, path
        self._size = path.stat().st_size
        self._wrap = WRAPS[video.demuxer]
        self._hold = int(HOLD_S / video.time_base)
        self._slack = int(_SLACK_S / video.time_base)
        self._num_left = _MOST_LOOKS
        self._paces: list[Fraction] = []  # ticks for a byte

    def length(self) -> Fraction:
        """Length in ticks."""
        return self._all() if self._size <= _SMALL else self._by_looks()

    def _all(self) -> Fraction:
        """The length by every stamp of a small file."""
        stamps = self._in_turn(self._stamps(0))
        steps = [centred(b.tick - a.tick, self._wrap) for a, b in pairwise(stamps)]
        usual = median_low([step for step in steps if step > 0] or [0])
        if not usual:
            raise _Unknown
        longest = max(self._hold, _TIMES_HELD * usual)
        return Fraction(sum(step if 0 <= step <= longest else usual for step in steps) + usual)

    def _by_looks(self) -> Fraction:
        found = [stamps for share in _SHARES if (stamps := self._look(int(self._size * share)))]
        tail = self._tail()
        if not found or not tail or not self._paces:
            raise _Unknown
        points = sorted({stamps[0] for stamps in found} | {tail[-1]})
        pace = median_low(self._paces)
        ticks = sum((self._between(a, b, pace) for a, b in pairwise(points)), Fraction(0))
        steps = [b.tick - a.tick for a, b in pairwise(tail) if b.tick > a.tick]
        return ticks + (median_low(steps) if steps else 0)

    def _between(self, first: _Stamp, second: _Stamp, pace: Fraction) -> Fraction:
        """Ticks from one stamp to another, jumps left out."""
        ticks = centred(second.tick - first.tick, self._wrap)
        by_pace = pace * (second.byte - first.byte)
        if by_pace / _TIMES_PACE - self._slack <= ticks <= by_pace * _TIMES_PACE + self._slack:
            return Fraction(max(0, ticks))
        is_near = second.byte - first.byte <= _NEAR
        middle = None if is_near else self._inside(first.byte, second.byte)
        if middle is not None:
            return self._between(first, middle, pace) + self._between(middle, second, pace)
        if 0 <= ticks <= self._hold or 0 <= ticks <= by_pace * _TIMES_HELD:
            return Fraction(ticks)
        if not is_near and self._is_unread(first.byte, second.byte):
            raise _Unknown
        return by_pace

    def _inside(self, first: int, second: int) -> _Stamp | None:
        for share in (Fraction(1, 2), Fraction(1, 4)):
            stamps = self._look(first + int((second - first) * share))
            if (stamp := next((s for s in stamps if first < s.byte < second), None)) is not None:
                return stamp
        return None

    def _is_unread(self, first: int, second: int) -> bool:
        """Whether the stretch may hold more than a pause: only its ends are there, or looks have run out."""
        return self._num_left <= 0 or self._is_empty((first + second) // 2)

    def _tail(self) -> list[_Stamp]:
        for length in _TAILS:
            if stamps := self._own(self._stamps(max(0, self._size - length))):
                return stamps
        return []

    def _look(self, byte: int) -> list[_Stamp]:
        if self._num_left <= 0 or self._is_empty(byte):
            return []
        self._num_left -= 1
        stamps = self._own(islice(self._stamps(byte), _STAMPS))
        if len(stamps) > 1 and stamps[-1].byte > stamps[0].byte:
            ticks = centred(stamps[-1].tick - stamps[0].tick, self._wrap)
            if ticks > 0:
                self._paces.append(Fraction(ticks, stamps[-1].byte - stamps[0].byte))
        return stamps

    def _in_turn(self, found: Iterable[tuple[int, _Stamp]]) -> list[_Stamp]:
        """Stamps of the stream that counts and of those that lie wholly before or behind it in the file."""
        by_stream = _by_stream(found)
        own = by_stream.pop(self._video.stream.index, [])
        apart = [
            others for others in by_stream.values() if not own or others[-1] < own[0] or others[0] > own[-1]
        ]
        return [stamp for stamps in sorted([own, *apart]) for stamp in stamps]

    def _own(self, found: Iterable[tuple[int, _Stamp]]) -> list[_Stamp]:
        """Stamps of the stream that counts, or, where it has none, of the one that has taken its turn."""
        by_stream = _by_stream(found)
        own = by_stream.get(self._video.stream.index)
        return own or next(iter(by_stream.values()), [])

    def _stamps(self, byte: int) -> Iterator[tuple[int, _Stamp]]:
        """When pictures are decoded, from a byte on, with their stream."""
        self._video.container.seek(byte, unsupported_byte_offset=True)
        num_without = 0
        for packet in self._video.container.demux(*in_turns(self._video)):
            if packet.size and packet.pos is not None and packet.dts is not None:
                num_without = 0
                yield packet.stream_index, _Stamp(packet.pos, packet.dts)
            elif (num_without := num_without + 1) > _MOST_PACKETS:
                return

    def _is_empty(self, byte: int) -> bool:
        """Whether only head and tail are here, as of an object on S3."""
        with self._path.open("rb") as file:
            file.seek(byte)
            return not any(file.read(4096))


def _by_stream(found: Iterable[tuple[int, _Stamp]]) -> dict[int, list[_Stamp]]:
    by_stream: dict[int, list[_Stamp]] = {}
    for index, stamp in found:
        by_stream.setdefault(index, []).append(stamp)
    return by_stream
