"""Numbers that tell how a picture is made: flat areas, hard edges, few colours, which ones and where."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_TEXTURE = (
    "flat",  # share of pixels that differ from their neighbours by less than 1 of 255 in brightness
    "nearly_flat",  # … by less than 2.5
    "contrast_of_edges",  # ln(1 + 99th percentile of that difference) - ln(1 + 60th)
    "top_8_colours",  # share of the pixels that the 8 most frequent of 32,768 colours take
    "top_32_colours",  # … the 32 most frequent
    "thousands_of_colours",  # how many of the 32,768 there are, in thousands
    "colourfulness",  # mean difference between a pixel's largest and smallest channel, in hundreds
    "middling_edges",  # share of pixels that differ by 2.5 to 12
    "hard_edges",  # … by more than 30
)
_SATURATIONS = (0, 5, 15, 30, 50, 100)  # limits of shares, in per cent
_BRIGHTNESSES = (0, 6, 20, 40, 60, 80, 100)
_STRIPS = 6
STATISTICS = (
    *_TEXTURE,
    *(f"small_{name}" for name in _TEXTURE),  # at a quarter of its sides: without traces of codecs
    # Square roots of shares of that small picture, by how far a pixel's channels are apart …
    *(f"saturation_{low}_{high}" for low, high in pairwise(_SATURATIONS)),
    # … and by the mean of its channels.
    *(f"brightness_{low}_{high}" for low, high in pairwise(_BRIGHTNESSES)),
    # Mean colours of strips across the picture, from its top, of 1.
    *(
        f"{channel}_of_strip_{strip}"
        for strip in range(1, _STRIPS + 1)
        for channel in ("red", "green", "blue")
    ),
)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SMALLER = 4  # times
_BITS = 5  # of a channel, where colours are counted

Numbers = NDArray[np.float64]
Picture = NDArray[np.uint8]


def video_statistics(pictures_NHW3: Picture) -> Numbers:
    """The median of each over a video's pictures. [47]. ValueError: there are no pictures."""
    if not len(pictures_NHW3):
        raise ValueError("no pictures")
    return np.median([picture_statistics(picture) for picture in pictures_NHW3], axis=0)


def picture_statistics(picture_HW3: Picture) -> Numbers:
    """Return the statistics of one RGB picture in the order of `STATISTICS`. [47]. Its sides are multiples of
    24 pixels."""
    small = _shrunk(picture_HW3)
    part = small.astype(np.float32) / 255
    return np.concatenate(
        [
            _texture(picture_HW3),
            _texture(small),
            np.sqrt(_shares(np.ptp(part, axis=2), _SATURATIONS)),
            np.sqrt(_shares(part.mean(axis=2), _BRIGHTNESSES)),
            np.mean(np.split(part, _STRIPS), axis=(1, 2), dtype=np.float64).ravel(),
        ]
    )


def _texture(picture_HW3: Picture) -> Numbers:
    """The nine of `_TEXTURE`."""
    steps = _steps(picture_HW3)
    p60, p99 = np.percentile(steps, (60, 99))
    colours = _colour_shares(picture_HW3)
    values = (
        np.mean(steps < 1),
        np.mean(steps < 2.5),
        np.log1p(p99) - np.log1p(p60),
        colours[:8].sum(),
        colours[:32].sum(),
        len(colours) / 1000,
        np.mean(np.ptp(picture_HW3, axis=2)) / 100,
        np.mean((steps > 2.5) & (steps < 12)),
        np.mean(steps > 30),
    )
    return np.array(values, np.float64)


def _steps(picture_HW3: Picture) -> NDArray[np.float32]:
    """How far each pixel's brightness is from that of its right or lower neighbour, whichever is farther."""
    luma = picture_HW3.astype(np.float32) @ _LUMA
    across = np.abs(np.diff(luma, axis=1))[:-1]
    down = np.abs(np.diff(luma, axis=0))[:, :-1]
    return np.maximum(across, down)


def _colour_shares(picture_HW3: Picture) -> Numbers:
    """Shares of the colours that occur, the most frequent first."""
    coarse = (picture_HW3 >> (8 - _BITS)).astype(np.int64)
    codes = (coarse[..., 0] << 2 * _BITS) | (coarse[..., 1] << _BITS) | coarse[..., 2]
    counts = np.bincount(codes.ravel())
    return np.sort(counts[counts > 0])[::-1] / codes.size


def _shrunk(picture_HW3: Picture) -> Picture:
    """The means of blocks of 4x4 pixels."""
    height, width = (side // _SMALLER for side in picture_HW3.shape[:2])
    blocks = picture_HW3.reshape(height, _SMALLER, width, _SMALLER, 3)
    means: Picture = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    return means


def _shares(values: NDArray[np.float32], percents: tuple[int, ...]) -> Numbers:
    """Of values from 0 to 1, the shares that lie between neighbouring limits; the upper one is the next's."""
    inner = np.array(percents[1:-1], np.float32) / 100
    bins = np.searchsorted(inner, values.ravel(), "right")
    return np.bincount(bins, minlength=len(inner) + 1) / values.size
