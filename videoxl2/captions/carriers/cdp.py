"""Caption bytes in ancillary data (SMPTE 334 in SMPTE 436M), as MXF stores them beside each picture."""

from collections.abc import Iterator

_EIGHT_BITS = (4, 5, 6)  # codings of samples
_CAPTIONS = (0x61, 0x01)
_LINE_21 = (0x61, 0x02)
_CDP = 0x9669
_CC_SECTION = 0x72


def ancillary_triplets(data: bytes) -> Iterator[bytes]:
    """Triplets of one packet, which holds ancillary packets of several lines.

    IndexError: a line breaks off; the triplets of those before it have been given.
    """
    at = 2
    for _ in range(int.from_bytes(data[:2])):
        coding, count = data[at + 3], int.from_bytes(data[at + 4 : at + 6])
        size = int.from_bytes(data[at + 6 : at + 10]) * int.from_bytes(data[at + 10 : at + 14])
        at += 14
        if at + count > len(data):
            raise IndexError(f"a line of {count} bytes at {at} of {len(data)}")
        if coding in _EIGHT_BITS:
            yield from _of_packet(data[at : at + count])
        at += size


def _of_packet(packet: bytes) -> Iterator[bytes]:
    """A packet from its two identifying bytes on."""
    if len(packet) < 3:
        return
    body = packet[3 : 3 + packet[2]]
    if (packet[0], packet[1]) == _CAPTIONS:
        yield from _of_cdp(body)
    elif (packet[0], packet[1]) == _LINE_21 and len(body) >= 3:
        yield bytes((0xFC if body[0] & 0x80 else 0xFD,)) + body[1:3]


def _of_cdp(body: bytes) -> Iterator[bytes]:
    """A caption distribution packet: a head of seven bytes, perhaps a time code, then captions."""
    if int.from_bytes(body[:2]) != _CDP:
        return
    at = 12 if body[4] & 0x80 else 7
    if body[at] == _CC_SECTION:
        yield body[at + 2 : at + 2 + 3 * (body[at + 1] & 31)]
