"""What this machine has to compute on."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU that torch can use."""

    name: str
    total_bytes: int
    free_bytes: int  # now; others may be at work on it
    has_bfloat16: bool  # in hardware


def torch_version() -> str:
    """The version of torch, with that of the CUDA it was built for, if any."""
    return f"torch {torch.__version__}" + (f", CUDA {torch.version.cuda}" if torch.version.cuda else "")


def find_gpus() -> list[Gpu]:
    """List GPUs in torch's order; none where no driver answers."""
    if not torch.cuda.is_available():
        return []
    gpus = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        has_bfloat16 = torch.cuda.get_device_capability(index) >= (8, 0)
        gpus.append(Gpu(torch.cuda.get_device_name(index), total, free, has_bfloat16))
    return gpus
