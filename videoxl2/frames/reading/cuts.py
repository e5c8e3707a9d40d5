"""Cuts near described instants, and which boundaries move to them.

Only the few seconds around an instant are decoded, every picture of them, small. A cut is where two
neighbouring pictures differ far more than their neighbours do; a flash, after which the old picture
returns, is none. Shapes: N pictures, H = W = `_SIDE`.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.frame_span import FrameSpan
from videoxl2.frames.reading.reader import read_spans

WITHIN_MS = 2000
MIN_APART_MS = 500  # no move makes a scene shorter than this
_SIDE = 48  # pixels; enough for the layout of a picture
_MIN_DIFFERENCE = 6.0  # mean levels of 0 to 255; below it even a still camera's noise can stand out
_TIMES_MEDIAN = 3.0  # against the median of the differences around it
_NEIGHBOURS = 12  # differences to either side that the median is taken over
_MAX_RATE = 60  # pictures a second looked at; faster video is thinned


@dataclass(frozen=True)
class Cut:
    """A cut: `at_ms` is when the first picture after it begins, `score` its difference over the usual one."""

    at_ms: int
    score: float


def cuts_near(
    path: FilePath,
    info: MediaInfo,
    instants_ms: Collection[int],
    within_ms: int = WITHIN_MS,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[int, Cut]:
    """The strongest cut no farther than `within_ms` from each instant, for those instants that have one.

    One pass over the file for all of them: no picture is decoded twice where they are close together. An
    instant's cut does not depend on the others asked for. Raises `MediaError` as `read_span` does.
    """
    rate = min(info.fps, Fraction(_MAX_RATE))
    grid = SamplingGrid(1 / rate, max(1, ceil(Fraction(info.duration_ms, 1000) * rate)))
    ordered_ms = sorted(set(instants_ms))
    windows = [_window(grid, ms, within_ms) for ms in ordered_ms]
    unread = _without_overlap(windows)
    reading = read_spans(
        path, info, grid, [span for span in unread if span.first < span.stop], _SIDE, limits=limits
    )
    near: dict[int, Cut] = {}
    shown = _Pictures.none()
    for ms, window, span in zip(ordered_ms, windows, unread, strict=True):
        shown = shown.since(window.first)
        if span.first < span.stop:
            shown = shown.then(next(reading))
        cuts = find_cuts(shown.frames, shown.pts_ms)
        reachable = [cut for cut in cuts if abs(cut.at_ms - ms) <= within_ms]
        if reachable:
            near[ms] = max(reachable, key=lambda cut: cut.score)
    return near


def snap(
    boundaries_ms: Collection[int],
    cuts: Mapping[int, Cut],
    duration_ms: int,
    seen_ms: Collection[int] = (),
) -> dict[int, int]:
    """Return where boundaries of one sequence of scenes move: from ms to ms, of those that do.

    The nearest moves come first. One that would leave less than `MIN_APART_MS` to a neighbour, pass it, share
    its cut, or take from a scene the last of the pictures seen of it (`seen_ms`) is not made. The video's own
    start and end stay.
    """
    pictures_ms = sorted(seen_ms)

    def are_seen(*borders_ms: int) -> list[bool]:
        first = [bisect_left(pictures_ms, ms) for ms in borders_ms]
        return [a < b for a, b in pairwise(first)]

    places = sorted({0, duration_ms, *boundaries_ms})
    at = {place: place for place in places}
    movable = [n for n, ms in enumerate(places) if ms in cuts and 0 < ms < duration_ms]
    for n in sorted(movable, key=lambda n: abs(cuts[places[n]].at_ms - places[n])):
        before, after, to = at[places[n - 1]], at[places[n + 1]], cuts[places[n]].at_ms
        if before + MIN_APART_MS <= to <= after - MIN_APART_MS and (
            are_seen(before, at[places[n]], after) <= are_seen(before, to, after)
        ):
            at[places[n]] = to
    return {ms: to for ms, to in at.items() if to != ms}


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


def _window(grid: SamplingGrid, ms: int, within_ms: int) -> Span:
    """The targets looked at for one instant, with what the median needs to either side; may be empty."""
    margin = _NEIGHBOURS + 1
    first = max(0, floor(Fraction(ms - within_ms, 1000) / grid.step_s) - margin)
    stop = ceil(Fraction(ms + within_ms, 1000) / grid.step_s) + margin + 1
    return Span(first, min(grid.num_targets, stop))


def _without_overlap(windows: list[Span]) -> list[Span]:
    """What each window adds to those before it, which may be nothing. All begin and end in order."""
    ends = [0, *(window.stop for window in windows)]
    return [
        Span(max(window.first, read_to), window.stop)
        for window, read_to in zip(windows, ends[:-1], strict=True)
    ]


@dataclass(frozen=True)
class _Pictures:
    """The pictures of one window, as in `FrameSpan`."""

    frames: NDArray[np.uint8]  # [N, H, W, 3]
    pts_ms: NDArray[np.int64]  # [N]
    target_index: NDArray[np.int32]  # [N]

    @classmethod
    def none(cls) -> "_Pictures":
        return cls(np.empty((0, _SIDE, _SIDE, 3), np.uint8), np.empty(0, np.int64), np.empty(0, np.int32))

    def since(self, target: int) -> "_Pictures":
        """Those that a window beginning with `target` has as well."""
        keep = self.target_index >= target
        return _Pictures(self.frames[keep], self.pts_ms[keep], self.target_index[keep])

    def then(self, span: FrameSpan) -> "_Pictures":
        return _Pictures(
            np.concatenate([self.frames, span.frames]),
            np.concatenate([self.pts_ms, span.pts_ms]),
            np.concatenate([self.target_index, span.target_index]),
        )


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
