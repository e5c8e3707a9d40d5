"""A video longer than the model takes at once goes through in sections that share a span."""

import itertools

import numpy as np
import pytest

from jobs.answers.sections import Sections
from videoxl2.frames import FrameSpan


def spans(*sizes: int) -> list[FrameSpan]:
    """Spans of that many frames, one a second."""
    found, first = [], 0
    for size in sizes:
        pts_ms = np.arange(first, first + size) * 1000
        blank = np.zeros((size, 2, 2, 3), np.uint8)
        index = np.arange(first, first + size, dtype=np.int32)
        found.append(FrameSpan(first, blank, pts_ms, index, np.zeros(size, np.uint8), (), 0.0))
        first += size
    return found


def dealt(sections: Sections) -> list[tuple[list[int], int | None, int]]:
    """Seconds of each section, its end, and from when on the next shares it."""
    return [
        ([ms // 1000 for span in section for ms in span.pts_ms.tolist()], sections.end_ms, sections.shared_ms)
        for section in sections
    ]


def test_one_part_where_all_fits():
    """Nothing is shared, and there is no end but the video's."""
    assert dealt(Sections(spans(4, 4, 2), 10)) == [(list(range(10)), None, 8000)]


def test_a_part_opens_with_the_last_span_of_the_one_before():
    """Every frame is in a section, in order, and none but the shared ones twice."""
    assert dealt(Sections(spans(2, 2, 2, 2, 1), 6)) == [
        ([0, 1, 2, 3, 4, 5], 6000, 4000),
        ([4, 5, 6, 7, 8], None, 8000),
    ]


@pytest.mark.parametrize("max_frames", [1, 2, 3, 5, 7, 100])
def test_parts_go_on_however_little_fits(max_frames):
    """Two spans at least, the shared one and the next; spans without a frame are passed over."""
    sections = dealt(Sections(spans(2, 0, 2, 2, 0, 2, 2), max_frames))
    assert sorted({second for seconds, _, _ in sections for second in seconds}) == list(range(10))
    for (before, end_ms, shared_ms), (after, _, _) in itertools.pairwise(sections):
        assert after[0] * 1000 == shared_ms
        assert end_ms == (before[-1] + 1) * 1000
        assert len(after) <= max(max_frames, 4)
