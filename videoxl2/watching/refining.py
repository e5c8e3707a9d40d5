"""Cuts of a draft, whose pictures are not all there, moved to where they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from videoxl2.frames.files.container import Limits
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.frame_span import FrameSpan
from videoxl2.frames.reading.reader import read_spans
from videoxl2.shots import Transition

_SIDE = 48  # pixels
_STEP_S = Fraction(1, 2000)  # odd targets are half a millisecond after the times that are told
_GAP = Fraction(3, 2)  # of the usual distance of pictures; in a longer one some may have been left out
_LONGEST_MS = 1000  # a film that holds a picture for longer has no others there


@dataclass(frozen=True)
class Window:
    """The pictures from the last one before a cut, as a draft has it, to the first one after."""

    before_ms: int
    at_ms: int


def refined(
    path: FilePath, info: MediaInfo, cuts: Sequence[Transition], shown_ms: Sequence[int], limits: Limits
) -> list[Transition]:
    """The same transitions, in order; a cut before which pictures were left out is where those change most.

    `shown_ms` is when the pictures of the draft begin, in order. Only what lies between is decoded, from the
    nearest key on. Raises `MediaError` as `read_spans` does.
    """
    windows = {cut.at_ms: _window(cut, shown_ms, info) for cut in sorted(cuts, key=lambda cut: cut.at_ms)}
    unsure = [window for window in windows.values() if window is not None]
    grid = SamplingGrid(_STEP_S, 2 * info.duration_ms)
    spans = [Span(2 * one.before_ms + 1, 2 * one.at_ms + 2) for one in unsure]
    read = read_spans(path, info, grid, spans, _SIDE, limits=limits) if spans else iter(())
    moved = {window.at_ms: _steepest(span, window) for window, span in zip(unsure, read, strict=True)}
    return [_moved(cut, moved.get(cut.at_ms, cut.at_ms)) for cut in cuts]


def _window(cut: Transition, shown_ms: Sequence[int], info: MediaInfo) -> Window | None:
    """What is to be looked at for a cut; None: nothing was left out, or it is no cut."""
    place = int(np.searchsorted(shown_ms, cut.at_ms))
    if cut.start_ms != cut.end_ms or not 0 < place < len(shown_ms):
        return None
    before_ms = int(shown_ms[place - 1])
    gap_ms = cut.at_ms - before_ms
    return Window(before_ms, cut.at_ms) if _GAP * 1000 / info.fps < gap_ms < _LONGEST_MS else None


def _steepest(span: FrameSpan, window: Window) -> int:
    """When the picture begins that differs most from the one before."""
    starts_ms, rows = np.unique(span.pts_ms, return_index=True)
    if len(rows) < 2:
        return window.at_ms
    frames = span.frames[rows].astype(np.int16)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    return int(starts_ms[1 + int(np.argmax(steps))])


def _moved(cut: Transition, at_ms: int) -> Transition:
    return cut if at_ms == cut.at_ms else replace(cut, start_ms=at_ms, end_ms=at_ms, at_ms=at_ms)
