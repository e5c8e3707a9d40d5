"""Where the parts of a model lie: on one device, or its layers in turn over several.

The first device has everything before the layers; tokens go in and logits come out there. A layer's cache
lies where the layer does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from videoxl2.errors import ModelInputError, ModelMemoryError
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.footprint import GB, MOST_DEVICES, fewest_devices, share_parameters, shares

_LAYER = re.compile(r"language\.layers\.(\d+)\.")
_OUTPUT = ("language.norm.", "language.lm_head.")


@dataclass(frozen=True)
class Spread:
    """Devices of the layers in turn, of what comes before them, and of what comes after."""

    first: torch.device
    layers: tuple[torch.device, ...]
    last: torch.device

    @classmethod
    def over(
        cls,
        config: ModelConfig,
        devices: Sequence[torch.device],
        *,
        itemsize: int = 2,
        free_bytes: Sequence[int] = (),
    ) -> Spread:
        """Give each device its share by bytes. Raises `ModelInputError` for more devices than layers."""
        if not 1 <= len(devices) <= config.language.num_layers:
            raise ModelInputError(
                f"{len(devices)} devices for a model of {config.language.num_layers} layers",
                "Name at least one device, and at most one for each layer.",
            )
        parts = shares(config, len(devices), itemsize=itemsize, free_bytes=free_bytes)
        held = tuple(zip(devices, parts, strict=True))
        (last,) = (device for device, share in held if share.has_output)
        layers = tuple(device for device, share in held for _ in range(share.num_layers))
        return cls(devices[0], layers, last)

    def device_of(self, name: str) -> torch.device:
        """Return where the parameter of this name lies."""
        if layer := _LAYER.match(name):
            return self.layers[int(layer[1])]
        return self.last if name.startswith(_OUTPUT) else self.first


def check_room(config: ModelConfig, itemsize: int, free_bytes: Sequence[int]) -> None:
    """Raise `ModelMemoryError` with the calculation where devices with so many free bytes cannot hold the
    weights."""
    parts = shares(config, len(free_bytes), itemsize=itemsize, free_bytes=free_bytes)
    needed = [share_parameters(config, share) * itemsize for share in parts]
    if all(need <= free for need, free in zip(needed, free_bytes, strict=True)):
        return
    enough = fewest_devices(min(free_bytes), config, itemsize=itemsize)
    hint = f"Spread the model over {enough} such GPUs: --gpus-per-model {enough}, or devices=[…] in Python."
    if enough is None or enough <= len(free_bytes):
        hint = f"Take GPUs with more free memory: {MOST_DEVICES} of these do not hold it."
    raise ModelMemoryError(f"{weights_words(config, itemsize)}; {_free_words(free_bytes)}", hint)


def weights_words(config: ModelConfig, itemsize: int) -> str:
    """Say what the weights take: `the weights are 145.5 GB`."""
    num_bytes = share_parameters(config, shares(config, 1)[0]) * itemsize
    return f"the weights are {num_bytes / GB:,.1f} GB"


def _free_words(free_bytes: Sequence[int]) -> str:
    sizes = " + ".join(f"{free / GB:,.1f}" for free in free_bytes)
    return f"{len(free_bytes)} GPU{'s have' if len(free_bytes) > 1 else ' has'} {sizes} GB free"
