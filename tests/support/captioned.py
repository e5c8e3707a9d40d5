"""Small films with captions in them, of every container and codec, for tests. Pictures are coded once."""

import io
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

RATE = Fraction(30_000, 1001)
_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "mpeg2video": "mpeg2video",
    "vp8": "libvpx",
    "av1": "libsvtav1",
}
_RAMP = bytes(range(16, 216))
_NAL_SEI = {"h264": b"\x06", "hevc": b"\x4e\x01"}


@dataclass(frozen=True)
class Coded:
    """A coded picture: its number as it is shown, and as it is decoded."""

    data: bytes
    shown: int
    decoded: int
    is_key: bool


@cache
def coded(
    codec: str, num_pictures: int, b_pictures: int, rate: Fraction = RATE
) -> tuple[tuple[Coded, ...], bytes]:
    """Pictures of a moving edge, in the order of decoding, with start codes, and the codec's header."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mpegts" if codec != "vp8" else "matroska") as output:
        stream = _add_video(output, codec, rate, b_pictures)
        packets = []
        for number in range(num_pictures):
            packets += stream.encode(_picture(number, rate))
        packets += stream.encode(None)
        header = bytes(stream.codec_context.extradata or b"")
    first = min(packet.dts or 0 for packet in packets)
    return (
        tuple(Coded(bytes(p), p.pts or 0, (p.dts or 0) - first, p.is_keyframe) for p in packets),
        header,
    )


def _add_video(
    output: av.container.OutputContainer, codec: str, rate: Fraction, b_pictures: int
) -> VideoStream:
    options = {"bf": str(b_pictures)}
    if codec == "h264":
        options |= {"preset": "ultrafast", "x264-params": "scenecut=0:b-adapt=0:threads=1"}
    if codec == "hevc":
        options = {
            "preset": "ultrafast",
            "x265-params": f"bframes={b_pictures}:b-adapt=0:log-level=none:pools=1",
        }
    stream = output.add_stream(_ENCODERS[codec], rate=rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 64, "yuv420p", 30
    stream.codec_context.time_base = 1 / rate
    stream.codec_context.thread_count = 1
    return stream


def _picture(number: int, rate: Fraction) -> av.VideoFrame:
    frame = av.VideoFrame(64, 64, "yuv420p")
    for plane in frame.planes:
        start = 3 * number % len(_RAMP)
        plane.update((_RAMP * (plane.buffer_size // len(_RAMP) + 2))[start : start + plane.buffer_size])
    frame.pts, frame.time_base = number, 1 / rate
    return frame


def film(
    path: Path,
    beside: Sequence[bytes] = (),
    *,
    codec: str = "h264",
    num_pictures: int = 150,
    b_pictures: int = 0,
    rate: Fraction = RATE,
    start_s: Fraction = Fraction(0),
    options: dict[str, str] | None = None,
    container: str | None = None,
    texts: Iterable[tuple[str, str, dict[str, str]]] = (),
    grouped: bool = False,
    after: Callable[[av.container.OutputContainer], None] | None = None,
) -> Path:
    """A film with what stands `beside` each picture, and `texts`: (format, content, tags of its track).

    `grouped`: codes come before the pictures of a group, as on a DVD.
    """
    pictures, _ = coded(codec, num_pictures, b_pictures, rate)
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        stream = _add_video(output, codec, rate, b_pictures)
        tracks = [_text_packets(output, *text) for text in texts]
        if after is not None:
            after(output)
        output.start_encoding()
        base = 1 / rate
        delay = max(picture.decoded - picture.shown for picture in pictures)
        packets = []
        for picture in pictures:
            data = picture.data
            if grouped:
                data = with_group_codes(picture, pictures, beside)
            elif beside:
                data = with_triplets(picture.data, beside[picture.shown], codec)
            packet = Packet(data)
            packet.pts = picture.shown + round(start_s * rate)
            packet.dts = picture.decoded - max(delay, 0) + round(start_s * rate)
            packet.time_base, packet.duration, packet.is_keyframe = base, 1, picture.is_key
            packet.stream = stream
            packets.append(packet)
        packets += [packet for track in tracks for packet in track]
        for packet in sorted(packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            output.mux(packet)
    return path


def _text_packets(
    output: av.container.OutputContainer, kind: str, content: str, tags: dict[str, str]
) -> list[Packet]:
    """Packets of a sidecar's text, as they come from FFmpeg."""
    source = av.open(io.BytesIO(content.encode()), mode="r", format=kind)
    told = source.streams.subtitles[0]
    stream = output.add_stream_from_template(told)
    stream.metadata.update(tags)
    packets = [packet for packet in source.demux(told) if packet.size]
    for packet in packets:
        packet.stream = stream
    return packets


def with_triplets(data: bytes, triplets: bytes, codec: str) -> bytes:
    """A coded picture with caption bytes before its first slice."""
    at = 0
    while True:
        at = data.index(b"\0\0\1", at)
        kind = data[at + 3]
        if codec == "mpeg2video":
            if 1 <= kind <= 0xAF:
                return data[:at] + b"\0\0\1\xb2" + _atsc(triplets) + data[at:]
        elif (kind >> 1 & 63) < 32 if codec == "hevc" else kind & 31 in (1, 5):
            start = at - 1 if at and data[at - 1] == 0 else at
            return data[:start] + b"\0\0\0\1" + _NAL_SEI[codec] + _message(triplets) + data[start:]
        at += 3


def with_group_codes(picture: Coded, pictures: Sequence[Coded], beside: Sequence[bytes]) -> bytes:
    """A picture of MPEG-2; a key with the codes of all its group before it, as DVDs have them."""
    if not picture.is_key:
        return picture.data
    at = picture.data.index(b"\0\0\1\0")
    place = int.from_bytes(picture.data[at + 4 : at + 6]) >> 6
    first = picture.shown - place
    later = [key.shown for key in pictures if key.is_key and key.shown > picture.shown]
    codes = b"".join(
        b"\xff" + one[1:3] + b"\xfe\x80\x80" for one in beside[first : min([first + 30, *later])]
    )
    return picture.data[:at] + b"\0\0\1\xb2CC\1\xf8\x9e" + codes + picture.data[at:]


def _atsc(triplets: bytes) -> bytes:
    return b"GA94\3" + bytes((0x40 | len(triplets) // 3, 0xFF)) + triplets + b"\xff"


def _message(triplets: bytes) -> bytes:
    payload = b"\xb5\0\x31" + _atsc(triplets)
    body = bytes((4, len(payload))) + payload + b"\x80"
    escaped, zeros = bytearray(), 0
    for byte in body:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(escaped)


# --- tracks in MP4 and QuickTime, box by box ---------------------------------------------------------------


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def entry(kind: bytes, *parts: bytes) -> bytes:
    """A sample description."""
    return box(kind, bytes(6), b"\0\1", *parts)


TX3G = entry(b"tx3g", bytes(30), b"\0\1\0\0\x12\xff\xff\xff")
FORCED_TX3G = entry(b"tx3g", b"\x80\0\0\0", bytes(26), b"\0\1\0\0\x12\xff\xff\xff")
WVTT = entry(b"wvtt", box(b"vttC", b"WEBVTT"))
STPP = entry(b"stpp", b"http://www.w3.org/ns/ttml\0\0\0")
C608 = entry(b"c608")
GAP = b"\0\0"
Edits = Sequence[tuple[int, int]]


def mov_text(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def wvtt_cue(text: str, name: str | None = None) -> bytes:
    return box(b"vttc", *([box(b"iden", name.encode())] if name else []), box(b"payl", text.encode()))


def with_track(
    path: Path,
    description: bytes,
    samples: Sequence[tuple[int, bytes]],
    *,
    handler: bytes = b"sbtl",
    scale: int = 1000,
    edits: Edits = (),
    language: str = "eng",
    tag: str | None = None,
) -> Path:
    """The MP4 or QuickTime film at `path` with another track, whose samples last so many ticks each.

    Edits are (ticks of the movie, which has 1000 a second; first tick of the track, or -1 for nothing).
    """
    data = path.read_bytes()
    at = next(start for start, kind, _ in _outermost(data) if kind == b"moov")
    size = struct.unpack(">I", data[at : at + 4])[0]
    moov, rest = data[at + 8 : at + size], data[at + size :]
    assert not rest, "the movie's header is to be the last box"
    track_id = moov.count(b"tkhd") + 1

    def header(offset: int) -> bytes:
        track = _trak(track_id, description, samples, offset, handler, scale, edits, language, tag)
        return box(b"moov", moov, track)

    at_samples = at + len(header(0)) + 8
    path.write_bytes(data[:at] + header(at_samples) + box(b"mdat", *(sample for _, sample in samples)))
    return path


def _outermost(data: bytes) -> Iterable[tuple[int, bytes, int]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield at, kind, size
        at += size


def _trak(
    track_id: int,
    description: bytes,
    samples: Sequence[tuple[int, bytes]],
    offset: int,
    handler: bytes,
    scale: int,
    edits: Edits,
    language: str,
    tag: str | None,
) -> bytes:
    total = sum(ticks for ticks, _ in samples)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    packed = 0
    for letter in language:
        packed = packed << 5 | ord(letter) - 0x60
    num = struct.pack(">I", len(samples))
    table = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), description),
        full_box(b"stts", num, *(struct.pack(">II", 1, ticks) for ticks, _ in samples)),
        full_box(b"stsc", struct.pack(">IIII", 1, 1, len(samples), 1)),
        full_box(
            b"stsz", struct.pack(">I", 0), num, *(struct.pack(">I", len(sample)) for _, sample in samples)
        ),
        full_box(b"stco", struct.pack(">II", 1, offset)),
    )
    media = box(
        b"mdia",
        full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, total, packed, 0)),
        *([full_box(b"elng", tag.encode() + b"\0")] if tag else []),
        full_box(b"hdlr", bytes(4), handler, bytes(12), b"\0"),
        box(
            b"minf",
            full_box(b"nmhd"),
            box(b"dinf", full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1))),
            table,
        ),
    )
    entries = b"".join(struct.pack(">Iii", length, start, 0x10000) for length, start in edits)
    shown = [box(b"edts", full_box(b"elst", struct.pack(">I", len(edits)), entries))] if edits else []
    header = full_box(
        b"tkhd",
        struct.pack(">IIIII8xhhH2x", 0, 0, track_id, 0, total * 1000 // scale, 0, 0, 0),
        matrix,
        bytes(8),
        flags=3,
    )
    return box(b"trak", header, *shown, media)
