"""Caption bytes beside the pictures of an MXF file: what of the ancillary packets is captions, bit by bit."""

import pytest

from videoxl2.captions.carriers.cdp import ancillary_triplets

TRIPLETS = bytes.fromhex("fc9420 fd8080")  # one of each field


def ancillary(did: int, sdid: int, body: bytes) -> bytes:
    """A packet of SMPTE 291: two bytes that say what it holds, and how much."""
    return bytes((did, sdid, len(body))) + body


def distributed(
    triplets: bytes, *, time_code: bytes = b"", magic: int = 0x9669, section: int = 0x72
) -> bytes:
    """A caption distribution packet of SMPTE 334-2, up to its captions."""
    head = magic.to_bytes(2) + bytes((0, 0x4F, 0x80 if time_code else 0x00, 0, 1))
    return head + time_code + bytes((section, 0xE0 | len(triplets) // 3)) + triplets


def line(packet: bytes, *, coding: int = 4, padding: int = 0) -> bytes:
    """One line of SMPTE 436M: its number, how it is wrapped and coded, its bytes, and what fills them up."""
    head = (9).to_bytes(2) + bytes((2, coding)) + len(packet).to_bytes(2)
    return head + (len(packet) + padding).to_bytes(4) + (1).to_bytes(4) + packet + bytes(padding)


def element(*lines: bytes) -> bytes:
    return len(lines).to_bytes(2) + b"".join(lines)


CAPTIONS = ancillary(0x61, 0x01, distributed(TRIPLETS))


@pytest.mark.parametrize(
    ("packet", "triplets"),
    [
        (CAPTIONS, [TRIPLETS]),
        (ancillary(0x61, 0x01, distributed(TRIPLETS, time_code=bytes.fromhex("71c0c0c080"))), [TRIPLETS]),
        (ancillary(0x61, 0x01, distributed(b"")), [b""]),
        (ancillary(0x61, 0x01, distributed(TRIPLETS, section=0x73)), []),  # services, without captions
        (ancillary(0x61, 0x01, distributed(TRIPLETS, magic=0x9668)), []),
        (ancillary(0x61, 0x02, bytes.fromhex("809420")), [bytes.fromhex("fc9420")]),
        (ancillary(0x61, 0x02, bytes.fromhex("0a9420")), [bytes.fromhex("fd9420")]),
        (ancillary(0x61, 0x02, bytes.fromhex("8094")), []),
        (ancillary(0x60, 0x60, distributed(TRIPLETS)), []),  # a time code
        (b"\x61\x01", []),
    ],
)
def test_captions_are_told_from_what_else_a_line_holds(packet: bytes, triplets: list[bytes]) -> None:
    """In a distribution packet, with a time code or none, or as line 21 had them, of either field."""
    assert list(ancillary_triplets(element(line(packet)))) == triplets


@pytest.mark.parametrize(
    "other", [line(CAPTIONS, coding=7), line(b"", padding=8), line(b"\x41\x05\x00", padding=1)]
)
def test_lines_that_are_no_captions_are_stepped_over(other: bytes) -> None:
    """Samples of ten bits among them, and what fills a line up."""
    data = element(other, line(CAPTIONS, padding=3), other, line(CAPTIONS, coding=6))
    assert list(ancillary_triplets(data)) == [TRIPLETS, TRIPLETS]
    assert list(ancillary_triplets(element())) == []


@pytest.mark.parametrize("kept", [1, 4, 8, 13, 20, len(line(CAPTIONS)) - 1])
def test_a_line_that_breaks_off_is_damaged_wherever_it_does(kept: int) -> None:
    """What stands in the lines before it has been given."""
    given: list[bytes] = []
    with pytest.raises(IndexError):
        given.extend(ancillary_triplets(element(line(CAPTIONS), line(CAPTIONS)[:kept])))
    assert given == [TRIPLETS]
