"""Where somebody speaks: runs of speech, cut out of sound as it comes.

A run begins where a voice is likely and ends with a silence. Which runs there are depends on the sound alone,
not on the blocks in which it comes. Only the sound of the run in hand is kept. Silences too short to end a
run are its pauses: words lie beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from videoxl2.speech.runs.voice import WINDOW, Probabilities
from videoxl2.speech.sound.channels import Samples
from videoxl2.speech.sound.sound import RATE

LONGEST_S = 29.4  # a run with its margins; some silence is left in the decoder's window
_ON, _OFF, _ONSET = 0.5, 0.35, 0.1
_SILENCE = RATE // 5  # ends a run
_PAUSE = 3 * WINDOW  # the shortest; less is inside a word
_SHORTEST = RATE // 10  # a run; less is a click
_MARGIN = RATE // 5  # of sound on both sides
_LONGEST = round(LONGEST_S * RATE) - 2 * _MARGIN
_UNCUT = 10 * RATE  # a run that is too long is not cut before
_LOOKED_BACK = 16  # windows in which a voice may have begun to rise


Pause = tuple[Fraction, Fraction]  # from when to when nobody speaks


@dataclass(frozen=True, slots=True)
class Run:
    """Speech from `start_s` up to `end_s` on the stream's clock; its sound begins at `sound_start_s`."""

    take: int
    start_s: Fraction
    end_s: Fraction
    sound_start_s: Fraction
    sound: Samples
    pauses: tuple[Pause, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds of speech, without margins."""
        return float(self.end_s - self.start_s)


class RunCutter:
    """Cuts runs out of one take. Positions are samples from its start."""

    def __init__(self, take: int, start_s: Fraction) -> None:
        self._take, self._start_s = take, start_s
        self._sound: Samples = np.zeros(0, np.float32)
        self._sound_at = 0  # position of its first sample
        self._at = 0  # of the next window
        self._before: list[float] = []  # probabilities since the last run, the newest last
        self._inside: list[float] = []  # of the run in hand; empty: there is none
        self._begin = self._onset = 0  # of the run in hand
        self._quiet: int | None = None  # since when the voice is gone
        self._pauses: list[tuple[int, int]] = []  # of the run in hand
        self._taken = 0  # end of the last run's sound

    def cut(self, samples: Samples, probabilities: Probabilities) -> Iterator[Run]:
        """Runs that end in these windows. The sound of a window comes with its probability, or before."""
        self._sound = np.concatenate((self._sound, samples))
        for probability in map(float, probabilities):
            yield from self._next(probability)
            self._at += WINDOW
        self._forget()

    def rest(self) -> Iterator[Run]:
        """The run that the end of the sound ends."""
        if self._inside:
            end = min(self._at, self._end_of_sound) if self._quiet is None else self._quiet
            yield from self._closed(end)

    @property
    def _end_of_sound(self) -> int:
        return self._sound_at + len(self._sound)

    def _next(self, probability: float) -> Iterator[Run]:
        if not self._inside:
            if probability >= _ON:
                self._open(probability)
            else:
                self._before = [*self._before[1 - _LOOKED_BACK :], probability]
            return
        self._inside.append(probability)
        if probability >= _ON:
            self._note_pause()
            self._quiet = None
        elif probability < _OFF and self._quiet is None:
            self._quiet = self._at
        if self._quiet is not None and self._at - self._quiet >= _SILENCE:
            yield from self._closed(self._quiet)
        elif self._at - self._begin > _LONGEST:
            yield self._halved()

    def _open(self, probability: float) -> None:
        self._begin, self._onset = self._at, self._rise(self._before)
        self._inside, self._before, self._quiet, self._pauses = [probability], [], None, []

    def _rise(self, before: Sequence[float]) -> int:
        """When the voice that is there now began, by the probabilities before it."""
        earlier = next((n for n, one in enumerate(reversed(before)) if one < _ONSET), len(before))
        return self._at - earlier * WINDOW

    def _note_pause(self) -> None:
        """The voice is here; it may have been gone."""
        if self._quiet is None:
            return
        windows = (self._at - self._quiet) // WINDOW
        back = self._rise(self._inside[-1 - windows : -1])
        if back - self._quiet >= _PAUSE:
            self._pauses.append((self._quiet, back))

    def _closed(self, end: int) -> Iterator[Run]:
        if end - self._begin >= _SHORTEST:
            yield self._run(end, min(end + _MARGIN, self._end_of_sound))
        after = (end - self._begin) // WINDOW
        self._before, self._inside = self._inside[after:][-_LOOKED_BACK:], []

    def _halved(self) -> Run:
        """The run up to where a voice is least likely; what is behind goes on as the next one."""
        first = -(-_UNCUT // WINDOW)
        windows = first + int(np.argmin(self._inside[first:]))
        cut = self._begin + windows * WINDOW
        run = self._run(cut, cut)
        self._inside = self._inside[windows:]
        self._begin = self._onset = cut
        self._pauses = [pause for pause in self._pauses if pause[0] >= cut]
        if self._quiet is not None and self._quiet < cut:
            self._quiet = cut
        return run

    def _run(self, end: int, sound_end: int) -> Run:
        begin = max(self._begin - _MARGIN, self._taken, self._sound_at)
        sound = self._sound[begin - self._sound_at : sound_end - self._sound_at].copy()
        self._taken = sound_end
        pauses = tuple((self._when(gone), self._when(back)) for gone, back in self._pauses if back <= end)
        return Run(self._take, self._when(self._onset), self._when(end), self._when(begin), sound, pauses)

    def _when(self, position: int) -> Fraction:
        return self._start_s + Fraction(position, RATE)

    def _forget(self) -> None:
        """Sound that no run can begin with any more."""
        needed = (self._begin if self._inside else self._at) - 2 * _MARGIN
        if needed - self._sound_at > RATE:
            self._sound = self._sound[needed - self._sound_at :].copy()
            self._sound_at = needed
