"""Caption bytes as DVDs have them: in the header of a group of pictures, for all its pictures at once."""

from collections.abc import Iterator

from videoxl2.frames.files.packets import VideoPacket

_USER_DATA = b"\0\0\1\xb2CC\1\xf8"
_PICTURE = b"\0\0\1\0"
_HEAD = 4096  # bytes in which both are, if they are there
_FIRST_FIELD_LEADS = 0x80
_BLOCK = 6  # bytes: two fields, each with a mark


def group_triplets(packet: VideoPacket) -> Iterator[tuple[int, bytes]]:
    """Triplets of a group that this packet begins, each with its distance in pictures from it."""
    head = bytes(memoryview(packet)[:_HEAD])
    at = head.find(_USER_DATA) + len(_USER_DATA)
    picture = head.find(_PICTURE)
    if at < len(_USER_DATA) or not 0 <= picture < len(head) - 5 or at >= len(head):
        return
    place = int.from_bytes(head[picture + 4 : picture + 6]) >> 6  # in the group, as it is shown
    leads = bool(head[at] & _FIRST_FIELD_LEADS)
    blocks = head[at + 1 :]
    number = 0
    # The count that is stated is often wrong, but every block has its marks.
    while number * _BLOCK + _BLOCK <= len(blocks) and blocks[number * _BLOCK] & 0xFE == 0xFE:
        block = blocks[number * _BLOCK : (number + 1) * _BLOCK]
        first, second = (block[1:3], block[4:6]) if leads else (block[4:6], block[1:3])
        yield number - place, b"\xfc" + first + b"\xfd" + second
        number += 1
