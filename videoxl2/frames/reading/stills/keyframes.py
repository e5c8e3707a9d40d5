"""Small pictures of chosen instants, all in one pass over the file, to stand for scenes and highlights."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from av.error import FFmpegError

from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, freed_at_once
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.choosing.targets import Answer, FrameFlag, Miss
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.reader import read_answers
from videoxl2.frames.reading.stills.thumbnail import shrink, to_jpeg

SIZE = 320  # pixels of the longer side, at most

# Times of pictures are rounded to the millisecond, so the picture of a given one is on screen by half a
# millisecond after it. Hence targets every half a millisecond, of which the odd ones are asked for.
_STEP_S = Fraction(1, 2000)


@dataclass(frozen=True)
class Keyframe:
    """A JPEG as a player would show the picture: upright, square pixels. Sides in pixels."""

    image: bytes
    width: int
    height: int
    is_damaged: bool  # or built on a damaged picture


def read_keyframes(
    path: FilePath,
    info: MediaInfo,
    instants_ms: Collection[int],
    size: int = SIZE,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[int, Keyframe]:
    """The picture on screen at each of the instants, their longer side `size`, or its own where that is less.

    An instant whose picture is lost or cannot be decoded is left out. No GOP is decoded twice, or further
    than its last picture asked for. Raises `MediaError` as `read_span` does, and ValueError for an instant
    outside the video.
    """
    ordered_ms = sorted(set(instants_ms))
    if not ordered_ms:
        return {}
    if ordered_ms[0] < 0 or ordered_ms[-1] >= info.duration_ms:
        raise ValueError(f"{ordered_ms[0]} to {ordered_ms[-1]} ms are not inside {info.duration_ms} ms")
    grid = SamplingGrid(_STEP_S, 2 * info.duration_ms)
    spans = [Span(2 * ms + 1, 2 * ms + 2) for ms in ordered_ms]
    held = replace(limits, max_hold_s=limits.max_duration_s)  # a slide stands for its hour
    keyframes: dict[int, Keyframe] = {}
    with freed_at_once():
        for answer in read_answers(path, info, grid, spans, held, Damage()):
            if keyframe := keyframe_of(answer, info.pixel_aspect, size):
                keyframes[answer.target // 2] = keyframe
    return keyframes


def keyframe_of(answer: Answer, pixel_aspect: Fraction, size: int = SIZE) -> Keyframe | None:
    """The picture of an answer; None where it is lost, another's, or cannot be drawn."""
    if isinstance(answer, Miss) or answer.flags & FrameFlag.SUBSTITUTE:  # of another instant
        return None
    picture = answer.picture.frame
    longer = max(round(picture.width * pixel_aspect), picture.height)
    try:
        rgb_HW3 = shrink(picture, pixel_aspect, min(size, longer))
    except (FFmpegError, ValueError):  # damage can turn a picture's format into nonsense
        return None
    height, width, _ = rgb_HW3.shape
    return Keyframe(to_jpeg(rgb_HW3), width, height, bool(answer.flags & FrameFlag.CORRUPT))
