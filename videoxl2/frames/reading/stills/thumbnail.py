"""One small picture of a video, for people to look at.

Files with an index are entered near the moment. Where that needs a look at the whole file first (other
containers, several edits, times that come out of order), it is probed like any other, within bounds.
"""

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from videoxl2.frames.clocks.clock import Clock
from videoxl2.frames.clocks.edits import OddEdits, lay_out, read_edits
from videoxl2.frames.errors import LimitExceeded, UndecodableVideo
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.decoder import Decoder, Picture
from videoxl2.frames.files.packets import Damage, VideoPacket
from videoxl2.frames.files.pixels import display_matrix, shown_size, upright
from videoxl2.frames.probing.probe import probe
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.choosing.targets import Pick
from videoxl2.frames.reading.entry import packets_before
from videoxl2.frames.reading.film import FilePath, Film
from videoxl2.frames.reading.reader import read_answers

MAX_PACKETS = 20_000  # decoded from the start where a file's index does not help: minutes of video
MAX_BYTES = 4 << 30  # read from end to end where a file has no index
_NO_END = 1 << 62  # ticks
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
        picture, pixel_aspect = _picture_at(path, max(0, at_ms), start_ms, limits)
        return to_jpeg(shrink(picture, pixel_aspect, size))


def shrink(
    picture: VideoFrame,
    pixel_aspect: Fraction,
    size: int,
    interpolation: int = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT,
    reformatter: VideoReformatter | None = None,
) -> NDArray[np.uint8]:
    """Return `uint8 [height, width, 3]` as a player shows it: square pixels, upright, the longer side `size`.

    A `reformatter` that is kept spares its making where many pictures of a film follow each other.
    """
    small = (reformatter or VideoReformatter()).reformat(
        picture,
        *shown_size(picture, pixel_aspect, size),
        "rgb24",
        interpolation=interpolation,
        threads=1,
    )
    return upright(small.to_ndarray().astype(np.uint8, copy=False), display_matrix(picture))


def to_jpeg(rgb: NDArray[np.uint8], quality: int = _QUALITY, optimize: bool = False) -> bytes:
    """Encode `[height, width, 3]` in the quality of small pictures."""
    encoded = io.BytesIO()
    Image.fromarray(rgb).save(encoded, "JPEG", quality=quality, optimize=optimize)
    return encoded.getvalue()


def _picture_at(path: FilePath, at_ms: int, start_ms: int, limits: Limits) -> tuple[VideoFrame, Fraction]:
    for by_index in (True, False):
        with open_video(path, limits) as video:
            if not video.can_seek or (first := _first_tick(path, video, start_ms)) is None:
                break
            tick = first + _ticks(video, at_ms + _ROUNDING_MS)
            film = Film((video,), Clock())
            packets = _bounded(film) if not by_index else packets_before(film, tick, first, Damage())
            if packets is None:
                continue
            shown = _shown_at(Decoder(video, Damage()).pictures(packets), tick)
            if shown is None:
                break
            return shown, video.stream.sample_aspect_ratio or Fraction(1)
    return _picture_of_probed(path, at_ms, limits)


def _first_tick(path: FilePath, video: OpenVideo, start_ms: int) -> int | None:
    """The tick of the film's first picture; None: the film is more than one stretch of its media."""
    try:
        edits = read_edits(path, video.stream.id) if video.demuxer.startswith("mov,") else ()
    except OddEdits:
        return None
    if not edits:
        return _ticks(video, start_ms)
    _, parts = lay_out(edits, video.time_base, video.stream.start_time or 0, _NO_END)
    return parts[0].media if len(parts) == 1 else None


def _shown_at(pictures: Iterable[Picture], tick: int) -> VideoFrame | None:
    """The last picture that begins by `tick`, or the first; None where their times make no sense."""
    shown: VideoFrame | None = None
    for picture in pictures:
        begins, last = picture.frame.pts, shown.pts if shown is not None else None
        if begins is None or (last is not None and begins < last):
            return None
        if shown is not None and begins > tick:
            break
        shown = picture.frame
    return shown


def _picture_of_probed(path: FilePath, at_ms: int, limits: Limits) -> tuple[VideoFrame, Fraction]:
    if Path(path).stat().st_size > MAX_BYTES:
        raise LimitExceeded(f"a thumbnail that needs more than {MAX_BYTES} bytes to be read")
    info = probe(path, limits)
    at_ms = min(at_ms, info.duration_ms - 1)
    if not info.clock.can_skip and at_ms * info.fps > 1000 * MAX_PACKETS:
        raise LimitExceeded(f"a thumbnail that needs more than {MAX_PACKETS} packets")
    grid = SamplingGrid(Fraction(1, 2000), 2 * info.duration_ms)
    span = Span(2 * at_ms + _ROUNDING_MS, 2 * at_ms + _ROUNDING_MS + 1)
    held = replace(limits, max_hold_s=limits.max_duration_s)
    answer = next(iter(read_answers(path, info, grid, [span], held, Damage())), None)
    if not isinstance(answer, Pick):
        raise UndecodableVideo("there is no picture at that time")
    return answer.picture.frame, info.pixel_aspect


def _bounded(film: Film) -> Iterator[VideoPacket]:
    packets = film.packets(Damage())
    yield from islice(packets, MAX_PACKETS)
    if next(packets, None) is not None:
        raise LimitExceeded(f"a thumbnail that needs more than {MAX_PACKETS} packets")


def _ticks(video: OpenVideo, ms: int) -> int:
    return math.floor(Fraction(ms, 1000) / video.time_base)
