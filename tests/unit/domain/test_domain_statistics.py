"""The numbers of pictures whose values can be told by hand, and descriptions made of them."""

import json

import numpy as np
import pytest

from videoxl2.domain import (
    FILE_NAME,
    STATISTICS,
    fit_domain,
    picture_statistics,
    read_domain,
    video_statistics,
    write_domain,
)
from videoxl2.errors import CheckpointError

SIZE = len(STATISTICS)
SPREAD = 10.0 ** np.linspace(-1, 4, SIZE)


def named(picture):
    return dict(zip(STATISTICS, picture_statistics(picture), strict=True))


def test_a_plain_picture_is_flat_and_of_one_colour():
    """Nothing differs from its neighbour, in any size."""
    found = named(np.full((96, 96, 3), (204, 51, 0), np.uint8))
    for size in ("", "small_"):
        assert found[f"{size}flat"] == found[f"{size}nearly_flat"] == found[f"{size}top_8_colours"] == 1
        edges = [found[f"{size}{name}"] for name in ("hard_edges", "middling_edges", "contrast_of_edges")]
        assert edges == [0, 0, 0]
        assert found[f"{size}thousands_of_colours"] == pytest.approx(0.001)
        assert found[f"{size}colourfulness"] == pytest.approx(2.04)
    assert found["saturation_50_100"] == found["brightness_20_40"] == 1
    strips = [found[f"{channel}_of_strip_{n}"] for n in range(1, 7) for channel in ("red", "green", "blue")]
    assert strips == pytest.approx([0.8, 0.2, 0] * 6)


def test_edges_are_counted_by_their_height():
    """One picture half of whose rows step by 40, one all of whose columns step by 6."""
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[np.arange(96) % 4 >= 2] = 40
    found = named(stripes)
    assert found["hard_edges"] == pytest.approx(47 / 95)
    assert found["hard_edges"] + found["flat"] == pytest.approx(1)
    assert found["contrast_of_edges"] == pytest.approx(0)  # both percentiles are the edge
    assert found["small_flat"] == 1, "each spot of the small picture holds as much of both"
    ramp = np.tile(np.arange(0, 6 * 24, 6, dtype=np.uint8)[None, :, None], (24, 1, 3))
    found = named(ramp)
    assert (found["middling_edges"], found["flat"], found["colourfulness"]) == (1, 0, 0)


def test_the_most_frequent_colours_are_those_of_a_share():
    """16 colours on equal areas."""
    picture = np.zeros((96, 96, 3), np.uint8)
    for number in range(16):
        picture[6 * number : 6 * number + 6, :, 0] = 16 * number
    found = named(picture)
    assert (found["top_8_colours"], found["top_32_colours"]) == (0.5, 1)
    assert found["thousands_of_colours"] == pytest.approx(0.016)


def test_shares_of_saturation_and_brightness_are_those_of_areas():
    """Half black, a quarter pale grey, a quarter pink; what one pixel does is averaged away."""
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[48:, :48], picture[48:, 48:] = 128, (255, 204, 204)
    picture[::8, ::8] = picture[::8, ::8] // 2 + 4
    found = named(picture)
    shares = {name: value**2 for name, value in found.items() if name[:10] in ("saturation", "brightness")}
    assert {name: value for name, value in shares.items() if value} == pytest.approx(
        {
            "saturation_0_5": 0.75,
            "saturation_15_30": 0.25,
            "brightness_0_6": 0.5,
            "brightness_40_60": 0.25,
            "brightness_80_100": 0.25,
        }
    )


def test_strips_are_counted_from_the_top():
    """A blue sky over a green field."""
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[:32, :, 2], picture[32:, :, 1] = 255, 102
    found = named(picture)
    assert [found[f"blue_of_strip_{n}"] for n in range(1, 7)] == [1, 1, 0, 0, 0, 0]
    assert [found[f"green_of_strip_{n}"] for n in range(1, 7)] == pytest.approx([0, 0, 0.4, 0.4, 0.4, 0.4])


def test_a_video_is_its_pictures_median():
    """One odd picture of five changes nothing; none at all is refused."""
    plain, noise = np.zeros((48, 48, 3), np.uint8), np.random.default_rng(1)
    pictures = np.stack([plain] * 4 + [noise.integers(0, 256, plain.shape, np.uint8)])
    assert (video_statistics(pictures) == picture_statistics(plain)).all()
    with pytest.raises(ValueError, match="no pictures"):
        video_statistics(pictures[:0])


@pytest.fixture
def domain():
    """Fitted to 400 points around 0, of very different spreads."""
    draw = np.random.default_rng(7)
    return fit_domain(draw.normal(size=(400, SIZE)) * SPREAD, 2.7, "points")


def test_distance_is_about_one_inside_and_grows_with_each_statistic(domain):
    """Whatever its unit is."""
    draw = np.random.default_rng(8)
    usual = [domain.distance(draw.normal(size=SIZE) * SPREAD) for _ in range(100)]
    assert 0.7 < np.median(usual) < 1.3
    assert max(usual) < 2.7
    for one in range(SIZE):
        off = domain.mean.copy()
        off[one] += 40 * domain.scale[one]
        assert domain.distance(off) > 5
    assert domain.distance(domain.mean) == 0


def test_a_description_is_read_as_it_was_written(domain, tmp_path):
    """The same distances; its revision follows what decides, and not the words."""
    assert read_domain(tmp_path) is None
    write_domain(domain, tmp_path)
    found = read_domain(tmp_path)
    point = domain.mean + 3 * domain.scale
    assert found.distance(point) == pytest.approx(domain.distance(point), rel=1e-3)
    assert found.revision == domain.revision
    path = tmp_path / FILE_NAME
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"made_of": "other words"}))
    assert read_domain(tmp_path).revision == domain.revision
    path.write_text(json.dumps(told | {"max_distance": 2.8}))
    assert read_domain(tmp_path).revision != domain.revision


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"statistics": ["flat"]},
        {"num_pictures": 6},
        {"mean": [0.0] * (SIZE - 1)},
        {"mean": [float("nan")] * SIZE},
        {"scale": [0.0] * SIZE},
        {"covariance": [[0.0] * SIZE] * SIZE},
        {"max_distance": -1},
        {"max_distance": "far"},
    ],
)  # fmt: skip
def test_what_gives_no_distance_is_refused(domain, tmp_path, changes):
    """A guard that cannot judge must not let everything pass."""
    path = write_domain(domain, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(CheckpointError, match="does not describe"):
        read_domain(tmp_path)
    path.write_text("{")
    with pytest.raises(CheckpointError, match="does not describe"):
        read_domain(tmp_path)


def test_too_few_videos_give_no_description():
    """47 statistics of fifty videos say nothing of what is usual."""
    with pytest.raises(ValueError, match="50 videos are too few"):
        fit_domain(np.random.default_rng(0).normal(size=(50, SIZE)), 2.7, "few")
