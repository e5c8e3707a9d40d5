"""Operations as PyTorch dispatches them: what runs as kernels on a device, counted without one."""

from __future__ import annotations

import weakref
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
        """Whether a device is asked for something."""
        return self.name not in _FREE and any(x.device.type != "cpu" for x in self.outputs)

    @property
    def is_upload(self) -> bool:
        """Whether it takes tensors from the host and gives back some that are elsewhere."""
        places = {x.device.type for x in self.inputs if x.ndim}
        return places == {"cpu"} and any(x.device.type != "cpu" for x in self.outputs)


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
    def computed(self) -> Counter[str]:
        """Count what is more than another look at memory, wherever it lies, by name."""
        return Counter(one.name for one in self.done if one.name not in _FREE)

    @property
    def kernels(self) -> Counter[str]:
        """Count what a device is asked for, by name."""
        return Counter(one.name for one in self.done if one.is_kernel)


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


class LiveBytes(TorchDispatchMode):
    """Bytes of tensors that are alive at most at a time, inside a `with`, without those from before."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self._alive: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        before = {x.untyped_storage()._cdata for x in _tensors(args)}
        out = func(*args, **(kwargs or {}))
        for x in _tensors([out]):
            storage = x.untyped_storage()
            if storage._cdata not in before and storage._cdata not in self._alive:
                self._add(storage)
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, num_bytes = storage._cdata, storage.nbytes()

        def freed(_: object) -> None:
            del self._alive[key]
            self.now -= num_bytes

        self._alive[key] = weakref.ref(storage, freed)
        self.now += num_bytes
        self.peak = max(self.peak, self.now)
