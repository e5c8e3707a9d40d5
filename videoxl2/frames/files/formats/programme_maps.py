"""What a transport stream's tables say its streams are (ISO 13818-1, 2.4.4).

FFmpeg's binding keeps the codec that a PID had when the file was opened. Where recordings of other codecs
were put together, the tables behind the joint give the same PID another kind.
"""

import os
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.files.formats.continuity import SYNC, stride_of

_LOOKS, _LOOK = 16, 1 << 19  # all over the file, and bytes of each: tables come several times a second
_TABLE_PID = 0
_PROGRAMMES, _STREAMS = 0, 2  # table numbers
_CHECKSUM = 4  # bytes at a table's end
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NOTHING_LEFT = 0xFFFFFFFF  # zlib's checksum where its register ends in zero

Bytes = NDArray[np.uint8]


def changes_kind(path: str | os.PathLike[str], pids: Collection[int]) -> bool:
    """Whether one of the PIDs is said to be of several kinds, as far as a few looks into the file tell."""
    maps: set[int] = set()
    kinds: defaultdict[int, set[int]] = defaultdict(set)
    for packets, own in _looks(path):
        for table in _tables(packets, own == _TABLE_PID, _PROGRAMMES):
            entries = [table[at : at + 4] for at in range(8, len(table) - 3, 4)]
            maps.update(_pid(entry[2:]) for entry in entries if any(entry[:2]))
        for table in _tables(packets, np.isin(own, list(maps)), _STREAMS):
            for pid, kind in _streams(table):
                kinds[pid].add(kind)
    return any(len(kinds[pid]) > 1 for pid in pids)


def _looks(path: str | os.PathLike[str]) -> Iterator[tuple[Bytes, NDArray[np.int32]]]:
    """Packets from their sync byte on, with their PIDs, from the start to the end of the file."""
    with Path(path).open("rb") as file:
        stride, sync_at = stride_of(file.read(4 * 204)) or (0, 0)
        if not stride:
            return
        last = max(0, file.seek(0, os.SEEK_END) - _LOOK)
        for begin in sorted({last * n // (_LOOKS - 1) // stride * stride for n in range(_LOOKS)}):
            file.seek(begin)
            data = np.frombuffer(file.read(_LOOK), np.uint8)
            packets = data[: len(data) // stride * stride].reshape(-1, stride)[:, sync_at:]
            packets = packets[packets[:, 0] == SYNC]
            yield packets, ((packets[:, 1].astype(np.int32) & 0x1F) << 8) | packets[:, 2]


def _tables(packets: NDArray[np.uint8], is_wanted: NDArray[np.bool_], number: int) -> Iterator[bytes]:
    """Sound tables of that number that lie in one packet, each once, without their checksums."""
    rows = np.flatnonzero(is_wanted & (packets[:, 1] & 0x40 != 0) & (packets[:, 3] & 0x10 != 0))
    for packet in {packets[row, 3:].tobytes() for row in rows}:
        at = 2 + packet[1] if packet[0] & 0x20 else 1
        table = packet[at + 1 + packet[at] :] if at < len(packet) else b""
        length = 3 + (int.from_bytes(table[1:3]) & 0xFFF)
        if len(table) >= length > 8 + _CHECKSUM and table[0] == number and _is_sound(table[:length]):
            yield table[: length - _CHECKSUM]


def _is_sound(table: bytes) -> bool:
    """Whether its checksum is right (annex A): zlib's, with the bits of each byte the other way round."""
    return zlib.crc32(table.translate(_TURNED)) == _NOTHING_LEFT


def _streams(table: bytes) -> Iterator[tuple[int, int]]:
    """PID and kind of each stream of a programme."""
    at = 12 + (int.from_bytes(table[10:12]) & 0xFFF)
    while at + 5 <= len(table):
        yield _pid(table[at + 1 :]), table[at]
        at += 5 + (int.from_bytes(table[at + 3 : at + 5]) & 0xFFF)


def _pid(two_bytes: bytes) -> int:
    return int.from_bytes(two_bytes[:2]) & 0x1FFF
