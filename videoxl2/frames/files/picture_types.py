"""What a packet's own first bits say of its picture: whether the decoder can start there.

Containers say so too, and some say it of every packet: MP4 without a table of keys, fragments without flags,
recorders that set a bit for good.
"""

from collections.abc import Callable

_VOP = b"\0\0\1\xb6"  # MPEG-4 visual (ISO 14496-2, 6.2.5)
_PICTURE = b"\0\0\1\0"  # MPEG-1 and -2 (ISO 13818-2, 6.2.3)
_HEADERS = 1024  # bytes in which a picture's header begins, behind those of its sequence and group
_INTRA, _B_PICTURE = 1, 3
_EXTENDED_FORMAT = 7  # H.263, 5.1.3: what the picture is comes later
_OWN_SIZES = {0: 16, 1: 32}  # bits of a size that Sorenson's H.263 writes out
_INTRA_STRIP = 0x10  # Cinepak: one that brings its own codebooks
_CINEPAK_HEAD, _STRIP_HEAD = 10, 4
_SLICES, _RANDOM_ACCESS = range(32), range(16, 24)  # H.265, table 7-1
_SET_TYPES_AT = 21  # of HEVC's configuration record: where its lowest bits say how long lengths are


Data = bytes | memoryview


def says_type(codec: str) -> bool:
    """Whether bits of this codec are known."""
    return codec == "hevc" or codec in _SAYS


def needs_others(codec: str, data: Data, description: bytes | None) -> bool:
    """Whether a picture is made from ones before it; False where its bits do not say.

    `description`: what the container tells the decoder of the stream.
    """
    if codec == "hevc":
        return _hevc(data, description or b"")
    says = _SAYS.get(codec)
    try:
        return says is not None and says(data)
    except IndexError:
        return False


def mpeg_type(data: Data) -> int | None:
    """Return `picture_coding_type` of MPEG-1 and -2; None: the header is not there."""
    head = bytes(data[:_HEADERS])
    at = head.find(_PICTURE)
    return None if not 0 <= at < len(head) - 5 else head[at + 5] >> 3 & 7


def is_b_type(data: bytes) -> bool | None:
    """Whether a picture of MPEG-1 or -2 is shown as soon as it is decoded; None: its header does not say."""
    found = mpeg_type(data)
    return None if found is None else found == _B_PICTURE


def _mpeg(data: Data) -> bool:
    return mpeg_type(data) not in (None, _INTRA)


def _mpeg4(data: Data) -> bool:
    at = (whole := bytes(data)).find(_VOP)
    return at >= 0 and whole[at + 4] >> 6 != 0


def _bits(data: Data, at: int, count: int) -> int:
    last = (at + count + 7) // 8
    if last > len(data):
        raise IndexError(at)
    return int.from_bytes(data[:last], "big") >> last * 8 - at - count & (1 << count) - 1


def _h263(data: Data) -> bool:
    if _bits(data, 0, 22) != 1 << 5:
        return False
    if _bits(data, 35, 3) != _EXTENDED_FORMAT:
        return bool(_bits(data, 38, 1))
    return _bits(data, 59 if _bits(data, 38, 3) == 1 else 41, 3) != 0


def _flv1(data: Data) -> bool:
    if _bits(data, 0, 17) != 1:
        return False
    return _bits(data, 33 + _OWN_SIZES.get(_bits(data, 30, 3), 0), 2) != 0


def _msmpeg4(data: Data) -> bool:
    return _bits(data, 0, 2) != 0


def _wmv2(data: Data) -> bool:
    return bool(data[0] & 0x80)


def _svq1(data: Data) -> bool:
    return _bits(data, 30, 2) != 0


def _vp8(data: Data) -> bool:
    return bool(data[0] & 1)


def _vp9(data: Data) -> bool:
    at = 5 if _bits(data, 2, 2) == 3 else 4
    return _bits(data, 0, 2) == 2 and _bits(data, at, 2) != 0


def _zmbv(data: Data) -> bool:
    return not data[0] & 1


def _cinepak(data: Data) -> bool:
    """A strip that is told apart from the one before it; nothing is said of strips without a picture."""
    strip = data[_CINEPAK_HEAD : _CINEPAK_HEAD + _STRIP_HEAD]
    return strip[:1] == bytes([_INTRA_STRIP + 1])


def _hevc(data: Data, description: bytes) -> bool:
    if description[:1] != b"\1" or len(description) <= _SET_TYPES_AT:
        return False
    length = (description[_SET_TYPES_AT] & 3) + 1
    at = 0
    while at + length < len(data):
        kind = data[at + length] >> 1 & 63
        if kind in _SLICES:
            return kind not in _RANDOM_ACCESS
        at += length + int.from_bytes(data[at : at + length], "big")
    return False


_SAYS: dict[str, Callable[[Data], bool]] = {
    "mpeg1video": _mpeg,
    "mpeg2video": _mpeg,
    "mpeg4": _mpeg4,
    "h263": _h263,
    "flv1": _flv1,
    "msmpeg4v2": _msmpeg4,
    "msmpeg4v3": _msmpeg4,
    "wmv1": _msmpeg4,
    "wmv2": _wmv2,
    "svq1": _svq1,
    "vp8": _vp8,
    "vp9": _vp9,
    "zmbv": _zmbv,
    "cinepak": _cinepak,
}
