"""From the host to the device without waiting, and what layers on several devices need on each of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Copy a host tensor: to a GPU through pinned memory, so that the host goes on meanwhile."""
    return pinned(x, device).to(device, non_blocking=True)


def pinned(x: Tensor, device: torch.device) -> Tensor:
    """Return a host tensor from where a GPU fetches it by itself; for another device as it is."""
    return x.pin_memory() if device.type == "cuda" else x


def per_device(make: Callable[[torch.device], T]) -> Callable[[torch.device], T]:
    """Return a function that makes something for a device when first asked, and has it from then on."""
    return cache(make)
