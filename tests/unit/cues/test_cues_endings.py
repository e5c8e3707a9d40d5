"""Credits and slates are found where they are, and not in pictures that only look a bit like them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cue_films import SIZE, flat, moving, scene, write_pictures
from PIL import Image, ImageDraw

from videoxl2.cues import FilmCues
from videoxl2.frames import probe
from videoxl2.watching import watch

BLACK = flat(0, 0, 0)
ROLES, PEOPLE = ("Camera", "Sound", "Light"), ("A. Adams", "B. Bo", "C. Cole")
NAMES = [f"{role}   {name}" for role in ROLES for name in PEOPLE]
RATE = 5  # pictures a second


def write(path: Path, pictures: list[np.ndarray]) -> Path:
    return write_pictures(path, pictures, rate=Fraction(RATE))


def cues_of(path: Path, kind: str) -> list[tuple[int, int]]:
    info = probe(path)
    film = FilmCues(info)
    assert not watch(path, info, film.watchers).failures
    return [(cue.start_ms, cue.end_ms) for cue in film.finish(None) if cue.kind == kind]


def written(lines: list[str], top: float, ground: int = 0) -> np.ndarray:
    """Lines of text, the first of them at `top`."""
    image = Image.new("RGB", SIZE, (ground, ground, ground))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((90, top + 22 * number), line, fill=(230, 230, 230), font_size=15)
    return np.asarray(image)


@pytest.mark.parametrize("speed", [20, 50])
def test_a_roll_is_credits_from_when_it_moves_to_when_it_ends(tmp_path, speed):
    """Pixels a second: slow and usual. It begins at 30 s and lasts ten."""
    roll = [written(NAMES * 2, 170 - speed * n / RATE) for n in range(10 * RATE)]
    path = write(tmp_path / "film.mp4", [*moving(1, 30 * RATE), *roll, *[BLACK] * RATE])
    ((start, end),) = cues_of(path, "credits")
    assert abs(start - 30_000) <= 2500
    assert abs(end - 40_000) <= 2500


def test_cards_until_the_end_are_credits(tmp_path):
    cards = [written(NAMES[n : n + 3], 60, ground=20) for n in (0, 3, 6) for _ in range(3 * RATE)]
    path = write(tmp_path / "film.mp4", [*moving(1, 30 * RATE), *cards, *[BLACK] * 3])
    ((start, end),) = cues_of(path, "credits")
    assert abs(start - 30_000) <= 1500
    assert end >= 39_000


def test_neither_a_tilt_nor_a_title_in_the_middle_are_credits(tmp_path):
    """A scene that moves up is full of things; a title is followed by more film."""
    tilt = [np.roll(scene(1), -10 * n, 0) for n in range(8 * RATE)]
    title = [written(["The End of the World"], 80)] * (4 * RATE)
    path = write(tmp_path / "film.mp4", [*moving(1, 20 * RATE), *title, *tilt])
    assert cues_of(path, "credits") == []


def test_a_still_after_bars_or_before_black_is_a_slate(tmp_path):
    """Three seconds of it at the beginning; the same still in the middle of a shot is none."""
    slate = [written(NAMES[:4], 40, ground=90)] * (3 * RATE)
    before_black = [*slate, *[BLACK] * RATE, *moving(1, 4 * RATE)]
    assert cues_of(write(tmp_path / "slate.mp4", before_black), "slate") == [(0, 3000)]
    alone = [*moving(2, 2 * RATE), *slate, *moving(1, 4 * RATE)]
    assert cues_of(write(tmp_path / "none.mp4", alone), "slate") == []
