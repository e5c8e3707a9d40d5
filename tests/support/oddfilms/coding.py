"""Pictures to packets, once in the encoder's even steps, then moved to any times."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from oddfilms.barcode import HEIGHT, WIDTH, columns, luma

RATE = 25  # what encoders are told, whatever the film's pace
TICK = Fraction(1, 90_000)


@dataclass(frozen=True)
class Codec:
    """How PyAV is asked for one."""

    encoder: str
    pix_fmt: str = "yuv420p"
    is_reordering: bool = False
    size: tuple[int, int] = (WIDTH, HEIGHT)  # one that it takes


CODECS = {
    "h264": Codec("libx264", is_reordering=True),
    "hevc": Codec("libx265", is_reordering=True),
    "mpeg2": Codec("mpeg2video", is_reordering=True),
    "mpeg1": Codec("mpeg1video", is_reordering=True),
    "mpeg4": Codec("mpeg4", is_reordering=True),
    "msmpeg4": Codec("msmpeg4"),
    "wmv2": Codec("wmv2"),
    "flv1": Codec("flv"),
    "vp8": Codec("libvpx"),
    "vp9": Codec("libvpx-vp9"),
    "mjpeg": Codec("mjpeg", "yuvj420p"),
    "huffyuv": Codec("huffyuv", "rgb24"),
    "ffv1": Codec("ffv1"),
    "prores": Codec("prores", "yuv422p10le"),
    "png": Codec("png", "pal8"),
    "qtrle": Codec("qtrle", "gray"),
    "smc": Codec("smc", "pal8"),
    "msrle": Codec("msrle", "pal8"),
    "zmbv": Codec("zmbv", "pal8"),
    "palette": Codec("rawvideo", "pal8"),
    "gif": Codec("gif", "pal8"),
    "av1": Codec("libsvtav1", size=(64, 64)),
    "h261": Codec("h261", size=(176, 144)),
    "h263": Codec("h263", size=(128, 96)),
    "h264rgb": Codec("libx264rgb", "rgb24", is_reordering=True),
    "wmv1": Codec("wmv1"),
    "msmpeg4v2": Codec("msmpeg4v2"),
    "svq1": Codec("svq1", "yuv410p"),
    "snow": Codec("snow"),
    "cinepak": Codec("cinepak", "rgb24"),
    "rpza": Codec("rpza", "rgb555le"),
    "msvideo1": Codec("msvideo1", "rgb555le"),
    "flashsv": Codec("flashsv", "bgr24"),
    "qtrle24": Codec("qtrle", "rgb24"),
    "zmbv32": Codec("zmbv", "bgr0"),
    "dv": Codec("dvvideo", size=(720, 576)),
    "dnxhd": Codec("dnxhd", "yuv422p", size=(256, 128)),
    "cfhd": Codec("cfhd", "yuv422p10le", size=(128, 96)),
    "vc2": Codec("vc2"),
    "jpeg2000": Codec("jpeg2000"),
    "jpegls": Codec("jpegls", "rgb24"),
    "png24": Codec("png", "rgb24"),
    "raw": Codec("rawvideo"),
    "raw24": Codec("rawvideo", "rgb24"),
    "v210": Codec("v210", "yuv422p10le", size=(96, 48)),
    "huffyuv422": Codec("huffyuv", "yuv422p"),
    "ffvhuff": Codec("ffvhuff"),
    "utvideo": Codec("utvideo", "yuv422p"),
    "magicyuv": Codec("magicyuv", "gbrp"),
    "asv1": Codec("asv1"),
    "zlib": Codec("zlib", "bgr24"),
}


_ONLY_FORWARD = frozenset({"msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "flv1", "h261", "h263"})
_FINE = {"b": "8M", "qmin": "4", "qmax": "4"}  # at 2 their coefficients overflow


def options(codec: str, gop: int, num_b: int, is_open: bool = False) -> dict[str, str]:
    """The encoder's, so that a column of four pixels stays readable and GOPs are as long as asked.

    Open GOPs begin with pictures that are shown before their key and need the GOP before.
    """
    if codec in ("h264", "h264rgb"):
        x264 = f"log-level=none:keyint={gop}:min-keyint={gop}:scenecut=0:b-adapt=0:open-gop={is_open:d}"
        return {"preset": "ultrafast", "crf": "10", "bf": str(num_b), "threads": "1", "x264-params": x264}
    if codec == "hevc":
        x265 = f"keyint={gop}:min-keyint={gop}:bframes={num_b}:b-adapt=0:scenecut=0:open-gop={is_open:d}"
        quiet = "log-level=none:pools=none:frame-threads=1:no-wpp=1"
        return {"preset": "ultrafast", "crf": "8", "x265-params": f"{x265}:{quiet}"}
    if codec in ("mpeg1", "mpeg2", "mpeg4"):
        return {**_FINE, "g": str(gop), "bf": str(num_b), "sc_threshold": "1000000000"}
    if codec in ("vp8", "vp9"):
        live = {"deadline": "realtime", "threads": "1", "cpu-used": "8", "lag-in-frames": "0"}
        return {**live, "g": str(gop), "keyint_min": str(gop), "b": "3M"}
    if codec in _ONLY_FORWARD:
        return {**_FINE, "g": str(gop)}
    if codec == "av1":
        return {"preset": "12", "crf": "10", "svtav1-params": f"keyint={gop}:lp=1:pred-struct=1"}
    if codec == "dnxhd":
        return {"profile": "dnxhr_lb"}
    return {"g": str(gop), "strict": "experimental"}


def add_video(
    out: OutputContainer, codec: str, settings: dict[str, str], size: tuple[int, int], rate: Fraction
) -> VideoStream:
    """The stream of an output, with its encoder; `settings` as by `options`."""
    chosen = CODECS[codec]
    stream = out.add_stream(chosen.encoder, rate=rate, options=settings)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = chosen.pix_fmt
    stream.codec_context.time_base = 1 / rate
    return stream


def encode(stream: VideoStream, codec: str, numbers: Sequence[int], size: tuple[int, int]) -> list[Packet]:
    """Packets in stored order; a packet's pts is the place of its picture in `numbers`."""
    packets: list[Packet] = []
    base = stream.codec_context.time_base
    assert base is not None
    for place, number in enumerate(numbers):
        frame = _frame(number, CODECS[codec].pix_fmt, size)
        frame.pts, frame.time_base = place, base
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        assert packet.pts is not None
        packet.pts = round(packet.pts * packet.time_base / base)
    return packets


def retime(packets: Sequence[Packet], starts: Sequence[int], stays: Sequence[int]) -> int:
    """Give each packet its picture's start and stay, in `TICK`s. Returns the first packet's dts.

    A picture is decoded when the one before it by as many places as pictures wait is shown.
    """
    places = [packet.pts or 0 for packet in packets]
    if sorted(places) != list(range(len(starts))):
        raise ValueError(f"{len(starts)} pictures became packets {places}")
    delay = max(row - place for row, place in enumerate(places))
    early = [starts[0] - (delay - row) * min(stays) for row in range(delay)]
    decoded = [*early, *starts][: len(starts)]
    for packet, place, dts in zip(packets, places, decoded, strict=True):
        packet.time_base = TICK
        packet.pts, packet.dts, packet.duration = starts[place], dts, stays[place]
    return decoded[0]


def _frame(number: int, pix_fmt: str, size: tuple[int, int]) -> VideoFrame:
    width, height = size
    if pix_fmt == "pal8":
        return av.VideoFrame.from_ndarray((_indexes(number, size), _PALETTE), format="pal8")  # type: ignore[arg-type]
    plane = luma(number, width, height)
    if pix_fmt == "gray":
        return av.VideoFrame.from_ndarray(plane, format="gray")
    if pix_fmt in ("yuv420p", "yuvj420p"):
        chroma = np.full((height // 2, width), 128, np.uint8)
        return av.VideoFrame.from_ndarray(np.concatenate([plane, chroma]), format=pix_fmt)
    rgb = np.repeat(plane[:, :, None], 3, axis=2)
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)


def _indexes(number: int, size: tuple[int, int]) -> np.ndarray:
    """Of a palette in which nothing is where a grey one would have it."""
    width, height = size
    plane = np.full((height, width), 3, np.uint8)
    plane[: height // 2] = np.repeat(7 - columns(number) * 2, width // 16)  # 7 is dark, 5 bright
    plane[height * 3 // 4 :, number % (width - 4) :] = 9
    return plane


_PALETTE = np.zeros((256, 4), np.uint8)  # ARGB
_PALETTE[:, 0] = 255
_PALETTE[:, 1:] = 90
_PALETTE[7, 1:], _PALETTE[5, 1:] = 10, 240
