"""What the packets of one stream say, as columns: 8 bytes a value, because a day of video has 5 M packets."""

from __future__ import annotations  # array[int] exists for type checkers only before Python 3.12

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Stamps
from videoxl2.frames.files.packets import VideoPacket, is_b_picture, is_picture
from videoxl2.frames.files.payloads.holes import ends_in_zeros, is_holed

NONE = -(2**63)  # no stamp
_MOST_HOLES, _HOLED_SHARE = 8, 0.05  # packets that end in zeros because their ends are lost
_COLUMNS = (
    "pts",
    "dts",
    "duration",
    "is_key",
    "is_picture",
    "begins_pes",
    "is_b",
    "is_corrupt",
    "ends_in_zeros",
    "key_bytes",
)


@dataclass
class PacketTable:
    """One row per video packet, in file order. Stamps are ticks of the stream."""

    has_types: bool = False  # whether pictures are asked for their types
    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    is_key: array[int] = field(default_factory=lambda: array("b"))
    is_picture: array[int] = field(default_factory=lambda: array("b"))
    begins_pes: array[int] = field(default_factory=lambda: array("b"))  # program streams: has a stamp
    is_b: array[int] = field(default_factory=lambda: array("b"))  # where pictures say it; -1: not said
    is_corrupt: array[int] = field(default_factory=lambda: array("b"))
    ends_in_zeros: array[int] = field(default_factory=lambda: array("b"))
    key_bytes: array[int] = field(default_factory=lambda: array("q"))  # where keys begin in the file, else -1
    first_byte: int | None = None  # of the file, where the container tells
    last_byte: int = 0

    def __len__(self) -> int:
        return len(self.pts)

    def add(self, packet: VideoPacket) -> None:
        """Note one packet."""
        pts, dts, position = packet.pts, packet.dts, packet.pos
        self.pts.append(NONE if pts is None else pts)
        self.dts.append(NONE if dts is None else dts)
        self.duration.append(packet.duration or 0)
        self.is_key.append(packet.is_keyframe)
        self.is_picture.append(is_picture(packet))
        self.begins_pes.append(position is not None)
        is_b = is_b_picture(packet) if self.has_types else None
        self.is_b.append(-1 if is_b is None else is_b)
        is_corrupt = packet.is_corrupt or is_holed(packet)
        self.is_corrupt.append(is_corrupt)
        self.ends_in_zeros.append(not is_corrupt and ends_in_zeros(packet))
        if packet.is_keyframe:
            self.key_bytes.append(-1 if position is None else position)
        if position is not None:
            self.first_byte = position if self.first_byte is None else self.first_byte
            self.last_byte = max(self.last_byte, position)

    @property
    def pads_with_zeros(self) -> bool:
        """Whether so many packets end in zeros that their encoder must have written them."""
        return sum(self.ends_in_zeros) > max(_MOST_HOLES, _HOLED_SHARE * len(self))

    @property
    def num_corrupt(self) -> int:
        """Packets with signs of damage."""
        cut = () if self.pads_with_zeros else self.ends_in_zeros
        return sum(self.is_corrupt) + sum(cut)

    def extend(self, later: PacketTable) -> None:
        """Append another stream's rows."""
        for name in _COLUMNS:
            getattr(self, name).extend(getattr(later, name))
        self.last_byte = max(self.last_byte, later.last_byte)

    def rows(self, first: int = 0, stop: int | None = None) -> Iterator[tuple[int, Stamps]]:
        """Row numbers with what `clock.placed` looks at."""
        for row in range(first, len(self) if stop is None else stop):
            pts, dts, is_b = self.pts[row], self.dts[row], self.is_b[row]
            yield (
                row,
                Stamps(
                    None if pts == NONE else pts,
                    None if dts == NONE else dts,
                    self.duration[row],
                    None if is_b < 0 else bool(is_b),
                ),
            )

    def array(self, name: str) -> NDArray[np.int64]:
        """A column as a new 64-bit array."""
        column = getattr(self, name)
        return np.frombuffer(column, np.int64 if column.typecode == "q" else np.int8).astype(np.int64)
