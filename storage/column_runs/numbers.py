"""The integers of a Parquet footer, which is a struct in Thrift's compact protocol, and where each stands.

Nothing else of a footer is looked at: what is not exchanged stays byte by byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[int, ...]  # ids of fields and, inside of lists, positions, from the outermost struct inwards

_FIXED_BYTES = {3: 1, 7: 8}  # by the protocol's number of a type: a byte, a double
_INTEGERS = (4, 5, 6)
_TEXT, _LIST, _SET, _STRUCT = 8, 9, 10, 12
_BOOLEANS = (1, 2)


@dataclass(frozen=True, slots=True)
class Number:
    """An integer, from byte `start` to `end` of the footer."""

    value: int
    start: int
    end: int


def numbers_in(footer: bytes) -> dict[Path, Number]:
    """All integers of all structs and lists. ValueError: bytes that are no such struct."""
    reader = _Reader(footer)
    try:
        reader.read_struct(())
    except IndexError:
        raise ValueError("the footer is cut short") from None
    return reader.found


def exchanged(footer: bytes, found: Mapping[Path, Number], values: Mapping[Path, int]) -> bytes:
    """The same footer with other integers in the places of some of those found."""
    pieces: list[bytes] = []
    end = 0
    for number, value in sorted(((found[path], value) for path, value in values.items()), key=_start):
        pieces += [footer[end : number.start], _encoded(value)]
        end = number.end
    return b"".join([*pieces, footer[end:]])


def _start(one: tuple[Number, int]) -> int:
    return one[0].start


def _encoded(value: int) -> bytes:
    """Zigzag, seven bits a byte, the lowest first."""
    left, encoded = value << 1 if value >= 0 else ~(value << 1), bytearray()
    while left > 0x7F:
        encoded.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*encoded, left])


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.found: dict[Path, Number] = {}
        self._data = data
        self._at = 0

    def read_struct(self, path: Path) -> None:
        """Go through one struct's fields; each begins with its type and how far its id is from the last."""
        field = 0
        while head := self._byte():
            step, kind = head >> 4, head & 0xF
            field = field + step if step else _signed(self._unsigned())
            if kind not in _BOOLEANS:  # their type is their value
                self._value(kind, (*path, field))

    def _value(self, kind: int, path: Path) -> None:
        if kind in _INTEGERS:
            start = self._at
            self.found[path] = Number(_signed(self._unsigned()), start, self._at)
        elif kind == _TEXT:
            num_bytes = self._unsigned()
            self._at += num_bytes
        elif kind == _STRUCT:
            self.read_struct(path)
        elif kind in (_LIST, _SET):
            self._list(path)
        elif kind in _FIXED_BYTES:
            self._at += _FIXED_BYTES[kind]
        else:
            raise ValueError(f"type {kind} in a footer")

    def _list(self, path: Path) -> None:
        head = self._byte()
        kind, num = head & 0xF, head >> 4
        num = self._unsigned() if num == 0xF else num
        if kind in _BOOLEANS:
            self._at += num
            return
        for position in range(num):
            self._value(kind, (*path, position))

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) > 0x7F:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift


def _signed(zigzag: int) -> int:
    return zigzag >> 1 ^ -(zigzag & 1)
