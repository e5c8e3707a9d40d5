"""One small picture of a video, for people to look at; quick rather than exact in odd files."""

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from videoxl2.frames.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.decoder import Decoder
from videoxl2.frames.entry import packets_before
from videoxl2.frames.errors import LimitExceeded, UndecodableVideo
from videoxl2.frames.packets import Damage, VideoPacket, video_packets
from videoxl2.frames.pixels import display_matrix, upright
from videoxl2.frames.reader import FilePath

_MAX_PACKETS = 20_000  # decoded from the start where a file's index does not help: minutes of video
_ROUNDING_MS = 1  # both times given are rounded to milliseconds, pictures begin between them
_QUALITY = 80


def read_thumbnail(
    path: FilePath, at_ms: int, start_ms: int, size: int = 320, limits: Limits = DEFAULT_LIMITS
) -> bytes:
    """A JPEG of the picture on screen `at_ms` after the first one, upright, its longer side `size` pixels.

    `start_ms` is the first picture's time on the container's clock (`MediaInfo.start_ms`): with it the file
    need not be read from end to end. After the last picture that one is shown. Raises a `MediaError` where
    there is no such picture, or only after decoding more than is reasonable for a thumbnail, and `OSError`.
    """
    with freed_at_once():
        picture, pixel_aspect = _picture_at(path, start_ms + max(0, at_ms), start_ms, limits)
        small = Image.fromarray(_shrink(picture, pixel_aspect, size))
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def _picture_at(path: FilePath, clock_ms: int, start_ms: int, limits: Limits) -> tuple[VideoFrame, Fraction]:
    for by_index in (True, False):
        with open_video(path, limits) as video:
            tick = _ticks(video, clock_ms + _ROUNDING_MS)
            packets = _packets(video, tick, _ticks(video, start_ms), by_index)
            if packets is None:
                continue
            shown: VideoFrame | None = None
            for picture in Decoder(video, Damage()).pictures(packets):
                if shown is not None and (picture.frame.pts or 0) > tick:
                    break
                shown = picture.frame
            if shown is not None:
                return shown, video.stream.sample_aspect_ratio or Fraction(1)
    raise UndecodableVideo("there is no picture at that time")


def _packets(video: OpenVideo, tick: int, first_tick: int, by_index: bool) -> Iterator[VideoPacket] | None:
    """From a key at or before `tick`; None: the index is of no use, open the file again."""
    damage = Damage()
    if by_index and video.can_seek:
        return packets_before(video, tick, first_tick, damage)
    return _bounded(video_packets(video, damage))


def _bounded(packets: Iterator[VideoPacket]) -> Iterator[VideoPacket]:
    yield from islice(packets, _MAX_PACKETS)
    if next(packets, None) is not None:
        raise LimitExceeded(f"a thumbnail that needs more than {_MAX_PACKETS} packets")


def _ticks(video: OpenVideo, ms: int) -> int:
    return math.floor(Fraction(ms, 1000) / video.time_base)


def _shrink(picture: VideoFrame, pixel_aspect: Fraction, size: int) -> NDArray[np.uint8]:
    """`uint8 [height, width, 3]` as a player shows it: square pixels, upright."""
    width, height = picture.width * pixel_aspect, Fraction(picture.height)
    scale = size / max(width, height)
    small = VideoReformatter().reformat(
        picture,
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
        format="rgb24",
        interpolation=Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT,
        threads=1,
    )
    return upright(small.to_ndarray().astype(np.uint8, copy=False), display_matrix(picture))
