"""Apple Video (RPZA), whose packets FFmpeg's own encoder calls keys, every one.

A picture is blocks of 4x4 pixels, one after the other: some of one colour, of four or of sixteen, and some
that stay as they were. Where there is one that stays, the decoder cannot start.
"""

_HEAD = 4  # bytes: a mark and the length
_STAY, _ONE_COLOUR, _FOUR_COLOURS = 0x80, 0xA0, 0xC0  # upper three bits of a code, above how many blocks
_COLOUR = 0x80  # bit that the first byte of a colour has not
_FOUR_BYTES, _SIXTEEN_BYTES = 8, 32  # of a single block that begins with its colour, without a code


def keeps_blocks(data: bytes) -> bool:
    """Whether a picture has blocks that stay as they were, as far as its codes are understood."""
    at = _HEAD
    while at < len(data):
        kind, count = data[at] & 0xE0, (data[at] & 0x1F) + 1
        if kind == _STAY:
            return True
        if kind == _ONE_COLOUR:
            at += 3
        elif kind == _FOUR_COLOURS:
            at += 5 + 4 * count
        elif kind < _COLOUR:
            at += _FOUR_BYTES if data[at + 2 : at + 3] >= bytes([_COLOUR]) else _SIXTEEN_BYTES
        else:
            return False
    return False
