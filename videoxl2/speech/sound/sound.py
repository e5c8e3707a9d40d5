"""Sound of one stream as blocks of 16 kHz, each at its time: nothing is kept but what is being converted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.stream import Discard

from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.files.packets import Damage, read_packets
from videoxl2.speech.sound.channels import Samples, mixed
from videoxl2.speech.sound.clock import Placed, SampleClock
from videoxl2.speech.sound.rates import Stamped, true_rate

RATE = 16_000  # samples a second, as detector and decoder take them
_BLOCK = RATE  # samples converted at once: frame by frame takes three times as long
_LOOKED_AT_S = 4  # the first seconds, of which the true rate is taken


@dataclass(frozen=True, slots=True)
class Block:
    """Sound from `start_s` on, on the stream's clock. Blocks of one `take` have no gaps between them."""

    take: int
    start_s: Fraction
    samples: Samples


class SoundReader:
    """A reader of one stream of an open file, from where it stands."""

    def __init__(self, video: OpenVideo, stream: AudioStream, clock: SampleClock) -> None:
        self.clock, self.damage = clock, Damage()
        self.said_rate_is_wrong = False
        self._video, self._stream = video, stream
        self._time_base = stream.time_base or Fraction(1, RATE)
        self._next_pts: int | None = None  # of a frame that goes on from the last one

    def blocks(self) -> Iterator[Block]:
        """All of it, with damage stepped over."""
        converter, take = None, -1
        for frame, rate in self._at_true_rate():
            placed = self._placed(frame, rate)
            if placed.is_left_out:
                continue
            if converter is None or placed.is_new:
                yield from converter.rest() if converter else ()
                take += 1
                converter = Converter(take, placed)
            yield from self._converted(converter, frame, rate)
        yield from converter.rest() if converter else ()

    def _converted(self, converter: "Converter", frame: AudioFrame, rate: int) -> Iterator[Block]:
        try:
            yield from converter.take_in(frame, rate)
        except (FFmpegError, ValueError):  # a layout that libswresample does not know
            self.damage.broken_packets += 1

    def _placed(self, frame: AudioFrame, rate: int) -> Placed:
        """Where a frame lies. A stamp that goes on from the one before to the tick says nothing new."""
        length_s, ticks = _length(frame.samples, rate, *self._time_base.as_integer_ratio())
        pts = frame.pts
        is_next = pts is not None and pts == self._next_pts and not self.clock.is_restless
        placed = self.clock.place(None if is_next else self._stamp(frame), length_s)
        self._next_pts = None if pts is None or ticks is None or placed.is_left_out else pts + ticks
        return placed

    def _stamp(self, frame: AudioFrame) -> Fraction | None:
        return None if frame.pts is None else frame.pts * self._time_base

    def _at_true_rate(self) -> Iterator[tuple[AudioFrame, int]]:
        """Frames, and how many samples a second they really have."""
        frames = self._frames()
        first: list[AudioFrame] = []
        looked_at = Fraction(0)
        while looked_at < _LOOKED_AT_S and (frame := next(frames, None)) is not None:
            first.append(frame)
            looked_at += Fraction(frame.samples, frame.sample_rate)
        rate = true_rate([Stamped(self._stamp(one), one.samples, one.sample_rate) for one in first])
        said = first[0].sample_rate if first else RATE
        self.said_rate_is_wrong = rate is not None
        for frame in chain(first, frames):
            yield frame, frame.sample_rate if rate is None else round(rate * frame.sample_rate / said)

    def _frames(self) -> Iterator[AudioFrame]:
        for stream in self._video.container.streams:
            if stream is not self._stream:
                stream.discard = Discard.all
        for packet in chain(read_packets(self._video, self.damage, self._stream), (None,)):
            try:
                # The last call gives what the decoder has held back.
                decoded = self._stream.codec_context.decode(packet)
            except FFmpegError:
                self.damage.broken_packets += 1
                continue
            yield from (frame for frame in decoded if frame.samples > 0 and frame.sample_rate > 0)


@lru_cache(maxsize=64)
def _length(samples: int, rate: int, ticks: int, per_s: int) -> tuple[Fraction, int | None]:
    """Seconds of a frame, and its ticks of `ticks / per_s` seconds where they are whole."""
    length_s = Fraction(samples, rate)
    in_ticks = length_s * per_s / ticks
    return length_s, int(in_ticks) if in_ticks.denominator == 1 else None


class Converter:
    """Sound without a jump, from its frames to blocks of 16 kHz."""

    def __init__(self, take: int, placed: Placed) -> None:
        self._take = take
        self._skip = round(placed.skip_s * RATE)
        self._start_s = placed.start_s - Fraction(self._skip, RATE)
        self._given = 0  # samples
        self._kind: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None
        self._channels = 1

    def take_in(self, frame: AudioFrame, rate: int) -> Iterator[Block]:
        """Blocks that are full with this frame. Sound that changes its rate or layout goes on."""
        kind = (frame.format.name, frame.layout.name, rate)
        if kind != self._kind:
            yield from self.rest()
            self._kind, self._channels = kind, min(2, frame.layout.nb_channels)
            layout = "mono" if self._channels == 1 else "stereo"
            self._resampler = AudioResampler(format="s16", layout=layout, rate=RATE, frame_size=_BLOCK)
        frame.sample_rate = rate
        frame.pts = None  # the resampler counts from 0
        yield from self._blocks(frame)

    def rest(self) -> Iterator[Block]:
        """Yield what is still inside."""
        yield from self._blocks(None)
        self._resampler = self._kind = None

    def _blocks(self, frame: AudioFrame | None) -> Iterator[Block]:
        for converted in self._resampler.resample(frame) if self._resampler else ():
            samples = mixed(converted.to_ndarray().reshape(-1).astype(np.int16, copy=False), self._channels)
            block = Block(self._take, self._start_s + Fraction(self._given, RATE), samples)
            self._given += len(samples)
            yield from self._without_head(block)

    def _without_head(self, block: Block) -> Iterator[Block]:
        """The block but for samples that were given before."""
        skip = min(self._skip, len(block.samples))
        self._skip -= skip
        if skip == 0:
            yield block
        elif skip < len(block.samples):
            yield replace(block, start_s=block.start_s + Fraction(skip, RATE), samples=block.samples[skip:])
