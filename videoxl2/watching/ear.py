"""The sound of one stream in blocks of a second, each at its time, decoded as its packets pass by."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from numpy.typing import NDArray

from videoxl2.frames.files.packets import AnyPacket, Damage
from videoxl2.speech.clock import Placed, SampleClock
from videoxl2.speech.rates import Stamped, true_rate
from videoxl2.watching.watcher import SoundBlock

_LOOKED_AT_S = 4  # the first seconds, of which the true rate is taken


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
        self._end_blocks()

    def _take(self, frame: AudioFrame) -> None:
        if self._first is None:
            self._place(frame)
            return
        self._first.append(frame)
        self._first_s += Fraction(frame.samples, frame.sample_rate)
        if self._first_s >= _LOOKED_AT_S:
            self._settle()

    def _settle(self) -> None:
        """Take the true rate of the first frames and go on with them."""
        first, self._first = self._first or [], None
        rate = true_rate([Stamped(self._stamp(one), one.samples, one.sample_rate) for one in first])
        self._wrong = Fraction(rate, first[0].sample_rate) if rate is not None else None
        for frame in first:
            self._place(frame)

    def _stamp(self, frame: AudioFrame) -> Fraction | None:
        return None if frame.pts is None else frame.pts * self._time_base

    def _place(self, frame: AudioFrame) -> None:
        said = frame.sample_rate
        rate = said if self._wrong is None else round(self._wrong * said)
        placed = self._clock.place(self._stamp(frame), Fraction(frame.samples, rate))
        if placed.is_left_out:
            return
        kind = (frame.format.name, frame.layout.name, rate)
        if self._blocks is None or placed.is_new or self._blocks.kind != kind:
            self._end_blocks()
            self._blocks = _Blocks(kind, placed)
        frame.sample_rate, frame.pts = rate, None
        self._give(self._blocks, frame)

    def _end_blocks(self) -> None:
        if self._blocks is not None:
            self._give(self._blocks, None)
        self._blocks = None

    def _give(self, blocks: "_Blocks", frame: AudioFrame | None) -> None:
        try:
            full = blocks.take_in(frame)
        except (FFmpegError, ValueError):  # a layout that libswresample does not know
            self._damage.broken_packets += 1
            return
        for block in full:
            self._hear(block)


class _Blocks:
    """Sound without a jump, from its frames to blocks of a second."""

    def __init__(self, kind: tuple[str, str, int], placed: Placed) -> None:
        self.kind = kind
        _, layout, self._rate = kind
        self._resampler = AudioResampler("fltp", layout, self._rate, self._rate)
        self._skip = round(placed.skip_s * self._rate)
        self._at_s = placed.start_s
        self._is_new = placed.is_new

    def take_in(self, frame: AudioFrame | None) -> list[SoundBlock]:
        """Blocks that are full with this frame; with None, what is left."""
        return [block for one in self._resampler.resample(frame) if (block := self._block(one)) is not None]

    def _block(self, frame: AudioFrame) -> SoundBlock | None:
        samples = frame.to_ndarray().astype(np.float32, copy=False)
        if self._skip:
            skipped = min(self._skip, samples.shape[1])
            self._skip -= skipped
            samples = samples[:, skipped:]
            if not samples.shape[1]:
                return None
            frame = _with_samples(frame, samples)
        block = SoundBlock(self._at_s, self._is_new, frame, samples)
        self._at_s += Fraction(samples.shape[1], self._rate)
        self._is_new = False
        return block


def _with_samples(frame: AudioFrame, samples: NDArray[np.float32]) -> AudioFrame:
    cut = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=frame.layout)
    cut.sample_rate = frame.sample_rate
    return cut
