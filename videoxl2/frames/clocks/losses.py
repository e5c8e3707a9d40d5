"""Stretches of a film whose pictures are missing, or built on missing ones, from bytes that are not there.

Where a container loses packets without a word, a decoder builds the next pictures on older ones, and the
picture before stays on screen for those that are gone. Both end with the next key.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Loss
from videoxl2.frames.clocks.columns import NONE, PacketTable
from videoxl2.frames.files.container import Limits, open_video
from videoxl2.frames.files.formats.matroska import Stretch
from videoxl2.frames.files.packets import Damage, video_packets

_FOR_EVER = 1 << 62  # ticks
_AROUND = 32  # packets that say how long pictures stay
_AS_LONG = 1.5  # times the usual stay: something is missing

Int64 = NDArray[np.int64]


def find_losses(
    path: str | os.PathLike[str],
    streams: Collection[int],
    limits: Limits,
    table: PacketTable,
    ticks: Int64,
    damaged: Sequence[Stretch],
) -> tuple[Loss, ...]:
    """Find what damaged stretches of a file cost the `streams`, whose packets in turn are shown at `ticks`.

    The file is read once more, as nobody notes where in it each packet of a sound one lies.
    """
    if not damaged:
        return ()
    places = [place for index in streams for place in _places(path, index, limits)]
    if len(places) != len(table):
        return ()
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    packets = _Packets(table, ticks, starts, ends)
    return _merged(loss for stretch in damaged for loss in packets.losses(stretch))


def _places(path: str | os.PathLike[str], index: int, limits: Limits) -> list[tuple[int, int]]:
    """Where each packet of a stream begins and ends, in bytes of the file."""
    with open_video(path, limits, index) as video:
        places = [(packet.pos or 0, packet.size) for packet in video_packets(video, Damage())]
        if video.demuxer.startswith(("matroska", "mov,")):
            return [(at, at + size) for at, size in places]
        # Those of others lie between its parts, or several share a place.
        starts = list(accumulate((at for at, _ in places), max))
        return list(zip(starts, [*starts[1:], Path(path).stat().st_size], strict=True)) if starts else []


@dataclass(frozen=True)
class _Packets:
    """Packets in stored order: when they are shown, and their first and last bytes in the file."""

    table: PacketTable
    ticks: Int64
    starts: Int64
    ends: Int64

    def losses(self, stretch: Stretch) -> Iterator[Loss]:
        """What one stretch costs."""
        row = int(np.searchsorted(self.ends, stretch.start, "right"))  # the first behind it or touched by it
        if row == len(self.ends):  # what is stored before it is right, and so is what was to refer to it
            yield from self._gaps(row)
            return
        end = self._next_key(row, stretch.end)
        gap = next((gap for gap in self._gaps(row) if gap.first < end), None)
        if gap is None and self.starts[row] >= stretch.end:
            return  # something else was lost
        later = self.ticks[row:]
        in_doubt = later[(later != NONE) & (later < end)][:_AROUND].tolist()
        first = min([*in_doubt, *([gap.first] if gap else [])], default=end)
        if first < end:
            yield Loss(first, end)

    def _next_key(self, row: int, byte: int) -> int:
        """When the first key from `row` and `byte` on is shown."""
        is_key = self.table.array("is_key").astype(bool) & (self.ticks != NONE) & (self.starts >= byte)
        keys = row + np.flatnonzero(is_key[row:])
        return int(self.ticks[keys[0]]) if len(keys) else _FOR_EVER

    def _gaps(self, row: int) -> Iterator[Loss]:
        """Where pictures are missing that were stored at `row`: decoded then, they are shown later."""
        around = self.ticks[max(0, row - _AROUND) : row + _AROUND]
        shown = np.unique(around[around != NONE])
        if len(shown) < 2:
            return
        stays = np.diff(shown)
        is_gap = (stays > _AS_LONG * np.median(stays)) & (shown[:-1] >= self._decoded(row))
        for gap in np.flatnonzero(is_gap):
            yield Loss(int(shown[gap] + stays.min()), int(shown[gap + 1]))

    def _decoded(self, row: int) -> int:
        """About when the packet before `row` is decoded, on the film's clock."""
        if not row or NONE in (self.table.pts[row - 1], self.table.dts[row - 1], self.ticks[row - 1]):
            return 0
        ahead = self.table.pts[row - 1] - self.table.dts[row - 1]
        return int(self.ticks[row - 1]) - max(0, ahead)


def _merged(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    merged: list[Loss] = []
    for loss in sorted(losses, key=lambda loss: loss.first):
        if merged and loss.first < merged[-1].end:
            merged[-1] = Loss(merged[-1].first, max(loss.end, merged[-1].end))
        else:
            merged.append(loss)
    return tuple(merged)
