"""Video file in, spans of RGB frames out."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from math import ceil, floor

from videoxl2.frames.clocks.clock import Edit
from videoxl2.frames.errors import UndecodableVideo
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, freed_at_once
from videoxl2.frames.files.decoder import Decoder
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.files.pixels import RgbConverter, Size
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.probing.probe import probe
from videoxl2.frames.reading.choosing.in_order import pick_by_order
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.choosing.scheduler import CannotEnter, pick_by_gop, pick_in_order, timed
from videoxl2.frames.reading.choosing.targets import Answer, Targets
from videoxl2.frames.reading.entry import packets_before
from videoxl2.frames.reading.film import FilePath, Film, open_film
from videoxl2.frames.reading.frame_span import FrameSpan, SpanRows

_ROUNDING_S = Fraction(1, 1000)


def read_span(
    path: FilePath,
    info: MediaInfo,
    grid: SamplingGrid,
    span: Span,
    size: Size = 384,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> FrameSpan:
    """Read the frames of one span; the same bytes as the video read at once (but for damaged pictures,
    which are flagged: what a decoder patches them with is not defined).

    `size` is the side of square frames, or height and width: each picture is squashed to it as it is shown,
    upright. MP4 and Matroska are entered near the span through their index. Other containers are walked from
    their start, which costs no decoding; only files whose pictures are counted are decoded from their start.
    """
    return next(read_spans(path, info, grid, [span], size, limits=limits))


def read_spans(
    path: FilePath,
    info: MediaInfo,
    grid: SamplingGrid,
    spans: Sequence[Span],
    size: Size = 384,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[FrameSpan]:
    """Read one or more spans, in order and without overlap, in one pass; the same bytes as by `read_span`.

    What lies between them is walked over and, where the GOPs allow, not decoded.
    """
    _check(grid, spans)
    with freed_at_once():
        yield from _read_spans(path, info, grid, spans, RgbConverter(size), limits)


def read_frames(
    path: FilePath,
    grid: SamplingGrid,
    size: Size = 384,
    frames_per_span: int = 128,
    *,
    info: MediaInfo | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[FrameSpan]:
    """Read a whole video in one pass, one span in memory at a time. Without `info` the file is probed first.

    Raises `UndecodableVideo` at the end when no target got a picture.
    """
    info = info or probe(path, limits)
    num_frames = 0
    for frames in read_spans(path, info, grid, grid.spans(frames_per_span), size, limits=limits):
        num_frames += len(frames.frames)
        yield frames
    if not num_frames:
        raise UndecodableVideo("no target got a picture")


def _read_spans(
    path: FilePath,
    info: MediaInfo,
    grid: SamplingGrid,
    spans: Sequence[Span],
    converter: RgbConverter,
    limits: Limits,
) -> Iterator[FrameSpan]:
    damage = Damage()
    answers = read_answers(path, info, grid, spans, limits, damage)
    for span in spans:
        started = time.thread_time()
        rows = SpanRows(span, info, converter)
        for answer in islice(answers, span.stop - span.first):
            rows.add(answer)
        yield rows.finish(damage, time.thread_time() - started)


def _check(grid: SamplingGrid, spans: Sequence[Span]) -> None:
    read_to = 0
    for span in spans:
        if not read_to <= span.first < span.stop <= grid.num_targets:
            raise ValueError(
                f"span [{span.first}, {span.stop}) is outside a grid of {grid.num_targets} targets, "
                f"read up to {read_to}"
            )
        read_to = span.stop


def read_answers(
    path: FilePath,
    info: MediaInfo,
    grid: SamplingGrid,
    spans: Sequence[Span],
    limits: Limits,
    damage: Damage,
) -> Iterator[Answer]:
    """One answer per target of the spans that is inside the video, in order, with full-size pictures."""
    if not info.clock.edits:
        yield from _Answers(path, info, grid, spans, limits, damage)
    for part, following in pairwise([*info.clock.edits, None]):
        assert part is not None
        until_s = following.start_s if following else None
        if _has_target(part.start_s, until_s, grid, spans):
            yield from _Answers(path, info, grid, spans, limits, damage, part, until_s)


def _has_target(
    start_s: Fraction, until_s: Fraction | None, grid: SamplingGrid, spans: Sequence[Span]
) -> bool:
    """Whether the file is to be opened for a part of the film, of which it can have thousands."""
    first = floor((start_s - _ROUNDING_S) / grid.step_s)
    stop = grid.num_targets if until_s is None else ceil((until_s + _ROUNDING_S) / grid.step_s) + 1
    return any(span.first < stop and first < span.stop for span in spans)


@dataclass
class _Answers:
    """The answers to the targets of one part of the film (of all of it, when it has no edits)."""

    path: FilePath
    info: MediaInfo
    grid: SamplingGrid
    spans: Sequence[Span]
    limits: Limits
    damage: Damage
    part: Edit | None = None
    until_s: Fraction | None = None  # when the part after it begins

    def __iter__(self) -> Iterator[Answer]:
        first = 0
        clock = self.info.clock
        if not clock.counts_pictures:
            try:
                for answer in self._by_gop() if clock.can_skip else self._by_order(may_enter=True):
                    first = answer.target + 1
                    yield answer
                return
            except CannotEnter:
                self.damage.read_in_order = True
        if clock.order is not None:
            yield from self._by_order(first, may_enter=False)
        else:
            yield from self._one_by_one(first)

    def _targets(self, film: Film) -> Targets:
        time_base = film.video.time_base
        return Targets(self.info, self.grid, self.spans, time_base, self.limits, self.part, self.until_s)

    def _decoder(self, film: Film) -> Decoder:
        return Decoder(film.video, self.damage, self.info.clock.pads_with_zeros)

    def _one_by_one(self, first: int) -> Iterator[Answer]:
        """Every picture of the file, from the target `first` on."""
        with open_film(self.path, self.info.clock, self.limits) as film:
            targets = self._targets(film)
            if targets.are_answered:
                return
            targets.next = max(targets.next, first)
            pictures = self._decoder(film).pictures(film.packets(self.damage))
            counted = self.info.clock.counts_pictures
            timed_pictures = enumerate(pictures) if counted else timed(pictures, self.damage)
            yield from pick_in_order(timed_pictures, targets.before(None), targets)

    def _by_order(self, first: int = 0, *, may_enter: bool) -> Iterator[Answer]:
        order = self.info.clock.order
        assert order is not None
        with open_film(self.path, self.info.clock, self.limits) as film:
            targets = self._targets(film)
            if targets.are_answered:
                return
            targets.next = max(targets.next, first)
            stamped, decoder = film.stamped(self.damage), self._decoder(film)
            yield from pick_by_order(stamped, targets, decoder, order, self.limits, may_enter)

    def _by_gop(self) -> Iterator[Answer]:
        for by_index in (True, False):
            with open_film(self.path, self.info.clock, self.limits) as film:
                targets = self._targets(film)
                if targets.are_answered:
                    return
                if by_index and targets.next and film.video.can_seek:
                    # Only media in front of all parts need no seeking.
                    first = 0 if self.part is not None else self.info.first_pts
                    packets = packets_before(film, targets.due(targets.next).tick, first, self.damage)
                    if packets is None:
                        continue
                else:
                    packets = film.packets(self.damage)
                for answer in pick_by_gop(packets, targets, self._decoder(film), self.limits):
                    targets.next = answer.target + 1
                    yield answer
                return
