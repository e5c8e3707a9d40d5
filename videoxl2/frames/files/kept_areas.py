"""Codecs whose pictures may leave areas of the one before as they were, and say so in their codes only.

Where any area stays, the decoder cannot start. Codes are followed as far as they are understood: Apple's
Animation (QuickTime RLE) and Graphics (SMC), Microsoft's Video 1 and RLE, Flash's screen video.
"""

from collections.abc import Callable

from videoxl2.frames.files.apple_video import keeps_blocks

Walk = Callable[[bytes, int, int, int], bool]  # data, width, height, bits of a pixel

_LINE_END = -1
_BYTE_BITS = 8
_WORD_BITS = 16
_SMC_HEAD = 4
_ANIMATION_BITS = (2, 4, 8, 16, 24, 32)  # one bit is coded in another way, others are not decoded


def can_keep_areas(codec: str) -> bool:
    """Whether codes of this codec are followed."""
    return codec in _WALKS


def keeps_areas(codec: str, data: bytes, width: int, height: int, num_bits: int) -> bool:
    """Whether a picture of `width` x `height` pixels, `num_bits` bits each, leaves any as they were."""
    walk = _WALKS.get(codec)
    try:
        return walk is not None and walk(data, width, height, num_bits)
    except IndexError:  # it ends before its picture does
        return True


def _animation(data: bytes, width: int, height: int, num_bits: int) -> bool:
    """Lines of literal and repeated units; above 32, bits count from there for grey."""
    num_bits &= 31 if num_bits > 32 else 63
    if num_bits not in _ANIMATION_BITS:
        return False
    unit = num_bits // _BYTE_BITS if num_bits > _BYTE_BITS else 4
    pixels = 1 if num_bits > _BYTE_BITS else 32 // num_bits
    is_part = bool(data[5] & 8)
    if is_part and (int.from_bytes(data[6:8], "big") or int.from_bytes(data[10:12], "big") < height):
        return True
    at = 14 if is_part else 6
    return any((at := _after_line(data, at, -(-width // pixels), unit)) == 0 for _ in range(height))


def _after_line(data: bytes, at: int, num_units: int, unit: int) -> int:
    """Where the next line begins; 0 where this one leaves units as they were."""
    if data[at] != 1:  # units skipped, and one
        return 0
    at += 1
    while (code := data[at] - (data[at] >> 7 << 8)) != _LINE_END:
        if code == 0:
            return 0
        num_units -= abs(code)
        at += 1 + (unit if code < 0 else unit * code)
    return at + 1 if num_units <= 0 else 0


def _graphics(data: bytes, width: int, height: int, _: int) -> bool:
    """Blocks of 4 x 4, several by each code."""
    at, left = _SMC_HEAD, -(-width // 4) * -(-height // 4)
    while left > 0:
        code = data[at] >> 4
        count = data[at + 1] + 1 if code in (1, 3, 5, 7) else (data[at] & 15) + 1
        if code < 2:
            return True
        at += 2 if code in (1, 3, 5, 7) else 1
        head, each = _GRAPHICS.get(code, (0, 0))
        at += head + each * count
        left -= 2 * count if code in (4, 5) else count
    return False


# Upper half of a code: bytes once (colours, or which of those told before), and for each block.
_GRAPHICS = {
    6: (1, 0),
    7: (1, 0),
    8: (2, 2),
    9: (1, 2),
    10: (4, 4),
    11: (1, 4),
    12: (8, 6),
    13: (1, 6),
    14: (0, 16),
    15: (0, 16),
}


def _video_1(data: bytes, width: int, height: int, num_bits: int) -> bool:
    """Blocks of 4 x 4, from the lowest row up."""
    is_wide = num_bits == _WORD_BITS
    at, left = 0, (width // 4) * (height // 4)
    while left > 0:
        kind = data[at + 1]
        if kind & 0xFC == 0x84:
            return True
        at += 2 + (_wide_colours(data, at) if is_wide else _colours(kind))
        left -= 1
    return False


def _colours(kind: int) -> int:
    """Bytes behind a block's code: two colours, eight, or none where the code is one."""
    if kind < 0x80:
        return 2
    return 8 if kind >= 0x90 else 0


def _wide_colours(data: bytes, at: int) -> int:
    if data[at + 1] & 0x80:
        return 0
    return 16 if data[at + 3] & 0x80 else 4


def _microsoft_rle(data: bytes, width: int, height: int, num_bits: int) -> bool:
    """Runs and literal pixels of a byte each, line by line; of other depths nothing is known."""
    if num_bits != _BYTE_BITS:
        return False
    at, left, lines = 0, width, height
    while lines > 0:
        count, code = data[at], data[at + 1]
        at += 2
        if count:
            left -= count
        elif code > 2:
            left -= code
            at += code + (code & 1)
        elif code == 0:
            if left > 0:
                return True
            left, lines = width, lines - 1
        else:  # the picture's end, or a step over pixels
            return code != 1 or left > 0 or lines > 1
    return False


def _screen_video(data: bytes, width: int, height: int, _: int) -> bool:
    """Blocks with their lengths; one of none stays."""
    across, down = ((data[0] >> 4) + 1) * 16, ((data[2] >> 4) + 1) * 16
    at = 4
    for _ in range(-(-width // across) * -(-height // down)):
        length = data[at] << 8 | data[at + 1]
        if not length:
            return True
        at += 2 + length
    return False


_WALKS: dict[str, Walk] = {
    "rpza": lambda data, *_: keeps_blocks(data),
    "qtrle": _animation,
    "smc": _graphics,
    "msvideo1": _video_1,
    "msrle": _microsoft_rle,
    "flashsv": _screen_video,
}
