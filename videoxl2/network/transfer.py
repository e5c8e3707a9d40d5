"""From the host to the device without waiting."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Copy a host tensor: to a GPU through pinned memory, so that the host goes on meanwhile."""
    return pinned(x, device).to(device, non_blocking=True)


def pinned(x: Tensor, device: torch.device) -> Tensor:
    """Return a host tensor from where a GPU fetches it by itself; for another device as it is."""
    return x.pin_memory() if device.type == "cuda" else x
