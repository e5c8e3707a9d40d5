"""When something in a stream is seen: from the stream's clock to milliseconds from the film's first picture.

Containers with edit lists show stretches of a track at other times than they are stored; everything else is
moved by when the first picture is shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from videoxl2.captions.settling import Written
from videoxl2.frames.clocks.edits import lay_out
from videoxl2.frames.files.formats import boxes
from videoxl2.frames.probing.media_info import MediaInfo

_EVERYTHING = 1 << 62  # ticks


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of a stream from `start_s` up to `end_s`; with `shift_s` added they are seconds of the film."""

    start_s: Fraction | None  # None: from ever on
    end_s: Fraction | None
    shift_s: Fraction

    @property
    def is_endless(self) -> bool:
        """Whether all of the stream lies in it."""
        return self.start_s is None and self.end_s is None


@dataclass(frozen=True, slots=True)
class Placing:
    """The place of a stream's times in the film. Stretches that are shown twice place a cue twice."""

    stretches: tuple[Stretch, ...]
    is_followed: bool = True  # False: there is an edit list that is not

    def placed(self, start_s: Fraction, end_s: Fraction | None) -> Iterator[tuple[int, int | None]]:
        """The milliseconds of the film in which something is seen; None: its end is not said."""
        for stretch in self.stretches:
            start = start_s if stretch.start_s is None else max(start_s, stretch.start_s)
            if stretch.end_s is not None and start >= stretch.end_s:
                continue
            if start > start_s and (end_s is None or end_s <= start):
                continue
            end = end_s if end_s is None or stretch.end_s is None else min(end_s, stretch.end_s)
            yield _ms(start + stretch.shift_s), None if end is None else _ms(end + stretch.shift_s)

    def written(self, cues: Iterable[Written], time_base: Fraction) -> Iterator[Written]:
        """Cues whose times are ticks of the stream, as cues of the film."""
        if len(self.stretches) == 1 and self.stretches[0].is_endless:
            yield from _shifted(cues, time_base, self.stretches[0].shift_s)
            return
        for cue in cues:
            end_s = None if cue.end_ms is None else cue.end_ms * time_base
            for start_ms, end_ms in self.placed(cue.start_ms * time_base, end_s):
                yield replace(cue, start_ms=start_ms, end_ms=end_ms)


class FilmClock:
    """The film's clock: what `placing` times have there. `movie` is the header of MP4 and QuickTime."""

    def __init__(
        self, info: MediaInfo, movie: boxes.Movie | None, track_id: int, time_base: Fraction
    ) -> None:
        """Place by a video whose pictures have that number in MP4, and stamps of `time_base` seconds."""
        self._is_movie = info.container in ("mp4", "mov")
        is_odd = self._is_movie and info.timestamps == "estimated"
        self.has_times = not info.clock.counts_pictures and not is_odd
        self._info, self._movie, self._time_base = info, movie, time_base
        self.first_s = self._first_s(track_id)

    def of_pictures(self) -> Placing:
        """Return where times of the film's own pictures lie, in seconds of their stream."""
        edits, base = self._info.clock.edits, self._time_base
        if not edits:
            return Placing((Stretch(None, None, -self._info.first_pts * base),))
        return Placing(
            tuple(
                Stretch(edit.media * base, edit.end * base, edit.start_s - edit.media * base)
                for edit in edits
            )
        )

    def of_container(self) -> Placing:
        """Return where times lie that are the container's own."""
        return Placing((Stretch(None, None, -self.first_s),))

    def of_track(self, track_id: int) -> Placing:
        """Return where times of another stream lie, by the number that MP4 gives it."""
        track = self._movie.track(track_id) if self._movie else None
        if self._is_movie and self._movie is None:  # its header is too large, or packed
            return replace(self.of_container(), is_followed=False)
        if track is None or track.edits == ():
            return self.of_container()
        if track.edits is None or any(edit.media is not None and edit.rate != 1 for edit in track.edits):
            return replace(self.of_container(), is_followed=False)
        return Placing(tuple(self._stretches(track)))

    def _stretches(self, track: boxes.Track) -> Iterator[Stretch]:
        at = -self.first_s
        for edit in track.edits or ():
            if edit.media is not None:
                start_s = Fraction(edit.media, track.timescale)
                end_s = start_s + edit.length_s if edit.length_s else None
                yield Stretch(start_s, end_s, at - start_s)
            at += edit.length_s

    def _first_s(self, track_id: int) -> Fraction:
        """When the first picture is shown on the clock that the streams share."""
        track = self._movie.track(track_id) if self._movie else None
        base, first = self._time_base, self._info.first_pts
        if not self.has_times or track is None or not track.edits:
            return first * base
        return lay_out(track.edits, base, first, _EVERYTHING)[0]


def _ms(seconds: Fraction) -> int:
    return round(seconds * 1000)


def _shifted(cues: Iterable[Written], time_base: Fraction, shift_s: Fraction) -> Iterator[Written]:
    """Cues of a stream of which all is shown; in whole numbers, which take a third of the time."""
    ticks, shift = time_base * 1000, shift_s * 1000
    parts = lcm(ticks.denominator, shift.denominator)  # of a millisecond
    times, more = ticks.numerator * (parts // ticks.denominator), int(shift * parts)
    for cue in cues:
        end_ms = None if cue.end_ms is None else _rounded(cue.end_ms * times + more, parts)
        yield Written(_rounded(cue.start_ms * times + more, parts), end_ms, cue.text, cue.speaker)


def _rounded(value: int, parts: int) -> int:
    """As `round(Fraction(value, parts))`: halves to even numbers."""
    whole, rest = divmod(value, parts)
    return whole + (2 * rest > parts or (2 * rest == parts and whole % 2 == 1))
