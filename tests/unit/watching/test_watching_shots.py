"""Shots of a film as it passes by, each with a still that shows it."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from cue_films import flat, moving, scene, write_pictures
from PIL import Image

from videoxl2.frames import probe
from videoxl2.frames.files.decoder import Picture
from videoxl2.watching import watch
from videoxl2.watching.shots import ShotWatcher
from videoxl2.watching.stills import MOST_COPIES, StillTaker


def shots_of(path):
    info = probe(path)
    watcher = ShotWatcher(path, info)
    assert not watch(path, info, [watcher]).failures
    return watcher.finish()


def pixels(still):
    return np.asarray(Image.open(BytesIO(still.image))).astype(int)


def test_each_shot_has_a_still_from_within_it(tmp_path):
    """Three shots, of which the middle one fades from black: its still is not the black."""
    fading = [(picture * min(1, n / 40)).astype(np.uint8) for n, picture in enumerate(moving(7, 90))]
    path = write_pictures(tmp_path / "film.mp4", [*moving(1, 75), *fading, *moving(3, 60)])
    found = shots_of(path)
    assert found[0][0].start_ms == 0
    assert found[-1][0].end_ms == 9000
    for shot, still in found:
        assert shot.start_ms <= still.at_ms < shot.end_ms
        assert (still.width, still.height) == (320, 180)
        assert pixels(still).mean() > 60
    near = pixels(found[0][1]) - scene(1, found[0][1].at_ms // 40).astype(int)
    assert np.abs(near).mean() < 8


def test_cuts_are_told_to_the_picture(tmp_path):
    path = write_pictures(tmp_path / "cuts.mp4", [*moving(1, 60), *moving(2, 55), *moving(3, 70)])
    assert [(shot.start_ms, shot.kind) for shot, _ in shots_of(path)] == [
        (0, None),
        (2400, "cut"),
        (4600, "cut"),
    ]


def test_a_still_is_shown_as_players_show_it(tmp_path):
    """Upright, of a phone's film."""
    path = write_pictures(tmp_path / "phone.mp4", moving(1, 30, (640, 360)), rotation=90)
    ((shot, still),) = shots_of(path)
    assert (shot.start_ms, shot.end_ms) == (0, 1200)
    assert (still.width, still.height) == (180, 320)


def test_small_films_are_not_blown_up_and_one_picture_is_a_shot(tmp_path):
    path = write_pictures(tmp_path / "one.mp4", [scene(1, size=(64, 36))])
    ((shot, still),) = shots_of(path)
    assert (shot.start_ms, shot.end_ms, shot.kind, still.at_ms) == (0, 40, None, 0)
    assert (still.width, still.height) == (64, 36)


@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuvj420p", "yuv444p"])
def test_odd_formats_have_stills_too(tmp_path, pixels):
    path = write_pictures(tmp_path / "odd.mkv", moving(1, 30), pixels=pixels)
    ((_, still),) = shots_of(path)
    assert still.image.startswith(b"\xff\xd8")


def test_of_pictures_that_are_a_line_the_richest_is_taken():
    """Copies of 7680 x 32 are one pixel high, which has no neighbour above."""
    taker = StillTaker(Fraction(1))
    for at_ms, levels in ((1000, [90]), (2000, [30, 200]), (3000, [90])):
        line = np.array(levels * (8 // len(levels)), np.uint8).repeat(80)
        picture = np.concatenate([np.tile(line, (2, 1)), np.full((1, 640), 128, np.uint8)])
        taker.offer(Picture(av.VideoFrame.from_ndarray(picture, "yuv420p"), False), at_ms)
    still = taker.take(0, 5000, (0, 5000))
    assert (still.at_ms, still.width, still.height) == (2000, 320, 1)


def test_a_timelapse_of_hours_is_held_in_little_memory(tmp_path):
    """A picture a minute for ten hours: each could be copied, and only so many are held."""
    times = [Fraction(60 * n) for n in range(600)]
    path = write_pictures(tmp_path / "lapse.mkv", moving(1, 600, (64, 36)), times=times)
    info = probe(path)
    taker = StillTaker(info.pixel_aspect)

    class Offering:
        most = 0

        def picture(self, picture, at_ms):
            taker.offer(picture, at_ms)
            self.most = max(self.most, len(taker._copies))

    offering = Offering()
    watch(path, info, [offering])
    assert MOST_COPIES // 2 < offering.most <= MOST_COPIES
    assert taker.take(0, info.duration_ms, (0, info.duration_ms)) is not None
    assert not taker._copies


def test_a_shot_too_short_to_be_copied_from_has_a_still_too(tmp_path):
    """Of a third of a second, where the encoder did not begin anew: it is looked up."""
    options = {"preset": "ultrafast", "qp": "8", "g": "250", "sc_threshold": "0", "threads": "1"}
    pictures = [*moving(1, 60), *moving(2, 9), *moving(3, 60)]
    path = write_pictures(tmp_path / "short.mp4", pictures, options=options)
    found = shots_of(path)
    assert [shot.start_ms for shot, _ in found] == [0, 2400, 2760]
    still = found[1][1]
    assert 2400 <= still.at_ms < 2760
    assert np.abs(pixels(still) - scene(2, (still.at_ms - 2400) // 40).astype(int)).mean() < 8


def test_pictures_that_are_flat_are_still_pictures(tmp_path):
    path = write_pictures(tmp_path / "grey.mp4", [flat(90, 90, 90)] * 30)
    ((_, still),) = shots_of(path)
    assert abs(pixels(still).mean() - 90) < 4
