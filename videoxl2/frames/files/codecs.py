"""Codecs by name, and which of them the FFmpeg inside PyAV can decode."""

from __future__ import annotations

from collections.abc import Sequence

import av
import av.codec
from av.codec.context import CodecContext

# By codec, decoders that work on a CPU. FFmpeg's own `av1` needs a GPU's help.
DECODERS = {
    "h264": ("h264",),
    "hevc": ("hevc",),
    "vp9": ("vp9", "libvpx-vp9"),
    "av1": ("libdav1d", "libaom-av1"),
}


def codec_of(context: CodecContext) -> str:
    """FFmpeg's name of the codec, whichever decoder reads it: `av1`, not `libdav1d`."""
    return str(context.codec.canonical_name)


def missing_codecs(codecs: Sequence[str] = tuple(DECODERS)) -> list[str]:
    """Return those of the codecs that no decoder is built in for."""
    return [codec for codec in codecs if not any(_has(name) for name in DECODERS[codec])]


def av_version() -> str:
    """Versions of PyAV and of its libavcodec."""
    return f"PyAV {av.__version__}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"


def _has(decoder: str) -> bool:
    try:
        av.codec.Codec(decoder, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True
