"""Linear layers over one input as one product: one launch for several, and wider for the hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional


class Product(Protocol):
    """Product of one input with the weights of one or more linear layers."""

    def __call__(self, x_TD: Tensor) -> Tensor:
        """Return `[T, sum of the layers' outputs]`, in the order of the layers."""
        ...


class OneLinear:
    """Product with one linear layer, whose weight is looked up by hand."""

    def __init__(self, layer: nn.Linear) -> None:
        self._home = layer._parameters

    def __call__(self, x_TD: Tensor) -> Tensor:
        """Return `[T, the layer's outputs]`."""
        return functional.linear(x_TD, self._home["weight"])  # type: ignore[arg-type]  # it has one


class JoinedLinear:
    """Product of one input with several linear layers, whose weights become views of one tensor.

    The layers stay what they are to checkpoints. Weights that were put somewhere else are joined anew, and
    while they are learned each layer is a product of its own.
    """

    def __init__(self, *layers: nn.Linear) -> None:
        self._layers = layers
        # Looked up by hand: a module's attribute takes as long as the rest of the check.
        self._homes = [(layer._parameters, name) for layer in layers for name in ("weight", "bias")]
        self._places: tuple[int, ...] = ()
        self._weight: Tensor | None = None
        self._bias: Tensor | None = None

    def __call__(self, x_TD: Tensor) -> Tensor:
        """Return `[T, sum of the layers' outputs]`, in the order of the layers."""
        if self._is_learning():
            return torch.cat([layer(x_TD) for layer in self._layers], dim=-1)
        if self._weight is None or self._places != self._now():
            self.join()
        return functional.linear(x_TD, self._weight, self._bias)  # type: ignore[arg-type]  # join sets it

    def join(self) -> None:
        """Move the weights into one tensor; needs memory for them once more meanwhile."""
        with torch.inference_mode(False), torch.no_grad():
            self._weight = _moved([layer.weight for layer in self._layers])
            biases = [layer.bias for layer in self._layers if layer.bias is not None]
            self._bias = _moved(biases) if biases else None
        self._places = self._now()

    def _is_learning(self) -> bool:
        """Return whether gradients are wanted, which the joined tensor would keep from the layers."""
        return torch.is_grad_enabled() and any(
            part.requires_grad for layer in self._layers for part in layer.parameters()
        )

    def _now(self) -> tuple[int, ...]:
        parts = [home[name] for home, name in self._homes]
        return tuple(part.data_ptr() for part in parts if part is not None)


def _moved(parts: Sequence[Tensor]) -> Tensor:
    whole = torch.cat([part.data for part in parts])
    for part, view in zip(parts, whole.split([len(part) for part in parts]), strict=True):
        part.data = view
    return whole
