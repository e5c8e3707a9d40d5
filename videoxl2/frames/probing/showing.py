"""When a film's pictures are shown: its clock, its edits, and how long all of it lasts."""

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Clock, Edit, Order
from videoxl2.frames.clocks.clockmaker import make_clock
from videoxl2.frames.clocks.columns import PacketTable
from videoxl2.frames.clocks.edits import OddEdits, end_s, film_ticks, lay_out, read_edits
from videoxl2.frames.clocks.joints import Joints, find_joints
from videoxl2.frames.clocks.losses import find_losses
from videoxl2.frames.clocks.order import look_at_order
from videoxl2.frames.clocks.timeline import Timeline, measure, measure_times, varies
from videoxl2.frames.errors import NoVideo
from videoxl2.frames.files.container import Limits, OpenVideo
from videoxl2.frames.files.formats.chains import lost_stretches
from videoxl2.frames.files.formats.matroska import Stretch
from videoxl2.frames.files.formats.structure import is_cut_short, is_followed
from videoxl2.frames.probing.rates import stated_period
from videoxl2.frames.probing.scan import Scan

_COUNTED = frozenset(
    {"avi", "mxf", "mpeg", "ogg"}
)  # where pictures count from stamp to stamp, or from the start
_NO_END = 1 << 62  # bytes


@dataclass(frozen=True)
class Showing:
    """The times at which the film's pictures are shown, and all that is to be said about them."""

    clock: Clock
    media: Timeline  # as stored
    film: Timeline  # as edited
    start_s: Fraction  # of the film, on the container's clock
    is_exact: bool
    num_joins: int
    has_odd_edits: bool = False
    is_damaged: bool = False  # in the container, whichever stream that costs something

    @classmethod
    def of(cls, video: OpenVideo, path: str | os.PathLike[str], scan: Scan, limits: Limits) -> "Showing":
        """Return how a file is shown, from its scanned packets and what its container says."""
        table, turns = scan.turns.table, scan.turns
        made = make_clock(video, path, table, turns.rows, turns.streams, scan.sound, limits)
        period = stated_period(video)
        if made.clock.order is not None:
            media = measure_times(np.sort(made.ticks), made.clock.order.period, period)
        else:
            media = measure(table, made.ticks, made.num_strays, period)
        is_cut = is_cut_short(path, video.demuxer)
        is_counted_on = video.demuxer == "avi" and is_followed(path, video.demuxer)
        if video.demuxer == "avi" and not is_cut and not is_counted_on:
            media = _with_dropped_end(media, video)
        clock = replace(made.clock, pads_with_zeros=table.pads_with_zeros)
        is_exact = media.is_ordered and not made.is_estimated and not is_counted_on
        if not media.is_ordered and clock.can_skip:
            clock = Clock(counts_pictures=True, pads_with_zeros=clock.pads_with_zeros)
        is_exact &= not clock.counts_pictures
        streams = turns.streams or (video.stream.index,)
        damage = _Damage.of(video, path, table, made.ticks, streams, is_cut)
        if damage.is_told and video.demuxer == "avi":
            clock = _without_keys(clock, path, limits)
        if clock.can_skip:
            losses = find_losses(path, streams, limits, table, made.ticks, damage.lost)
            clock = replace(clock, losses=losses)
        clock = replace(clock, unharmed=damage.joints.unharmed)
        # Behind a loss pictures are counted on as if nothing were lost; and a lost stamp is no jump.
        is_shifted = (damage.is_inside or table.num_corrupt > 0) and video.demuxer in _COUNTED
        is_shifted |= damage.is_inside and (made.num_joins > 0 or made.clock.order is not None)
        is_exact &= not damage.joints.has_overlap and not is_shifted
        start_s = media.first_pts * video.time_base
        shown = cls(clock, media, media, start_s, is_exact, made.num_joins, is_damaged=damage.is_told)
        return shown._edited(video, path) if video.demuxer.startswith("mov,") and is_exact else shown

    def _edited(self, video: OpenVideo, path: str | os.PathLike[str]) -> "Showing":
        try:
            edits = read_edits(path, video.stream.id)
        except OddEdits:
            return replace(self, has_odd_edits=True, is_exact=False)
        if not edits:
            return self
        start_s, parts = lay_out(edits, video.time_base, self.media.first_pts, self.media.end_pts)
        if not parts:
            raise NoVideo("the edit list shows nothing of the video")
        return replace(
            self,
            clock=replace(self.clock, edits=parts if len(parts) > 1 else ()),
            film=_edited_timeline(self.media, parts, video.time_base),
            start_s=start_s,
        )


def _without_keys(clock: Clock, path: str | os.PathLike[str], limits: Limits) -> Clock:
    """A clock to be read from the start: FFmpeg counts on behind a loss, so its index calls others keys."""
    order = clock.order or Order(look_at_order(path, limits).delay, 1)
    return replace(clock, order=replace(order, has_keys=False), missing="unknown")


@dataclass(frozen=True)
class _Damage:
    """Bytes that are missing from the file."""

    lost: tuple[Stretch, ...] = ()
    is_told: bool = False  # by the container's structure, whichever stream that costs something
    is_inside: bool = False  # told, and something comes behind it
    joints: Joints = field(default_factory=Joints)

    @classmethod
    def of(
        cls,
        video: OpenVideo,
        path: str | os.PathLike[str],
        table: PacketTable,
        ticks: NDArray[np.int64],
        streams: Collection[int],
        is_cut: bool,
    ) -> "_Damage":
        size = Path(path).stat().st_size
        end = (Stretch(size, _NO_END),) if is_cut else ()
        if video.demuxer == "mpegts":
            pids = {video.container.streams[index].id for index in streams}
            joints = find_joints(path, table, ticks, pids)
            return cls((*joints.losses, *end), joints=joints)
        damaged = lost_stretches(path, video.demuxer)
        is_inside = bool(damaged) and damaged[0].end < size
        return cls((*damaged, *end), is_told=bool(damaged), is_inside=is_inside)


def _edited_timeline(media: Timeline, parts: tuple[Edit, ...], time_base: Fraction) -> Timeline:
    times = film_ticks(media.times, parts, time_base)
    end = floor(end_s(parts[-1], time_base) / time_base)
    last = max(1, end - int(times[-1]))
    return replace(
        measure_times(times, last, None),
        first_pts=parts[0].media,
        end_pts=parts[0].media + max(end, 1),
        # Cuts inside pictures make two odd distances of an even film.
        is_vfr=media.is_vfr or (len(parts) > 1 and varies(np.diff(times))),
        num_strays=media.num_strays,
    )


def _with_dropped_end(timeline: Timeline, video: OpenVideo) -> Timeline:
    """AVI: with the chunks that a recorder dropped at the end, during which the last picture stays."""
    num_chunks = video.stream.duration or 0
    stays = num_chunks - (timeline.end_pts - timeline.first_pts)
    if 0 < stays <= num_chunks // 2:
        return replace(timeline, end_pts=timeline.end_pts + stays)
    return timeline
