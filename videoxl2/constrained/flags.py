"""Masks over a vocabulary, brought to the device once and kept while they are asked for.

Shapes: V vocabulary.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoxl2.network.transfer import to_device

_MOST_KEPT = 256  # 40 MB of a real vocabulary


class FlagsOnDevice:
    """Masks by what is in them: a JSON value's repeat, token after token."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()

    def __call__(self, flags_V: NDArray[np.bool_]) -> Tensor:
        """Return bool `[V]` on the device, which nobody may write to."""
        key = np.packbits(flags_V).tobytes()
        if key not in self._kept:
            self._kept[key] = to_device(torch.from_numpy(flags_V), self._device)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
