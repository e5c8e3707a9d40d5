"""Black, freezes, colour bars, and what follows from them, on small pictures. Shapes: N pictures, 36 x 64."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from videoxl2.cues.endings import CreditCues, slates
from videoxl2.cues.records import Cue
from videoxl2.cues.spans import Span, SpanFinder, merged, without
from videoxl2.frames.reading.small_pictures import SmallPictures

BLACK_MS, FREEZE_MS, BARS_MS = 200, 1000, 500  # the shortest that are told
_BLACK_LEVEL = 37  # as FFmpeg's blackdetect: a tenth of the range above black
_MOST_LIT = 46  # pixels of a black picture that may be brighter, a fiftieth of it
_STILL = 0.255  # mean levels, as FFmpeg's freezedetect: a thousandth of the range
_HELD_TIMES = 4  # a single picture is a freeze where it stays so much longer than the one before
_BAR_ROWS = slice(6, 18)  # of which colour bars have nothing else
_FLAT, _COLOUR, _LEVELS = 2.0, 25.0, 4  # deviation down a column, mean distance from grey, different bars
_STEP = 12  # levels between one bar and the next
_WIDTH, _COVERED = 4, 0.75  # pixels of the narrowest bar; how much of a row they fill


class PictureCues:
    """Takes small pictures and finds what holds in them."""

    def __init__(self, duration_ms: int) -> None:
        """Of a film that lasts so long."""
        self._black, self._bars, self._freeze = SpanFinder(BLACK_MS), SpanFinder(BARS_MS), FreezeFinder()
        self._credits = CreditCues(duration_ms)

    def small(self, pictures: SmallPictures) -> None:
        """The next ones."""
        luma, starts = pictures.luma_N36x64, pictures.start_ms_N
        is_black = _are_black(luma)
        self._black.feed(is_black, starts)
        self._bars.feed(_are_bars(pictures), starts)
        self._freeze.feed(luma, starts)
        self._credits.small(pictures)

    def finish(self, end_ms: int) -> Iterator[Cue]:
        """All cues up to the film's end. A freeze is none where it is black, or bars."""
        black, bars = self._black.finish(end_ms), self._bars.finish(end_ms)
        frozen = list(without(self._freeze.finish(end_ms), merged([*black, *bars]), FREEZE_MS))
        yield from (Cue("black", *span) for span in black)
        yield from (Cue("color_bars", *span) for span in bars)
        yield from (Cue("freeze", *span) for span in frozen)
        yield from slates(frozen, bars, black)
        yield from self._credits.finish(end_ms, black)


class FreezeFinder:
    """Stretches in which every picture equals the first of them.

    Two neighbours that differ by more than twice what is allowed cannot both equal it: only between such
    places pictures are compared one by one.
    """

    def __init__(self) -> None:
        self._reference: NDArray[np.uint8] | None = None
        self._since = self._last = 0  # when the reference, and the last picture, began
        self._step = 0  # how long the picture before the reference stayed
        self._count = 0  # pictures that equal the reference, itself included
        self._before: NDArray[np.uint8] | None = None
        self._found: list[Span] = []

    def feed(self, luma_NHW: NDArray[np.uint8], start_N: NDArray[np.int64]) -> None:
        """The next pictures."""
        first = luma_NHW[:1] if self._before is None else self._before[None]
        steps = _steps(np.concatenate([first, luma_NHW]))
        if self._before is None:
            steps[0] = np.inf
        start = 0
        for stop in [*np.flatnonzero(steps > 2 * _STILL).tolist(), len(steps)]:
            self._go_on(luma_NHW[start:stop], start_N[start:stop])
            if stop < len(steps):
                self._begin(luma_NHW[stop], int(start_N[stop]))
                start = stop + 1
        self._before = luma_NHW[-1]

    def finish(self, end_ms: int) -> list[Span]:
        """All that were found; the last one ends with the film."""
        self._close(end_ms)
        self._reference = None
        return self._found

    def _go_on(self, luma_NHW: NDArray[np.uint8], start_N: NDArray[np.int64]) -> None:
        """Pictures of which each is much like the one before."""
        at = 0
        while at < len(luma_NHW) and self._reference is not None:
            moved = np.flatnonzero(_differences(luma_NHW[at : at + 32], self._reference) > _STILL)
            num_same = int(moved[0]) if len(moved) else len(luma_NHW[at : at + 32])
            self._count += num_same
            if num_same:
                self._last = int(start_N[at + num_same - 1])
            at += num_same
            if len(moved):
                self._begin(luma_NHW[at], int(start_N[at]))
                at += 1

    def _begin(self, picture: NDArray[np.uint8], start_ms: int) -> None:
        self._close(start_ms)
        self._step = start_ms - self._last
        self._reference, self._since, self._last, self._count = picture, start_ms, start_ms, 1

    def _close(self, end_ms: int) -> None:
        if self._reference is None or end_ms - self._since < FREEZE_MS:
            return
        if self._count > 1 or end_ms - self._since >= _HELD_TIMES * self._step > 0:
            self._found.append((self._since, end_ms))


def _are_black(luma_NHW: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each picture is; only those are counted out that are dark where a few pixels are looked at."""
    few_Nn = luma_NHW[:, ::4, ::4].reshape(len(luma_NHW), -1)
    are_black = np.asarray((few_Nn <= _BLACK_LEVEL).sum(axis=1) >= few_Nn.shape[1] - _MOST_LIT)
    for n in np.flatnonzero(are_black).tolist():
        are_black[n] = np.count_nonzero(luma_NHW[n] > _BLACK_LEVEL) <= _MOST_LIT
    return are_black


def _steps(luma_NHW: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean distance of each picture from the one before; of those that differ a lot, at least as much as is
    seen on every third row."""
    few_NhW = luma_NHW[:, ::3]
    steps = _differences(few_NhW[1:], few_NhW[:-1]) / np.float32(3)
    for n in np.flatnonzero(steps <= 2 * _STILL).tolist():
        steps[n] = _differences(luma_NHW[n + 1 : n + 2], luma_NHW[n : n + 1])[0]
    return steps


def _differences(luma_NHW: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean distance in levels."""
    larger, smaller = np.maximum(luma_NHW, others), np.minimum(luma_NHW, others)
    return np.asarray((larger - smaller).mean(axis=(1, 2), dtype=np.float32))


def _are_bars(pictures: SmallPictures) -> NDArray[np.bool_]:
    """Whether each picture is upright bars of colour, like test charts."""
    chroma = pictures.chroma_N2x18x32[:, :, 3:9:2, ::2]  # of those rows
    distance = np.maximum(chroma, 128) - np.minimum(chroma, 128)
    are_bars = np.asarray(2 * distance.mean(axis=(1, 2, 3), dtype=np.float32) > _COLOUR)
    colourful = np.flatnonzero(are_bars)
    rows_NHW = pictures.luma_N36x64[colourful, _BAR_ROWS]
    is_flat = rows_NHW.std(axis=1, dtype=np.float32).mean(axis=1) < _FLAT
    are_bars[colourful] = [flat and _is_bars(rows) for flat, rows in zip(is_flat, rows_NHW, strict=True)]
    return are_bars


def _is_bars(luma_HW: NDArray[np.uint8]) -> bool:
    """Whether rows that change little from one to the next are."""
    row = luma_HW.mean(axis=0)
    edges = np.flatnonzero(np.abs(np.diff(row)) > _STEP / 2)
    plateaus = [row[a:b].mean() for a, b in _between(edges + 1, len(row)) if b - a >= _WIDTH]
    covered = sum(b - a for a, b in _between(edges + 1, len(row)) if b - a >= _WIDTH)
    return len({round(float(level) / _STEP) for level in plateaus}) >= _LEVELS and covered >= _COVERED * len(
        row
    )


def _between(edges: NDArray[np.intp], length: int) -> list[Span]:
    """Stretches that the edges leave."""
    borders = [0, *edges.tolist(), length]
    return list(pairwise(borders))
