"""When a stream's pictures are shown, measured from its packets and not from what the header claims."""

from __future__ import annotations  # array[int] exists for type checkers only before Python 3.12

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.packets import VideoPacket, is_shown

_NO_PTS = -(2**63)
# Up to this share of packets may lack a usable time before the whole clock is distrusted.
_STRAY_SHARE = 0.01


@dataclass
class PacketTable:
    """One row per video packet, in file order; 8-byte columns, because a day of video has 5 M packets."""

    pts: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    is_key: array[int] = field(default_factory=lambda: array("b"))
    is_shown: array[int] = field(default_factory=lambda: array("b"))

    def add(self, packet: VideoPacket) -> None:
        """Note one packet."""
        self.pts.append(_NO_PTS if packet.pts is None else packet.pts)
        self.duration.append(packet.duration or 0)
        self.is_key.append(packet.is_keyframe and packet.pts is not None)
        self.is_shown.append(is_shown(packet))


@dataclass(frozen=True)
class Timeline:
    """What the packets say. Ticks are those of the stream."""

    first_pts: int  # of the first picture shown
    end_pts: int  # when the last picture's time is over
    num_pictures: int
    period: Fraction | None  # mean ticks from picture to picture; None with fewer than two
    is_vfr: bool
    is_ordered: bool  # every picture can be placed by its pts; else only counting helps
    num_strays: int  # packets without a usable pts


def measure(table: PacketTable, period: Fraction | None) -> Timeline:
    """The timeline of a table; `period`, ticks per picture, stands in where packets have no duration."""
    pts = np.frombuffer(table.pts, np.int64)
    shown = np.frombuffer(table.is_shown, np.int8).astype(bool)
    is_key = np.frombuffer(table.is_key, np.int8).astype(bool)
    placed = shown & _decodable(pts, is_key)
    is_ordered, strays = _order(pts, is_key, placed)
    num_strays = int(strays.sum()) + int((pts == _NO_PTS).sum())
    if num_strays > _STRAY_SHARE * len(pts):
        is_ordered = False
    rows = np.flatnonzero(placed & ~strays)
    times, first_rows = np.unique(pts[rows], return_index=True)
    if not len(times):
        return Timeline(0, 0, len(pts), None, False, False, num_strays)
    deltas = np.diff(times)
    mean = Fraction(int(times[-1] - times[0]), len(deltas)) if len(deltas) else None
    last = int(table.duration[int(rows[first_rows[-1]])])
    if last <= 0:
        last = max(1, round(period or mean or 1))
    return Timeline(
        first_pts=int(times[0]),
        end_pts=int(times[-1]) + last,
        num_pictures=len(times) if is_ordered else int(shown.sum()),
        period=mean,
        is_vfr=is_ordered and _varies(deltas),
        is_ordered=is_ordered,
        num_strays=num_strays,
    )


def _decodable(pts: NDArray[np.int64], is_key: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """False for pictures that need something from before the start of the file."""
    keys = np.flatnonzero(is_key)
    good: NDArray[np.bool_] = pts != _NO_PTS
    if len(keys):
        first, after = keys[0], keys[1] if len(keys) > 1 else len(pts)
        good[:first] = False
        good[first:after] &= pts[first:after] >= pts[first]
    return good


def _order(
    pts: NDArray[np.int64], is_key: NDArray[np.bool_], placed: NDArray[np.bool_]
) -> tuple[bool, NDArray[np.bool_]]:
    """Whether keys advance, and which pictures lie outside the time between the keys around them."""
    strays = np.zeros(len(pts), np.bool_)
    keys = np.flatnonzero(is_key)
    if not len(keys):
        return True, strays
    starts = pts[keys]
    if (np.diff(starts) <= 0).any():
        return False, strays
    gop = np.cumsum(is_key) - 1
    before = np.concatenate(([_NO_PTS], starts[:-1]))[gop]
    after = np.concatenate((starts[1:], [2**63 - 1]))[gop]
    strays = placed & ((pts < before) | (pts >= after))
    return True, strays


def _varies(deltas: NDArray[Any]) -> bool:
    """Whether the distances differ by more than rounding to ticks explains."""
    return len(deltas) > 1 and int(deltas.max() - deltas.min()) > max(1, 0.01 * float(np.median(deltas)))
