"""What a file is and how long it really lasts, from one pass over its packets and one decoded picture."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc
from av.video.stream import VideoStream

from videoxl2.frames.container import (
    CLOCKLESS_DEMUXERS,
    DEFAULT_LIMITS,
    INDEXED_DEMUXERS,
    Limits,
    OpenVideo,
    freed_at_once,
    has_decoder,
    open_video,
)
from videoxl2.frames.errors import LimitExceeded, UndecodableVideo
from videoxl2.frames.metadata import NOTHING_SAID, Metadata, read_metadata, read_title
from videoxl2.frames.packets import AnyPacket, Damage, VideoPacket, read_packets
from videoxl2.frames.pixels import display_matrix, rotation_degrees
from videoxl2.frames.start_timecode import read_start_timecode
from videoxl2.frames.timeline import PacketTable, Timeline, measure

# A header that claims more than this times what is there belongs to a file that was cut short.
_CLAIM_SHARE = Fraction(98, 100)
_PLAYED_BY_BROWSERS = INDEXED_DEMUXERS | {"ogg"}
_MAX_LATE_MS = 600_000  # of pictures after sound; another programme's stamps may be hours away
_HDR_TRANSFERS = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})


@dataclass(frozen=True)
class MediaInfo:
    """One video file, in plain values. Times are whole milliseconds.

    `timestamps` is "estimated" when the file has no usable clock of its own (bare bitstreams, AVI with
    reordered pictures, times that jump back); then pictures are counted and `fps` is their clock.

    `warnings` holds any of: `truncated`, `corrupt_packets`, `timestamps_estimated`,
    `timestamp_discontinuity`, `starts_mid_gop`, `hdr_not_converted`.
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
        raise LimitExceeded(f"max_duration_s: {info.duration_ms / 1000:.0f} is above {limits.max_duration_s}")
    return info


def _probe(path: str | os.PathLike[str], limits: Limits) -> MediaInfo:
    with open_video(path, limits) as video:
        scan = _Scan(video, Damage())
        if scan.picture is None:
            raise UndecodableVideo("not one picture could be decoded")
        timeline = measure(scan.table, _stated_period(video))
        return _describe(Path(os.fspath(path)), video, scan, timeline)


class _Scan:
    """One pass over a file: its packet table, its first picture, and how far any stream reaches."""

    def __init__(self, video: OpenVideo, damage: Damage) -> None:
        self.table = PacketTable()
        self.picture: VideoFrame | None = None
        self.end_s = Fraction(0)  # furthest end on the container's clock
        self.num_corrupt = 0
        for packet in read_packets(video, damage):
            self._note_end(packet)
            if packet.stream_index == video.stream.index:
                self._note_picture(packet)  # type: ignore[arg-type]  # the index says it is video
        if self.picture is None:
            self.picture = next(_decoded(video.stream, None), None)
        self.num_broken_reads = damage.broken_reads

    def _note_end(self, packet: AnyPacket) -> None:
        if packet.pts is not None and packet.time_base:
            self.end_s = max(self.end_s, (packet.pts + (packet.duration or 0)) * packet.time_base)

    def _note_picture(self, packet: VideoPacket) -> None:
        if packet.has_sidedata("encryption_info"):
            raise UndecodableVideo("the video is encrypted")  # noise sometimes passes for a picture
        self.table.add(packet)
        self.num_corrupt += packet.is_corrupt
        if self.picture is None:
            self.picture = next(_decoded(packet.stream, packet), None)


def _decoded(stream: VideoStream, packet: VideoPacket | None) -> Iterator[VideoFrame]:
    try:
        yield from stream.codec_context.decode(packet)
    except FFmpegError:
        return


def _describe(path: Path, video: OpenVideo, scan: _Scan, timeline: Timeline) -> MediaInfo:
    assert scan.picture is not None
    stream, container = video.stream, video.container
    is_exact = timeline.is_ordered and _has_clock(video)
    fps = _frame_rate(video, timeline if is_exact else None)
    if is_exact:
        duration_s = (timeline.end_pts - timeline.first_pts) * video.time_base
    else:
        duration_s = timeline.num_pictures / fps
    start_ms = round(timeline.first_pts * video.time_base * 1000)
    timecode = read_start_timecode(
        path,
        stream.id,
        max(Fraction(0), timeline.first_pts * video.time_base),
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
        is_vfr=is_exact and timeline.is_vfr,
        duration_ms=max(1, int(duration_s * 1000)),
        start_ms=start_ms,
        num_frames=timeline.num_pictures,
        timestamps="exact" if is_exact else "estimated",
        title=read_title(container, stream, video.demuxer),
        size_bytes=path.stat().st_size,
        warnings=_warnings(video, scan, timeline, is_exact),
        first_pts=timeline.first_pts,
        start_timecode=timecode.label if timecode else None,
        timecode_rate=timecode.rate if timecode else None,
        player_start_ms=_player_start_ms(video, start_ms),
        metadata=read_metadata(path, container, stream, video.demuxer),
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
    )


def _player_start_ms(video: OpenVideo, start_ms: int) -> int:
    """What browsers play is shown on the container's own clock, from 0 on; of other containers, whose stamps
    may begin anywhere, players show the first stamp as 0.
    """
    if video.demuxer in _PLAYED_BY_BROWSERS:
        return max(0, start_ms)
    since_ms = start_ms - (video.container.start_time or 0) // 1000
    return since_ms if 0 <= since_ms < _MAX_LATE_MS else 0


def _warnings(video: OpenVideo, scan: _Scan, timeline: Timeline, is_exact: bool) -> tuple[str, ...]:
    assert scan.picture is not None
    first_is_key = bool(scan.table.is_key and scan.table.is_key[0])
    found = {
        "truncated": _is_truncated(video, scan),
        "corrupt_packets": scan.num_corrupt > 0 or scan.num_broken_reads > 0,
        "timestamps_estimated": not is_exact,
        "timestamp_discontinuity": _has_clock(video) and (timeline.num_strays > 0 or not timeline.is_ordered),
        "starts_mid_gop": is_exact and not first_is_key,
        "hdr_not_converted": scan.picture.color_trc in _HDR_TRANSFERS,
    }
    return tuple(word for word, is_so in found.items() if is_so)


def _has_clock(video: OpenVideo) -> bool:
    """AVI stores no presentation times: FFmpeg's are right only when pictures are stored as shown."""
    if video.demuxer == "avi":
        return not video.stream.codec_context.has_b_frames
    return video.demuxer not in CLOCKLESS_DEMUXERS


def _is_truncated(video: OpenVideo, scan: _Scan) -> bool:
    if not video.container.duration:
        return False
    claimed_s = Fraction(video.container.duration, 1_000_000)
    # Matroska counts its duration from zero, MP4 from the first sample; the kinder reading is taken.
    return scan.end_s < claimed_s * _CLAIM_SHARE


def _stated_period(video: OpenVideo) -> Fraction | None:
    rate = video.stream.average_rate or video.stream.guessed_rate
    return 1 / (rate * video.time_base) if rate else None


def _frame_rate(video: OpenVideo, timeline: Timeline | None) -> Fraction:
    """The stated rate where the pictures bear it out, else the measured one."""
    if timeline is None and video.demuxer == "avi":
        return 1 / video.time_base  # an AVI tick is one picture; FFmpeg's rate may count fields
    stated = [rate for rate in (video.stream.average_rate, video.stream.guessed_rate) if rate]
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
