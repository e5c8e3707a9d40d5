"""From the host to the device without waiting, and what layers on several devices need on each of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

T = TypeVar("T")


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Copy a host tensor: to a GPU through pinned memory, so that the host goes on meanwhile."""
    return pinned(x, device).to(device, non_blocking=True)


def pictures_to_device(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Copy pictures: to a GPU by a stream of their own, while it computes the ones before.

    Work that is queued on the current stream from here on waits for them. On a CPU nothing is copied
    unless the array is read-only.
    """
    # Torch warns of tensors that lie in read-only memory, such as Ray's store.
    writable = pictures if pictures.flags.writeable else pictures.copy()
    host = torch.from_numpy(np.ascontiguousarray(writable))
    if device.type != "cuda":
        return to_device(host, device)
    copying, computing = _copying_stream(device), torch.cuda.current_stream(device)
    with torch.cuda.stream(copying):
        there = to_device(host, device)
    computing.wait_stream(copying)
    there.record_stream(computing)  # its memory is not given to the next copy before the work on it is done
    return there


@cache
def _copying_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


def pinned(x: Tensor, device: torch.device) -> Tensor:
    """Return a host tensor from where a GPU fetches it by itself; for another device as it is."""
    return x.pin_memory() if device.type == "cuda" else x


def per_device(make: Callable[[torch.device], T]) -> Callable[[torch.device], T]:
    """Return a function that makes something for a device when first asked, and has it from then on."""
    return cache(make)
