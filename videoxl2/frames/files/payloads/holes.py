"""Zeros where bytes were lost: downloads that never finished, blocks that a disk could not read.

What video codecs write has no long runs of zeros: in MPEG's and their kin they would look like start codes,
and only before such a code, or behind a picture, may zeros fill it up; arithmetic coders have a few in a row
at most, and lossless coders make zeros the longest code. Motion JPEG and DV have rules of their own. Raw
pictures, DNxHD, JPEG 2000 and coders that copy plain areas may be zeros for long: nobody can know.
"""

import re

import numpy as np

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.packets import VideoPacket
from videoxl2.frames.files.payloads.jpeg_zeros import JPEG_END, lacks_bytes

_NAL_UNITS = frozenset({"h264", "hevc"})
_ARITHMETIC = frozenset({"vp8", "vp9", "av1"})
_LOSSLESS = frozenset({"huffyuv", "ffvhuff", "utvideo", "magicyuv", "ffv1", "jpegls"})
_STUFFED = frozenset({"mpeg1video", "mpeg2video"})  # zeros may follow a picture
_MICROSOFT = frozenset({"msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2"})
_KIN = frozenset({"mpeg4", "h261", "h263", "h263p", "flv1", *_MICROSOFT})
_PADDED = frozenset({"prores"})  # zeros may follow a frame (SMPTE RDD 36, 5.1)
_WITHOUT_ZEROS = _NAL_UNITS | _ARITHMETIC | _STUFFED | _KIN | _LOSSLESS | _PADDED
_DV_BLOCK = 80  # bytes, of which the first three say what it is and where (IEC 61834-2)
_PICTURE = b"\0\0\1\0"
_ZEROS = bytes(64)
_FEW_ZEROS = bytes(16)  # more than any coder ends with
_NO_HEAD = bytes(4)  # neither a length nor a picture's header
_NOT_ZERO = re.compile(rb"[^\0]", re.DOTALL)


def is_holed(packet: VideoPacket) -> bool:
    """Whether the packet begins with, or holds, a stretch of zeros that no encoder wrote."""
    codec = codec_of(packet.stream.codec_context)
    if codec == "mjpeg":
        data = bytes(packet)
        return data.startswith(_NO_HEAD) or lacks_bytes(data)
    if codec == "dvvideo":
        return _lacks_blocks(packet)
    if codec not in _WITHOUT_ZEROS:
        return False
    data = bytes(packet)
    if data.startswith(_NO_HEAD) and _is_filled(packet, codec):
        return True
    at = data.find(_ZEROS)
    while at >= 0:
        end = _NOT_ZERO.search(data, at)
        if end is None:
            return at == 0
        is_start = data[end.start()] == 1 and not _is_filled(packet, codec)
        if not is_start or not _may_be_filled_up(data, end.start() + 1, codec):
            return True
        at = data.find(_ZEROS, end.start())
    return False


def _lacks_blocks(packet: VideoPacket) -> bool:
    """DV: whether a block is there that says nothing of itself."""
    data = np.frombuffer(bytes(packet), np.uint8)
    heads = data[: len(data) // _DV_BLOCK * _DV_BLOCK].reshape(-1, _DV_BLOCK)[:, :3]
    return bool((heads == 0).all(axis=1).any())


def _may_be_filled_up(data: bytes, at: int, codec: str) -> bool:
    """Whether an encoder may have put zeros before the start code that ends at `at`: ahead of a NAL unit, and
    in MPEG-1 and -2, inside a packet, ahead of a picture's second field, which has the place of the first."""
    if codec not in _STUFFED:
        return codec in _NAL_UNITS
    first = data.find(_PICTURE)
    return data[at : at + 1] == b"\0" and _place(data, first + 4) == _place(data, at + 1)


def _place(data: bytes, at: int) -> int:
    """The place in order of showing, in its group: ten bits (ISO 13818-2, 6.3.9)."""
    return int.from_bytes(data[at : at + 2]) >> 6


def ends_in_zeros(packet: VideoPacket) -> bool:
    """Whether the packet ends in zeros where pictures fill their packets; some encoders write them always."""
    data = memoryview(packet)
    if packet.size <= len(_FEW_ZEROS) or data[-len(_FEW_ZEROS) :] != _FEW_ZEROS:
        return False
    codec = codec_of(packet.stream.codec_context)
    if codec == "mjpeg":
        return JPEG_END not in bytes(data)
    return codec in _KIN | _LOSSLESS or _is_filled(packet, codec)


def _is_filled(packet: VideoPacket, codec: str) -> bool:
    """Whether nothing comes before a picture, and a byte that is not zero ends it.

    NAL units do so where lengths stand before them, and not start codes (ISO 14496-15, 5.3.3.1).
    """
    is_length_prefixed = codec in _NAL_UNITS and (packet.stream.codec_context.extradata or b"")[:1] == b"\1"
    return is_length_prefixed or codec in _ARITHMETIC
