"""How long a file is told to be before it is read: by its header where that can be, else by a few looks."""

import re
import struct
from dataclasses import replace
from fractions import Fraction

import pytest
from oddfilms import draw
from oddfilms import make as make_film
from oddfilms.recipe import Piece

from videoxl2.frames import probe
from videoxl2.frames.probing.stated import read_stated

COUNT_ON = {"mpegts_copyts": "1"}
TICK = Fraction(1, 90_000)
MPEG2 = {"codec": "mpeg2video", "size": (640, 352), "codec_options": {"g": "1", "qmin": "1", "qmax": "1"}}


def stated_ms(path):
    said = read_stated(path)
    return said and said.ms


def _glued(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("start_s", [Fraction(36_000), Fraction(2), Fraction(2**33 - 90_000, 90_000)])
def test_a_clock_that_jumps_adds_nothing(tmp_path, make, start_s):
    """Set forward or back between two recordings, or wrapping in the second one."""
    count = {"num_frames": 50, "format_options": COUNT_ON, "codec_options": {"preset": "ultrafast"}}
    one, two = make("one.ts", start_s=Fraction(7_200), **count), make("two.ts", start_s=start_s, **count)
    path = _glued(tmp_path / "glued.ts", one, two)
    assert stated_ms(path) == probe(path).duration_ms == 4000


@pytest.fixture(scope="module")
def large(make):
    """Two recordings of three seconds whose clocks are hours apart, larger than what is read whole."""
    parts = [
        make(f"{at}.ts", start_s=Fraction(at), num_frames=75, format_options=COUNT_ON, **MPEG2).read_bytes()
        for at in (2, 9_000)
    ]
    assert len(parts[0]) > 1 << 21
    return parts


def test_a_jump_in_a_large_file_is_found_by_looks(tmp_path, large):
    """Between two looks at which bytes and ticks do not go together."""
    path = tmp_path / "glued.ts"
    path.write_bytes(b"".join(large))
    assert stated_ms(path) == pytest.approx(6000, abs=200)


def test_program_streams_and_flash_are_looked_at_too(tmp_path, make):
    """Their stamps are fewer, or their header says something else."""
    one, two = (
        make("a.vob", codec="mpeg2video", codec_options={"g": "12"}, start_s=Fraction(at), num_frames=100)
        for at in (1, 9_000)
    )
    assert stated_ms(_glued(tmp_path / "glued.vob", one, two)) == pytest.approx(8000, abs=1500)
    flash = [
        make("a.flv", codec="flv1", codec_options={}, start_s=Fraction(at), num_frames=100).read_bytes()
        for at in (0, 9_000)
    ]
    path = tmp_path / "glued.flv"
    path.write_bytes(flash[0] + flash[1][13:])
    assert stated_ms(path) == pytest.approx(8000, abs=500)


@pytest.mark.parametrize("num_parts", [1, 2])
def test_what_cannot_be_looked_at_is_not_known(tmp_path, large, num_parts):
    """Of an object on S3 only head and tail are here: a jump between them cannot be found."""
    whole, end = b"".join(large[:num_parts]), 1 << 19
    path = tmp_path / "ends.ts"
    path.write_bytes(whole[:end] + bytes(len(whole) - 2 * end) + whole[-end:])
    assert stated_ms(path) == (pytest.approx(3000, abs=200) if num_parts == 1 else None)


def test_a_header_that_claims_a_day_is_held_against_the_index(tmp_path, make):
    """An AVI whose header says more chunks than its index lists; a film of still pictures is believed."""
    path = make("claims.avi", codec="mpeg4", codec_options={}, num_frames=100)
    data = bytearray(path.read_bytes())
    for name, offset in ((b"avih", 8 + 16), (b"strh", 8 + 32)):
        at = data.index(name) + offset
        data[at : at + 4] = (2_160_000).to_bytes(4, "little")
    path.write_bytes(data)
    assert stated_ms(path) == pytest.approx(4000, abs=100)
    still = make("still.mp4", times=tuple(Fraction(3600 * n) for n in range(20)), time_base=Fraction(1, 1000))
    assert stated_ms(still) == pytest.approx(72_000_000, abs=3_600_100)


LATE = Fraction(36_000)
VPX = {"deadline": "realtime", "threads": "1", "cpu-used": "8", "g": "25"}
DAY_S = 86_400


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("a.mkv", {"codec_options": {"preset": "ultrafast", "g": "25", "bf": "2"}}),
        ("late.mkv", {"codec_options": {"preset": "ultrafast", "g": "25", "bf": "2"}, "start_s": LATE}),
        ("a.webm", {"codec": "libvpx", "codec_options": VPX}),
        ("a.asf", {"codec": "mpeg4", "codec_options": {"g": "25"}}),
        ("a.mxf", {"codec": "mpeg2video", "codec_options": {"g": "12"}}),
        ("a.ogg", {"codec": "libvpx", "codec_options": VPX}),
    ],
)
@pytest.mark.parametrize("claims_s", [None, DAY_S])
def test_a_stated_end_is_held_against_the_last_pictures(tmp_path, make, name, recipe, claims_s):
    """Headers say a day, or count from zero where the film begins ten hours later."""
    path = tmp_path / name
    path.write_bytes(_claiming(make(name, num_frames=75, **recipe).read_bytes(), claims_s))
    assert stated_ms(path) == pytest.approx(3000, abs=50)


def _claiming(data, seconds):
    """The same file, whose header states another length; an Ogg has none."""
    if seconds is None or data[:4] == b"OggS":
        return data
    changed = bytearray(data)
    if data[:4] == b"\x1a\x45\xdf\xa3":
        at = data.index(b"\x44\x89\x88") + 3
        changed[at : at + 8] = struct.pack(">d", seconds * 1000)
    elif data[:4] == bytes.fromhex("3026b275"):
        at = data.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 64
        changed[at : at + 16] = 2 * (seconds * 10**7).to_bytes(8, "little")
    else:
        for found in re.finditer(rb"\x02\x02\x00\x08", data):  # durations of an MXF's sets, in pictures
            changed[found.end() : found.end() + 8] = (seconds * 25).to_bytes(8)
    return bytes(changed)


def test_of_an_object_on_s3_the_index_tells(tmp_path, make):
    """Only head and tail are here: the last cluster, or entries of the index, are in the tail."""
    data = _claiming(make("a.mkv", num_frames=150, codec="mjpeg", codec_options={}).read_bytes(), DAY_S)
    path = tmp_path / "ends.mkv"
    cues = data.rindex(b"\x1c\x53\xbb\x6b")
    path.write_bytes(data[:4000] + bytes(cues - 4000) + data[cues:])
    assert 4000 < stated_ms(path) <= 6050


def test_an_edit_list_is_followed(tmp_path):
    """What it shows counts, not what is stored."""
    film = make_film(tmp_path, replace(draw(2, "edits"), codec="h264", pieces=(Piece("25", 90),)))
    assert film.recipe.edits
    assert stated_ms(film.path) == pytest.approx(probe(film.path).duration_ms, abs=5)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_of_a_file_cut_short_the_index_lists_what_is_there(tmp_path, make, share):
    """An MP4 whose index comes first promises all of it."""
    whole = make(
        "whole.mp4", num_frames=150, codec="mjpeg", codec_options={}, format_options={"movflags": "faststart"}
    )
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    assert stated_ms(path) == pytest.approx(6000 * share, abs=200)
