"""Linear layers whose weights were quantised to 8 or 4 bits, over one input as one product.

bitsandbytes quantises and unpacks. A product computes with what is left of the weights, in the numbers of its
input: as the same weights in full would, for any rows and on any device.

Shapes: T tokens, O outputs of all layers, I inputs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.weight_bits import BLOCK

_LARGEST = 127  # of 8 bits with a sign
_CODE = "nf4"


class QuantisedLinear(nn.Module):
    """Product of one input with several linear layers, of which only the quantised weights are left."""

    bias: Tensor | None

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        """Take over the weights: the layers have none of their own from then on."""
        super().__init__()
        biases = [layer.bias for layer in layers if layer.bias is not None]
        self.register_buffer("bias", torch.cat([bias.data for bias in biases]) if biases else None)
        self._quantise(torch.cat([layer.weight.data for layer in layers]))
        for layer in layers:
            layer.weight = layer.bias = None  # type: ignore[assignment]  # nothing is left of it

    def forward(self, x_TI: Tensor) -> Tensor:
        """Return `[T, O]`, in the order of the layers."""
        raise NotImplementedError

    def _quantise(self, weight_OI: Tensor) -> None:
        raise NotImplementedError


class EightBits(QuantisedLinear):
    """Whole numbers from -127 to 127, and a scale for each row."""

    rows: Tensor  # [O, I]
    scales: Tensor  # [O]

    def _quantise(self, weight_OI: Tensor) -> None:
        # Its kernel for GPUs takes no other numbers; 11 bits of them are enough to round to 8.
        rows_OI, largest_O, _ = _library().int8_vectorwise_quant(weight_OI.half())
        self.register_buffer("rows", rows_OI)
        self.register_buffer("scales", largest_O / _LARGEST)

    def forward(self, x_TI: Tensor) -> Tensor:
        weight_OI = self.rows * self.scales[:, None].to(x_TI.dtype)
        return functional.linear(x_TI, weight_OI, self.bias)


class FourBits(QuantisedLinear):
    """Indices into 16 fixed numbers (NF4), two a byte, and a scale for each block of 64 weights."""

    packed: Tensor  # [O * I / 2, 1]
    scales: Tensor  # [O * I / 64]

    def _quantise(self, weight_OI: Tensor) -> None:
        packed, scales = _library().quantize_4bit(weight_OI, BLOCK, _CODE, torch.uint8)
        self.register_buffer("packed", packed)
        self.register_buffer("scales", scales)
        self._shape = tuple(weight_OI.shape)

    def forward(self, x_TI: Tensor) -> Tensor:
        packed = self.packed, self._shape, self.scales, BLOCK, _CODE
        if self._shape[1] % BLOCK == 0:
            return cast(Tensor, _library().gemm_4bit(x_TI, *packed, self.bias))
        return functional.linear(x_TI, self._in_full(x_TI.dtype), self.bias)

    def _in_full(self, dtype: torch.dtype) -> Tensor:
        """Return `[O, I]` where blocks go on from row to row, which the library's products do not know."""
        blocks = len(self.scales), BLOCK
        weight = _library().dequantize_4bit(self.packed, self.scales, BLOCK, _CODE, blocks, dtype)
        return cast(Tensor, weight).view(self._shape)


def quantised_linear(layers: Sequence[nn.Linear], weight_bits: int) -> QuantisedLinear:
    """Quantise the weights of layers to 8 or 4 bits, where they lie."""
    return {8: EightBits, 4: FourBits}[weight_bits](layers)


@cache
def _library() -> Any:
    """Import the library and return its operations.

    For some CPUs it would look for the package `kernels`, and fetch code of others by it: here it finds none.
    """
    log = logging.getLogger("bitsandbytes")
    kept, level = sys.modules.get("kernels"), log.level
    sys.modules["kernels"] = cast(ModuleType, None)
    log.setLevel(logging.ERROR)
    try:
        import bitsandbytes  # noqa: F401  (registers them)
    finally:
        log.setLevel(level)
        del sys.modules["kernels"]
        if kept is not None:
            sys.modules["kernels"] = kept
    return torch.ops.bitsandbytes
