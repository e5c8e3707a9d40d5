"""What lies beside the pictures: sound and subtitles, as many as asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from oddfilms.recipe import Recipe

_MP2 = frozenset({"ts", "vob", "mpg", "asf"})  # containers that know no plain PCM
_RATES = {"mxf": 48_000, "flv": 11_025}
_PCM_RATE, _MP2_RATE = 8_000, 16_000
_VIDEO_RATE = 25
_TEXTS = {"mkv": ("subrip", b"a line"), "mp4": ("mov_text", b"\0\6a line")}


@dataclass(frozen=True)
class Track:
    """One stream; `text` is what its packets hold, None for sound and pictures."""

    stream: Stream
    text: bytes | None = None


def add_tracks(out: OutputContainer, recipe: Recipe) -> list[Track]:
    """The streams of a recipe beside its video, in the order of their numbers."""
    tracks = []
    for _ in range(recipe.num_sounds):
        is_mp2 = recipe.container in _MP2
        rate = _MP2_RATE if is_mp2 else _RATES.get(recipe.container, _PCM_RATE)
        tracks.append(Track(out.add_stream("mp2" if is_mp2 else "pcm_s16le", rate=rate, layout="mono")))
    for _ in range(recipe.num_texts):
        codec, line = _TEXTS[recipe.container]
        tracks.append(Track(out.add_mux_stream(codec), line))
    return tracks


def add_videos(out: OutputContainer, recipe: Recipe) -> list[Track]:
    """Smaller ones, which come after the one that counts."""
    tracks = []
    for _ in range(recipe.num_videos):
        codec = "mpeg2video" if recipe.container == "ts" else "mjpeg"
        video = out.add_stream(codec, rate=_VIDEO_RATE, width=32, height=32)
        assert isinstance(video, av.VideoStream)
        video.pix_fmt = "yuv420p" if recipe.container == "ts" else "yuvj420p"
        tracks.append(Track(video))
    return tracks


def fill(tracks: Sequence[Track], start_s: Fraction, end_s: Fraction) -> list[Packet]:
    """Packets of all tracks from start to end, a line of text every second, not yet in order."""
    packets: list[Packet] = []
    for track in tracks:
        if track.text:
            packets += _texts(track, start_s, end_s)
        elif isinstance(track.stream, VideoStream):
            packets += _black(track.stream, start_s, end_s)
        else:
            packets += _silence(track.stream, start_s, end_s)
    return packets


def _texts(track: Track, start_s: Fraction, end_s: Fraction) -> list[Packet]:
    packets = []
    for second in range(int(end_s - start_s)):
        packet = Packet(track.text)
        packet.stream, packet.time_base, packet.duration = track.stream, Fraction(1, 1000), 900
        packet.pts = packet.dts = int(start_s * 1000) + second * 1000
        packets.append(packet)
    return packets


def _black(stream: VideoStream, start_s: Fraction, end_s: Fraction) -> list[Packet]:
    packets: list[Packet] = []
    for at in range(int(start_s * _VIDEO_RATE) + 1, int(end_s * _VIDEO_RATE)):
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), format=stream.pix_fmt)
        frame.pts, frame.time_base = at, Fraction(1, _VIDEO_RATE)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        packet.stream = stream
    return packets


def _silence(stream: Stream, start_s: Fraction, end_s: Fraction) -> list[Packet]:
    assert isinstance(stream, AudioStream)
    packets: list[Packet] = []
    rate = stream.codec_context.sample_rate
    step = rate // 8
    for at in range(int(start_s * rate), int(end_s * rate), step):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, step), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        packet.stream = stream
    return packets
