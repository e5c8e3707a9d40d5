"""Pairs of bytes to the four channels: two fields of a picture, two channels in each."""

from videoxl2.captions.cea608.screen import Screen
from videoxl2.captions.settling import Written

_VALID = 4
_DTVCC_START = 3
_NONE = (0, 0, 0)
_DOUBLED_MS = 100  # a control is sent twice, in pictures that follow each other


class Channels:
    """`take` what stands beside the pictures, in order of showing, then ask what was `written`."""

    def __init__(self) -> None:
        self._fields = (_Field(), _Field())
        self.services: set[int] = set()  # of CEA-708, which is not read; 0: which one is not known

    def take(self, ms: int, triplets: bytes) -> None:
        """Triplets as ATSC A/53 has them: one byte that says what the two after it are."""
        for at in range(0, len(triplets) - 2, 3):
            kind = triplets[at] & 3
            is_valid = triplets[at] & _VALID
            if kind > 1:  # CEA-708 comes after all CEA-608
                if is_valid:
                    self.services.add(triplets[at + 2] >> 5 if kind == _DTVCC_START else 0)
                return
            if is_valid:
                self._fields[kind].take(ms, triplets[at + 1] & 0x7F, triplets[at + 2] & 0x7F, kind)

    def take_pair(self, ms: int, pair: bytes) -> None:
        """A pair of the first field alone."""
        self._fields[0].take(ms, pair[0] & 0x7F, pair[1] & 0x7F, 0)

    def written(self, film_ms: int) -> dict[str, list[Written]]:
        """Cues of `CC1` to `CC4`, of those that say something."""
        found = {
            f"CC{2 * field + channel}": screen.written(film_ms)
            for field, state in enumerate(self._fields)
            for channel, screen in sorted(state.screens.items())
        }
        return {name: cues for name, cues in found.items() if cues}


class _Field:
    """One field: whose turn it is, and whether programme data come between."""

    def __init__(self) -> None:
        self.screens: dict[int, Screen] = {}
        self._channel = 1
        self._is_data = False
        self._last = _NONE  # the control before, and when

    def take(self, ms: int, first: int, second: int, field: int) -> None:
        if first < 0x10:
            if first:  # programme data, up to 0F, in the second field
                self._is_data = field == 1 and first != 0xF
            return
        if first < 0x20:
            if self._is_repeated(ms, first, second):
                return
            self._is_data = False
            self._channel = 2 if first & 8 else 1
            first &= ~8
            if first == 0x15 and second < 0x30:  # how the second field spells its commands
                first = 0x14
        else:
            self._last = _NONE
        if not self._is_data:
            screen = self.screens.setdefault(self._channel, Screen())
            screen.take(ms, first, second)

    def _is_repeated(self, ms: int, first: int, second: int) -> bool:
        before, self._last = self._last, (first, second, ms)
        is_so = before[:2] == (first, second) and ms - before[2] <= _DOUBLED_MS
        if is_so:
            self._last = _NONE
        return is_so
