"""Recognising that memory ran out, and how much was used at most, on either kind of device."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import torch

_CPU_TEXTS = ("not enough memory", "can't allocate memory")  # of torch's CPU allocator


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: CUDA's error, Python's, or the RuntimeError of torch's CPU allocator."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _CPU_TEXTS)


def release_unused(device: torch.device) -> None:
    """Return cached blocks to the driver, so that a smaller second try does not meet a fragmented pool."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


class PeakMemory:
    """Peak memory since `begin`, in bytes: of tensors on all its GPUs together, else of the process."""

    def __init__(self, *devices: torch.device) -> None:
        self._gpus = [device for device in devices if device.type == "cuda"]

    def begin(self) -> None:
        """Start to measure; on a CPU only where Linux lets a process reset its peak."""
        for gpu in self._gpus:
            torch.cuda.reset_peak_memory_stats(gpu)
        if not self._gpus:
            with suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM alone

    def num_bytes(self) -> int:
        """Return the peak so far."""
        if self._gpus:
            return sum(torch.cuda.max_memory_allocated(gpu) for gpu in self._gpus)
        with suppress(OSError):
            status = Path("/proc/self/status").read_text()
            return int(status.partition("VmHWM:")[2].split()[0]) << 10
        unit = 1 if sys.platform == "darwin" else 1 << 10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(*devices: torch.device) -> str:
    """Return `cpu`, or the GPUs' own name, with their number where there are several: `4 x NVIDIA H200`."""
    names = Counter("cpu" if one.type == "cpu" else torch.cuda.get_device_name(one) for one in devices)
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in names.items())
