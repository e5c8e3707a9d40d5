"""Bytes that are lost without a word from FFmpeg: stretches of zeros, elements that do not follow."""

import io
import re
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from videoxl2.frames import FrameFlag, Span, plan_sampling, probe, read_frames, read_span
from videoxl2.frames.files.formats.chains import lost_stretches
from videoxl2.frames.files.formats.matroska import damaged_stretches
from videoxl2.frames.files.payloads.jpeg_zeros import lacks_bytes

SIZE = 96
X264 = {"preset": "ultrafast", "g": "20", "bf": "2"}
MPEG2 = {"g": "12", "bf": "2", "b": "2M"}
VPX = {"deadline": "realtime", "threads": "1", "cpu-used": "8", "g": "12", "b": "2M"}
OPEN_X264 = {"preset": "ultrafast", "x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=2"}


def _zeroed(path, share, length=600):
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + length] = bytes(length)
    path.write_bytes(data)
    return path


def _without_checksums(path):
    """Those of a Matroska's clusters become padding of the same size."""
    sized = rb"(\x1f\x43\xb6\x75(?:\x01.{7}|[\x10-\x1f].{3}|[\x20-\x3f].{2}|[\x40-\x7f].))\xbf\x84"
    path.write_bytes(re.sub(sized, lambda found: found[1] + b"\xec\x84", path.read_bytes(), flags=re.DOTALL))
    return path


def container_of(path):
    """By FFmpeg's name."""
    with av.open(str(path)) as container:
        return container.format.name


def _flags(path, info):
    return np.concatenate(
        [s.flags for s in read_frames(path, plan_sampling(info, Fraction(25)), SIZE, info=info)]
    )


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mkv", "libx264", X264),
        ("a.mkv", "mpeg2video", MPEG2),
        ("a.mkv", "mjpeg", {}),
        ("a.mp4", "mpeg2video", MPEG2),
        ("a.mp4", "mpeg4", {"g": "12", "b": "2M"}),
        ("a.mp4", "libvpx-vp9", VPX),
        ("a.webm", "libvpx", VPX),
    ],
)
@pytest.mark.parametrize("share", [0.35, 0.5, 0.61])
def test_zeros_in_a_download_are_said(make, name, codec, options, share):
    """Wherever they lie, in a picture or between two; the sound file is not accused."""
    path = make(name, codec=codec, codec_options=options, num_frames=60)
    assert probe(path).warnings == ()
    assert "corrupt_packets" in probe(_zeroed(path, share)).warnings


def test_a_zeroed_key_puts_its_pictures_in_doubt(make):
    """MPEG-2's decoder conceals what is missing and says nothing; frames are flagged until the next key."""
    path = make("key.mp4", codec="mpeg2video", codec_options={**MPEG2, "bf": "0"}, num_frames=60)
    with av.open(str(path)) as container:
        key = next(p for p in container.demux(video=0) if p.is_keyframe and p.pts and p.pts > 0)
        at, size, first = key.pos, key.size, round(key.pts * key.time_base * 25)
    data = bytearray(path.read_bytes())
    data[at + size // 3 : at + size // 3 + 200] = bytes(200)
    path.write_bytes(data)
    in_doubt = (_flags(path, probe(path)) & FrameFlag.CORRUPT).astype(bool)
    assert in_doubt[first : first + 12].all()
    assert not in_doubt[:first].any()
    assert not in_doubt[first + 12 :].any()


@pytest.mark.parametrize(
    ("name", "codec", "options", "words"),
    [
        ("a.avi", "mpeg4", {"g": "12", "b": "2M"}, {"corrupt_packets", "timestamps_estimated"}),
        ("a.flv", "flv", {"g": "12", "b": "2M"}, {"corrupt_packets"}),
        ("a.mxf", "mpeg2video", {**MPEG2, "bf": "0"}, {"corrupt_packets", "timestamps_estimated"}),
        ("a.ogg", "libvpx", VPX, {"corrupt_packets", "timestamps_estimated"}),
        ("a.mpg", "mpeg2video", MPEG2, {"corrupt_packets", "timestamps_estimated"}),
        ("a.asf", "mpeg4", {"g": "12", "b": "2M"}, {"corrupt_packets"}),
    ],
)
def test_elements_that_do_not_follow_are_said(make, name, codec, options, words):
    """FFmpeg steps over them. Where pictures are counted, those behind the loss have no sure times."""
    path = make(name, codec=codec, codec_options=options, num_frames=60)
    assert probe(path).warnings == ()
    assert lost_stretches(path, container_of(path)) == ()
    info = probe(_zeroed(path, 0.5, 9000))
    assert words <= set(info.warnings)
    assert lost_stretches(path, container_of(path))


def test_an_avi_without_padding_is_sound(tmp_path, make):
    """Chunks are to begin at even bytes; some writers do not know."""
    path = make("a.avi", codec="mpeg4", codec_options={"g": "12"}, num_frames=30)
    data = path.read_bytes()
    first = data.index(b"00dc")
    for _ in range(30):
        at = data.index(b"00dc", first)
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if size % 2:
            data = data[: at + 8 + size] + data[at + 9 + size :]
        first = at + 8 + size
    path.write_bytes(data)
    assert lost_stretches(path, "avi") == ()


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mkv", "mpeg2video", MPEG2),
        ("a.mkv", "libx264", OPEN_X264),
        ("a.ts", "mpeg2video", MPEG2),
        ("a.ts", "libx264", OPEN_X264),
    ],
)
@pytest.mark.parametrize("share", [0.47, 0.58])
def test_pictures_around_a_hole_are_in_doubt(make, numbers, name, codec, options, share):
    """What refers across it, and what stays on screen for lost ones, up to a key, have flags; the same read
    apart. All other pictures are right and not accused."""
    path = make(name, codec=codec, codec_options=options, num_frames=132)
    data = path.read_bytes()
    at = int(len(data) * share) // 188 * 188
    lost = 188 * 60
    path.write_bytes(data[:at] + (bytes(lost) if name == "a.mkv" else b"") + data[at + lost :])
    info = probe(path)
    grid = plan_sampling(info, Fraction(25))
    whole = next(read_frames(path, grid, SIZE, 200, info=info))
    right = np.array(numbers(whole.frames)) == whole.target_index
    in_doubt = (whole.flags & (FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE)).astype(bool)
    assert not (~right & ~in_doubt).any()
    assert (~right).any()
    assert in_doubt.sum() < 48
    middle = grid.num_targets // 2
    apart = read_span(path, info, grid, Span(middle, grid.num_targets), SIZE)
    later = whole.target_index >= middle
    assert apart.flags.tolist() == whole.flags[later].tolist()


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_a_matroska_without_checksums_says_what_does_not_follow(make, share):
    """Only FFmpeg's own files have checksums; elsewhere a broken chain of elements tells."""
    path = _without_checksums(make("plain.mkv", codec_options=X264, num_frames=100))
    data = path.read_bytes()
    assert not damaged_stretches(path)
    with av.open(str(path)) as container:
        positions = [packet.pos for packet in container.demux(video=0) if packet.size]
    at = positions[int(len(positions) * share)] - 7  # the head of the element that holds the picture
    path.write_bytes(data[:at] + bytes(900) + data[at + 900 :])
    assert damaged_stretches(path)


def test_checksums_of_clusters_are_compared(make):
    """One bit of noise in a picture is enough."""
    path = make("noise.mkv", codec="mjpeg", codec_options={}, num_frames=40)
    assert not damaged_stretches(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert damaged_stretches(path)


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        *(("mkv", name, VPX) for name in ("libvpx", "libvpx-vp9")),
        ("mkv", "libsvtav1", {"preset": "12", "g": "12"}),
        *(("mkv", "mjpeg", {"huffman": name}) for name in ("default", "optimal")),
        *(("avi", name, {}) for name in ("huffyuv", "ffvhuff", "utvideo", "magicyuv")),
        ("mov", "prores", {}),
        ("flv", "flv", {"g": "12"}),
    ],
)
def test_zeros_inside_a_block_are_said_without_checksums(make, container, codec, options):
    """The elements still follow each other; only what an encoder never writes tells."""
    name = f"block.{container}"
    path = _without_checksums(make(name, codec=codec, codec_options=options, num_frames=40))
    assert probe(path).warnings == ()
    with av.open(str(path)) as container:
        largest = max(
            (packet for packet in container.demux(video=0) if packet.pts and packet.pts > packet.duration),
            key=lambda packet: packet.size,
        )
        at, size, number = largest.pos, largest.size, round(largest.pts * largest.time_base * 25)
    data = bytearray(path.read_bytes())
    data[at + size // 2 : at + size // 2 + 120] = bytes(120)
    path.write_bytes(data)
    assert not lost_stretches(path, container_of(path))
    info = probe(path)
    assert "corrupt_packets" in info.warnings
    assert _flags(path, info)[number] & FrameFlag.CORRUPT


@pytest.mark.parametrize("length", [4, 30])
def test_a_jpeg_that_begins_with_zeros_has_lost_its_head(make, length):
    """As the end of a hole that covers the picture before; a decoder shows another picture, or grey."""
    path = make("head.mp4", codec="mjpeg", codec_options={}, num_frames=10)
    with av.open(str(path)) as container:
        at = next(packet.pos for packet in container.demux(video=0) if packet.pts)
    data = bytearray(path.read_bytes())
    data[at : at + length] = bytes(length)
    path.write_bytes(data)
    info = probe(path)
    assert "corrupt_packets" in info.warnings
    assert _flags(path, info)[1] & FrameFlag.CORRUPT


def test_a_black_jpeg_may_be_zeros():
    """Where the shortest codes say that a block goes on like the one before, and nowhere else."""
    black = io.BytesIO()
    Image.new("L", (1024, 768)).save(black, "JPEG", optimize=True)
    usual = io.BytesIO()
    Image.effect_mandelbrot((1024, 768), (-2, -1, 1, 1), 50).save(usual, "JPEG")
    data = bytearray(usual.getvalue())
    assert bytes(64) in black.getvalue()
    assert not lacks_bytes(black.getvalue())
    assert not lacks_bytes(bytes(data) + bytes(1000))  # a camera's padding
    at = len(data) // 2
    data[at : at + 100] = bytes(100)
    assert lacks_bytes(bytes(data))
    assert lacks_bytes(bytes(200) + bytes(data[200:]))


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_zeros_in_the_plain_part_of_a_jpeg_are_sound_and_in_another_part_are_not(quality):
    """Bars are zeros where tables are made for the picture; a hole holds more blocks than its bytes did."""
    data = _jpeg(_between_bars(), quality=quality, optimize=True, subsampling=2)
    assert not lacks_bytes(data)
    start = data.index(b"\xff\xda") + 14
    for at in range(start + 50, len(data) - 250, 97):
        holed = data[:at] + bytes(150) + data[at + 150 :]
        is_other = Image.open(io.BytesIO(holed)).tobytes() != Image.open(io.BytesIO(data)).tobytes()
        assert lacks_bytes(holed) is is_other, at


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("restarts", [0, 10])
@pytest.mark.parametrize("length", [64, 70, 300])
def test_zeros_that_begin_in_the_head_of_a_scan_are_said(options, restarts, length):
    """Wherever they do, and also where they say that it has no components."""
    data = bytearray(_jpeg(Image.effect_noise((160, 120), 60), restart_marker_blocks=restarts, **options))
    start = data.index(b"\xff\xda")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    assert not lacks_bytes(bytes(data) + bytes(1000))
    last = end - 4 if "progressive" in options else end - 1  # from there on an encoder may write zeros
    for at in range(start, last):
        assert lacks_bytes(bytes(data[:at]) + bytes(length) + bytes(data[at + length :])), at - start


def test_a_head_of_a_scan_that_is_cut_off_is_said():
    """The data end where its components would begin."""
    comment = b"\xff\xfe\0\x50" + bytes(78)
    assert lacks_bytes(b"\xff\xd8" + comment + b"\xff\xda\0\2")


def test_pictures_behind_two_fields_are_not_looked_at():
    """A packet has two at most; the second is looked at."""
    whole = _jpeg(Image.effect_noise((160, 120), 60))
    middle = len(whole) // 2
    holed = whole[:middle] + bytes(100) + whole[middle + 100 :]
    assert lacks_bytes(whole + holed)
    assert not lacks_bytes(whole + whole + holed)


def test_a_jpeg_smaller_than_a_block_is_looked_at():
    """Its scan goes on behind its one block."""
    data = bytearray(_jpeg(_between_bars(), optimize=True))
    assert not lacks_bytes(bytes(data))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\0\4\0\4"
    assert lacks_bytes(bytes(data))


def _between_bars():
    """A picture with noise, above and below it black."""
    y, x = np.mgrid[:240, :320]
    noise = np.random.default_rng(0).normal(0, 3, (240, 320))
    pixels = np.clip(100 + 60 * np.sin(x / 40) + 30 * np.cos(y / 30) + noise, 0, 255)
    pixels[:60] = pixels[180:] = 0
    return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")


def _jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def test_a_dv_block_that_says_nothing_of_itself_is_said(make):
    """Its blocks have a length that never changes and begin with what they are."""
    path = make("tape.avi", codec="dvvideo", codec_options={}, num_frames=3, size=(720, 576))
    assert probe(path).warnings == ()
    assert "corrupt_packets" in probe(_zeroed(path, 0.5, 200)).warnings


@pytest.mark.parametrize("is_habit", [True, False])
def test_an_encoder_that_ends_pictures_in_zeros_is_not_accused(tmp_path, make, is_habit):
    """Some fill packets up to a size; where one or two of many end so, their ends are lost."""
    source = make("source.webm", codec="libvpx", codec_options=VPX, num_frames=40)
    path = tmp_path / "padded.webm"
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            if packet.dts is None:
                continue
            is_padded = is_habit or number == 20
            padded = av.Packet(bytes(packet) + bytes(40 * is_padded))
            padded.pts, padded.dts, padded.time_base = packet.pts, packet.dts, packet.time_base
            padded.is_keyframe, padded.stream = packet.is_keyframe, stream
            out.mux(padded)
    info = probe(path)
    assert ("corrupt_packets" in info.warnings) is not is_habit
    assert bool((_flags(path, info) & FrameFlag.CORRUPT).any()) is not is_habit


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mpg", "mpeg2video", MPEG2), ("a.vob", "mpeg2video", MPEG2), ("a.ogg", "libvpx", VPX)],
)
def test_a_file_that_ends_in_zeros_says_so(make, name, codec, options):
    """No header tells how far these go. What stands before the zeros keeps its times; a filled-up sector, or
    what lies behind the mark of an end, is no loss."""
    path = make(name, codec=codec, codec_options=options, num_frames=100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 5].ljust(len(data), b"\0"))
    info = probe(path)
    assert (info.warnings, info.timestamps) == (("corrupt_packets",), "exact")
    assert 0 < info.num_frames < 100
    sound = [data + bytes(2000)]
    if codec == "mpeg2video":
        sound.append(data + b"\0\0\1\xb9" + bytes(1 << 16))
    for whole in sound:
        path.write_bytes(whole)
        info = probe(path)
        assert (info.warnings, info.num_frames) == ((), 100)


def test_what_a_cut_took_is_no_damage(make):
    """A Matroska that ends early is called truncated and nothing else."""
    path = make("cut.mkv", codec_options=X264, num_frames=100)
    path.write_bytes(path.read_bytes()[:-2000])
    assert probe(path).warnings == ("truncated",)


def test_an_mjpeg_lower_than_its_header_says_is_whole(tmp_path, make, numbers):
    """FFmpeg takes a picture under three quarters of the stated height for one of two fields."""
    high, low = (
        make(f"{h}.mkv", codec="mjpeg", codec_options={}, num_frames=20, size=(192, h)) for h in (128, 64)
    )
    path = tmp_path / "shrinks.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuvj420p"
        for part, source in enumerate((high, low)):
            with av.open(str(source)) as container:
                for packet in container.demux(video=0):
                    if packet.size:
                        packet.pts = packet.dts = packet.pts + 800 * part
                        packet.stream = stream
                        out.mux(packet)
    info = probe(path)
    assert info.num_frames == 40
    grid = plan_sampling(info, Fraction(25))
    whole = np.concatenate([s.frames for s in read_frames(path, grid, SIZE, info=info)])
    assert numbers(whole) == [*range(20), *range(20)]
    late = read_span(path, info, grid, Span(25, 30), SIZE)
    assert numbers(late.frames) == list(range(5, 10))


def test_zeros_before_a_one_are_no_start_code_where_lengths_stand(make):
    """MP4 and Matroska have none; in a bare stream zeros may stand before one."""
    path = make("one.mkv", codec_options={**X264, "bf": "0"}, num_frames=40)
    _without_checksums(path)
    with av.open(str(path)) as container:
        key = max(container.demux(video=0), key=lambda packet: packet.size)
        at = key.pos + key.size // 2
    data = bytearray(path.read_bytes())
    data[at : at + 101] = bytes(100) + b"\1"
    path.write_bytes(data)
    assert "corrupt_packets" in probe(path).warnings
