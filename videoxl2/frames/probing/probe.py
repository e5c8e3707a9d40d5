"""What a file is and how long it really lasts, from one pass over its packets and one decoded picture."""

import os
from fractions import Fraction
from pathlib import Path

from av.video.reformatter import ColorTrc

from videoxl2.frames.errors import LimitExceeded, UndecodableVideo
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
from videoxl2.frames.files.formats.fragments import change_description
from videoxl2.frames.files.formats.programme_maps import changes_kind
from videoxl2.frames.files.formats.structure import is_followed
from videoxl2.frames.files.pixels import display_matrix, rotation_degrees
from videoxl2.frames.probing.cut_short import is_truncated
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.probing.metadata import read_metadata, read_title
from videoxl2.frames.probing.rates import frame_rate
from videoxl2.frames.probing.scan import Listener, Scan
from videoxl2.frames.probing.showing import Showing
from videoxl2.frames.probing.start_timecode import read_start_timecode

_PLAYED_BY_BROWSERS = INDEXED_DEMUXERS | {"ogg"}
_MAX_LATE_MS = 600_000  # of pictures after sound; another programme's stamps may be hours away
_HDR_TRANSFERS = frozenset({ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67})


def probe(
    path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS, listener: Listener | None = None
) -> MediaInfo:
    """Read the whole file's packets, decode one picture, and say what the video is.

    `listener` hears all packets, in the same pass.
    Raises a `MediaError` subclass when there is no video to be read, `OSError` when there is no file.
    """
    with freed_at_once():
        info = _probe(path, limits, listener)
    if info.duration_ms > limits.max_duration_s * 1000:
        raise LimitExceeded(
            f"max_duration: {info.duration_ms / 1000:.0f} seconds are above {limits.max_duration_s}"
        )
    return info


def _probe(path: str | os.PathLike[str], limits: Limits, listener: Listener | None) -> MediaInfo:
    with open_video(path, limits) as video:
        scan = Scan(video, listener)
        if scan.picture is None:
            raise UndecodableVideo("not one picture could be decoded")
        shown = Showing.of(video, path, scan, limits)
        return _describe(Path(os.fspath(path)), video, scan, shown)


def _describe(path: Path, video: OpenVideo, scan: Scan, shown: Showing) -> MediaInfo:
    assert scan.picture is not None
    stream, container = video.stream, video.container
    fps = frame_rate(video, None if shown.clock.counts_pictures else shown.media)
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


def _container_name(video: OpenVideo) -> str:
    """One word; FFmpeg names MP4 and QuickTime alike after six extensions."""
    if video.demuxer.startswith("mov,"):
        return "mov" if video.container.metadata.get("major_brand", "").startswith("qt") else "mp4"
    return video.demuxer.split(",")[0]


def _warnings(video: OpenVideo, scan: Scan, shown: Showing, path: Path) -> tuple[str, ...]:
    assert scan.picture is not None
    table = scan.turns.table
    first_is_key = bool(table.is_key and table.is_key[0])
    has_clock = video.demuxer not in CLOCKLESS_DEMUXERS
    found = {
        "truncated": is_truncated(video, scan, shown, path),
        "corrupt_packets": _has_damage(scan, shown),
        "timestamps_estimated": not shown.is_exact,
        "timestamp_discontinuity": has_clock and (shown.media.num_strays > 0 or not shown.media.is_ordered),
        "clock_joined": shown.num_joins > 0,
        "edits_ignored": shown.has_odd_edits,
        "streams_unread": scan.streams_unread or _goes_on(video, scan, path),
        "starts_mid_gop": not shown.clock.counts_pictures and not first_is_key,
        "hdr_not_converted": scan.picture.color_trc in _HDR_TRANSFERS,
    }
    return tuple(word for word, is_so in found.items() if is_so)


def _goes_on(video: OpenVideo, scan: Scan, path: Path) -> bool:
    """Whether there is more behind what was read: the video in another codec, or another film; or fragments
    in another description than they are decoded by.
    """
    indexes = scan.turns.streams or (video.stream.index,)
    pids = {video.container.streams[index].id for index in indexes}
    changes = video.demuxer == "mpegts" and changes_kind(path, pids)
    is_mp4 = video.demuxer.startswith("mov,")
    changes = changes or (is_mp4 and change_description(path, video.stream.id))
    return changes or is_followed(path, video.demuxer)


def _has_damage(scan: Scan, shown: Showing) -> bool:
    num_corrupt = scan.turns.table.num_corrupt - len(shown.clock.unharmed)
    return num_corrupt > 0 or scan.num_broken_reads > 0 or shown.is_damaged
