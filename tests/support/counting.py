"""Operations as PyTorch dispatches them: what runs as kernels on a device, counted without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Those that only look at memory, or take some: no kernel.
_FREE = frozenset(
    [
        "view",
        "_unsafe_view",
        "transpose",
        "t",
        "expand",
        "select",
        "slice",
        "unsqueeze",
        "squeeze",
        "permute",
        "as_strided",
        "unbind",
        "split",
        "split_with_sizes",
        "chunk",
        "detach",
        "alias",
        "empty",
        "empty_like",
        "new_empty",
        "empty_strided",
        "unsafe_split",
    ]
)


@dataclass(frozen=True)
class Operation:
    """One call with the tensors it was given and gave back."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def is_kernel(self) -> bool:
        return self.name not in _FREE

    @property
    def is_copy_to(self) -> str | None:
        """Name the kind of device that tensors are copied to from another one."""
        places = {x.device.type for x in self.inputs}
        targets = {x.device.type for x in self.outputs}
        return targets.pop() if self.name in ("_to_copy", "copy_") and len(places | targets) > 1 else None


class Operations(TorchDispatchMode):
    """Record of every operation inside a `with`; not in inference mode, which hides what they are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Operation] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        self.done.append(Operation(name, tuple(_tensors(args)), tuple(_tensors([out]))))
        return out

    def named(self, *names: str) -> list[Operation]:
        return [one for one in self.done if one.name in names]

    @property
    def kernels(self) -> Counter[str]:
        """Count the operations that launch a kernel, by name."""
        return Counter(one.name for one in self.done if one.is_kernel)


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found
