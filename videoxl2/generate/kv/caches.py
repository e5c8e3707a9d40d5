"""The cache of a video, and what is made of it for prompts that see parts of it pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from videoxl2.generate.kv.bilevel import mix_cache, mixed_rows
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.prefix import Prefix, SelectedPrefix, WholePrefix
from videoxl2.generate.kv.selection import Selection, SelectionChunk
from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.language.cache import KVCache


@dataclass(frozen=True)
class Caches:
    """Dense cache with the pooled ones made so far, by compression."""

    dense: KVCache
    config: LanguageConfig
    layout: TokenLayout
    pooled: dict[int, KVCache]

    def prefix(self, selections: Sequence[Selection], num_rows: int) -> Prefix:
        """Return what rows see: one cache where all prompts select the same, else what they share.

        One cache takes a single call of attention a layer, which is what counts on a GPU.
        """
        segments = [selection.segments(self.layout) for selection in selections]
        if len(set(segments)) <= 1:
            return WholePrefix(self.selected(selections[0] if selections else Selection()))
        pooled = {segment.compression for parts in segments for segment in parts} - {1}
        caches = {1: self.dense} | {compression: self._pooled(compression) for compression in pooled}
        return SelectedPrefix(caches, self.config, segments, num_rows)

    def selected(self, selection: Selection) -> KVCache:
        """Return the dense cache if everything is, else a new one of dense and pooled chunks."""
        if selection.is_whole:
            return self.dense
        return self._mixed(selection.chunks, selection.dense, selection.compression)

    def _pooled(self, compression: int) -> KVCache:
        """Return the whole video pooled, which is made once."""
        if compression not in self.pooled:
            everything = SelectionChunk(1, 0, self.layout.num_groups, 0, 0)
            self.pooled[compression] = self._mixed((everything,), (), compression)
        return self.pooled[compression]

    @torch.inference_mode()
    def _mixed(self, chunks: Sequence[SelectionChunk], dense: Sequence[int], compression: int) -> KVCache:
        rows = mixed_rows(self.layout, chunks, dense, compression)
        return mix_cache(self.dense, self.config, self.layout.end, *rows)
