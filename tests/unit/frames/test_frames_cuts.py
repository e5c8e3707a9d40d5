"""Cuts: found to the picture, and nothing else taken for one."""

from fractions import Fraction

import av
import numpy as np
import pytest

from videoxl2.frames import probe
from videoxl2.frames.cuts import find_cuts, strongest_cut

RATE = 25


def pan(number: int, shade: int) -> np.ndarray:
    """A moving texture in one of several colours: motion, but no cut."""
    y, x = np.mgrid[:64, :96]
    wave = 40 * np.sin((x + 3 * number) / 9) + 20 * np.cos(y / 7)
    return np.clip(wave[..., None] + np.array([shade, 200 - shade, 90]), 0, 255).astype(np.uint8)


def write(path, pictures, rate=RATE, codec="libx264"):
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_the_cut_near_a_boundary_is_found_to_the_picture(tmp_path, rate):
    """Cuts at pictures 100 and 210 of 300; a boundary two thirds of a second off snaps to the nearer one."""
    pictures = [pan(n, 30 if n < 100 else 170 if n < 210 else 90) for n in range(300)]
    path = write(tmp_path / "a.mp4", pictures, rate)
    info = probe(path)
    for cut_at in (100, 210):
        true_ms = cut_at / rate * 1000
        for off_ms in (-650, 0, 650):
            cut = strongest_cut(path, info, round(true_ms) + off_ms, within_ms=1000)
            assert cut is not None
            assert abs(cut.at_ms - true_ms) <= 1


def test_where_there_is_no_cut_none_is_found(tmp_path):
    """Motion is no cut, and a cut out of reach is not taken; the video's ends are handled."""
    path = write(tmp_path / "a.mp4", [pan(n, 30 if n < 200 else 170) for n in range(250)])
    info = probe(path)
    assert strongest_cut(path, info, 2000) is None
    assert strongest_cut(path, info, 0) is None
    assert strongest_cut(path, info, 9_900).at_ms == 8000
    assert strongest_cut(path, info, info.duration_ms, within_ms=1000) is None


def test_a_flash_is_no_cut():
    """One white picture comes and goes; the shot goes on."""
    frames = np.stack([pan(n, 60) for n in range(40)])
    frames[20] = 255
    assert find_cuts(frames, np.arange(40) * 40) == []


def test_a_held_picture_is_one_picture():
    """The same picture given for several targets hides no cut and makes none."""
    frames = np.repeat(np.stack([pan(n, 40 if n < 10 else 180) for n in range(20)]), 2, axis=0)
    cuts = find_cuts(frames, np.repeat(np.arange(20) * 80, 2))
    assert [cut.at_ms for cut in cuts] == [800]


def test_one_picture_has_no_cut(tmp_path):
    """The shortest video is no special case for the caller."""
    path = write(tmp_path / "a.mp4", [pan(0, 60)])
    assert strongest_cut(path, probe(path), 0) is None
