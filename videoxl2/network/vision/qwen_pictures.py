"""Frames to what a Qwen-VL tower takes: normalised pixels, cut into patches, bit for bit as published.

Shapes: F frames, H W height and width in pixels, G pairs of frames, N patches of a pair, P values of a patch.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR
from videoxl2.network.configs.qwen_config import MERGED, Colours
from videoxl2.network.transfer import pictures_to_device


def checked_size(frames_FHWC: NDArray[np.uint8], unit: int) -> tuple[int, int]:
    """Return height and width of frames. Raises `ModelInputError` where they are no multiples of `unit`."""
    shape = frames_FHWC.shape
    if frames_FHWC.dtype != np.uint8 or len(shape) != 4 or shape[-1] != 3:
        raise ModelInputError(
            f"frames must be uint8 [n, H, W, 3], got {frames_FHWC.dtype} {list(shape)}",
            "Pass RGB frames as they come from the frame reader.",
        )
    height, width = shape[1:3]
    if height % unit or width % unit or not height or not width:
        raise ModelInputError(
            f"frames of {width}x{height} pixels; both sides must be multiples of {unit}",
            "Read frames at the size that `model.picture_size` gives for the video.",
        )
    return height, width


def qwen_pixels(
    frames_FHWC: NDArray[np.uint8], device: torch.device, mean_3: Colours, spread_3: Colours
) -> Tensor:
    """Normalise to `[F, 3, H, W]` float32 by mean and spread of the three colours."""
    bytes_FHWC = pictures_to_device(frames_FHWC, device)
    mean, spread = _colours_on(device, mean_3), _colours_on(device, spread_3)
    return (bytes_FHWC.permute(0, 3, 1, 2).float() - mean) / spread


@cache
def _colours_on(device: torch.device, colours_3: Colours) -> Tensor:
    """Return shares of full light as values of a byte `[3, 1, 1]`; they cross to a device once."""
    return (torch.tensor(colours_3, device=device) * 255)[:, None, None]


def patches(pixels_FCHW: Tensor, patch_size: int) -> Tensor:
    """Cut pairs of frames into patches `[G, N, P]` in the order of tokens, four neighbours by four.

    An odd last frame is its own neighbour in time.
    """
    if len(pixels_FCHW) % FRAMES_PER_PAIR:
        pixels_FCHW = torch.cat([pixels_FCHW, pixels_FCHW[-1:]])
    height, width = (side // patch_size for side in pixels_FCHW.shape[-2:])
    rows = (height // MERGED, MERGED, patch_size)
    columns = (width // MERGED, MERGED, patch_size)
    cut = pixels_FCHW.reshape(-1, FRAMES_PER_PAIR, 3, *rows, *columns)  # pair, time, colour, row …, column …
    ordered = cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return ordered.reshape(len(cut), height * width, -1)
