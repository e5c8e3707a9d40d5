"""What happens to files after they are written: ends and stretches lost, stamps that repeat."""

import re
from math import ceil
from pathlib import Path

from oddfilms.recipe import Recipe

_TS_PACKET, _M2TS_PACKET = 188, 192
# A cluster's head, then a checksum (RFC 9559, 5.1.3, and RFC 8794, 11.3.1).
_CHECKSUM = re.compile(
    rb"(\x1f\x43\xb6\x75(?:\x01.{7}|[\x10-\x1f].{3}|[\x20-\x3f].{2}|[\x40-\x7f].|[\x80-\xff]))\xbf\x84",
    re.DOTALL,
)
_PADDING = b"\xec\x84"
_PES_VIDEO = b"\0\0\1\xe0"  # ISO 13818-1, 2.4.3.6
_HAS_PTS, _PTS_AT, _PTS_BYTES = 0x80, 9, 5


def spoil(path: Path, recipe: Recipe) -> None:
    """Do to a file what its recipe says."""
    content = path.read_bytes()
    if not recipe.has_checksums:
        content = _CHECKSUM.sub(lambda found: found[1] + _PADDING, content)
    if recipe.cut_at:
        content = content[: int(len(content) * recipe.cut_at)]
    if recipe.hole_at:
        content = _with_hole(content, recipe, int(len(content) * recipe.hole_at))
    if recipe.has_doubled_stamps:
        content = _with_doubled_stamps(content)
    path.write_bytes(content)


def _with_hole(content: bytes, recipe: Recipe, at: int) -> bytes:
    if recipe.container != "ts":
        return content[:at] + bytes(recipe.hole_bytes) + content[at + recipe.hole_bytes :]
    packet = _M2TS_PACKET if recipe.is_m2ts else _TS_PACKET
    first = at // packet * packet
    return content[:first] + content[first + ceil(recipe.hole_bytes / packet) * packet :]


def _with_doubled_stamps(content: bytes) -> bytes:
    """Two packets of the picture stream carry the stamp of the one before, as some recorders write."""
    stamped = []
    at = content.find(_PES_VIDEO)
    while at >= 0:
        if content[at + 7] & _HAS_PTS:
            stamped.append(at + _PTS_AT)
        at = content.find(_PES_VIDEO, at + 4)
    changed = bytearray(content)
    for n in (len(stamped) // 3, len(stamped) * 2 // 3):
        if 1 < n < len(stamped) - 1:
            before, here = stamped[n - 1], stamped[n]
            if content[before - 2] == content[here - 2]:  # both with, or both without, a decoding time
                changed[here : here + _PTS_BYTES] = content[before : before + _PTS_BYTES]
    return bytes(changed)
