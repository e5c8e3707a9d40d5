"""Real weights read drawn text: what it says, when, and where."""

from fractions import Fraction
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from drawn_looks import ArrayLook, Pixels, draw_text, write_pictures

from videoxl2.frames import probe
from videoxl2.screen_text import Line, TextWatcher, read_screen_text
from videoxl2.screen_text.box import cut_lines
from videoxl2.screen_text.engine import Engine
from videoxl2.screen_text.gate import Strip
from videoxl2.screen_text.reader import TextReader
from videoxl2.watching import watch

pytestmark = pytest.mark.skipif(util.find_spec("rapidocr") is None, reason="the extra text is not installed")


def _picture(second: int) -> Pixels:
    picture = np.full((192, 320, 3), (40, 70, 100), np.uint8)
    picture[60:120, 20 + 20 * second : 80 + 20 * second] = (200, 150, 90)
    picture = draw_text(picture, "NEWS 24", (220, 8), 20)
    return draw_text(picture, "Anna Keller, reporter", (16, 158), 20) if 2 <= second < 5 else picture


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds, two pictures each; a name from the third to the fifth, a logo all along."""
    pictures = [_picture(number // 2) for number in range(16)]
    return write_pictures(tmp_path_factory.mktemp("film") / "news.mp4", pictures, 2)


@pytest.fixture(scope="module")
def lines(film: Path) -> list[Line]:
    return read_screen_text(film, probe(film))


def test_each_line_is_read_once_with_its_time(lines: list[Line]) -> None:
    """The logo and the name."""
    assert [(line.text, line.start_ms, line.end_ms) for line in lines] == [
        ("NEWS 24", 0, 8000),
        ("Anna Keller, reporter", 2000, 5000),
    ]
    assert all(0.9 < line.confidence <= 1 for line in lines)


def test_the_place_is_a_fraction_of_the_picture(lines: list[Line]) -> None:
    """With some air around the letters."""
    logo, name = (line.outline for line in lines)
    assert (logo.left, logo.top, logo.right, logo.bottom) == pytest.approx((0.68, 0.05, 0.95, 0.15), abs=0.05)
    assert (name.left, name.top, name.right, name.bottom) == pytest.approx((0.05, 0.82, 0.63, 0.96), abs=0.05)


def test_a_pass_over_all_pictures_reads_the_same(film: Path, lines: list[Line]) -> None:
    """Of which only those are looked at in which text has changed, and of these only new boxes are read."""
    watcher = TextWatcher(probe(film))
    assert not watch(film, probe(film), [watcher]).failures
    assert watcher.finish() == lines
    reader = watcher.reader
    assert (reader.num_fed, reader.num_looked, reader.num_read) == (8, 3, 2)
    assert (
        1 < reader.share_looked < 2
    )  # the first whole, then the strip with the name, when it comes and goes


def test_a_look_at_a_strip_keeps_what_is_written_elsewhere() -> None:
    """And cuts through no line; what is no longer in the strip is gone."""
    reader = TextReader()
    both = [one.text for one in reader.read(ArrayLook(_picture(2)))]
    assert both == ["NEWS 24", "Anna Keller, reporter"]
    plain = np.full_like(_picture(2), 60)
    assert [one.text for one in reader.read(ArrayLook(plain), Strip(0.9, 0.95))] == ["NEWS 24"]
    assert reader.read(ArrayLook(plain), Strip(0.0, 0.1)) == []


@pytest.mark.parametrize("degrees", [90, 270])
def test_a_film_is_read_as_it_is_shown(tmp_path: Path, degrees: int) -> None:
    """As phones write them, pixels lie on their side; here they are also twice as high as wide."""
    lying = np.ascontiguousarray(np.rot90(_picture(2), -degrees // 90)[::2])
    path = write_pictures(tmp_path / "turned.mp4", [lying], 1, Fraction(1, 2), degrees)
    info = probe(path)
    assert (info.rotation % 180, info.pixel_aspect) == (90, Fraction(1, 2))
    assert "Anna Keller, reporter" in [line.text for line in read_screen_text(path, info)]


def test_what_was_asked_before_changes_no_answer() -> None:
    """RapidOCR keeps the flags of the call before; a picture without text is no mistake."""
    engine, picture = Engine(), _picture(2)
    logo, name = engine.find(picture)
    assert engine.find(np.full_like(picture, 60)) == []
    (line,) = cut_lines(picture, name)
    assert engine.read(line)[0] == "Anna Keller, reporter"
    assert engine.find(picture) == [logo, name]
    assert engine.read(np.full((24, 90, 3), 60, np.uint8))[0] == ""


@pytest.mark.parametrize("turn", [1, 3])
def test_columns_are_read_upwards_and_downwards(turn: int) -> None:
    """As on the spine of a book."""
    line = draw_text(np.full((64, 320, 3), 60, np.uint8), "Bridges of Prague", (30, 20), 24)
    picture = np.full((320, 320, 3), 60, np.uint8)
    picture[:, 128:192] = np.rot90(line, turn)
    assert [one.text for one in TextReader().read(ArrayLook(picture))] == ["Bridges of Prague"]
