"""How long a file is told to be before it is read: by its header where that can be, else by a few looks."""

from fractions import Fraction

import pytest

from videoxl2.frames import probe
from videoxl2.frames.probing.stated import stated_ms

COUNT_ON = {"mpegts_copyts": "1"}
TICK = Fraction(1, 90_000)
MPEG2 = {"codec": "mpeg2video", "size": (640, 352), "codec_options": {"g": "1", "qmin": "1", "qmax": "1"}}


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
