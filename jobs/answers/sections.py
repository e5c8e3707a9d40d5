"""A video in sections that fit the model one by one, each beginning with the end of the one before."""

from collections.abc import Iterable, Iterator
from itertools import chain

from videoxl2.frames import FrameSpan


class Sections:
    """Spans of frames, dealt out as sections of at most `max_frames` frames (or two spans, if more).

    A section opens with the last span of the one before it, so that what its end cuts through is seen whole
    in the next. A section's spans must be used up before the next section is asked for.
    """

    def __init__(self, spans: Iterable[FrameSpan], max_frames: int) -> None:
        self._spans = (span for span in spans if len(span.frames))
        self._max_frames = max_frames
        self._last: FrameSpan | None = None
        self._beyond: FrameSpan | None = None  # there was no room for it

    @property
    def shared_ms(self) -> int:
        """The instant from which the next section sees again what the one that was used up saw."""
        return int(self._last.pts_ms[0]) if self._last is not None else 0

    @property
    def end_ms(self) -> int | None:
        """The end of the section that was used up: the first frame beyond it. None: it was the last."""
        return int(self._beyond.pts_ms[0]) if self._beyond is not None else None

    def __iter__(self) -> Iterator[Iterator[FrameSpan]]:
        yield self._section()
        while self._beyond is not None:
            yield self._section()

    def _section(self) -> Iterator[FrameSpan]:
        opening = [span for span in (self._last, self._beyond) if span is not None]
        self._beyond = None
        num_frames = 0
        for number, span in enumerate(chain(opening, self._spans)):
            num_frames += len(span.frames)
            if num_frames > self._max_frames and number >= max(1, len(opening)):
                self._beyond = span
                return
            self._last = span
            yield span
