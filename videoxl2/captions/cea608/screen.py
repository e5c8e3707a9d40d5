"""One channel's screen: codes write into two memories, and rows leave the shown one as cues.

Pop-on text is loaded unseen and shown at once. Paint-on text is seen letter by letter, and so is roll-up text
at the bottom, where a return moves the rows up. A row is said from its first letter until it leaves.
"""

from enum import Enum, auto
from itertools import groupby
from operator import itemgetter

from videoxl2.captions.cea608.characters import EXTENDED, SPECIAL, STANDARD
from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.settling import Written

_COLUMNS = 32
_BOTTOM = 15
# Rows of a preamble, by the first byte and a bit of the second.
_ROWS = {
    0x10: (11, 11),
    0x11: (1, 2),
    0x12: (3, 4),
    0x13: (12, 13),
    0x14: (14, 15),
    0x15: (5, 6),
    0x16: (7, 8),
    0x17: (9, 10),
}


class _Mode(Enum):
    UNKNOWN = auto()  # the stream begins inside a caption: what is loaded may still be shown
    POP_ON = auto()
    PAINT_ON = auto()
    ROLL_UP = auto()
    TEXT = auto()  # of another service


_MODES = {0x20: _Mode.POP_ON, 0x29: _Mode.PAINT_ON, 0x2A: _Mode.TEXT, 0x2B: _Mode.TEXT}


class _Row:
    """Up to 32 letters, and when the first of them was seen."""

    __slots__ = ("cells", "since")

    def __init__(self) -> None:
        self.cells = [" "] * _COLUMNS
        self.since: int | None = None

    def is_blank(self, column: int = 0) -> bool:
        return all(cell == " " for cell in self.cells[column:])

    def is_seen_at(self, column: int) -> bool:
        return self.since is not None and column < _COLUMNS and self.cells[column] != " "


class Screen:
    """A screen that the codes of one channel write on. `take` them in order of time, then ask what was
    `written`."""

    def __init__(self) -> None:
        self._mode = _Mode.UNKNOWN
        self._shown: dict[int, _Row] = {}
        self._loaded: dict[int, _Row] = {}
        self._memory = self._loaded  # that letters go to
        self._row, self._column, self._depth = _BOTTOM, 0, 0
        self._said: list[tuple[int, int, int, str]] = []  # start, end, row, text

    def take(self, at: int, first: int, second: int) -> None:
        """One pair without parity, said once, its controls those of the first channel."""
        if first >= 0x20:
            if second < 0x20 or not self._append(first, second):
                self._write(at, STANDARD[first - 0x20])
                if second >= 0x20:
                    self._write(at, STANDARD[second - 0x20])
        elif second >= 0x40:
            self._move(first, second)
        elif first == 0x14:
            self._command(at, second)
        elif first == 0x11 and second >= 0x20:  # a change of colour or slope takes a space
            self._write(at, SPECIAL[second - 0x30] if second >= 0x30 else " ")
        elif first in EXTENDED and second >= 0x20:
            self._column = max(0, self._column - 1)
            self._put(at, EXTENDED[first][second - 0x20])
        elif first == 0x17 and 0x21 <= second <= 0x23:
            self._column = min(_COLUMNS - 1, self._column + second - 0x20)

    def written(self, end: int) -> list[Written]:
        """Cues in order, those that stay till the end up to `end`."""
        self._erase_shown(end)
        said = sorted(row for row in self._said if row[0] < row[1])
        return [
            Written(start_ms, end_ms, "\n".join(text for *_, text in rows))
            for (start_ms, end_ms), rows in groupby(said, itemgetter(0, 1))
        ]

    def _move(self, first: int, second: int) -> None:
        rows = _ROWS[first]
        if self._mode is not _Mode.ROLL_UP:  # which has its row at the bottom, wherever that is
            self._row = rows[second >> 5 & 1]
        self._column = (second & 0x0E) * 2 if second & 0x10 else 0

    def _command(self, at: int, code: int) -> None:
        if code in _MODES:
            self._begin(_MODES[code])
        elif code == 0x21:
            self._step_back()
        elif code == 0x24:
            self._erase_to_end(at)
        elif 0x25 <= code <= 0x27:
            self._roll_up(at, code - 0x23)
        elif code == 0x28:
            self._write(at, " ")
        elif code == 0x2C:
            self._erase_shown(at)
        elif code == 0x2D:
            self._return(at)
        elif code == 0x2E:
            self._loaded.clear()
        elif code == 0x2F:
            self._flip(at)

    def _begin(self, mode: _Mode) -> None:
        if self._mode is _Mode.UNKNOWN:
            self._loaded.clear()
        self._mode = mode
        if mode is _Mode.TEXT:
            self._memory = {}
        else:
            self._memory = self._loaded if mode is _Mode.POP_ON else self._shown

    def _append(self, first: int, second: int) -> bool:
        """Two letters behind others, as most are; False: they change more than their own places."""
        row, column = self._memory.get(self._row), self._column
        if row is None or column > _COLUMNS - 2 or (row.since is None and self._memory is self._shown):
            return False
        cells = row.cells
        if not cells[column] == " " == cells[column + 1]:
            return False
        cells[column], cells[column + 1] = STANDARD[first - 0x20], STANDARD[second - 0x20]
        self._column = column + 2
        return True

    def _write(self, at: int, letter: str) -> None:
        """A letter at the cursor. Where one is seen already, the row that has it is over."""
        row = self._memory.get(self._row)
        if row is not None and letter != " " and row.is_seen_at(self._column):
            self._leave(at, self._row)
            self._keep_before(at, row)
        self._put(at, letter)

    def _put(self, at: int, letter: str) -> None:
        row = self._memory.get(self._row)
        if row is None:
            row = self._memory[self._row] = _Row()
        column = self._column
        if column < _COLUMNS:
            row.cells[column] = letter
            self._column = column + 1
        else:
            row.cells[-1] = letter
        if row.since is None and letter != " " and self._memory is self._shown:
            row.since = at

    def _step_back(self) -> None:
        self._column = max(0, self._column - 1)
        row = self._memory.get(self._row)
        if row is not None:
            row.cells[self._column] = " "
            row.since = None if row.is_blank() else row.since

    def _erase_to_end(self, at: int) -> None:
        row = self._memory.get(self._row)
        if row is None or row.is_blank(self._column):
            return
        self._leave(at, self._row)
        self._keep_before(at, row)

    def _keep_before(self, at: int, row: _Row) -> None:
        """What stands before the cursor goes on as a row of its own."""
        row.cells[self._column :] = [" "] * (_COLUMNS - self._column)
        row.since = None if row.is_blank() or row.since is None else at

    def _roll_up(self, at: int, depth: int) -> None:
        if self._mode is not _Mode.ROLL_UP:
            self._erase_shown(at)
            self._loaded.clear()
            self._begin(_Mode.ROLL_UP)
            self._row, self._column = _BOTTOM, 0
        self._depth = depth
        self._drop_above(at)

    def _return(self, at: int) -> None:
        if self._mode is not _Mode.ROLL_UP:
            return
        rows = {number - 1: row for number, row in self._shown.items()}
        self._shown.clear()
        self._shown.update(rows)
        self._column = 0
        self._drop_above(at)

    def _drop_above(self, at: int) -> None:
        for number in [number for number in self._shown if number <= _BOTTOM - self._depth]:
            self._leave(at, number)
            del self._shown[number]

    def _erase_shown(self, at: int) -> None:
        for number in self._shown:
            self._leave(at, number)
        self._shown.clear()

    def _flip(self, at: int) -> None:
        """What was loaded is shown; what was shown can be changed unseen."""
        for number, row in self._shown.items():
            self._leave(at, number)
            row.since = None
        self._shown, self._loaded = self._loaded, self._shown
        for row in self._shown.values():
            row.since = at
        self._mode, self._memory = _Mode.POP_ON, self._loaded

    def _leave(self, at: int, number: int) -> None:
        """Note what a row has said; a row that is not seen has said nothing."""
        row = self._shown.get(number)
        if row is None or row.since is None:
            return
        text = tidy("".join(row.cells))
        if text:
            self._said.append((row.since, at, number, text))
