"""Stretches of a film whose pictures are missing, or built on missing ones, from bytes that are not there.

Where a container loses packets without a word, a decoder builds the next pictures on older ones, and the
picture before stays on screen for those that are gone. Both end with the next key.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Loss
from videoxl2.frames.clocks.columns import NONE, PacketTable
from videoxl2.frames.files.container import Limits, open_video
from videoxl2.frames.files.matroska import Stretch
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
    """What damaged stretches of a file cost the `streams`, whose packets in turn are shown at `ticks`.

    The file is read once more, as nobody notes where in it each packet of a sound one lies.
    """
    if not damaged:
        return ()
    places = [place for index in streams for place in _places(path, index, limits)]
    if len(places) != len(table):
        return ()
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    return _merged(_found(table, ticks, starts, ends, damaged))


def _places(path: str | os.PathLike[str], index: int, limits: Limits) -> list[tuple[int, int]]:
    """Where each packet of a stream begins and ends, in bytes of the file."""
    with open_video(path, limits, index) as video:
        places = [(packet.pos or 0, packet.size) for packet in video_packets(video, Damage())]
        if video.demuxer != "mpegts":
            return [(at, at + size) for at, size in places]
        # Those of others lie between its parts.
        starts = [at for at, _ in places]
        return list(zip(starts, [*starts[1:], Path(path).stat().st_size], strict=True)) if starts else []


def _found(
    table: PacketTable, ticks: Int64, starts: Int64, ends: Int64, damaged: Sequence[Stretch]
) -> Iterator[Loss]:
    keys = np.flatnonzero(table.array("is_key").astype(bool) & (ticks != NONE))
    for stretch in damaged:
        row = int(np.searchsorted(ends, stretch.start, "right"))  # the first one behind it or touched by it
        is_touched = row < len(starts) and bool(starts[row] < stretch.end)
        sound = keys[(keys >= row) & (starts[keys] >= stretch.end)]
        end = int(ticks[sound[0]]) if len(sound) else _FOR_EVER
        first = _first(table, ticks, row, end, is_touched)
        if first is not None and first < end:
            yield Loss(first, end)


def _merged(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    merged: list[Loss] = []
    for loss in sorted(losses, key=lambda loss: loss.first):
        if merged and loss.first < merged[-1].end:
            merged[-1] = Loss(merged[-1].first, max(loss.end, merged[-1].end))
        else:
            merged.append(loss)
    return tuple(merged)


def _first(table: PacketTable, ticks: Int64, row: int, end: int, is_touched: bool) -> int | None:
    """From when on pictures up to tick `end` are in doubt, of which none before `row` is damaged itself."""
    around = ticks[max(0, row - _AROUND) : row + _AROUND]
    shown = np.unique(around[around != NONE])
    if len(shown) < 2:
        return None
    distances = np.diff(shown)
    usual = int(np.median(distances))
    decoded = table.dts[row - 1] if row and table.dts[row - 1] != NONE else int(shown[0])
    # Lost pictures are decoded later than what is stored before them, and shown later still.
    gaps = np.flatnonzero((shown[:-1] >= decoded) & (shown[:-1] < end) & (distances > _AS_LONG * usual))
    if not len(gaps) and not is_touched:
        return None  # something else was lost
    after = ticks[row:]
    in_doubt = after[(after != NONE) & (after < end)]
    firsts = [int(shown[gap] + distances.min()) for gap in gaps[:1]]
    return min([*firsts, *in_doubt[:_AROUND].tolist()], default=None)
