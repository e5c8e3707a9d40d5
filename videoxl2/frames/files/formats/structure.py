"""Whether a file ends before its container says so: the surest sign of a copy that was cut short."""

import os
import struct
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from videoxl2.frames.files.formats.boxes import MAX_MOOV_BYTES, Extent, outermost
from videoxl2.frames.files.formats.matroska import segment_end

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_FLASH_SIZE = b"\0\x08filesize\0"  # a name with its length, and the kind of its value
_ASF_BROADCAST = 1  # flag: sizes are not known


def is_cut_short(path: str | os.PathLike[str], demuxer: str) -> bool:
    """Whether an outermost box, segment or chunk reaches beyond the end of the file."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if demuxer.startswith("mov,"):
            return any(place.end > size for place in outermost(file))
        file.seek(0)
        if demuxer.startswith("matroska"):
            return segment_end(file, size) > size
        if demuxer == "avi":
            return _riff_end(file) > size
        if demuxer == "flv":
            return _flash_size(file) > size
        return demuxer == "asf" and _asf_size(file) > size


def ends_inside_a_tag(path: str | os.PathLike[str]) -> bool:
    """Flash: whether the last four bytes are not the length of a tag that ends there (FLV 10.1, E.3)."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 4))
        length = int.from_bytes(file.read(4), "big")
        if not 11 <= length <= size - 13:
            return True
        file.seek(size - 4 - length)
        return int.from_bytes(file.read(4)[1:], "big") != length - 11


def is_followed(path: str | os.PathLike[str], demuxer: str) -> bool:
    """Whether another film begins where this one ends, as where files are put together that cannot be."""
    with Path(path).open("rb") as file:
        if demuxer.startswith("mov,"):
            return _has_other_header(file)
        if demuxer == "avi":
            return _starts_again(file)
        if demuxer != "asf":
            return False
        size = _asf_size(file)
        file.seek(size)
        return size > 0 and file.read(16) == _ASF_HEADER


def _has_other_header(file: BufferedReader) -> bool:
    """MP4: recordings of a broadcast repeat theirs between fragments, byte for byte."""
    first: Extent | None = None
    has_fragments = False
    for place in outermost(file):
        has_fragments = has_fragments or place.kind == b"moof"
        if place.kind != b"moov":
            continue
        if first is not None and not (has_fragments and _are_alike(file, first, place)):
            return True
        first = first or place
    return False


def _are_alike(file: BufferedReader, one: Extent, other: Extent) -> bool:
    size = one.end - one.start
    if other.end - other.start != size or size > MAX_MOOV_BYTES:
        return False
    file.seek(one.start)
    first = file.read(size)
    file.seek(other.start)
    return file.read(size) == first


def _starts_again(file: BinaryIO) -> bool:
    """AVI: its parts beyond a gigabyte are called otherwise than the first."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF":
            return False
        if at and head[8:] == b"AVI ":
            return True
        size = int.from_bytes(head[4:8], "little")
        at += 8 + size + size % 2


def _riff_end(file: BinaryIO) -> int:
    head = file.read(8)
    return 8 + int(struct.unpack("<I", head[4:])[0]) if head[:4] == b"RIFF" and len(head) == 8 else 0


def _flash_size(file: BinaryIO) -> float:
    """What the first tag says of the file, where its writer knew it; numbers are doubles (AMF 0)."""
    head = file.read(4096)
    at = head.find(_FLASH_SIZE) + len(_FLASH_SIZE)
    return float(struct.unpack_from(">d", head, at)[0]) if _FLASH_SIZE in head[:-8] else 0


def _asf_size(file: BinaryIO) -> int:
    head = file.read(4096)
    at = head.find(_ASF_PROPERTIES)
    if head[:16] != _ASF_HEADER or at < 0 or len(head) < at + 92:
        return 0
    size, flags = struct.unpack_from("<Q", head, at + 40)[0], struct.unpack_from("<I", head, at + 88)[0]
    return 0 if flags & _ASF_BROADCAST else int(size)
