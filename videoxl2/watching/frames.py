"""A model's frames, taken from the pictures of a film as they pass by: the same bytes as by `read_span`."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.files.pixels import RgbConverter, Size
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.choosing.scheduler import Timed
from videoxl2.frames.reading.choosing.targets import Answer, FrameFlag, Miss, Targets
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.frame_span import FrameSpan, SpanRows
from videoxl2.frames.reading.reader import read_span
from videoxl2.frames.reading.stills.keyframes import Keyframe, keyframe_of

MOST_STILLS = 512  # of one film: 5 MB
_SETTLED = 64  # pictures after damage from which on none is missing: decoders hold back half as many
_DAMAGED = FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE


@dataclass(frozen=True)
class FramesWanted:
    """Consecutive spans of a grid, in order, as `read_span` would read them."""

    grid: SamplingGrid
    spans: tuple[Span, ...]
    size: Size  # of the frames: the side of squares, or height and width, in pixels


def can_take_frames(info: MediaInfo) -> bool:
    """Whether a pass over a film meets its frames: not where edits show parts of it in another order, or
    where it begins with pictures that cannot be decoded."""
    return not info.clock.edits and "starts_mid_gop" not in info.warnings


class FrameTaker:
    """Answers targets in order with the pictures it is told of.

    A span in which anything is damaged is read by itself once it has passed: what a decoder makes of damage
    depends on where it began.
    """

    def __init__(
        self,
        path: FilePath,
        info: MediaInfo,
        wanted: FramesWanted,
        time_base: Fraction,
        limits: Limits,
        damage: Damage,
    ) -> None:
        """Of a film that `can_take_frames`; `time_base` is that of its stream, `damage` what the pass met."""
        self._path, self._info, self._wanted, self._limits, self._damage = path, info, wanted, limits, damage
        self._targets = Targets(info, wanted.grid, wanted.spans, time_base, limits)
        self._dues = self._targets.before(None)
        self._due = next(self._dues, None)
        self._shown: Timed | None = None
        self._spans = deque(wanted.spans)
        self._converter = RgbConverter(wanted.size)
        self._ready: deque[FrameSpan] = deque()
        self.stills: dict[int, Keyframe] = {}  # of some of the frames, by when they begin, ms
        self._still_every = ceil(wanted.grid.num_targets / MOST_STILLS)
        self._num_losses, self._since_harm = 0, _SETTLED  # pictures ago
        self._shape: tuple[int, int, str] | None = None
        self._begin()

    def take(self, tick: int, picture: Picture) -> None:
        """The next picture that came out of the decoder, and its tick."""
        self._look_for_damage(picture)
        while self._due is not None and self._due.tick < tick and self._shown is not None:
            self._add(self._targets.answer(self._due, *self._shown))
        if self._shown is None or tick > self._shown[0]:  # a screen's clock never runs backwards
            self._shown = tick, picture

    def ready(self) -> Iterator[FrameSpan]:
        """The spans that are full, once each."""
        while self._ready:
            yield self._ready.popleft()

    def finish(self) -> None:
        """Fill the rest, as there are no more pictures. Raises `MediaError` as `read_span` does."""
        self._look_for_damage()
        while self._due is not None:
            self._add(
                Miss(self._due.target, "missing_frames")
                if self._shown is None
                else self._targets.answer(self._due, *self._shown)
            )
        while self._spans:
            self._close()

    def _begin(self) -> None:
        self._is_doubtful, self._begun = False, time.thread_time()
        if self._spans:
            self._rows = SpanRows(self._spans[0], self._info, self._converter)

    def _look_for_damage(self, picture: Picture | None = None) -> None:
        num_losses = self._damage.num_losses
        is_harmed = num_losses != self._num_losses or self._damage.times_contradicted
        if picture is not None:
            is_harmed |= picture.is_damaged or self._has_changed(picture)
        self._num_losses = num_losses
        self._since_harm = 0 if is_harmed else self._since_harm + 1
        self._is_doubtful |= is_harmed

    def _has_changed(self, picture: Picture) -> bool:
        """Whether pictures have another shape from now on: decoders lose there what they hold back."""
        before, frame = self._shape, picture.frame
        self._shape = frame.width, frame.height, frame.format.name
        return before not in (None, self._shape)

    def _add(self, answer: Answer) -> None:
        self._due = next(self._dues, None)
        while answer.target >= self._spans[0].stop:
            self._close()
        self._is_doubtful |= self._since_harm < _SETTLED or _is_damaged(answer)
        if not self._is_doubtful:
            self._rows.add(answer)
            self._keep_still(answer)

    def _keep_still(self, answer: Answer) -> None:
        if isinstance(answer, Miss) or answer.target % self._still_every or answer.pts_ms in self.stills:
            return
        if still := keyframe_of(answer, self._info.pixel_aspect):
            self.stills[answer.pts_ms] = still

    def _close(self) -> None:
        span = self._spans.popleft()
        if self._is_doubtful:
            wanted = self._wanted
            frames = read_span(self._path, self._info, wanted.grid, span, wanted.size, limits=self._limits)
        else:
            frames = self._rows.finish(Damage(), time.thread_time() - self._begun)
        self._ready.append(frames)
        self._begin()


def _is_damaged(answer: Answer) -> bool:
    if isinstance(answer, Miss):
        return answer.warning == "missing_frames"
    return bool(answer.flags & _DAMAGED)
