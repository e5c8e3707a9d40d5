"""The strongest cut near an instant: what a described boundary is snapped to.

Only the few seconds around the instant are decoded, every picture of them, small. A cut is where two
neighbouring pictures differ far more than their neighbours do; a flash, after which the old picture
returns, is none. Shapes: N pictures, H = W = `_SIDE`.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.probe import MediaInfo
from videoxl2.frames.reader import FilePath, read_span
from videoxl2.frames.sampling import SamplingGrid, Span

WITHIN_MS = 2000
_SIDE = 48  # pixels; enough for the layout of a picture
_MIN_DIFFERENCE = 6.0  # mean levels of 0 to 255; below it even a still camera's noise can stand out
_TIMES_MEDIAN = 3.0  # against the median of the differences around it
_NEIGHBOURS = 12  # differences to either side that the median is taken over
_MAX_RATE = 60  # pictures a second looked at; faster video is thinned


@dataclass(frozen=True)
class Cut:
    """`at_ms` is when the first picture after the cut begins; `score` its difference over the usual one."""

    at_ms: int
    score: float


def strongest_cut(path: FilePath, info: MediaInfo, around_ms: int, within_ms: int = WITHIN_MS) -> Cut | None:
    """The best cut no farther than `within_ms` from `around_ms`; None where there is none.

    Raises `MediaError` as `read_span` does.
    """
    rate = min(Fraction(info.fps_num, info.fps_den), Fraction(_MAX_RATE))
    num_targets = max(1, ceil(Fraction(info.duration_ms, 1000) * rate))
    grid = SamplingGrid(1 / rate, num_targets)
    margin = _NEIGHBOURS + 1
    first = max(0, floor(Fraction(around_ms - within_ms, 1000) * rate) - margin)
    stop = min(num_targets, ceil(Fraction(around_ms + within_ms, 1000) * rate) + margin + 1)
    if stop - first < 2:
        return None
    span = read_span(path, info, grid, Span(first, stop), _SIDE)
    cuts = find_cuts(span.frames, span.pts_ms)
    near = [cut for cut in cuts if abs(cut.at_ms - around_ms) <= within_ms]
    return max(near, key=lambda cut: cut.score, default=None)


def find_cuts(frames_NHWC: NDArray[np.uint8], pts_ms_N: NDArray[np.int64]) -> list[Cut]:
    """All cuts between consecutive pictures, in order."""
    fresh = np.flatnonzero(np.diff(pts_ms_N, prepend=-1) > 0)  # a held picture is one picture
    shown_NHWC = frames_NHWC[fresh].astype(np.float32)  # in colour: a cut can keep the brightness
    if len(shown_NHWC) < 2:
        return []
    differences = np.abs(np.diff(shown_NHWC, axis=0)).mean(axis=(1, 2, 3))
    cuts = []
    for at in np.flatnonzero(differences > _MIN_DIFFERENCE):
        around = differences[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS + 1]
        usual = max(float(np.median(around)), 1.0)
        if differences[at] > _TIMES_MEDIAN * usual and not _is_flash(shown_NHWC, differences, int(at)):
            cuts.append(Cut(int(pts_ms_N[fresh[at + 1]]), float(differences[at]) / usual))
    return cuts


def _is_flash(shown_NHWC: NDArray[np.float32], differences: NDArray[np.float32], at: int) -> bool:
    """Whether the old picture is back within two pictures, or this is its coming back."""
    half = differences[at] / 2
    returns = any(
        np.abs(shown_NHWC[later] - shown_NHWC[at]).mean() < half
        for later in range(at + 2, min(at + 4, len(shown_NHWC)))
    )
    came_back = any(
        np.abs(shown_NHWC[at + 1] - shown_NHWC[earlier]).mean() < half
        for earlier in range(max(0, at - 2), at)
    )
    return returns or came_back
