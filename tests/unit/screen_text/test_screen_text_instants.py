"""Which pictures are looked at: the same, whether all are shown or those alone are decoded."""

from dataclasses import replace
from pathlib import Path

import pytest
from oddfilms import KINDS, draw, make

from videoxl2.frames import DEFAULT_LIMITS, MediaInfo, probe
from videoxl2.frames.files.decoder import Picture
from videoxl2.screen_text.instants import OnScreen, Shown, sampled_pictures, step_ms_of
from videoxl2.watching import watch


class Noting:
    """Notes when the pictures begin that are picked."""

    def __init__(self, info: MediaInfo) -> None:
        self._on_screen = OnScreen(info)
        self.times: list[int] = []

    def picture(self, picture: Picture, at_ms: int) -> None:
        self._note(self._on_screen.add(picture, at_ms))

    def finish(self) -> list[int]:
        self._note(self._on_screen.rest())
        return self.times

    def _note(self, picked: Shown | None) -> None:
        self.times += [picked[1]] if picked is not None else []


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_give_the_same_pictures(kind: str, tmp_path: Path) -> None:
    """Of all kinds of odd films: joined, with edits, without a clock, cut, with holes."""
    film = make(tmp_path, draw(KINDS.index(kind)))
    info = probe(film.path)
    noting = Noting(info)
    assert not watch(film.path, info, [noting]).failures
    times = noting.finish()
    assert times == [at_ms for _, at_ms in sampled_pictures(film.path, info, DEFAULT_LIMITS)]
    assert times
    assert len(times) <= info.duration_ms // 1000 + 1


def test_a_day_of_film_is_looked_at_no_more_than_ten_hours(tmp_path: Path) -> None:
    """So that what it takes is bounded."""
    info = probe(make(tmp_path, draw(0)).path)
    assert step_ms_of(replace(info, duration_ms=36_000_000)) == 1000
    assert step_ms_of(replace(info, duration_ms=72_000_000)) == 2000
    assert step_ms_of(replace(info, duration_ms=72_000_001)) == 2001
