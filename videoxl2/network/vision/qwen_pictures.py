"""Frames to what a Qwen-VL tower takes: normalised pixels, cut into patches, bit for bit as published.

Shapes: F frames, H W height and width in pixels, G pairs of frames, N patches of a pair, P values of a patch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR
from videoxl2.network.configs.qwen_config import MERGED, Colours
from videoxl2.network.transfer import to_device


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
    writable = frames_FHWC if frames_FHWC.flags.writeable else frames_FHWC.copy()
    bytes_FHWC = to_device(torch.from_numpy(np.ascontiguousarray(writable)), device)
    mean, spread = (torch.tensor(values, device=device) * 255 for values in (mean_3, spread_3))
    return (bytes_FHWC.permute(0, 3, 1, 2).float() - mean[:, None, None]) / spread[:, None, None]


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
