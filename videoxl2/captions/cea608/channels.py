"""Pairs of bytes to the four channels: two fields of a picture, two channels in each."""

from __future__ import annotations  # array[int] exists for type checkers only before Python 3.12

from array import array

import numpy as np

from videoxl2.captions.cea608.screen import Screen
from videoxl2.captions.settling import Written

_VALID = 4
_DTVCC_START = 3
_NONE = (0, 0, 0)


class Channels:
    """Four channels of one stream: `note` what stands beside the pictures, in whatever order they come, then
    ask what was `written`.

    Times are of any unit; a control that is sent twice `doubled_within` so many is one.
    """

    def __init__(self, doubled_within: int = 100) -> None:
        # A day of talk has millions of pairs: when, and which field with two codes of seven bits.
        self._times: array[int] = array("q")
        self._codes: array[int] = array("H")
        self._doubled_within = doubled_within
        self.services: set[int] = set()  # of CEA-708, which is not read; 0: which one is not known

    def note(self, at: int, triplets: bytes) -> None:
        """Triplets as ATSC A/53 has them: one byte that says what the two after it are."""
        for place in range(0, len(triplets) - 2, 3):
            head, first, second = triplets[place : place + 3]
            kind, is_valid = head & 3, head & _VALID
            if kind > 1:  # CEA-708 comes after all CEA-608
                if is_valid:
                    self.services.add(second >> 5 if kind == _DTVCC_START else 0)
                return
            if is_valid and (first & 0x7F or second & 0x7F):
                self._times.append(at)
                self._codes.append(kind << 14 | (first & 0x7F) << 7 | second & 0x7F)

    def written(self, end: int) -> dict[str, list[Written]]:
        """Cues of `CC1` to `CC4`, of those that say something, in the times that were noted.

        What is never erased stays up to `end`.
        """
        fields = (_Field(self._doubled_within), _Field(self._doubled_within))
        times, codes = np.array(self._times, np.int64), np.array(self._codes, np.uint16)
        order = np.argsort(times, kind="stable")
        for at, code in zip(times[order].tolist(), codes[order].tolist(), strict=True):
            fields[code >> 14].take(at, code >> 7 & 0x7F, code & 0x7F, code >> 14)
        found = {
            f"CC{2 * field + channel}": screen.written(end)
            for field, state in enumerate(fields)
            for channel, screen in sorted(state.screens.items())
        }
        return {name: cues for name, cues in found.items() if cues}


class _Field:
    """One field: whose turn it is, and whether programme data come between."""

    def __init__(self, doubled_within: int) -> None:
        self.screens: dict[int, Screen] = {}
        self._doubled_within = doubled_within
        self._channel = 1
        self._is_data = False
        self._last = _NONE  # the control before, and when

    def take(self, at: int, first: int, second: int, field: int) -> None:
        if first >= 0x20:
            self._last = _NONE
        elif first >= 0x10:
            if self._is_repeated(at, first, second):
                return
            self._is_data = False
            self._channel = 2 if first & 8 else 1
            first &= ~8
            if first == 0x15 and second < 0x30:  # how the second field spells its commands
                first = 0x14
        else:
            if first:  # programme data, up to 0F, in the second field
                self._is_data = field == 1 and first != 0xF
            return
        if not self._is_data:
            screen = self.screens.get(self._channel)
            if screen is None:
                screen = self.screens[self._channel] = Screen()
            screen.take(at, first, second)

    def _is_repeated(self, at: int, first: int, second: int) -> bool:
        before, self._last = self._last, (first, second, at)
        is_so = before[:2] == (first, second) and at - before[2] <= self._doubled_within
        if is_so:
            self._last = _NONE
        return is_so
