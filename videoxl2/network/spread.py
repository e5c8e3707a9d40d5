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
from videoxl2.network.configs.weight_bits import BITS, FULL_BITS
from videoxl2.network.footprint import GB, MOST_DEVICES, fewest_devices, most_frames_in, share_bytes, shares
from videoxl2.network.layer_footprint import layer_parameters

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
    weights, with one layer in full where weights are quantised as they come."""
    if _has_room(config, itemsize, free_bytes):
        return
    enough = fewest_devices(min(free_bytes), config, itemsize=itemsize)
    hint = f"Spread the model over {enough} such GPUs: --gpus-per-model {enough}, or devices=[…] in Python."
    if enough is None or enough <= len(free_bytes):
        hint = f"Take GPUs with more free memory: {MOST_DEVICES} of these do not hold it."
    if bits := _bits_that_fit(config, itemsize, free_bytes):
        hint += f" Or quantise them: --weight-bits {bits}, or weight_bits={bits} in Python."
    raise ModelMemoryError(f"{weights_words(config, itemsize)}; {_free_words(free_bytes)}", hint)


def _has_room(config: ModelConfig, itemsize: int, free_bytes: Sequence[int]) -> bool:
    parts = shares(config, len(free_bytes), itemsize=itemsize, free_bytes=free_bytes)
    is_quantised = config.weight_bits != FULL_BITS
    in_full = layer_parameters(config.language) * itemsize * is_quantised
    return all(
        share_bytes(config, share, itemsize) + in_full <= free
        for share, free in zip(parts, free_bytes, strict=True)
    )


def _bits_that_fit(config: ModelConfig, itemsize: int, free_bytes: Sequence[int]) -> int | None:
    """Return the most bits, fewer than now, that leave room for frames."""
    least, num_devices = min(free_bytes), len(free_bytes)
    fewer = (config.with_weight_bits(bits) for bits in BITS if bits < config.weight_bits)
    fitting = (one for one in fewer if most_frames_in(least, one, itemsize=itemsize, num_devices=num_devices))
    return next((one.weight_bits for one in fitting), None)


def weights_words(config: ModelConfig, itemsize: int) -> str:
    """Say what the weights take: `the weights are 76.1 GB in 8 bits`."""
    num_bytes = share_bytes(config, shares(config, 1)[0], itemsize)
    bits = "" if config.weight_bits == FULL_BITS else f" in {config.weight_bits} bits"
    return f"the weights are {num_bytes / GB:,.1f} GB{bits}"


def _free_words(free_bytes: Sequence[int]) -> str:
    sizes = " + ".join(f"{free / GB:,.1f}" for free in free_bytes)
    return f"{len(free_bytes)} GPU{'s have' if len(free_bytes) > 1 else ' has'} {sizes} GB free"
