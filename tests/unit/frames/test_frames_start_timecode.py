"""The start timecode of real files: QuickTime's timecode track, MXF, Matroska tags."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from videoxl2.frames import probe

NTSC, FAST = Fraction(30000, 1001), Fraction(60000, 1001)


def _write(
    path: Path, rate: Fraction, codec: str, on_stream: dict[str, str], on_file: dict[str, str]
) -> Path:
    with av.open(str(path), "w") as out:
        out.metadata.update(on_file)
        stream = out.add_stream(codec, rate=rate)
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
