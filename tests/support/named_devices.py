"""Devices by name on a machine without any: tensors stay on the CPU and carry where they would be.

Every operation asks that its tensors be in one place, as CUDA does; only copies may cross. Nothing is said of
libraries' own calls that no function of torch is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

HOST = torch.device("cpu")
_DEVICE = Tensor.device.__get__  # made anew at each look: compare by ==


class OtherDeviceError(AssertionError):
    """An operation was given tensors of several devices."""


class NamedDevices(TorchFunctionMode):
    """Within it `device=` may name anything, such as `xla:1`; tensors that nobody placed are on the host.

    `crossed` counts the tensors that were copied from one device to another, by both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.crossed: Counter[tuple[str, str]] = Counter()

    def put(self, tensor: Tensor, device: torch.device) -> None:
        """Say where a tensor that is there already would be."""
        tensor._named_device = device  # type: ignore[attr-defined]

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func == _DEVICE:
            return _place(args[0])
        if func is Tensor.to:
            return self._to(*args, **kwargs)
        inputs = [*_tensors((args, kwargs))]
        wanted = kwargs.pop("device", None)
        places = {_place(x) for x in inputs if not _is_number(x)}
        if func is Tensor.__setitem__ and not [*_tensors(args[1])]:  # a copy to a stretch of memory
            self.crossed[str(_place(args[2])), str(_place(args[0]))] += len(places) > 1
        elif func is Tensor.copy_:
            self.crossed[str(_place(args[1])), str(_place(args[0]))] += len(places) > 1
        elif len(places) > 1:
            name = resolve_name(func) or str(func)
            raise OtherDeviceError(f"{name} was given tensors on {sorted(map(str, places))}")
        place = torch.device(wanted) if wanted is not None else next(iter(places), HOST)
        out = func(*args, **kwargs)
        for x in _tensors(out):
            if all(x is not one for one in inputs):
                self.put(x, place)
        return out

    def _to(self, x: Any, *args: Any, device: Any = None, non_blocking: bool = False, **how: Any) -> Any:
        named = [one for one in (*args, device) if isinstance(one, torch.device | str)]
        types = [one for one in args if isinstance(one, torch.dtype)]
        place = torch.device(named[0]) if named else _place(x)
        out = x.to(*types, **how) if types or how else x
        if place != _place(x):
            self.crossed[str(_place(x)), str(place)] += 1
            out = out.clone()
        self.put(out, place)
        return out


def _place(x: Tensor) -> torch.device:
    return getattr(x, "_named_device", HOST)


def _is_number(x: Tensor) -> bool:
    """Whether it is a constant of the host: a number, or one and its negative for a CPU alone."""
    return _place(x) == HOST and (not x.ndim or (x.is_floating_point() and x.numel() <= 2))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
