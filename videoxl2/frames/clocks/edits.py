"""Edit lists: which parts of a track's media make up the film, and when.

FFmpeg is told to leave them alone (it follows lists of several entries wrongly); the media are read as they
are stored, and here targets are moved to the media and pictures back to the film.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Edit
from videoxl2.frames.files.formats import boxes

_ROUNDING_S = Fraction(1, 600)  # of lengths, which movies count in ticks of their own


class OddEdits(Exception):  # noqa: N818  # the reader goes on without them
    """An edit list that is not followed: another speed, too many entries, or a header that is not read."""


def read_edits(path: str | os.PathLike[str], track_id: int) -> tuple[boxes.Edit, ...]:
    """The entries of a track's edit list, none where it has no list. Raises `OddEdits`."""
    movie = boxes.read_movie(path)
    if movie is None:
        raise OddEdits
    track = movie.track(track_id)
    edits = track.edits if track is not None else ()
    if edits is None or any(edit.media is not None and edit.rate != 1 for edit in edits):
        raise OddEdits
    return edits


def lay_out(
    edits: Sequence[boxes.Edit], time_base: Fraction, first: int, end: int
) -> tuple[Fraction, tuple[Edit, ...]]:
    """Return when the film begins on the player's clock, in seconds, and its parts from there on.

    The media have pictures from tick `first` up to `end`. Without parts, nothing of them is shown.
    """
    parts: list[Edit] = []
    at = Fraction(0)
    for edit in edits:
        if edit.media is not None:
            stop = _stop(edit.media, edit.length_s, time_base, end)
            media = max(edit.media, first)
            if media < stop:
                parts.append(Edit(at + (media - edit.media) * time_base, media, stop))
            at += edit.length_s or max(0, end - edit.media) * time_base
        else:
            at += edit.length_s
    begins_s = parts[0].start_s if parts else Fraction(0)
    return begins_s, _merged([replace(part, start_s=part.start_s - begins_s) for part in parts], time_base)


def _stop(media: int, length_s: Fraction, time_base: Fraction, end: int) -> int:
    """The tick an entry ends at; lengths are rounded, so one that just misses the end means it."""
    stop = media + floor(length_s / time_base)
    return stop if length_s and stop + _ROUNDING_S / time_base + 1 < end else end


def _merged(parts: list[Edit], time_base: Fraction) -> tuple[Edit, ...]:
    """Parts that go on where the one before ends are one."""
    merged: list[Edit] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last is not None and part.media == last.end and part.start_s == end_s(last, time_base):
            merged[-1] = replace(last, end=part.end)
        else:
            merged.append(part)
    return tuple(merged)


def end_s(edit: Edit, time_base: Fraction) -> Fraction:
    """Return when a part is over on the film's clock, in seconds."""
    return edit.start_s + (edit.end - edit.media) * time_base


def film_ticks(ticks: NDArray[np.int64], edits: Iterable[Edit], time_base: Fraction) -> NDArray[np.int64]:
    """Return when pictures begin on the film's clock, rounded down to ticks, of sorted `ticks` of the
    media."""
    shown = []
    for edit in edits:
        first = max(0, int(np.searchsorted(ticks, edit.media, "right")) - 1)
        inside = ticks[first : int(np.searchsorted(ticks, edit.end, "left"))]
        shown.append(np.maximum(inside, edit.media) - edit.media + floor(edit.start_s / time_base))
    return np.concatenate(shown)
