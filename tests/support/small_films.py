"""Small pictures made of arrays: scenes, and what can happen to them. Pictures are [36, 64] of luma."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.reading.small_pictures import SmallPictures
from videoxl2.shots import ShotDetector, Transition

Picture = NDArray[np.uint8]


def scene(seed: int, length: int, pan: float = 0.0, grain: float = 1.5) -> list[Picture]:
    """A place of patches of many sizes; the camera moves by `pan` columns a picture."""
    draw = np.random.default_rng(seed)
    patches = [(size, draw.uniform(-1, 1, (36 // size, 192 // size))) for size in (2, 4, 12)]
    wide = np.sum([np.kron(p, np.ones((size, size))) * size**0.5 * 22 for size, p in patches], axis=0)
    pictures = []
    for n in range(length):
        at = round(pan * n) % 128
        pictures.append(levels(120 + wide[:, at : at + 64] + draw.normal(0, grain, (36, 64))))
    return pictures


def levels(picture: NDArray) -> Picture:
    return np.clip(np.round(picture), 16, 235).astype(np.uint8)


def mixed(old: Sequence[Picture], new: Sequence[Picture], length: int) -> list[Picture]:
    """All of both, the last pictures of one mixed with the first of the other."""
    shares = (np.arange(length) + 1) / (length + 1)
    overlap = zip(old[len(old) - length :], new[:length], shares, strict=True)
    mix = [levels(a * (1 - share) + b * share) for a, b, share in overlap]
    return [*old[: len(old) - length], *mix, *new[length:]]


def small(
    pictures: Sequence[Picture], rate: float = 25, start_ms: Sequence[int] | None = None
) -> SmallPictures:
    """These pictures, without colour, at a constant rate unless their times are given."""
    times = start_ms if start_ms is not None else [round(n * 1000 / rate) for n in range(len(pictures))]
    return SmallPictures(
        np.array(pictures, np.uint8).reshape(-1, 36, 64),
        np.full((len(pictures), 2, 18, 32), 128, np.uint8),
        np.array(times, np.int64),
    )


def detect(film: SmallPictures, portions: Sequence[int] = ()) -> list[Transition]:
    """All transitions, the film fed in portions of these sizes and then the rest."""
    detector = ShotDetector()
    found: list[Transition] = []
    at = 0
    for size in [*portions, len(film)]:
        part = slice(at, at + size)
        found += detector.feed(
            SmallPictures(film.luma_N36x64[part], film.chroma_N2x18x32[part], film.start_ms_N[part])
        )
        at += size
    return found + detector.finish()
