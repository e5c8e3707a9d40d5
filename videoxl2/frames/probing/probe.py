"""What a file is and how long it really lasts, from one pass over its packets and one decoded picture."""

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Literal

import numpy as np
from av.video.reformatter import ColorTrc

from videoxl2.frames.clocks.clock import PLAIN, Clock, Edit
from videoxl2.frames.clocks.clockmaker import make_clock
from videoxl2.frames.clocks.columns import NONE
from videoxl2.frames.clocks.edits import OddEdits, end_s, film_ticks, lay_out, read_edits
from videoxl2.frames.clocks.timeline import Timeline, measure, measure_times, varies
from videoxl2.frames.errors import LimitExceeded, NoVideo, UndecodableVideo
from videoxl2.frames.files.container import (
    CLOCKLESS_DEMUXERS,
    DEFAULT_LIMITS,
    INDEXED_DEMUXERS,
    Limits,
    OpenVideo,
    freed_at_once,
    has_decoder,
    open_video,
)
from videoxl2.frames.files.pixels import display_matrix, rotation_degrees
from videoxl2.frames.files.structure import ends_inside_a_tag, is_cut_short
from videoxl2.frames.probing.metadata import NOTHING_SAID, Metadata, read_metadata, read_title
from videoxl2.frames.probing.scan import Scan
from videoxl2.frames.probing.start_timecode import read_start_timecode

# A header that claims so much more than there is belongs to a file that was cut short.
_MISSING_SHARE = Fraction(2, 100)
# Matroska states the length of its longest track, which may be subtitles; its structure says when it is cut.
_STATES_LENGTH = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "avi", "asf", "flv", "mxf"})
_FASTEST = 300  # pictures per second that a clock of so many ticks is believed to count
_PLAYED_BY_BROWSERS = INDEXED_DEMUXERS | {"ogg"}
_MAX_LATE_MS = 600_000  # of pictures after sound; another programme's stamps may be hours away
_HDR_TRANSFERS = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})


@dataclass(frozen=True)
class MediaInfo:
    """One video file, in plain values. Times are whole milliseconds.

    `timestamps` is "estimated" when pictures had to be counted (bare bitstreams, times that make no sense:
    `fps` is their clock then), spread evenly between the few that have a stamp (program streams), or shown
    without regard to an edit list that is not followed.

    `warnings` holds any of: `truncated`, `corrupt_packets`, `timestamps_estimated`,
    `timestamp_discontinuity`, `clock_joined` (pieces whose clocks do not go on from each other follow each
    other here), `edits_ignored`, `streams_unread` (streams that begin in the middle), `starts_mid_gop`,
    `hdr_not_converted`.
    """

    container: str
    video_codec: str
    audio_codecs: tuple[str, ...]
    width: int  # as stored, before rotation
    height: int
    rotation: int  # degrees clockwise that show the picture upright, 0 to 359
    fps_num: int
    fps_den: int
    is_vfr: bool
    duration_ms: int  # first picture's start to last picture's end, rounded down, at least 1
    start_ms: int  # first picture on the container's clock
    num_frames: int
    timestamps: Literal["exact", "estimated"]
    title: str | None
    size_bytes: int
    warnings: tuple[str, ...]
    first_pts: int = 0  # start_ms exactly, in ticks of the stream
    start_timecode: str | None = None  # the first picture's, `HH:MM:SS:FF`; `;` before FF: drop-frame
    timecode_rate: Fraction | None = None  # what it counts a second, where a timecode track says so
    player_start_ms: int = 0  # first picture on the clock that players show, which begins at 0
    pixel_aspect: Fraction = Fraction(1)  # a pixel's width over its height, before rotation
    metadata: Metadata = NOTHING_SAID
    clock: Clock = PLAIN  # how packets are placed; without edits, targets count from `first_pts`

    @property
    def fps(self) -> Fraction:
        """Mean pictures per second."""
        return Fraction(self.fps_num, self.fps_den)


def probe(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> MediaInfo:
    """Read the whole file's packets, decode one picture, and say what the video is.

    Raises a `MediaError` subclass when there is no video to be read, `OSError` when there is no file.
    """
    with freed_at_once():
        info = _probe(path, limits)
    if info.duration_ms > limits.max_duration_s * 1000:
        raise LimitExceeded(
            f"max_duration: {info.duration_ms / 1000:.0f} seconds are above {limits.max_duration_s}"
        )
    return info


def _probe(path: str | os.PathLike[str], limits: Limits) -> MediaInfo:
    with open_video(path, limits) as video:
        scan = Scan(video)
        if scan.picture is None:
            raise UndecodableVideo("not one picture could be decoded")
        shown = _Showing.of(video, path, scan, limits)
        return _describe(Path(os.fspath(path)), video, scan, shown)


@dataclass(frozen=True)
class _Showing:
    """When the film's pictures are shown, and all that is to be said about it."""

    clock: Clock
    media: Timeline  # as stored
    film: Timeline  # as edited
    start_s: Fraction  # of the film, on the container's clock
    is_exact: bool
    num_joins: int
    has_odd_edits: bool = False

    @classmethod
    def of(cls, video: OpenVideo, path: str | os.PathLike[str], scan: Scan, limits: Limits) -> "_Showing":
        table, turns = scan.turns.table, scan.turns
        made = make_clock(video, path, table, turns.rows, turns.streams, scan.sound, limits)
        period = _stated_period(video)
        if made.clock.order is not None:
            media = measure_times(np.sort(made.ticks), made.clock.order.period, period)
        else:
            media = measure(table, made.ticks, made.num_strays, period)
        if video.demuxer == "avi" and not is_cut_short(path, "avi"):
            media = _with_dropped_end(media, video)
        clock, is_exact = made.clock, media.is_ordered and not made.is_estimated
        if not media.is_ordered and clock.can_skip:
            clock = Clock(counts_pictures=True)
        is_exact &= not clock.counts_pictures
        shown = cls(clock, media, media, media.first_pts * video.time_base, is_exact, made.num_joins)
        return shown._edited(video, path) if video.demuxer.startswith("mov,") and is_exact else shown

    def _edited(self, video: OpenVideo, path: str | os.PathLike[str]) -> "_Showing":
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


def _describe(path: Path, video: OpenVideo, scan: Scan, shown: _Showing) -> MediaInfo:
    assert scan.picture is not None
    stream, container = video.stream, video.container
    fps = _frame_rate(video, None if shown.clock.counts_pictures else shown.media)
    if shown.clock.counts_pictures:
        duration_s = shown.media.num_pictures / fps
    else:
        duration_s = (shown.film.end_pts - shown.film.first_pts) * video.time_base
    start_ms = round(shown.start_s * 1000)
    timecode = read_start_timecode(
        path,
        stream.id,
        max(Fraction(0), shown.start_s),
        fps,
        (stream.metadata, *(track.metadata for track in container.streams.data), container.metadata),
    )
    return MediaInfo(
        container=_container_name(video),
        video_codec=stream.codec_context.codec.canonical_name,
        audio_codecs=tuple(
            s.codec_context.codec.canonical_name if has_decoder(s) else "unknown"
            for s in container.streams.audio
        ),
        width=scan.picture.width,
        height=scan.picture.height,
        rotation=rotation_degrees(display_matrix(scan.picture)),
        fps_num=fps.numerator,
        fps_den=fps.denominator,
        is_vfr=not shown.clock.counts_pictures and shown.film.is_vfr,
        duration_ms=max(1, int(duration_s * 1000)),
        start_ms=start_ms,
        num_frames=shown.film.num_pictures,
        timestamps="exact" if shown.is_exact else "estimated",
        title=read_title(container, stream, video.demuxer),
        size_bytes=path.stat().st_size,
        warnings=_warnings(video, scan, shown, path),
        first_pts=shown.film.first_pts,
        start_timecode=timecode.label if timecode else None,
        timecode_rate=timecode.rate if timecode else None,
        player_start_ms=_player_start_ms(video, start_ms),
        metadata=read_metadata(path, container, stream, video.demuxer),
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
        clock=shown.clock,
    )


def _player_start_ms(video: OpenVideo, start_ms: int) -> int:
    """What browsers play is shown on the container's own clock, from 0 on; of other containers, whose stamps
    may begin anywhere, players show the first stamp as 0.
    """
    if video.demuxer in _PLAYED_BY_BROWSERS:
        return max(0, start_ms)
    since_ms = start_ms - (video.container.start_time or 0) // 1000
    return since_ms if 0 <= since_ms < _MAX_LATE_MS else 0


def _warnings(video: OpenVideo, scan: Scan, shown: _Showing, path: Path) -> tuple[str, ...]:
    assert scan.picture is not None
    table = scan.turns.table
    first_is_key = bool(table.is_key and table.is_key[0])
    has_clock = video.demuxer not in CLOCKLESS_DEMUXERS
    found = {
        "truncated": _is_truncated(video, scan, shown, path),
        "corrupt_packets": table.num_corrupt > 0 or scan.num_broken_reads > 0,
        "timestamps_estimated": not shown.is_exact,
        "timestamp_discontinuity": has_clock and (shown.media.num_strays > 0 or not shown.media.is_ordered),
        "clock_joined": shown.num_joins > 0,
        "edits_ignored": shown.has_odd_edits,
        "streams_unread": scan.streams_unread,
        "starts_mid_gop": not shown.clock.counts_pictures and not first_is_key,
        "hdr_not_converted": scan.picture.color_trc in _HDR_TRANSFERS,
    }
    return tuple(word for word, is_so in found.items() if is_so)


def _is_truncated(video: OpenVideo, scan: Scan, shown: _Showing, path: Path) -> bool:
    """Whether the file ends early by its structure, or has less than the length that its header states."""
    if is_cut_short(path, video.demuxer):
        return True
    claimed_s = _claimed_s(video)
    if not claimed_s or shown.clock.counts_pictures:
        return False
    ends = [shown.media.end_pts * video.time_base, *(reach.end_s for reach in scan.sound_reach.values())]
    starts = [shown.media.first_pts * video.time_base]
    starts += [reach.start_s for reach in scan.sound_reach.values() if reach.start_s is not None]
    # Files count from zero or from the first sample; the kinder reading is taken. An end before everything is
    # a length (Flash), counted from the first decoding, and so is one where something else speaks of a cut.
    decoded_s = [dts * video.time_base for dts in scan.turns.table.dts[:1] if dts != NONE]
    is_length = min(starts) >= claimed_s or (video.demuxer == "flv" and ends_inside_a_tag(path))
    counts_from_s = min([*decoded_s, *starts]) if is_length else min(Fraction(0), *starts)
    missing_s = claimed_s - (max(ends) - counts_from_s)
    return missing_s > claimed_s * _MISSING_SHARE and missing_s > 2 * shown.media.longest * video.time_base


def _claimed_s(video: OpenVideo) -> Fraction | None:
    """The length a header states; of other containers FFmpeg computes one from the packets."""
    if video.demuxer not in _STATES_LENGTH:
        return None
    if video.demuxer != "flv":  # the container's own is that of its longest track
        return (video.stream.duration or 0) * video.time_base
    return Fraction(video.container.duration or 0, 1_000_000)


def _stated_rates(video: OpenVideo) -> list[Fraction]:
    """Pictures per second as the file says, leaving out what is only the number of ticks in a second."""
    rates = [rate for rate in (video.stream.average_rate, video.stream.guessed_rate) if rate]
    return [rate for rate in rates if rate * video.time_base < 1 or rate <= _FASTEST]


def _stated_period(video: OpenVideo) -> Fraction:
    """Ticks per picture; 40 ms where nothing is said."""
    rate = next(iter(_stated_rates(video)), Fraction(25))
    return 1 / (rate * video.time_base)


def _frame_rate(video: OpenVideo, timeline: Timeline | None) -> Fraction:
    """The stated rate where the pictures bear it out, else the measured one."""
    if video.demuxer == "avi":
        return 1 / video.time_base  # an AVI tick is one picture; FFmpeg's rate may count fields
    stated = _stated_rates(video)
    if timeline is None or timeline.period is None:
        return stated[0] if stated else Fraction(25)
    measured = 1 / (timeline.period * video.time_base)
    for rate in stated:
        if abs(rate / measured - 1) < Fraction(1, 200):
            return rate
    return measured.limit_denominator(1001)


def _container_name(video: OpenVideo) -> str:
    """One word; FFmpeg names MP4 and QuickTime alike after six extensions."""
    if video.demuxer.startswith("mov,"):
        return "mov" if video.container.metadata.get("major_brand", "").startswith("qt") else "mp4"
    return video.demuxer.split(",")[0]
