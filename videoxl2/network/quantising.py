"""Layers quantised one by one while a checkpoint is read, so that few of them are ever there in full."""

from __future__ import annotations

import re
from collections import Counter

from videoxl2.network.configs.weight_bits import FULL_BITS
from videoxl2.network.language.transformer import LanguageModel

_LAYER = re.compile(r"language\.layers\.(\d+)\.")


class LayerQuantiser:
    """Counts what each layer still waits for; files may have a layer in two."""

    def __init__(self, language: LanguageModel, weight_bits: int) -> None:
        self._language = language
        self._weight_bits = weight_bits
        names = (f"language.{name}" for name, _ in language.named_parameters())
        self._waiting = Counter(match[1] for name in names if (match := _LAYER.match(name)))

    def placed(self, name: str) -> None:
        """Quantise the layer of this parameter if it was the last one to come."""
        match = _LAYER.match(name)
        if match is None or self._weight_bits == FULL_BITS:
            return
        self._waiting[match[1]] -= 1
        if not self._waiting[match[1]]:
            self._language.quantise_layer(int(match[1]), self._weight_bits)
