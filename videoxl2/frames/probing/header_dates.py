"""When a file was created, out of the headers of ASF and MXF: FFmpeg reads these dates and keeps them."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path

from videoxl2.frames.probing.dates import is_plausible

_MAX_OBJECTS = 4096  # of a header

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")

# SMPTE universal labels; their eighth byte is a version.
_MXF_PARTITION = bytes.fromhex("060e2b34020501010d0102010102")
_MXF_PACKAGE = bytes.fromhex("060e2b34025301010d01010101013600")  # the material's, not one of its sources'
_MXF_ESSENCE = bytes.fromhex("060e2b34010201010d010301")
_MXF_CREATED = 0x4405
_MXF_RUN_IN = 65_536  # bytes that may come before the first label
_MAX_SET = 1 << 16


def created_in_header(path: str | os.PathLike[str], demuxer: str) -> datetime | None:
    """UTC; None: not said, of another container, or a date that cannot be. Raises OSError."""
    if demuxer not in ("asf", "mxf"):
        return None
    with Path(path).open("rb") as file:
        try:
            moment = _of_asf(file) if demuxer == "asf" else _of_mxf(file)
        except (ValueError, OverflowError):
            return None
    return moment if moment and is_plausible(moment) else None


def _of_asf(file: BufferedReader) -> datetime | None:
    """Tenths of a microsecond since 1601, in the object that tells the file's properties."""
    if file.read(30)[:16] != _ASF_HEADER:
        return None
    for _ in range(_MAX_OBJECTS):
        head = file.read(24)
        size = int.from_bytes(head[16:24], "little")
        if len(head) < 24 or size < 24:
            return None
        if head[:16] == _ASF_FILE:
            ticks = int.from_bytes(file.read(32)[24:32], "little")
            return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
        if not _skip(file, size - 24):
            return None
    return None


def _of_mxf(file: BufferedReader) -> datetime | None:
    """Year, month, day, hour, minute, second, in the set that describes the material."""
    start = file.read(_MXF_RUN_IN + 32).find(_MXF_PARTITION)
    if start < 0:
        return None
    file.seek(start)
    for _ in range(_MAX_OBJECTS):
        key, length = file.read(16), _ber_length(file)
        if len(key) < 16 or length is None or key.startswith(_MXF_ESSENCE):
            return None
        if key[:7] + key[8:] == _MXF_PACKAGE[:7] + _MXF_PACKAGE[8:] and length < _MAX_SET:
            values = dict(_items(file.read(length)))
            return _mxf_time(values.get(_MXF_CREATED, b""))
        if not _skip(file, length):
            return None
    return None


def _skip(file: BufferedReader, num_bytes: int) -> bool:
    """False: there are not so many."""
    at = file.tell() + num_bytes
    return at < os.fstat(file.fileno()).st_size and file.seek(at) == at


def _ber_length(file: BufferedReader) -> int | None:
    first = file.read(1)
    if not first or first[0] < 0x80:
        return first[0] if first else None
    wide = first[0] & 0x7F
    return int.from_bytes(file.read(wide)) if 0 < wide <= 8 else None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and values of a set."""
    at = 0
    while at + 4 <= len(data):
        tag, length = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        yield tag, data[at + 4 : at + 4 + length]
        at += 4 + length


def _mxf_time(value: bytes) -> datetime | None:
    if len(value) != 8:
        return None
    month, day, hour, minute, second, quarter = value[2:]  # the last of 250 a second
    microsecond = min(999_999, quarter * 4000)
    return datetime(int.from_bytes(value[:2]), month, day, hour, minute, second, microsecond, UTC)
