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
_CACHED = 1 << 19  # weights in full at a time on a CPU


class QuantisedLinear(nn.Module):
    """Product of one input with several linear layers, of which only the quantised weights are left."""

    bias: Tensor | None

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        """Take over the weights: the layers have none of their own from then on."""
        super().__init__()
        biases = [layer.bias for layer in layers if layer.bias is not None]
        self.register_buffer("bias", torch.cat([bias.data for bias in biases]) if biases else None)
        weight_OI = torch.cat([layer.weight.data for layer in layers])
        self._shape = (weight_OI.shape[0], weight_OI.shape[1])
        self._quantise(weight_OI)
        for layer in layers:
            layer.weight = layer.bias = None  # type: ignore[assignment]  # nothing is left of it

    def forward(self, x_TI: Tensor) -> Tensor:
        """Return `[T, O]`, in the order of the layers."""
        return self._by_pieces(x_TI) if x_TI.is_cpu else self._at_once(x_TI)

    def _at_once(self, x_TI: Tensor) -> Tensor:
        """Multiply on a GPU."""
        return functional.linear(x_TI, self._in_full(0, self._shape[0], x_TI.dtype), self.bias)

    def _by_pieces(self, x_TI: Tensor) -> Tensor:
        """Multiply with as many outputs at a time as a CPU's caches hold in full."""
        num_outputs, num_inputs = self._shape
        step = max(BLOCK, _CACHED // num_inputs // BLOCK * BLOCK)
        ranges = ((first, min(first + step, num_outputs)) for first in range(0, num_outputs, step))
        parts = [functional.linear(x_TI, self._in_full(*outputs, x_TI.dtype)) for outputs in ranges]
        product = torch.cat(parts, dim=-1)
        return product if self.bias is None else product.add_(self.bias)

    def _quantise(self, weight_OI: Tensor) -> None:
        raise NotImplementedError

    def _in_full(self, first: int, last: int, dtype: torch.dtype) -> Tensor:
        """Return the weights of outputs from `first` to before `last`, in numbers of this type."""
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

    def _in_full(self, first: int, last: int, dtype: torch.dtype) -> Tensor:
        rows, scales = self.rows[first:last], self.scales[first:last, None].to(dtype)
        if rows.is_cpu:
            return rows.to(dtype).mul_(scales)  # several times as fast there, and twice the bytes on a GPU
        return rows * scales


class FourBits(QuantisedLinear):
    """Indices into 16 fixed numbers (NF4), two a byte, and a scale for each block of 64 weights."""

    packed: Tensor  # [O * I / 2, 1]
    scales: Tensor  # [O * I / 64]

    def _quantise(self, weight_OI: Tensor) -> None:
        packed, scales = _library().quantize_4bit(weight_OI, BLOCK, _CODE, torch.uint8)
        self.register_buffer("packed", packed)
        self.register_buffer("scales", scales)

    def _at_once(self, x_TI: Tensor) -> Tensor:
        """Multiply on a GPU, by the library where rows have whole blocks."""
        if self._shape[1] % BLOCK:
            return super()._at_once(x_TI)
        held = self.packed, self._shape, self.scales, BLOCK, _CODE
        return cast(Tensor, _library().gemm_4bit(x_TI, *held, self.bias))

    def _in_full(self, first: int, last: int, dtype: torch.dtype) -> Tensor:
        start, end = first * self._shape[1], last * self._shape[1]
        scales = self.scales[start // BLOCK : end // BLOCK]
        # Block by block: for rows the library begins a block with each.
        blocks = len(scales), BLOCK
        packed = self.packed[start // 2 : end // 2]
        weight = _library().dequantize_4bit(packed, scales, BLOCK, _CODE, blocks, dtype)
        return cast(Tensor, weight).view(last - first, -1)


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
