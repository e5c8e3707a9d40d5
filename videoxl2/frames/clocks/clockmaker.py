"""Which clock a film needs, decided once from what all its packets say.

The kinds, in the order in which they are tried:

* none: a bare bitstream has no clock at all; its pictures are counted;
* order: times of decoding only, or times of showing that the decoder's order contradicts (`order`);
* counts: program streams, where most pictures have no stamp (`program_stream`);
* pieces: streams whose clock may jump (`pieces`);
* plain: every packet's own pts, where a missing one can be told from the neighbours.
"""

import itertools
import os
from array import array
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Clock, Order, Piece, placed
from videoxl2.frames.clocks.columns import NONE, PacketTable
from videoxl2.frames.clocks.order import look_at_order, shown_ticks
from videoxl2.frames.clocks.pieces import HOLD_S, WRAPS, Sound, centred, find_breaks, join
from videoxl2.frames.clocks.program_stream import Recount
from videoxl2.frames.clocks.timeline import varies
from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import CLOCKLESS_DEMUXERS, INDEXED_DEMUXERS, Limits, OpenVideo

FilePath = str | os.PathLike[str]
Missing = Literal["unknown", "decoded", "next_reference"]

# Their decoders hold back one picture, so a reference is shown when the next one is decoded.
_ONE_DELAY = frozenset(
    [
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "msmpeg4v1",
        "msmpeg4v2",
        "msmpeg4v3",
        "wmv1",
        "wmv2",
        "wmv3",
        "vc1",
        "h263",
        "flv1",
    ]
)
_STAMPED_DEMUXERS = INDEXED_DEMUXERS | {"mpegts", "flv"}  # where a packet without pts is an exception
_SHORT_COUNTER = 1 << 24  # milliseconds
_ENDING = 4  # pictures before the last one that say whether the pace is even
_NEIGHBOURS = 32  # looked at for a dts that is missing


@dataclass(frozen=True)
class Made:
    """A clock, what it says about every packet, and what is to be told about it."""

    clock: Clock
    ticks: NDArray[np.int64]  # per packet; in a clock of order, of the pictures as they are shown
    num_strays: int = 0
    num_joins: int = 0
    is_estimated: bool = False


def make_clock(
    video: OpenVideo,
    path: FilePath,
    table: PacketTable,
    turns: Collection[int],
    streams: tuple[int, ...],
    sound: Sound,
    limits: Limits,
) -> Made:
    """The clock of `table`; at the rows `turns` another of the `streams` takes over."""
    if video.demuxer in CLOCKLESS_DEMUXERS:
        return Made(Clock(counts_pictures=True), table.array("pts"), num_strays=len(table))
    period = _period(video)
    start = _Start.of(video, path, table, period, limits)
    clock = replace(start.clock, streams=streams)
    if video.demuxer not in WRAPS:
        return _finished(Made(clock, table.array("pts"), start.num_unplaced), table)
    recount = None
    if _lacks_stamps(video, table):
        said, table.dts = table.dts, array("q", _filled_dts(table, period).tolist())
        recount = Recount(table, period)
        recount.apply(table, said, clock.missing == "next_reference")
    made = _in_pieces(video, table, replace(clock, wrap=_counter_size(video.demuxer, table)), turns, sound)
    made = replace(made, num_strays=made.num_strays + start.num_unplaced)
    if recount is not None:
        pieces = made.clock.pieces or (Piece(0, recount.dts[0], recount.dts[0]),)
        counted = replace(
            made.clock, pieces=recount.pieces(pieces), strays=(), counts_packets=True, step=period
        )
        made = replace(made, clock=counted, is_estimated=recount.is_estimated)
    return _finished(made, table, recount)


def _counter_size(demuxer: str, table: PacketTable) -> int:
    """What the stamps count up to.

    Some recorders of Flash fill 24 of its 32 bits, and start again after 4.7 hours.
    """
    size, dts = WRAPS[demuxer], table.array("dts")
    stamps = dts[dts != NONE] % size  # FFmpeg adds a turn where it sees a small one after a large one
    if demuxer != "flv" or (stamps >= _SHORT_COUNTER).any():
        return size
    over = np.diff(stamps) + _SHORT_COUNTER
    return _SHORT_COUNTER if ((over >= 0) & (over < HOLD_S * 1000)).any() else size


def _lacks_stamps(video: OpenVideo, table: PacketTable) -> bool:
    """Whether pictures of a program stream have no stamp; the only one of a film has."""
    is_any_unstamped = table.has_types or not all(table.begins_pes)
    return video.demuxer == "mpeg" and len(table) > 1 and is_any_unstamped


def _finished(made: Made, table: PacketTable, recount: Recount | None = None) -> Made:
    """Complete it with the ticks that the clock gives.

    The last pictures come out when no stamp is left for them; at an uneven pace their times are made up.
    """
    clock = made.clock
    if clock.is_plain:
        return replace(made, ticks=table.array("pts"))
    ticks = np.fromiter(
        (NONE if tick is None else tick for _, tick in placed(table.rows(), clock)), np.int64, len(table)
    )
    if clock.order is None:
        has_last = clock.missing != "next_reference" or clock.counts_packets
        known = np.unique(ticks[ticks != NONE])[:-1]
        is_made_up = not has_last and varies(np.diff(known[-_ENDING:]))
        return replace(made, ticks=ticks, is_estimated=made.is_estimated or is_made_up)
    last = np.diff(ticks[-2 * clock.order.delay - 2 :])
    is_made_up = clock.order.delay > 0 and varies(last)
    return replace(made, ticks=shown_ticks(ticks, clock.order), is_estimated=made.is_estimated or is_made_up)


@dataclass(frozen=True)
class _Start:
    """What is done about packets without pts, or with pts that cannot be."""

    clock: Clock
    num_unplaced: int = 0

    @classmethod
    def of(
        cls, video: OpenVideo, path: FilePath, table: PacketTable, period: int, limits: Limits
    ) -> "_Start":
        context = video.stream.codec_context
        pts = table.array("pts")
        is_missing = (pts == NONE) & table.array("is_picture").astype(bool)
        if video.demuxer == "avi" and _has_no_index(video, table):
            reordering = look_at_order(path, limits)
            return cls(Clock(order=Order(reordering.delay, 1, has_keys=False)))
        if not is_missing.any():
            if context.has_b_frames and len(pts) > 2 and (np.diff(pts) > 0).all():
                reordering = look_at_order(path, limits)
                if reordering.is_reordered:
                    return cls(Clock(order=Order(reordering.delay, _last_step(pts, period), by_pts=True)))
            return cls(Clock())
        if not context.has_b_frames:
            return cls(Clock(missing="decoded"))
        # FFmpeg does not know at once that MPEG-1 in AVI holds pictures back: the first one looks shown.
        is_first_held_back = table.pts[0] != table.dts[0]
        if codec_of(context) in _ONE_DELAY and _has_b_pictures(table) and is_first_held_back:
            return cls(Clock(missing="next_reference"))
        reordering = look_at_order(path, limits)
        if codec_of(context) in _ONE_DELAY and not reordering.is_reordered:
            is_late = video.demuxer == "mpegts" and _is_shown_late(table)
            return cls(Clock(missing="next_reference" if is_late else "decoded"))
        if reordering.has_fields:  # the second one of a picture has no time of its own
            return cls(Clock())
        num_missing = int(is_missing.sum())
        if video.demuxer in _STAMPED_DEMUXERS and num_missing < len(pts) // 4:
            return cls(Clock(), num_missing)
        order = Order(reordering.delay, _last_step(_filled_dts(table, period), period))
        return cls(Clock(order=order))


def _has_b_pictures(table: PacketTable) -> bool:
    """FFmpeg gives B pictures, which are shown as they are decoded, pts = dts, and references none."""
    if table.has_types and (said := table.array("is_b")[table.array("is_b") >= 0]).size:
        return bool(said.any())
    pts, dts = table.array("pts"), table.array("dts")
    return bool(((pts == dts) & (pts != NONE) & (table.array("is_key") == 0)).any())


def _is_shown_late(table: PacketTable) -> bool:
    """Whether pictures with both stamps are shown after they are decoded, though none overtakes another."""
    pts, dts = table.array("pts"), table.array("dts")
    has_both = (pts != NONE) & (dts != NONE)
    return bool(has_both.any() and np.median((pts - dts)[has_both]) > 0)


def _has_no_index(video: OpenVideo, table: PacketTable) -> bool:
    """AVI says in its index which packets are keys; without it, FFmpeg takes all of them for such."""
    is_intra_only = video.stream.codec_context.codec.intra_only
    return not is_intra_only and len(table) > 1 and all(table.is_key)


def _in_pieces(
    video: OpenVideo, table: PacketTable, clock: Clock, turns: Collection[int], sound: Sound
) -> Made:
    dts, pts = _filled_dts(table, 0), _guessed_pts(table, clock, video.time_base)
    breaks = find_breaks(table, dts, pts, video.time_base, clock.wrap, sound)
    if (
        not breaks.starts
        and not turns
        and _goes_on(dts, clock.wrap)
        and _goes_on(pts[pts != NONE], clock.wrap)
    ):
        plain = replace(clock, wrap=0, strays=breaks.strays)
        return Made(plain, pts, len(breaks.strays))
    pieces = join(table, breaks, clock, video.time_base, turns)
    return Made(
        replace(clock, pieces=pieces, strays=breaks.strays), pts, len(breaks.strays), len(breaks.starts)
    )


def _guessed_pts(table: PacketTable, clock: Clock, time_base: Fraction) -> NDArray[np.int64]:
    """pts with the missing ones told from the neighbours, stretch by stretch between rough breaks."""
    pts = table.array("pts")
    if clock.missing == "unknown":
        return pts
    steps = centred(np.diff(_filled_dts(table, 0)), clock.wrap)
    rough = np.flatnonzero((steps < 0) | (steps > int(HOLD_S / time_base))) + 1
    edges = [0, *rough.tolist(), len(table)]
    for first, stop in itertools.pairwise(edges):
        part = Clock((Piece(0, table.dts[first], table.dts[first]),), wrap=clock.wrap, missing=clock.missing)
        for row, tick in placed(table.rows(first, stop), part):
            pts[row] = NONE if tick is None else tick
    return pts


def _goes_on(stamps: NDArray[np.int64], wrap: int) -> bool:
    """Whether no step passes the counter's end, so that stamps are ticks already."""
    return bool((np.abs(np.diff(stamps)) < wrap // 2).all())


def _filled_dts(table: PacketTable, period: int) -> NDArray[np.int64]:
    """dts, a missing one told from those before it or else after it."""
    dts = table.array("dts")
    for row in np.flatnonzero(dts == NONE).tolist():
        if row and dts[row - 1] != NONE:
            dts[row] = dts[row - 1] + (table.duration[row - 1] or period)
            continue
        known = row + np.flatnonzero(dts[row : row + _NEIGHBOURS] != NONE)
        if len(known):
            dts[row] = dts[known[0]] - (known[0] - row) * (table.duration[row] or period)
        else:
            dts[row] = table.pts[row] if table.pts[row] != NONE else 0
    return dts


def _last_step(stamps: NDArray[np.int64], period: int) -> int:
    known = np.unique(stamps[stamps != NONE])
    return int(known[-1] - known[-2]) if len(known) > 1 else max(1, period)


def _period(video: OpenVideo) -> int:
    rate = video.stream.average_rate or video.stream.guessed_rate
    return max(1, round(1 / (rate * video.time_base))) if rate else 1
