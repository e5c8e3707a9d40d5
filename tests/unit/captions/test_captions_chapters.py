"""Chapters that a file marks, on the film's clock."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from captioned import film

from videoxl2.captions import Chapter, read_texts
from videoxl2.captions.chapters import read_chapters
from videoxl2.captions.placing import Placing, Stretch
from videoxl2.frames import probe

MS = Fraction(1, 1000)


def _marks(*spans: tuple[int, int, str]) -> list[dict[str, object]]:
    return [
        {"id": n, "start": start, "end": end, "time_base": MS, "metadata": {"title": title} if title else {}}
        for n, (start, end, title) in enumerate(spans)
    ]


@pytest.mark.parametrize(("ending", "start_s"), [("mkv", 0), ("mkv", 10), ("mp4", 0)])
def test_chapters_count_from_the_first_picture(ending: str, start_s: int, tmp_path: Path) -> None:
    late = start_s * 1000

    def mark(output: av.container.OutputContainer) -> None:
        spans = (
            (late, late + 2000, "Opening"),
            (late + 2000, late + 4000, "L'été"),
            (late + 4000, late + 60_000, ""),
        )
        output.set_chapters(_marks(*spans))  # type: ignore[arg-type]

    path = film(tmp_path / f"film.{ending}", rate=Fraction(25), start_s=Fraction(start_s), after=mark)
    info = probe(path)
    texts = read_texts(path, info)
    chapters = texts.chapters
    assert texts.tracks == ()  # MP4 has them as a track of text, which is no captions
    assert [(c.start_ms, c.end_ms, c.title) for c in chapters] == [
        (0, 2000, "Opening"),
        (2000, 4000, "L'été"),
        (4000, info.duration_ms, None),
    ]


def test_chapters_are_sorted_clipped_and_given_ends() -> None:
    spans = [
        (3000, -(2**63), "no end"),
        (-2000, 1000, " begins\nbefore "),
        (5000, 99_000, "ends behind"),
        (60_000, 70_000, "behind"),
        (-5000, -1000, "before"),
    ]
    placing = Placing((Stretch(None, None, Fraction(0)),))
    assert read_chapters(_marks(*spans), placing, 10_000) == (  # type: ignore[arg-type]
        Chapter(0, 1000, "begins\nbefore"),
        Chapter(3000, 5000, "no end"),
        Chapter(5000, 10_000, "ends behind"),
    )


def test_a_file_without_chapters_has_none(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv")
    assert read_texts(path, probe(path)).chapters == ()
