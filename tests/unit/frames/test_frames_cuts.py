"""Cuts: found to the picture, and nothing else taken for one."""

from fractions import Fraction

import av
import numpy as np
import pytest

from videoxl2.frames import probe
from videoxl2.frames.reading.cuts import Cut, cuts_near, find_cuts, snap

RATE = 25


def pan(number: int, shade: int) -> np.ndarray:
    """A moving texture in one of several colours: motion, but no cut."""
    y, x = np.mgrid[:64, :96]
    wave = 40 * np.sin((x + 3 * number) / 9) + 20 * np.cos(y / 7)
    return np.clip(wave[..., None] + np.array([shade, 200 - shade, 90]), 0, 255).astype(np.uint8)


def write(path, pictures, rate=RATE, options=None):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options=options or {})
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
            near_ms = round(true_ms) + off_ms
            cut = cuts_near(path, info, [near_ms], within_ms=1000)[near_ms]
            assert abs(cut.at_ms - true_ms) <= 1


def test_where_there_is_no_cut_none_is_found(tmp_path):
    """Motion is no cut, and a cut out of reach is not taken; the video's ends are handled."""
    path = write(tmp_path / "a.mp4", [pan(n, 30 if n < 200 else 170) for n in range(250)])
    info = probe(path)
    end_ms = info.duration_ms
    assert [(ms, cut.at_ms) for ms, cut in cuts_near(path, info, [2000, 0, 9_900]).items()] == [(9_900, 8000)]
    assert cuts_near(path, info, [end_ms, end_ms + 60_000], within_ms=1000) == {}
    assert cuts_near(path, info, []) == {}


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
    assert cuts_near(path, probe(path), [0]) == {}


INSTANTS_MS = [*range(0, 14_000, 1600), 4_001, 4_002, 13_300]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"g": "50", "bf": "3"}),
        ("a.mkv", {"x264-params": "open-gop=1:keyint=25:bframes=3"}),
        ("a.ts", {"g": "25", "bf": "2"}),
        ("one_key.mp4", {"g": "9999"}),
        ("a.avi", {"bf": "2"}),  # no clock of its own: read from its start
    ],
)
def test_many_instants_at_once_give_the_cuts_of_each_alone(tmp_path, name, options):
    """Windows that overlap or touch, and ones apart: nothing that is read together changes what is found."""
    pictures = [pan(n, 30 + 70 * (n // 41 % 3)) for n in range(350)]
    path = write(tmp_path / name, pictures, options=options)
    info = probe(path)
    for within_ms in (300, 2000):
        together = cuts_near(path, info, INSTANTS_MS, within_ms)
        alone = {ms: cuts_near(path, info, [ms], within_ms).get(ms) for ms in INSTANTS_MS}
        assert together == {ms: cut for ms, cut in alone.items() if cut}
        assert len(together) >= 3


def test_boundaries_keep_their_order_and_their_distance():
    """Of two that want one cut the nearer gets it; nobody passes a neighbour; start and end stay."""

    def snapped(**cuts_ms: int) -> dict[int, int]:
        cuts = {int(ms.strip("_")): Cut(at_ms, 5.0) for ms, at_ms in cuts_ms.items()}
        return snap([0, 4000, 5000, 8000, 10_000], cuts, 10_000)

    assert snapped(_4000=4900, _5000=4900) == {5000: 4900}
    assert snapped(_4000=5200, _8000=9900) == {}, "past a neighbour, and too close to the end"
    assert snapped(_4000=5200, _5000=6300) == {5000: 6300}, "the nearer move first, as things stand then"
    assert snapped(_4000=4600, _5000=4800) == {5000: 4800}, "500 ms stay between two"
    assert snapped(_0=700, _10000=9200, _8000=7000) == {8000: 7000}
    assert snap([300, 400], {300: Cut(200, 5.0), 400: Cut(900, 5.0)}, 1000) == {}


def test_no_scene_loses_its_last_picture():
    """A move past all that was seen of a scene is not made; one that leaves a picture of it is."""
    cuts = {4000: Cut(5500, 5.0)}
    assert snap([4000, 8000], cuts, 10_000, [0, 4000, 8000]) == {}
    assert snap([4000, 8000], cuts, 10_000, [0, 4000, 6000, 8000]) == {4000: 5500}
    assert snap([4000, 8000], cuts, 10_000, [0, 8000]) == {4000: 5500}, "nothing was seen of it before"
