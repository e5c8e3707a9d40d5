"""Where a transport stream's packets do not follow each other: packets were lost, or files were put together.

Every packet counts modulo 16 for its PID (ISO 13818-1, 2.4.3.3). FFmpeg calls a picture corrupt where the
count breaks, whatever the reason. A file put behind another one begins as every file does: with a programme
association table, and a picture at the head of a packet; and the file before it ends with a packet that is
filled up. One picture in 184 ends where a packet does, and looks like one whose recorder was stopped: lost.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SYNC = 0x47
_STRIDES = ((188, 0), (192, 4), (204, 0))  # bytes from packet to packet, and to the first sync byte
_AT_ONCE = 1 << 16  # packets
_NULL = -1  # no packet seen yet


@dataclass(frozen=True)
class Breaks:
    """Byte offsets of the packets at which a stream's count breaks."""

    joins: tuple[int, ...] = ()  # a file begins there
    losses: tuple[int, ...] = ()


def find_breaks(path: str | os.PathLike[str], pids: Collection[int]) -> Breaks | None:
    """The breaks of some streams, in order; None where the file is not packets throughout."""
    joins: list[int] = []
    losses: list[int] = []
    with Path(path).open("rb") as file:
        found = stride_of(file.read(4 * 204))
        if found is None:
            return None
        stride, sync_at = found
        file.seek(0)
        counters = {pid: _Counter() for pid in pids}
        begun = 0  # bytes
        while data := file.read(stride * _AT_ONCE):
            packets = np.frombuffer(data, np.uint8)[: len(data) // stride * stride].reshape(-1, stride)
            packets = packets[:, sync_at:]
            if (packets[:, 0] != SYNC).any():
                return None
            own = ((packets[:, 1].astype(np.int32) & 0x1F) << 8) | packets[:, 2]
            tables = np.flatnonzero((own == 0) & (packets[:, 1] & 0x40 != 0))
            for pid, counter in counters.items():
                rows = np.flatnonzero(own == pid)
                for row, is_join in counter.breaks(packets, rows, tables):
                    (joins if is_join else losses).append(begun + row * stride)
            begun += len(data)
    return Breaks(tuple(sorted(joins)), tuple(sorted(losses)))


class _Counter:
    """One PID's count, from one stretch of the file to the next."""

    def __init__(self) -> None:
        self._last = _NULL
        self._has_table = False  # since the PID's last packet
        self._is_filled_up = False  # the PID's last packet

    def breaks(
        self, packets: NDArray[np.uint8], rows: NDArray[np.intp], tables: NDArray[np.intp]
    ) -> list[tuple[int, bool]]:
        """The rows at which the count breaks, and whether a file begins there."""
        if not len(rows):
            self._has_table |= len(tables) > 0
            return []
        flags, control = packets[rows, 1], packets[rows, 3]
        counts = (control & 15).astype(np.int32)
        has_payload = control & 0x10 != 0
        has_field = (control & 0x20 != 0) & (packets[rows, 4] > 0)
        is_told = has_field & (packets[rows, 5] & 0x80 != 0)  # the discontinuity indicator
        before = np.concatenate(
            ([self._last if self._last != _NULL else counts[0] - has_payload[0]], counts[:-1])
        )
        is_broken = ((before + has_payload) & 15 != counts) & ~is_told
        is_broken |= flags & 0x80 != 0  # a transport error
        since = np.concatenate(([-1], rows[:-1]))
        num_before = np.searchsorted(tables, rows) - np.searchsorted(tables, since, "right")
        has_table = num_before > 0
        has_table[0] |= self._has_table
        is_filled_up = _is_filled_up(packets, rows)
        is_over = np.concatenate(([self._is_filled_up], is_filled_up[:-1]))
        begins = has_table & is_over & (flags & 0xC0 == 0x40)
        self._last, self._is_filled_up = int(counts[-1]), bool(is_filled_up[-1])
        self._has_table = bool((tables > rows[-1]).any())
        return [(int(rows[n]), bool(begins[n])) for n in np.flatnonzero(is_broken)]


def _is_filled_up(packets: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the field before a packet's content is longer than what it says (2.4.3.5)."""
    length, flags = packets[rows, 4], packets[rows, 5]
    said = 1 + 6 * (flags >> 4 & 1) + 6 * (flags >> 3 & 1) + (flags >> 2 & 1)  # clocks, and a countdown
    has_more = flags & 3 != 0  # of a length that is not looked for
    is_filled_up: NDArray[np.bool_] = (length == 0) | has_more | (length > said)
    is_filled_up &= packets[rows, 3] & 0x20 != 0
    return is_filled_up


def stride_of(head: bytes) -> tuple[int, int] | None:
    """Bytes from packet to packet, and before the first one's sync byte; None: it is no such stream."""
    for stride, sync_at in _STRIDES:
        if all(
            head[at : at + 1] == bytes([SYNC]) for at in range(sync_at, min(len(head), 4 * stride), stride)
        ):
            return stride, sync_at
    return None
