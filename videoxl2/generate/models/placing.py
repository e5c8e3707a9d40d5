"""Devices that a model's weights go to, and the numbers that they are kept in."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from videoxl2.errors import ModelInputError
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.spread import Spread, check_room

_DTYPES = {
    "float32": torch.float32,
    "fp32": torch.float32,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
}


def device_of(device: str | torch.device) -> torch.device:
    """Return a device that is here; "auto" is the GPU where there is one. Raises `ModelInputError`."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    target = torch.device(device)
    if target.type == "cuda" and not torch.cuda.is_available():
        raise ModelInputError("no CUDA device is available", "Use device='cpu', or run where a GPU is.")
    if target.type == "cuda" and (target.index or 0) >= torch.cuda.device_count():
        raise ModelInputError(
            f"there is no {target}: {torch.cuda.device_count()} GPUs are here", "Name fewer of them."
        )
    if target.type not in ("cpu", "cuda"):
        raise ModelInputError(f"device {target} is not supported", "Use cpu or cuda.")
    return target


def spread_over(config: ModelConfig, targets: Sequence[torch.device], dtype: torch.dtype) -> Spread:
    """Spread the weights. Raises `ModelMemoryError` where GPUs cannot hold them, before a byte is read."""
    if targets[0].index is not None:
        torch.cuda.set_device(targets[0])  # events and graphs go to the current device
    free: list[int] = []
    if all(target.type == "cuda" for target in targets):
        free = [torch.cuda.mem_get_info(target)[0] for target in targets]
        check_room(config, dtype.itemsize, free)
    return Spread.over(config, targets, itemsize=dtype.itemsize, free_bytes=free)


def dtype_of(dtype: str | torch.dtype, config: ModelConfig, device: torch.device) -> torch.dtype:
    """Return the numbers by name; "auto" is the checkpoint's own on a GPU. Raises `ModelInputError`."""
    if dtype == "auto":
        dtype = config.dtype if device.type == "cuda" else "float32"
    found = _DTYPES.get(dtype.removeprefix("torch.")) if isinstance(dtype, str) else dtype
    if found is None or found not in _DTYPES.values():
        raise ModelInputError(f"dtype {dtype} is not supported", "Use float32, bfloat16, float16 or auto.")
    return found
