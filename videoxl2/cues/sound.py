"""Silence, tones and the highest peak, on seconds of sound as they come. C channels, n samples, W windows."""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from videoxl2.captions.placing import Placing
from videoxl2.cues.records import Cue
from videoxl2.cues.spans import Span, SpanFinder, merged
from videoxl2.watching import SoundBlock

SILENCE_MS, TONE_MS = 1000, 1000  # the shortest that are told
_US = 1_000_000  # spans are kept in microseconds of the stream
_SILENT = 10**-2.5  # of full scale: -50 dB
_WINDOWS_A_SECOND, _TONE_WINDOWS_A_SECOND = 100, 10
_TONE_POWER, _TONE_SHARE = 1e-4, 0.95  # mean square of a tone, -40 dB, and how much of it is at one frequency
_AROUND = 2  # bins to either side that belong to a frequency
_SAME_HZ = 15.0  # tones that differ no more are one
_PROBED = TONE_MS * _TONE_WINDOWS_A_SECOND // 1000  # of so many windows one, and the last, tell of a tone


class SoundCues:
    """Takes sound and finds what holds in it."""

    def __init__(self) -> None:
        self._silence = SpanFinder(SILENCE_MS * 1000)
        self._tones = _Tones()
        self._peak = 0.0
        self._takes: list[Span] = []  # from when to when there is sound

    def sound(self, block: SoundBlock) -> None:
        """The next second."""
        start_us, num_samples = round(block.start_s * _US), block.samples.shape[1]
        if block.is_new or not self._takes:
            self._end()
            self._takes.append((start_us, start_us))
        level_n = np.abs(block.samples).max(axis=0)
        self._peak = max(self._peak, float(level_n.max()))
        size = max(1, block.rate // _WINDOWS_A_SECOND)
        firsts_W = np.arange(0, num_samples, size)
        is_silent_W = np.maximum.reduceat(level_n, firsts_W) < _SILENT
        self._silence.feed(is_silent_W, start_us + firsts_W * _US // block.rate)
        self._tones.feed(block, start_us)
        self._takes[-1] = self._takes[-1][0], start_us + num_samples * _US // block.rate

    def finish(self, placing: Placing, end_ms: int) -> Iterator[Cue]:
        """All cues, where `placing` puts them in a film that ends at `end_ms`."""
        self._end()
        for span in _in_film(self._silence.found, placing, end_ms):
            yield Cue("silence", *span)
        for frequency, tone in self._tones.found:
            for span in _in_film([tone], placing, end_ms):
                yield Cue("tone", *span, round(frequency, 1))
        if self._peak > 0:
            for span in self.reach(placing, end_ms):
                yield Cue("peak", *span, round(20 * math.log10(self._peak), 1))

    def reach(self, placing: Placing, end_ms: int) -> list[Span]:
        """Return the span from the first to the last sound in the film; nothing where there is none."""
        heard = _in_film(self._takes, placing, end_ms)
        return [(heard[0][0], heard[-1][1])] if heard else []

    def _end(self) -> None:
        """Close what holds where the sound is interrupted."""
        at_us = self._takes[-1][1] if self._takes else 0
        self._silence.finish(at_us)
        self._tones.end(at_us)


class _Tones:
    """Stretches with nothing but one frequency."""

    def __init__(self) -> None:
        self.found: list[tuple[float, Span]] = []  # Hz
        self._hz: list[float] = []  # of the windows of the tone under way
        self._since_us = 0

    def feed(self, block: SoundBlock, start_us: int) -> None:
        """The next second of sound; what is left of a window is not looked at."""
        windows_Wn = _windows(block)
        if not self._hz and not _may_hold_tone(windows_Wn, block.rate):
            return
        for number, hz in enumerate(_frequencies(windows_Wn, block.rate).tolist()):
            at_us = start_us + number * windows_Wn.shape[1] * _US // block.rate
            if self._hz and not abs(hz - self._hz[-1]) <= _SAME_HZ:
                self.end(at_us)
            if not math.isnan(hz):
                self._since_us = self._since_us if self._hz else at_us
                self._hz.append(hz)

    def end(self, at_us: int) -> None:
        """Close the tone under way."""
        if self._hz and at_us - self._since_us >= TONE_MS * 1000:
            self.found.append((float(np.median(self._hz)), (self._since_us, at_us)))
        self._hz = []


def _windows(block: SoundBlock) -> NDArray[np.float32]:
    """Tenths of a second of the loudest channel, `[W, n]`."""
    size = block.rate // _TONE_WINDOWS_A_SECOND
    num_windows = block.samples.shape[1] // size if size else 0
    loudest = int(np.argmax(np.einsum("cn,cn->c", block.samples, block.samples)))
    return block.samples[loudest, : num_windows * size].reshape(num_windows, size)


def _may_hold_tone(windows_Wn: NDArray[np.float32], rate: int) -> bool:
    """Whether a tone that lasts long enough can touch these windows: it holds in the first or the last of
    them, or in one of as many as it takes."""
    probed = sorted({*range(0, len(windows_Wn), _PROBED), len(windows_Wn) - 1} - {-1})
    return not np.isnan(_frequencies(windows_Wn[probed], rate)).all()


def _frequencies(windows_Wn: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """The tone of each window, in Hz; not a number where there is none."""
    num_windows, size = windows_Wn.shape
    hz_W = np.full(num_windows, np.nan)
    if not size:
        return hz_W
    loud = np.flatnonzero(np.einsum("wn,wn->w", windows_Wn, windows_Wn) >= _TONE_POWER * size)
    power_WF = np.abs(np.fft.rfft(windows_Wn[loud] * _hann(size))) ** 2
    peak_W = power_WF.argmax(axis=1)
    near_Wf = peak_W[:, None] + np.arange(-_AROUND, _AROUND + 1)
    inside_Wf = np.clip(near_Wf, 0, power_WF.shape[1] - 1)
    of_peak_Wf = np.take_along_axis(power_WF, inside_Wf, axis=1) * (near_Wf == inside_Wf)
    of_peak_W = of_peak_Wf.sum(axis=1)
    is_tone = (peak_W > _AROUND) & (of_peak_W >= _TONE_SHARE * power_WF.sum(axis=1))
    middle_W = (of_peak_Wf * near_Wf).sum(axis=1)[is_tone] / of_peak_W[is_tone]
    hz_W[loud[is_tone]] = middle_W * rate / size
    return hz_W


@cache
def _hann(size: int) -> NDArray[np.float32]:
    return np.hanning(size).astype(np.float32)


def _in_film(spans_us: list[Span], placing: Placing, end_ms: int) -> list[Span]:
    """Where they are heard in the film, in order; what touches there is one."""
    placed = [
        (max(0, start_ms), min(end_ms, stop_ms))
        for start_us, stop_us in spans_us
        for start_ms, stop_ms in placing.placed(Fraction(start_us, _US), Fraction(stop_us, _US))
        if stop_ms is not None
    ]
    return merged(span for span in placed if span[0] < span[1])
