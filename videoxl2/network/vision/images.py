"""Video frames to the vision tower's pixels, bit-exact with the reference's Pillow preprocessing.

Shapes: F frames, H W height and width in pixels, S image size.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.network.transfer import pictures_to_device

# x/255 is a float64 product in the reference, rounded to float32, then (x - 0.5) / 0.5 in float32.
# A pixel has 256 values, so the whole normalisation is this table.
_SCALED = (np.arange(256, dtype=np.float64) * (1 / 255)).astype(np.float32)
PIXEL_VALUES = torch.from_numpy((_SCALED - np.float32(0.5)) / np.float32(0.5))


@cache
def _pixel_values_on(device: torch.device) -> Tensor:
    return PIXEL_VALUES.to(device)


def squash_frames(frames_FHWC: NDArray[np.uint8], image_size: int) -> NDArray[np.uint8]:
    """Resize to a square of `image_size`, bicubic, ignoring the aspect ratio (reference §2.1).

    Frames that already have the size are passed on without a copy. ModelInputError: they are not uint8 [n, H,
    W, 3].
    """
    if frames_FHWC.dtype != np.uint8 or frames_FHWC.ndim != 4 or frames_FHWC.shape[-1] != 3:
        raise ModelInputError(
            f"frames must be uint8 [n, H, W, 3], got {frames_FHWC.dtype} {list(frames_FHWC.shape)}",
            "Pass RGB frames as they come from the frame reader.",
        )
    if frames_FHWC.shape[1:3] == (image_size, image_size):
        return frames_FHWC
    size = (image_size, image_size)
    squashed = [np.asarray(Image.fromarray(f).resize(size, Image.Resampling.BICUBIC)) for f in frames_FHWC]
    return np.stack(squashed) if squashed else np.empty((0, image_size, image_size, 3), np.uint8)


def pixel_values(frames_FSSC: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    """Normalise pixels to `[F, 3, S, S]` float32 in [-1, 1], by a table that lies on `device`."""
    bytes_FSSC = pictures_to_device(frames_FSSC, torch.device(device))
    return _pixel_values_on(torch.device(device))[bytes_FSSC.permute(0, 3, 1, 2).int()]
