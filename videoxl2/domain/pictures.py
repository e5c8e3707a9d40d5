"""The pictures by which a video is judged: twelve, spread over it, and nothing between them is decoded that
its GOPs allow to skip."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames import DEFAULT_LIMITS, Limits, MediaInfo, UndecodableVideo, read_spans
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span
from videoxl2.frames.reading.film import FilePath

NUM_PICTURES = 12
SIDE = 384  # pixels, as the statistics are measured; pictures are squashed to a square


def read_pictures(path: FilePath, info: MediaInfo, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """The pictures on screen in the middle of each twelfth of the video, as RGB. [n, 384, 384, 3]

    Those that cannot be decoded are left out. Raises `UndecodableVideo` where none can, and `MediaError` as
    `read_span` does.
    """
    grid = SamplingGrid(Fraction(info.duration_ms, 2000 * NUM_PICTURES), 2 * NUM_PICTURES)
    middles = [Span(2 * k + 1, 2 * k + 2) for k in range(NUM_PICTURES)]
    held = replace(limits, max_hold_s=limits.max_duration_s)  # a slide stands for its hour
    frames = [span.frames for span in read_spans(path, info, grid, middles, SIDE, limits=held)]
    pictures = np.concatenate(frames)
    if not len(pictures):
        raise UndecodableVideo("no wanted instant has a picture")
    return pictures
