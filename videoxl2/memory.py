"""Recognising that memory ran out, on either kind of device."""

from __future__ import annotations

import torch

_CPU_TEXTS = ("not enough memory", "can't allocate memory")  # of torch's CPU allocator


def is_out_of_memory(error: BaseException) -> bool:
    """True for CUDA's error, Python's, and the plain RuntimeError of torch's CPU allocator."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU_TEXTS)


def release_unused(device: torch.device) -> None:
    """Give cached blocks back, so that a smaller second try does not meet a fragmented pool."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
