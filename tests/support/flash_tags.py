"""Flash films whose counter stands elsewhere."""


def moved_by(ms: int, bits: int, content: bytes) -> bytes:
    """A Flash film whose tags are later, in a counter of so many bits (FLV 10.1, E.4.1)."""
    moved, at = bytearray(content), 13
    while at + 11 <= len(moved):
        stamp = int.from_bytes(moved[at + 4 : at + 7], "big") | moved[at + 7] << 24
        told = (stamp + ms) % (1 << bits)
        moved[at + 4 : at + 8] = (told & 0xFFFFFF).to_bytes(3, "big") + bytes([told >> 24])
        at += 15 + int.from_bytes(moved[at + 1 : at + 4], "big")
    return bytes(moved)
