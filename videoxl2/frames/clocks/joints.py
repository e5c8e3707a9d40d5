"""Places at which transport streams were put together byte by byte, where nothing is lost.

FFmpeg calls a picture before such a place corrupt. A joint is sound where a file begins at a key, and no
picture around it stays longer than those before.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.columns import NONE, PacketTable
from videoxl2.frames.files.formats.continuity import find_breaks
from videoxl2.frames.files.formats.matroska import Stretch

_BEFORE = 3  # packets before a joint of which one can be called corrupt for it
_AROUND = 24  # packets that say how long pictures stay
_LAST = (
    4  # pictures before a joint whose neighbours can be lost; of as many, others come before those looked at
)
_STEADY = 3  # distances that are alike where pictures follow each other evenly
_AS_LONG = 1.25
_CUT = 0.75  # of a picture's usual stay

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Joints:
    """The joints of a film, as far as they are known."""

    unharmed: tuple[int, ...] = ()  # numbers of packets that are called corrupt for a joint alone
    losses: tuple[Stretch, ...] = ()  # where packets are missing
    has_overlap: bool = False  # the clock goes on, and cuts short a picture that others like it outlast


def find_joints(
    path: str | os.PathLike[str], table: PacketTable, ticks: Int64, pids: Collection[int]
) -> Joints:
    """The joints of a film whose packets are shown at `ticks`."""
    corrupt = np.flatnonzero(table.array("is_corrupt"))
    breaks = find_breaks(path, pids) if len(corrupt) else None
    if breaks is None:
        return Joints()
    keys = np.flatnonzero(table.array("is_key"))
    key_bytes = table.array("key_bytes")
    rows = dict(zip(key_bytes.tolist(), keys.tolist(), strict=True))
    unharmed: list[int] = []
    losses, has_overlap = list(breaks.losses), False
    for offset in breaks.joins:
        row = rows.get(offset)
        distances, gap = _stays(ticks, row) if row else ([], None)
        usual = max(distances[_LAST:-_LAST] or distances, default=0)
        is_even = gap is not None and max([gap, *distances[-_LAST:]]) <= _AS_LONG * usual
        if not row or gap is None or not is_even or _is_spoilt(offset, breaks.losses, key_bytes):
            losses.append(offset)
            continue
        unharmed += [number for number in corrupt.tolist() if row - _BEFORE <= number < row]
        last = distances[-_STEADY:]
        is_steady = len(last) == _STEADY and max(last) - min(last) <= 1 + max(last) // 50
        has_overlap |= is_steady and gap < _CUT * min(last)
    stretches = tuple(Stretch(offset - 1, offset) for offset in sorted(losses))
    return Joints(tuple(unharmed), stretches, has_overlap)


def _is_spoilt(offset: int, losses: tuple[int, ...], key_bytes: Int64) -> bool:
    """Whether packets are lost between the key before a joint and the joint."""
    earlier = key_bytes[key_bytes < offset] if losses else ()
    since = max(earlier, default=0)
    return any(since < loss < offset for loss in losses)


def _stays(ticks: Int64, row: int) -> tuple[list[int], int | None]:
    """How long the pictures before a key stay, in order of showing, and the last of them."""
    around = ticks[max(0, row - _AROUND) : row]
    before = np.unique(around[around != NONE])
    if not len(before) or ticks[row] == NONE:
        return [], None
    return np.diff(before).tolist(), int(ticks[row] - before[-1])
