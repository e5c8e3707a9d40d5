"""The start timecode of real files: QuickTime's timecode track, MXF, Matroska tags."""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from videoxl2.frames import probe
from videoxl2.frames.probing.start_timecode import read_start_timecode
from videoxl2.timecode import is_label

NTSC, FAST = Fraction(30000, 1001), Fraction(60000, 1001)


def _write(
    path: Path, rate: Fraction, codec: str, on_stream: dict[str, str], on_file: dict[str, str]
) -> Path:
    with av.open(str(path), "w") as out:
        out.metadata.update(on_file)
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        stream.metadata.update(on_stream)
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((128, 192, 3), number * 20, np.uint8))
            frame.pts, frame.time_base = number, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "rate", "codec", "timecode"),
    [
        ("drop.mov", NTSC, "libx264", "01:00:00;00"),
        ("non_drop.mov", NTSC, "libx264", "01:00:00:00"),
        ("fast.mov", FAST, "libx264", "09:59:59;58"),
        ("pal.mov", Fraction(25), "libx264", "10:00:00:24"),
        ("pal.mp4", Fraction(25), "libx264", "10:00:00:00"),
        ("pal.mxf", Fraction(25), "mpeg2video", "10:00:00:00"),
        ("drop.mxf", NTSC, "mpeg2video", "10:00:00;02"),
        ("film.mkv", Fraction(24000, 1001), "libx264", "01:02:03:04"),
    ],
)
def test_the_start_timecode_is_read(tmp_path, name, rate, codec, timecode):
    """As the file has it, with the mark that tells drop-frame."""
    path = _write(tmp_path / name, rate, codec, {"timecode": timecode}, {})
    assert probe(path).start_timecode == timecode


def test_a_timecode_of_the_whole_file_counts(tmp_path):
    """Matroska may carry the tag for the file instead of the track."""
    path = _write(tmp_path / "a.mkv", Fraction(25), "libx264", {}, {"timecode": "10:00:00:00"})
    assert probe(path).start_timecode == "10:00:00:00"


@pytest.mark.parametrize(
    "text", ["", "soon", "10:00:00:00" * 1000, "-1:00:00:00", "1:00:00:00", "\u0661" * 11]
)
def test_what_is_no_timecode_is_left_out(tmp_path, text):
    """Tags come from strangers."""
    path = _write(tmp_path / "a.mkv", Fraction(25), "libx264", {"timecode": text}, {})
    assert probe(path).start_timecode is None


def test_a_file_without_one_has_none(tmp_path):
    """Most files."""
    assert probe(_write(tmp_path / "a.mp4", Fraction(25), "libx264", {}, {})).start_timecode is None


def _box(kind: bytes, *parts: bytes) -> bytes:
    return (sum(map(len, parts)) + 8).to_bytes(4) + kind + b"".join(parts)


def _numbers(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, signed=number < 0) for number in numbers)


def _timecode_track(
    samples: list[tuple[int, int]],
    rate: tuple[int, int, int] = (25, 1, 25),
    flags: int = 0,
    edits: list[tuple[int, int]] | None = None,
    scale: int = 600,
    per_chunk: int = 1,
) -> Callable[[int], bytes]:
    """`samples`: (count, ticks it lasts); `edits`: (ms of film, first tick or -1). Takes their place."""
    entry = _box(b"tmcd", bytes(6), b"\0\1", bytes(4), _numbers(flags, rate[0], rate[1]), bytes([rate[2], 0]))
    lengths = b"".join(_numbers(1, ticks) for _, ticks in samples)
    chunks = -(-len(samples) // per_chunk)

    def at(offset: int) -> bytes:
        table = _box(
            b"stbl",
            _box(b"stsd", _numbers(0, 1), entry),
            _box(b"stts", _numbers(0, len(samples)), lengths),
            _box(b"stsc", _numbers(0, 1, 1, per_chunk, 1)),
            _box(
                b"stco", _numbers(0, chunks), *(_numbers(offset + 4 * per_chunk * n) for n in range(chunks))
            ),
        )
        media = _box(
            b"mdia",
            _box(b"mdhd", _numbers(0, 0, 0, scale, 0, 0)),
            _box(b"hdlr", bytes(4), b"mhlrtmcd", bytes(12)),
            _box(b"minf", table),
        )
        listed = b"".join(_numbers(ms, tick, 1 << 16) for ms, tick in edits or [])
        held = _box(b"edts", _box(b"elst", _numbers(0, len(edits or [])), listed))
        return _box(b"trak", _box(b"tkhd", _numbers(0, 0, 0, 2)), held, media)

    return at


def _film(path: Path, samples: list[tuple[int, int]], **track: Any) -> Path:
    """A film that is nothing but a timecode track, after its counts."""
    counts = _box(b"mdat", _numbers(*(number for number, _ in samples)))
    header = _box(b"moov", _box(b"mvhd", _numbers(0, 0, 0, 1000, 0)), _timecode_track(samples, **track)(8))
    path.write_bytes(counts + header)
    return path


def _read(path: Path, start_s: Fraction = Fraction(0)) -> tuple[str, Fraction | None] | None:
    found = read_start_timecode(path, 1, start_s, Fraction(25), [])
    return None if found is None else (found.label, found.rate)


HOUR = 3600 * 25


@pytest.mark.parametrize(
    ("track", "start_s", "label", "rate"),
    [
        pytest.param({"edits": [(6000, 1200)]}, 0, "01:00:02:00", Fraction(25), id="trimmed"),
        pytest.param({"edits": [(6000, 1211)]}, 0, "01:00:02:00", Fraction(25), id="inside a count"),
        pytest.param(
            {"edits": [(3000, -1), (6000, 600)]}, 3, "01:00:01:00", Fraction(25), id="trimmed, late"
        ),
        pytest.param({"edits": [(9000, 0)]}, 3, "01:00:03:00", Fraction(25), id="only the picture is late"),
        pytest.param({"edits": [(3000, -1), (6000, 0)]}, 0, "01:00:00:00", Fraction(25), id="timecode late"),
        pytest.param({"edits": [(1000, 600), (9000, 6000)]}, 2, "01:00:11:00", Fraction(25), id="two edits"),
        pytest.param({"edits": [(0, 600)]}, 2, "01:00:03:00", Fraction(25), id="to the end"),
        pytest.param({}, 2, "01:00:02:00", Fraction(25), id="no edits"),
        pytest.param({"rate": (2500, 100, 0)}, 0, "01:00:00:00", Fraction(25), id="rounded by ourselves"),
        pytest.param({"rate": (100, 1, 100)}, 0, "00:15:00:00", Fraction(50), id="pairs"),
        pytest.param({"rate": (240, 1, 240)}, 0, "00:06:15:00", Fraction(60), id="fours"),
    ],
)
def test_a_timecode_track_is_read_with_its_own_edits_and_rate(tmp_path, track, start_s, label, rate):
    """The label of the picture shown first, whatever was cut off or shifted before it."""
    path = _film(tmp_path / "a.mov", [(HOUR, 60_000)], **track)
    assert _read(path, Fraction(start_s)) == (label, rate)


def test_clocks_that_cannot_say_a_picture_exactly_are_rounded(tmp_path):
    """600 ticks a second under 29.97: picture 60 begins at tick 1201.2, and is cut at 1201."""
    ntsc = {"rate": (30000, 1001, 30), "flags": 1, "edits": [(6000, 1201)]}
    path = _film(tmp_path / "a.mov", [(1800 * 60 - 108, 60_000)], **ntsc)  # 01:00:00;00
    assert _read(path) == ("01:00:02;00", NTSC)


def test_drop_frame_goes_on_over_the_minute(tmp_path):
    """Numbers are left out behind the cut as well."""
    ntsc = {"rate": (30000, 1001, 30), "flags": 1, "scale": 30000, "edits": [(6000, 1001)]}
    assert _read(_film(tmp_path / "a.mov", [(1799, 10**6)], **ntsc)) == ("00:01:00;02", NTSC)


@pytest.mark.parametrize("per_chunk", [1, 2, 5])
def test_a_track_of_several_counts_gives_the_one_in_force(tmp_path, per_chunk):
    """A tape that was stopped: each part begins with a count of its own."""
    samples = [(HOUR, 600), (2 * HOUR, 600), (3 * HOUR, 600), (4 * HOUR, 600)]
    path = _film(tmp_path / "a.mov", samples, per_chunk=per_chunk)
    found = [_read(path, Fraction(ms, 1000)) for ms in (0, 960, 1000, 2040, 3000, 9000)]
    labels = ["01:00:00:00", "01:00:00:24", "02:00:00:00", "03:00:00:01", "04:00:00:00", "04:00:06:00"]
    assert [label for label, _ in found] == labels


def test_a_count_before_midnight_is_one_of_the_day_before(tmp_path):
    """Where the track says that its counts have a sign."""
    assert _read(_film(tmp_path / "a.mov", [(-1, 600)], flags=4)) == ("23:59:59:24", Fraction(25))


@pytest.mark.parametrize(
    "track", [{"flags": 8}, {"rate": (0, 1, 25)}, {"rate": (25, 0, 25)}, {"rate": (1, 100, 0)}]
)
def test_counters_and_clocks_that_stand_still_are_no_timecode(tmp_path, track):
    """Nothing is divided by zero."""
    assert _read(_film(tmp_path / "a.mov", [(HOUR, 600)], **track)) is None


def test_no_bytes_of_a_track_make_it_fail(tmp_path):
    """Wrong bytes anywhere: some label, or none."""
    path = _film(tmp_path / "a.mov", [(HOUR, 600), (0, 600)], edits=[(3000, -1), (2500, 1200)])
    sound, draw = path.read_bytes(), random.Random(3)
    for _ in range(500):
        bad = bytearray(sound)
        for _ in range(draw.randint(1, 3)):
            bad[draw.randrange(24, len(bad))] = draw.choice((0, 1, 127, 255))
        path.write_bytes(bad)
        found = _read(path)
        assert found is None or is_label(found[0])


@pytest.mark.parametrize(
    ("name", "rate", "timecode", "label", "label_rate"),
    [
        ("fast.mov", Fraction(120), "01:00:00:100", "01:00:00:50", Fraction(60)),
        ("fast.mkv", Fraction(120), "01:00:00:100", "01:00:00:50", Fraction(60)),
        ("odd.mkv", Fraction(25), "01:00:00:100", "01:00:00:100", None),
        ("drop.mkv", Fraction(120), "10:00:00;100", "10:00:00;50", Fraction(60)),
        ("drop.mxf", Fraction(120), "10:00:00;02", "10:00:00;01", Fraction(60)),
    ],
)
def test_three_digits_become_pairs(tmp_path, name, rate, timecode, label, label_rate):
    """Labels have two; a film of 120 a second has 60 of them. What cannot be is left as it is."""
    codec = "mpeg2video" if name.endswith("mxf") else "libx264"
    info = probe(_write(tmp_path / name, rate, codec, {"timecode": timecode}, {}))
    assert (info.start_timecode, info.timecode_rate) == (label, label_rate)
