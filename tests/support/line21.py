"""Caption codes of CEA-608 for tests: commands, words, and what stands beside each picture of a film."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain

Pairs = list[bytes]
PADDING = b"\x80\x80"


def with_parity(code: int) -> int:
    """Seven bits with the eighth that makes their number odd."""
    return code | (0x00 if (code & 0x7F).bit_count() % 2 else 0x80)


def pair(first: int, second: int) -> bytes:
    return bytes((with_parity(first), with_parity(second)))


def control(first: int, second: int) -> Pairs:
    """Sent twice, as broadcasters do."""
    return [pair(first, second)] * 2


def words(text: str) -> Pairs:
    codes = text.encode("ascii")
    return [pair(*codes[at : at + 2].ljust(2, b"\0")) for at in range(0, len(codes), 2)]


POP_ON, PAINT_ON = control(0x14, 0x20), control(0x14, 0x29)
ROLL_UP = {2: control(0x14, 0x25), 3: control(0x14, 0x26), 4: control(0x14, 0x27)}
BACKSPACE, DELETE_TO_END, TEXT_MODE = control(0x14, 0x21), control(0x14, 0x24), control(0x14, 0x2A)
ERASE, RETURN, CLEAR_LOADED, SHOW = (control(0x14, code) for code in (0x2C, 0x2D, 0x2E, 0x2F))
ROW_14, ROW_15 = control(0x14, 0x50), control(0x14, 0x70)
ITALICS = control(0x11, 0x2E)


def loading(*rows: str) -> Pairs:
    """One or two rows of pop-on text, not shown yet."""
    places = (ROW_14, ROW_15)[-len(rows) :]
    return (
        POP_ON
        + CLEAR_LOADED
        + list(chain.from_iterable(p + words(r) for p, r in zip(places, rows, strict=True)))
    )


def second_channel(pairs: Pairs) -> Pairs:
    """The same codes, their controls those of the other channel."""
    return [pair(a & 0x7F | 8, b & 0x7F) if 0x10 <= a & 0x7F < 0x20 else bytes((a, b)) for a, b in pairs]


def beside_pictures(
    events: Iterable[tuple[float, Pairs]], num_pictures: int, fps: Fraction = Fraction(30_000, 1001)
) -> list[bytes]:
    """One pair for each picture; codes begin at their second, or as soon as there is room."""
    beside = [PADDING] * num_pictures
    for second, pairs in events:
        number = round(Fraction(second) * fps)
        for codes in pairs:
            while number < num_pictures and beside[number] != PADDING:
                number += 1
            if number < num_pictures:
                beside[number] = codes
            number += 1
    return beside


def triplets(first_field: bytes = PADDING, second_field: bytes = b"", services: bytes = b"") -> bytes:
    """What a picture's user data hold: pairs of both fields, then what there is of CEA-708."""
    return b"\xfc" + first_field + (b"\xfd" + second_field if second_field else b"") + services


def service_packet(service: int, codes: bytes) -> bytes:
    """A CEA-708 packet with one block of a service, as triplets."""
    block = bytes((service << 5 | len(codes),)) + codes
    padded = block if len(block) % 2 else block + b"\0"
    packet = bytes(((len(padded) + 1) // 2,)) + padded
    return b"".join((b"\xfe" if at else b"\xff") + packet[at : at + 2] for at in range(0, len(packet), 2))


def shown_ms(number: int, fps: Fraction = Fraction(30_000, 1001)) -> int:
    """When a picture is shown, by its number."""
    return round(number * 1000 / fps)


def picture_of(codes: bytes, beside: Sequence[bytes], after: int = 0) -> int:
    """The number of the first picture that a pair stands beside."""
    return beside.index(codes, after)
