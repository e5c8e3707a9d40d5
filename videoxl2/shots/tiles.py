"""Structure: how much of a picture shows something else than another one, whatever the light.

A picture is cut into 6 x 8 tiles of 6 x 8 pixels, each without its mean. A tile has changed if the two no
longer correlate. Flashes, fades and dimmed lights change no structure; a lower third changes little of it.
Shapes: N pictures, K = 48 tiles, P = 48 pixels of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.shots.bars import WHOLE, Inside

_ACTIVE = 3.0  # levels of deviation; flatter tiles have no structure
_ALIKE = 0.5  # correlation
_MEAN = np.full(48, 1 / 48, np.float32)
_NOISE = 4.0  # variance that is put down to noise


@dataclass(frozen=True)
class Tiles:
    """Pictures in tiles: `pixels_KNP` without their mean, `spread_KN` their deviation."""

    pixels_KNP: NDArray[np.float32]  # noqa: N815
    spread_KN: NDArray[np.float32]  # noqa: N815

    def part(self, pictures: slice) -> Tiles:
        """Return the tiles of some pictures."""
        return Tiles(self.pixels_KNP[:, pictures], self.spread_KN[:, pictures])


def tiles_of(luma_NHW: NDArray[np.uint8], inside: Inside) -> Tiles:
    """Cut what lies inside the bars into tiles."""
    shown = inside.of(luma_NHW).astype(np.float32)
    tiles = shown.reshape(-1, 6, 6, 8, 8).transpose(1, 3, 0, 2, 4).reshape(48, len(shown), 48)
    tiles = tiles - (tiles @ _MEAN)[:, :, None]
    return Tiles(tiles, np.sqrt(np.einsum("knp,knp->kn", tiles, tiles) / tiles.shape[2]))


def structure_changed(
    luma_NHW: NDArray[np.uint8], before_B: NDArray[np.intp], after_A: NDArray[np.intp], inside: Inside
) -> NDArray[np.float32]:
    """Share of the tiles with structure in either picture that have changed, for every pair [B, A]."""
    tiles = tiles_of(luma_NHW[np.concatenate([before_B, after_A])], inside)
    is_changed, is_active = _compare(
        tiles.part(slice(0, len(before_B))), tiles.part(slice(len(before_B), None))
    )
    return _share(is_changed, is_active)


def pairs_changed(
    luma_NHW: NDArray[np.uint8], before_W: NDArray[np.intp], after_W: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The same share for picture `before[w]` against `after[w]`, bars and all; [W]."""
    ends, where = np.unique(np.concatenate([before_W, after_W]), return_inverse=True)
    tiles = tiles_of(luma_NHW[ends], WHOLE)
    old, new = where[: len(before_W)], where[len(before_W) :]
    product = np.einsum("kwp,kwp->kw", tiles.pixels_KNP[:, old], tiles.pixels_KNP[:, new]) / 48
    spread_old, spread_new = tiles.spread_KN[:, old], tiles.spread_KN[:, new]
    is_active = np.maximum(spread_old, spread_new) > _ACTIVE
    is_changed = product < _ALIKE * (spread_old * spread_new + _NOISE)
    return _share(is_changed, is_active)


def _share(is_changed: NDArray[np.bool_], is_active: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Of the active tiles of each pair those that have changed."""
    count = np.maximum(is_active.sum(axis=0), 1)
    share: NDArray[np.float32] = ((is_changed & is_active).sum(axis=0) / count).astype(np.float32)
    return share


def _compare(before: Tiles, after: Tiles) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tiles have changed, and which have structure in either picture; [K, B, A]."""
    product = np.matmul(before.pixels_KNP, after.pixels_KNP.transpose(0, 2, 1)) / before.pixels_KNP.shape[2]
    old, new = before.spread_KN[:, :, None], after.spread_KN[:, None, :]
    return product < _ALIKE * (old * new + _NOISE), np.maximum(old, new) > _ACTIVE
