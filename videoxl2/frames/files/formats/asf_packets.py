"""Data packets of ASF: all of one size, each full of payloads that follow each other (ASF 1.2, 5.2)."""

import mmap
from collections.abc import Iterator

from videoxl2.frames.files.formats.matroska import Stretch

_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_SIZES_AT, _PACKETS_AT = 92, 50  # bytes behind where these objects begin
_WIDTHS = (0, 1, 2, 4)  # of a number, by the two bits that stand for it
_SEND_TIME = 6  # bytes, with the duration


def broken_packets(data: mmap.mmap) -> Iterator[Stretch]:
    """Packets whose payloads do not follow each other, each with the one before it. None where the first
    packet is of a kind that is not known here."""
    properties, begins = data.find(_PROPERTIES), data.find(_DATA)
    if properties < 0 or begins < 0:
        return
    sizes = data[properties + _SIZES_AT : properties + _SIZES_AT + 8]
    size, largest = int.from_bytes(sizes[:4], "little"), int.from_bytes(sizes[4:], "little")
    first = begins + _PACKETS_AT
    stop = min(len(data), begins + int.from_bytes(data[begins + 16 : begins + 24], "little"))
    if not 0 < size == largest or not _is_whole(data[first : first + size]):
        return
    for at in range(first, stop - size + 1, size):
        if not _is_whole(data[at : at + size]):
            yield Stretch(max(first, at - size), at + size)


def _is_whole(packet: bytes) -> bool:
    try:
        return _payloads_end(packet)
    except IndexError:
        return False


def _payloads_end(packet: bytes) -> bool:
    """Whether the last payload ends where the padding begins."""
    at = 1 + (packet[0] & 15) if packet[0] & 0x80 else 0
    lengths, properties = packet[at], packet[at + 1]
    at += 2
    numbers = []
    for shift in (5, 1, 3):  # the packet's length, its place in a sequence, its padding
        width = _WIDTHS[lengths >> shift & 3]
        numbers.append(int.from_bytes(packet[at : at + width], "little"))
        at += width
    end = len(packet) - numbers[2]
    at += _SEND_TIME
    if not lengths & 1:
        at, is_sound = _payload(packet, at, properties)
        return is_sound and at <= end
    count, width = packet[at] & 63, _WIDTHS[packet[at] >> 6]
    at += 1
    for _ in range(count):
        at, is_sound = _payload(packet, at, properties)
        at += width + int.from_bytes(packet[at : at + width], "little")
        if not is_sound or at > end:
            return False
    return count > 0 and at == end


def _payload(packet: bytes, at: int, properties: int) -> tuple[int, bool]:
    """Where a payload's head ends, and whether it names a stream and says what it repeats of its picture."""
    is_sound = packet[at] & 0x7F != 0
    at += 1 + _WIDTHS[properties >> 4 & 3] + _WIDTHS[properties >> 2 & 3]
    width = _WIDTHS[properties & 3]
    repeated = int.from_bytes(packet[at : at + width], "little")
    return at + width + repeated, is_sound and (repeated == 1 or repeated >= 8)
