"""Transitions are found to the picture; what only looks like one is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_films import Picture, detect, levels, mixed, scene, small

from videoxl2.shots import Transition


def cuts_in(pictures: list[Picture], rate: float = 25) -> list[int]:
    """The pictures that cuts lie before; nothing else may be found."""
    found = detect(small(pictures, rate))
    assert {transition.kind for transition in found} <= {"cut"}, found
    return [round(transition.at_ms * rate / 1000) for transition in found]


def test_a_cut_lies_before_the_first_picture_of_the_new_shot() -> None:
    film = scene(1, 40) + scene(2, 9) + scene(3, 30, pan=0.5) + scene(4, 40)
    assert cuts_in(film) == [40, 49, 79]


def test_a_cut_is_an_instant() -> None:
    (cut,) = detect(small(scene(1, 30) + scene(2, 30)))
    assert (cut.kind, cut.start_ms, cut.end_ms, cut.at_ms) == ("cut", 1200, 1200, 1200)
    assert 0.6 < cut.score <= 1


@pytest.mark.parametrize("rate", [4, 12, 25, 60, 120])
def test_rates_find_the_same_cuts(rate: float) -> None:
    assert cuts_in(scene(1, 40) + scene(2, 40) + scene(3, 40), rate) == [40, 80]


def test_a_picture_mixed_of_both_shots_hides_no_cut() -> None:
    """Changed frame rates leave one, and the cut lies beside it."""
    (cut,) = cuts_in(mixed(scene(1, 40), scene(2, 40), 1))
    assert cut in (39, 40)


def flash(length: int) -> list[Picture]:
    film = scene(1, 80)
    film[40 : 40 + length] = [levels(p * 0.2 + 190) for p in film[40 : 40 + length]]
    return film


def strobe(period: int) -> list[Picture]:
    return [levels(p * 0.2) if n > 20 and n // period % 2 else p for n, p in enumerate(scene(1, 200))]


def glitch(stray: Picture) -> list[Picture]:
    film = scene(1, 80)
    film[40] = stray
    return film


def covered(rows: slice, columns: slice) -> list[Picture]:
    """Something else is laid over a part of the picture, from picture 40 on, until 70."""
    film, other = scene(1, 100), scene(2, 100)
    for n in range(40, 70):
        film[n][rows, columns] = other[n][rows, columns]
    return film


def barred() -> list[Picture]:
    film = scene(1, 100)
    for picture in film[40:]:
        picture[:5] = picture[-5:] = 16
    return film


def barred_still() -> list[Picture]:
    barred = scene(1, 1)[0].copy()
    barred[:5] = barred[-5:] = 16
    return scene(1, 1) * 40 + [barred] * 40


def inset_still(rows: slice, columns: slice) -> list[Picture]:
    inset = scene(1, 1)[0].copy()
    inset[rows, columns] = scene(2, 1)[0][rows, columns]
    return scene(1, 1) * 40 + [inset] * 40


def zoom() -> list[Picture]:
    """Still, then twice as near within half a second, then still."""
    wide = np.kron(scene(1, 1, grain=0)[0], np.ones((4, 4), np.uint8))
    pictures = []
    for n in range(80):
        part = 1 / (1 + min(1.0, max(0.0, (n - 30) / 12)))
        rows, columns = (((np.arange(size) - size / 2) * part + size / 2) * 4 for size in (36, 64))
        pictures.append(wide[rows.astype(int)[:, None], columns.astype(int)])
    return pictures


def whip() -> list[Picture]:
    still = scene(1, 2, pan=64)
    wide = np.concatenate(still, axis=1)
    places = np.round(64 / (1 + np.exp(-(np.arange(60) - 30) / 1.6))).astype(int)
    return [wide[:, at : at + 64] for at in places]


def shake() -> list[Picture]:
    wide = np.concatenate(scene(1, 2, pan=64, grain=0), axis=1)
    draw = np.random.default_rng(5)
    return [wide[:, at : at + 64] for at in draw.integers(0, 11, 80)]


NO_CUTS = {
    "flash of one picture": flash(1),
    "flash of three": flash(3),
    "strobe, every picture": strobe(1),
    "strobe, every third": strobe(3),
    "black picture": glitch(np.full((36, 64), 16, np.uint8)),
    "foreign picture": glitch(scene(9, 1)[0]),
    "noise": glitch(np.random.default_rng(1).integers(16, 235, (36, 64)).astype(np.uint8)),
    "lower third": covered(slice(27, 33), slice(3, 40)),
    "picture in picture": covered(slice(3, 15), slice(4, 25)),
    "letterbox switched on": barred(),
    "pan": scene(1, 200, pan=0.6),
    "whip pan": whip(),
    "shake": shake(),
    "lights go down": [levels(p * max(0.4, 1 - n / 50)) for n, p in enumerate(scene(1, 100))],
    "lights switched": [levels(p * (1 if n < 40 else 0.5)) for n, p in enumerate(scene(1, 100))],
    "still": scene(1, 1) * 300,
    "letterbox on a still": barred_still(),
    "picture in picture on a still": inset_still(slice(3, 16), slice(4, 26)),
    "half a picture on a still": inset_still(slice(3, 21), slice(4, 40)),
    "a fast move begins": zoom(),
    "grain": scene(1, 100, grain=12),
}


@pytest.mark.parametrize("what", NO_CUTS)
def test_what_comes_back_or_only_moves_or_covers_a_part_is_none(what: str) -> None:
    assert detect(small(NO_CUTS[what])) == []


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_cuts_between_pillars_are_found(share: float) -> None:
    film = scene(1, 40) + scene(2, 40) + scene(3, 40)
    for picture in film:
        width = int(64 * share)
        picture[:, :width] = picture[:, -width:] = 16
    assert cuts_in(film) == [40, 80]


@pytest.mark.parametrize("length", [6, 12, 25, 50])
def test_a_dissolve_reaches_from_its_first_mixed_picture_to_its_last(length: int) -> None:
    """Its borders are right within a tenth of its length and a picture."""
    (found,) = detect(small(mixed(scene(1, 100), scene(2, 100), length)))
    slack = 40 * (1 + length / 10)
    assert found.kind == "dissolve"
    assert found.start_ms == pytest.approx(40 * (100 - length), abs=slack)
    assert found.end_ms == pytest.approx(4000, abs=slack)
    assert found.at_ms == pytest.approx(40 * (100 - length / 2), abs=slack)


@pytest.mark.parametrize("length", [12, 24])
def test_a_wipe_is_told_as_a_dissolve(length: int) -> None:
    old, new = scene(1, 60), scene(2, 60)
    wiped = []
    for n in range(length):
        edge = round(64 * (n + 1) / (length + 1))
        wiped.append(np.concatenate([new[n][:, :edge], old[60 - length + n][:, edge:]], axis=1))
    (found,) = detect(small(old[: 60 - length] + wiped + new[length:]))
    assert found.kind == "dissolve"
    assert found.at_ms == pytest.approx(40 * (60 - length / 2), abs=120)


def test_a_dissolve_at_a_high_rate_is_as_long_in_time() -> None:
    (found,) = detect(small(mixed(scene(1, 300), scene(2, 300), 120), 120))
    assert (found.start_ms, found.end_ms) == (pytest.approx(1500, abs=100), pytest.approx(2500, abs=100))


@pytest.mark.parametrize("level", [16, 235])
@pytest.mark.parametrize("empty", [1, 20])
def test_a_fade_out_and_the_fade_in_after_it_are_one(level: int, empty: int) -> None:
    nothing = [np.full((36, 64), level, np.uint8)] * (24 + empty)
    faded = mixed(mixed(scene(1, 60), nothing, 12), scene(2, 60), 12)
    (found,) = detect(small(faded))
    assert found.kind == "fade"
    assert found.start_ms == pytest.approx(48 * 40, abs=80)
    assert found.end_ms == pytest.approx((72 + empty) * 40, abs=80)


def test_a_fade_in_opens_no_shot_before_it() -> None:
    nothing = [np.full((36, 64), 16, np.uint8)] * 20
    (found,) = detect(small(mixed(nothing, scene(2, 60), 12)))
    assert (found.kind, found.at_ms) == ("fade", 0)


def test_black_between_two_shots_is_one_cut() -> None:
    nothing = [np.full((36, 64), 16, np.uint8)] * 6
    assert cuts_in(scene(1, 40) + nothing + scene(2, 40)) == [46]


def slide(seed: int) -> Picture:
    """Lines of text on white."""
    page = np.full((36, 64), 235, np.uint8)
    draw = np.random.default_rng(seed)
    for row in range(4, 32, 4):
        page[row : row + 2, 5 : draw.integers(30, 60)] = draw.choice([60, 120, 200], 1)
    page[:2, 5 : 20 + seed * 5] = 40
    return page


def test_stills_that_follow_each_other_are_slides_or_cuts() -> None:
    film = [slide(1)] * 30 + [slide(2)] * 30 + [slide(3)] * 30
    found = detect(small(film))
    assert [t.at_ms for t in found] == [1200, 2400]
    assert {t.kind for t in found} <= {"slide", "cut"}


def test_a_line_that_appears_on_a_still_is_none() -> None:
    more = slide(1).copy()
    more[33:35, 5:50] = 40
    assert detect(small([slide(1)] * 40 + [more] * 40)) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_tiny_films_of_one_shot_have_none(count: int) -> None:
    assert detect(small(scene(1, count))) == []


def test_two_pictures_that_have_nothing_in_common_are_two_shots() -> None:
    assert cuts_in(scene(1, 1) + scene(2, 1)) == [1]


def test_times_are_the_films_own() -> None:
    """Pictures of uneven length: a cut is found in their order and told by their time."""
    draw = np.random.default_rng(3)
    times = np.cumsum(draw.choice([20, 33, 90], 80)).tolist()
    (found,) = detect(small(scene(1, 40) + scene(2, 40), start_ms=times))
    assert found.at_ms == times[40]


def test_a_lapse_of_days_ends_and_has_its_cut() -> None:
    times = [n * 300_000 for n in range(400)]
    (found,) = detect(small(scene(1, 200) + scene(2, 200), start_ms=times))
    assert found.at_ms == 200 * 300_000


LONG = small(
    mixed(mixed(scene(1, 240), scene(2, 120), 30), scene(3, 300) + scene(4, 250, pan=0.3), 12)
    + scene(5, 20)
    + strobe(2)
    + mixed(scene(6, 300), scene(7, 300), 40)
)
WHOLE = detect(LONG)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=8))
def test_the_answer_is_the_same_whatever_the_portions(portions: list[int]) -> None:
    assert detect(LONG, portions) == WHOLE


def test_portions_were_tried_on_a_film_that_has_something() -> None:
    assert [t.kind for t in WHOLE] == ["dissolve", "dissolve", "cut", "cut", "cut", "cut", "dissolve"]
    assert all(isinstance(t, Transition) for t in WHOLE)


def test_a_strobe_of_minutes_is_held_in_few_pictures() -> None:
    """What a detector holds does not grow with the film."""
    from videoxl2.shots import ShotDetector

    detector = ShotDetector()
    portion = strobe(2)[100:200]
    for n in range(60):
        times = [40 * (100 * n + k) for k in range(100)]
        assert detector.feed(small(portion, start_ms=times)) == []
        assert detector.num_held <= 2_000
    assert detector.finish() == []


def test_a_piece_left_out_of_a_shot_is_a_cut() -> None:
    """Most of the picture stays where a speaker has moved on."""
    film, later = scene(1, 80), scene(2, 80)
    for n in range(40, 80):
        film[n][:, 12:52] = later[n][:, 12:52]
    assert cuts_in(film) == [40]


def test_a_cut_right_before_a_dissolve_is_kept() -> None:
    film = scene(1, 40) + mixed(scene(2, 22), scene(3, 60), 20)
    cut, dissolve = detect(small(film))
    assert (cut.kind, cut.at_ms, dissolve.kind) == ("cut", 1600, "dissolve")


def test_pages_that_are_single_pictures_are_cuts() -> None:
    """Each picture is shown for seconds, so that none around it says what is usual; one page comes back."""
    pages = [scene(n, 1)[0] for n in (1, 2, 1, 3, 4)]
    times = [0, 5_000, 12_000, 14_000, 20_000]
    assert [t.at_ms for t in detect(small(pages, start_ms=times))] == times[1:]


def test_a_picture_that_is_held_is_a_still_beside_moving_ones() -> None:
    times = [0, *range(4_000, 5_600, 40)]
    (cut,) = detect(small(scene(1, 1) + scene(2, 40, pan=1), start_ms=times))
    assert (cut.kind, cut.at_ms) == ("cut", 4_000)
