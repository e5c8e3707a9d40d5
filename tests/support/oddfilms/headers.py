"""Headers inside the stream, changed by hand: parameter sets told once, fields shown again."""

from collections.abc import Sequence

from av.packet import Packet

_EXTENSION = b"\0\0\1\xb5"


def without_repeats(packets: Sequence[Packet], codec: str) -> list[Packet]:
    """The packets with H.264's or HEVC's parameter sets left out of all but the first."""
    return [packets[0], *(_without_sets(packet, codec) for packet in packets[1:])]


def with_repeated_fields(packets: Sequence[Packet]) -> list[Packet]:
    """MPEG-2 packets, of which every other picture shown has its first field shown again (3 fields, then 2).

    A packet's pts is its picture's place. ISO 13818-2, 6.2.2.3 (sequence extension) and 6.2.3.1 (picture
    coding extension).
    """
    changed = []
    for packet in packets:
        content = bytearray(bytes(packet))
        at = content.find(_EXTENSION)
        while at >= 0:
            kind = content[at + 4] >> 4
            if kind == 1:  # not a progressive sequence
                content[at + 5] &= ~0x08
            if kind == 8:
                place = packet.pts
                content[at + 7] &= ~0x82
                content[at + 7] |= (0x80 if place % 4 in (0, 3) else 0) | (0x02 if place % 2 == 0 else 0)
                content[at + 8] |= 0x80  # a progressive picture
            at = content.find(_EXTENSION, at + 4)
        changed.append(_like(packet, bytes(content)))
    return changed


def _like(packet: Packet, content: bytes) -> Packet:
    other = Packet(content)
    other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
    other.is_keyframe = packet.is_keyframe
    return other


def _without_sets(packet: Packet, codec: str) -> Packet:
    content = bytes(packet)
    if content[:3] != b"\0\0\1" and content[:4] != b"\0\0\0\1":
        return packet  # sizes instead of start codes: the sets are in the container
    kept = b"".join(
        b"\0\0\1" + unit for unit in content.split(b"\0\0\1") if unit and not _is_set(unit, codec)
    )
    if len(kept) >= len(content) - 8:
        return packet
    return _like(packet, kept)


def _is_set(unit: bytes, codec: str) -> bool:
    if unit == b"\0":  # the first of a four-byte start code
        return True
    if codec == "h264":
        return unit[0] & 31 in (7, 8)
    return unit[0] >> 1 & 63 in (32, 33, 34)
