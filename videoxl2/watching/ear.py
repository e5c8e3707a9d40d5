"""The sound of one stream in blocks of a second, each at its time, decoded as its packets pass by."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from numpy.typing import NDArray

from videoxl2.frames.files.packets import AnyPacket, Damage
from videoxl2.speech.sound.clock import Placed, SampleClock
from videoxl2.speech.sound.rates import Stamped, true_rate
from videoxl2.watching.sound_frames import frame_of, samples_of
from videoxl2.watching.watcher import SoundBlock

_LOOKED_AT_S = 4  # the first seconds, of which the true rate is taken
_ROUNDING = 2  # ticks by which stamps of sound without a jump may be off


class _Kind(NamedTuple):
    """What sound has to have in common to be one block."""

    format: str
    layout: str
    rate: int  # the true one


_NO_SOUND = _Kind("", "", 1)


class Ear:
    """A tap on a pass over a file, which gives what it hears to `hear`."""

    def __init__(
        self, stream: AudioStream, clock: SampleClock, damage: Damage, hear: Callable[[SoundBlock], None]
    ) -> None:
        self.streams: Sequence[AudioStream] = (stream,)
        self._context, self._time_base = stream.codec_context, stream.time_base or Fraction(1)
        self._context.thread_count = 1
        self._clock, self._damage, self._hear = clock, damage, hear
        self._first: list[AudioFrame] | None = []  # None: the rate is known
        self._first_s = Fraction(0)
        self._wrong: Fraction | None = None  # true rate over the one that is said
        self._run = _Run(_NO_SOUND, None)
        self._blocks: _Blocks | None = None

    def note(self, packet: AnyPacket | None) -> None:
        """Hear a packet of the stream; with None, what the decoder has held back."""
        try:
            frames: Iterable[AudioFrame] = self._context.decode(packet)
        except FFmpegError:
            self._damage.broken_packets += 1
            return
        for frame in frames:
            if frame.samples > 0 and frame.sample_rate > 0:
                self._take(frame)

    def finish(self) -> None:
        """Hear the rest."""
        self.note(None)
        self._settle()
        self._place()
        self._end_blocks()

    def _take(self, frame: AudioFrame) -> None:
        if self._first is None:
            self._collect(frame)
            return
        self._first.append(frame)
        self._first_s += Fraction(frame.samples, frame.sample_rate)
        if self._first_s >= _LOOKED_AT_S:
            self._settle()

    def _settle(self) -> None:
        """Take the true rate of the first frames and go on with them."""
        first, self._first = self._first or [], None
        rate = true_rate([Stamped(self._stamp(one.pts), one.samples, one.sample_rate) for one in first])
        self._wrong = Fraction(rate, first[0].sample_rate) if rate is not None else None
        for frame in first:
            self._collect(frame)

    def _stamp(self, pts: int | None) -> Fraction | None:
        return None if pts is None else pts * self._time_base

    def _collect(self, frame: AudioFrame) -> None:
        """Put a frame to the run under way, about a second of which is placed at once."""
        said = frame.sample_rate
        rate = said if self._wrong is None else round(self._wrong * said)
        kind = _Kind(frame.format.name, frame.layout.name, rate)
        if kind != self._run.kind or not self._run.goes_on(frame.pts):
            self._place()
            self._run = _Run(kind, frame.pts, float(1 / (rate * self._time_base)))
        self._run.add(frame)
        if self._run.samples >= rate:
            self._place()

    def _place(self) -> None:
        run = self._run
        if not run.frames:
            return
        placed = self._clock.place(self._stamp(run.pts), Fraction(run.samples, run.kind.rate))
        self._run = _Run(_NO_SOUND, None)
        if placed.is_left_out:
            return
        if self._blocks is None or placed.is_new or self._blocks.kind != run.kind:
            self._end_blocks()
            self._blocks = _Blocks(run.kind, placed)
        self._give(self._blocks, run.frames)

    def _end_blocks(self) -> None:
        if self._blocks is not None:
            self._give(self._blocks, [])
        self._blocks = None

    def _give(self, blocks: "_Blocks", frames: Sequence[AudioFrame]) -> None:
        try:
            full = blocks.take_in(frames)
        except (FFmpegError, ValueError):  # a layout that libswresample does not know
            self._damage.broken_packets += 1
            return
        for block in full:
            self._hear(block)


@dataclass
class _Run:
    """Frames whose stamps go on from each other."""

    kind: _Kind
    pts: int | None  # of the first one
    ticks: float = 0.0  # that a sample lasts
    samples: int = 0
    frames: list[AudioFrame] = field(default_factory=list)

    def goes_on(self, pts: int | None) -> bool:
        """Whether a frame stamped so comes next."""
        if pts is None or self.pts is None:
            return pts is self.pts
        return abs(pts - self.pts - self.samples * self.ticks) <= _ROUNDING

    def add(self, frame: AudioFrame) -> None:
        """The next frame."""
        self.frames.append(frame)
        self.samples += frame.samples


class _Blocks:
    """Sound without a jump, from its frames to blocks of a second."""

    def __init__(self, kind: _Kind, placed: Placed) -> None:
        self.kind = kind
        self._resampler: AudioResampler | None = None
        if kind.format != "fltp":
            self._resampler = AudioResampler("fltp", kind.layout, kind.rate, kind.rate)
        self._skip = round(placed.skip_s * kind.rate)
        self._at_s = placed.start_s
        self._is_new = placed.is_new

    def take_in(self, frames: Sequence[AudioFrame]) -> list[SoundBlock]:
        """Blocks that are full with these frames; without any, what is left."""
        if self._resampler is not None:
            samples = [samples_of([one]) for one in self._converted(self._resampler, frames)]
        else:
            samples = [samples_of(frames)] if frames else []
        blocks = [self._block(each) for each in samples]
        return [block for block in blocks if block is not None]

    def _converted(self, resampler: AudioResampler, frames: Sequence[AudioFrame]) -> list[AudioFrame]:
        converted: list[AudioFrame] = []
        for frame in frames or (None,):
            if frame is not None:
                frame.sample_rate, frame.pts = self.kind.rate, None  # the resampler counts from 0
            converted += resampler.resample(frame)
        return converted

    def _block(self, samples: NDArray[np.float32]) -> SoundBlock | None:
        skipped = min(self._skip, samples.shape[1])
        self._skip -= skipped
        samples = samples[:, skipped:]
        if not samples.shape[1]:
            return None
        frame = frame_of(samples, self.kind.layout, self.kind.rate)
        block = SoundBlock(self._at_s, self._is_new, frame, samples)
        self._at_s += Fraction(samples.shape[1], self.kind.rate)
        self._is_new = False
        return block
