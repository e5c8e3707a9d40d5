"""Letterbox and pillarbox: black bars that stay, found on small pictures and measured on full ones.

Bars are flat, dark and alike on both sides; a night sky is none of that. Shapes: N pictures, H = 36 rows,
W = 64 columns, and the same turned where columns are looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from videoxl2.cues.records import Cue
from videoxl2.cues.spans import SpanFinder
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.small_pictures import SmallPictures

BOX_MS = 2000  # the shortest that is told
_DARK, _FLAT = 26, 6  # levels: the brightest pixel of a bar, and how far its pixels differ
_LIT = 60  # the brightest pixel of a picture that can have bars; others say nothing
_UNLIKE = 1  # lines by which the two bars may differ
_MOST = Fraction(2, 5)  # of the picture, that one bar may take
_MEASURED = 5  # full pictures that one stretch is measured on
_DARK_SHARE = 0.99  # of a full picture's line in a bar


class BoxCues:
    """Takes small pictures, asks for a few full ones, and finds bars above and below, or beside."""

    def __init__(self, info: MediaInfo) -> None:
        """Of a film that `probe` described so."""
        self._info = info
        self._rows, self._columns = _Axis(), _Axis()

    def small(self, pictures: SmallPictures) -> None:
        """The next ones."""
        luma, starts = pictures.luma_N36x64, pictures.start_ms_N
        is_lit = luma.max(axis=(1, 2)) >= _LIT
        self._rows.feed(luma, is_lit, starts)
        self._columns.feed(luma.transpose(0, 2, 1), is_lit, starts)

    def picture(self, picture: Picture, at_ms: int) -> None:
        """A full one, later than the small ones so far; it is looked at where it is wanted."""
        wanting = [axis for axis in (self._rows, self._columns) if axis.wants(at_ms)]
        if not wanting or picture.is_damaged or (luma := _luma(picture.frame)) is None:
            return
        for axis in wanting:
            axis.measure(luma if axis is self._rows else luma.T, at_ms)

    def finish(self, end_ms: int) -> Iterator[Cue]:
        """All cues up to the film's end."""
        is_turned = self._info.rotation % 180 == 90
        for axis, kind in ((self._rows, "letterbox"), (self._columns, "pillarbox")):
            for start, end in axis.finish(end_ms):
                is_rows = axis is self._rows
                shown = ("pillarbox" if is_rows else "letterbox") if is_turned else kind
                yield Cue(shown, start, end, self._aspect(axis.left_of(start, end), is_rows, is_turned))  # type: ignore[arg-type]  # one of the two

    def _aspect(self, left: float, is_rows: bool, is_turned: bool) -> float:
        """Width over height of what the bars leave, as a player shows it."""
        stored = float(self._info.width * self._info.pixel_aspect / self._info.height)
        aspect = stored / left if is_rows else stored * left
        return round(1 / aspect if is_turned else aspect, 2)


@dataclass
class _Axis:
    """Bars in one direction."""

    spans: SpanFinder = field(default_factory=lambda: SpanFinder(BOX_MS))
    measured: list[tuple[int, float]] = field(default_factory=list)  # when, and what the bars left
    small: list[tuple[int, float]] = field(
        default_factory=list
    )  # the same on small pictures, when a stretch begins
    _num_wanted: int = 0

    def feed(
        self, luma_NHW: NDArray[np.uint8], is_lit_N: NDArray[np.bool_], start_N: NDArray[np.int64]
    ) -> None:
        """The next pictures, turned so that bars are rows."""
        before, after = _bars(luma_NHW)
        has_bars = (before > 0) & (after > 0) & (np.abs(before - after) <= _UNLIKE)
        has_bars = _held(has_bars, is_lit_N, self.spans.is_open)
        was_open = self.spans.is_open
        self.spans.feed(has_bars, start_N)
        shown = np.flatnonzero(has_bars & is_lit_N)
        size = luma_NHW.shape[1]
        for n in shown[:: max(1, len(shown) // 4)].tolist():
            self.small.append((int(start_N[n]), 1 - float(before[n] + after[n]) / size))
        if self.spans.is_open and not was_open:
            self._num_wanted = _MEASURED

    def wants(self, at_ms: int) -> bool:
        """Whether a full picture at that time would tell more."""
        return (
            self._num_wanted > 0
            and self.spans.is_open
            and (not self.measured or at_ms >= self.measured[-1][0] + 500)
        )

    def measure(self, luma_HW: NDArray[np.uint8], at_ms: int) -> None:
        """Look at a full picture."""
        dark = (luma_HW <= _DARK + _FLAT).mean(axis=1) >= _DARK_SHARE
        size = len(dark)
        before, after = (size if line.all() else int(np.argmin(line)) for line in (dark, dark[::-1]))
        if max(before, after) <= _MOST * size and min(before, after) > 0:
            self.measured.append((at_ms, 1 - (before + after) / size))
            self._num_wanted -= 1

    def finish(self, end_ms: int) -> list[tuple[int, int]]:
        """Stretches up to the film's end."""
        return self.spans.finish(end_ms)

    def left_of(self, start_ms: int, end_ms: int) -> float:
        """The share of the picture that the bars of a stretch leave."""
        for told in (self.measured, self.small):
            if inside := [left for at_ms, left in told if start_ms <= at_ms < end_ms]:
                return median(inside)
        return 1.0


def _bars(luma_NHW: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lines of the bar at each end of each picture; 0 where it is too large for one."""
    edges = luma_NHW[:, [0, -1]].max(axis=2)
    if not (edges <= _DARK).all(axis=1).any():
        return np.zeros(len(luma_NHW), np.intp), np.zeros(len(luma_NHW), np.intp)
    highest, lowest = luma_NHW.max(axis=2), luma_NHW.min(axis=2)
    is_bar = (highest <= _DARK) & (highest - lowest <= _FLAT)
    most = int(_MOST * is_bar.shape[1])
    ends = [np.where(line.all(axis=1), 0, np.argmin(line, axis=1)) for line in (is_bar, is_bar[:, ::-1])]
    before, after = (np.where(end <= most, end, 0) for end in ends)
    return before, after


def _held(has_N: NDArray[np.bool_], is_known_N: NDArray[np.bool_], at_first: bool) -> NDArray[np.bool_]:
    """The latest that is known, picture by picture."""
    known = np.where(is_known_N, np.arange(1, len(has_N) + 1), 0)
    latest = np.maximum.accumulate(known)
    return np.concatenate([[at_first], has_N])[latest]


def _luma(frame: VideoFrame) -> NDArray[np.uint8] | None:
    """The brightness of a full picture in eight bits; None where its format is another."""
    if (
        not frame.format.name.startswith("yuv")
        or frame.format.components[0].bits != 8
        or not frame.format.is_planar
    ):
        return None
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
