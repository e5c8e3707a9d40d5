"""What rows attend to before their own tokens: the whole of one cache, or each row its selection.

A selection's keys have other positions than in the cache. Rotary embedding only sees differences, so where
rows select differently no key is moved: a row's query is turned by the shift of each segment instead, which
is exact. So all rows share the dense cache and one in which everything is pooled; each stretch of either is
read once a pass, for those rows that see it.

Shapes: H query heads, T tokens of this pass, V turned queries, U of them as blocks want them, N blocks that a
token sees, E head size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from videoxl2.generate.kv.selection import Segment
from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.language.cache import KVCache
from videoxl2.network.layers.attention import attention_lse
from videoxl2.network.layers.rotary import rotary_angles, rotate
from videoxl2.network.transfer import per_device

_VIEWS_KEPT = 4  # steps that follow each other take turns among few


class View(Protocol):
    """Interface of what the tokens of one pass see of a prefix."""

    @property
    def num_blocks(self) -> int:
        """The calls of attention that it takes."""

    def attend(self, layer: int, q_HTE: Tensor) -> tuple[Tensor, Tensor]:
        """Return attention `[H, T, E]` and its log-sum-exp `[H, T]`."""


class Prefix(Protocol):
    """Read-only keys and values in front of rows."""

    def choose(self, row: int, prompt: int) -> None:
        """Give a row what this prompt selects."""

    def kind(self, rows: Sequence[int]) -> tuple[int, ...] | None:
        """Return the same for rows that see the same at the same place; None: steps of them are not recorded.

        Those are rows whose keys and values come from the host, or are made anew for each prompt.
        """

    def length(self, row: int) -> int:
        """Return the position of the row's first own token: behind the keys it sees."""

    def view(self, rows: Sequence[int]) -> View:
        """Return what tokens of these rows see."""


class WholePrefix:
    """All of one cache, whichever the row."""

    num_blocks = 1

    def __init__(self, cache: KVCache) -> None:
        self.cache = cache
        self._length = cache.length

    def kind(self, rows: Sequence[int]) -> tuple[int, ...] | None:
        return None if self.cache.on_host else (self.cache.place,)

    def choose(self, row: int, prompt: int) -> None:
        pass

    def length(self, row: int) -> int:
        return self._length + self.cache.shift

    def view(self, rows: Sequence[int]) -> View:
        return self

    def attend(self, layer: int, q_HTE: Tensor) -> tuple[Tensor, Tensor]:
        keys_KSE, values_KSE = self.cache.read(layer, self._length)
        out_1HTE, lse_1HT = attention_lse(q_HTE[None], keys_KSE[None], values_KSE[None])
        return out_1HTE[0], lse_1HT[0]


class SelectedPrefix:
    """Each row's selection of a cache and of caches in which all of it is pooled."""

    def __init__(
        self,
        caches: Mapping[int, KVCache],
        config: LanguageConfig,
        selections: Sequence[tuple[Segment, ...]],
        num_rows: int,
    ) -> None:
        """`caches` are by compression, `selections` by prompt; row n begins with prompt n."""
        self._caches = caches
        self._config = config
        self._selections = selections
        self._prompts = [min(row, len(selections) - 1) for row in range(num_rows)]
        self._views: dict[tuple[int, ...], _SelectedView] = {}

    def kind(self, rows: Sequence[int]) -> tuple[int, ...] | None:
        if any(cache.on_host for cache in self._caches.values()):
            return None
        places = [cache.place for cache in self._caches.values()]
        return (*places, *(self._prompts[row] for row in rows))

    def choose(self, row: int, prompt: int) -> None:
        self._prompts[row] = prompt

    def length(self, row: int) -> int:
        last = self._selections[self._prompts[row]][-1]
        return last.at + last.end - last.start

    def view(self, rows: Sequence[int]) -> View:
        key = tuple(self._prompts[row] for row in rows)
        if key not in self._views:
            if len(self._views) == _VIEWS_KEPT:
                del self._views[next(iter(self._views))]
            blocks = _blocks_of([self._selections[prompt] for prompt in key])
            self._views[key] = _SelectedView(self._caches, self._config, len(rows), blocks)
        return self._views[key]


@dataclass(frozen=True)
class _Block:
    """Rows `[start, end)` of a cache, and the tokens that see them, each at its shift."""

    compression: int
    start: int
    end: int
    seen_by: tuple[tuple[int, int], ...]  # token, shift


def _blocks_of(selections: Sequence[tuple[Segment, ...]]) -> list[_Block]:
    """Cut the segments of all tokens into blocks that each token sees whole or not at all."""
    tokens: dict[tuple[Segment, ...], list[int]] = {}
    for token, segments in enumerate(selections):
        tokens.setdefault(segments, []).append(token)
    blocks: list[_Block] = []
    for compression in sorted({segment.compression for segments in tokens for segment in segments}):
        mine = [(s, of) for segments, of in tokens.items() for s in segments if s.compression == compression]
        for start, end in pairwise(sorted({edge for s, _ in mine for edge in (s.start, s.end)})):
            seen = [(token, s.shift) for s, of in mine if s.start <= start and end <= s.end for token in of]
            if seen:
                blocks.append(_Block(compression, start, end, tuple(seen)))
    return blocks


@dataclass(frozen=True)
class _Turns:
    """Which turned query goes to which block, where a layer lies."""

    tokens: Tensor  # [V]: which token each turned query is of
    angles: tuple[Tensor, Tensor]  # cosine and signed sine, [V, E]
    queries: tuple[Tensor, ...]  # of each block, the turned queries that see it
    places: Tensor  # [T, N], in what blocks make of their queries; behind all of it: nothing

    @classmethod
    def of(cls, config: LanguageConfig, num_tokens: int, blocks: Sequence[_Block]) -> _Turns:
        """Plan it on the host."""
        turned = {
            pair: index for index, pair in enumerate(dict.fromkeys(p for b in blocks for p in b.seen_by))
        }
        tokens_V, shifts_V = torch.tensor([*turned]).unbind(1)
        queries = tuple(torch.tensor([turned[p] for p in b.seen_by]) for b in blocks)
        seen = [token for block in blocks for token, _ in block.seen_by]
        places: list[list[int]] = [[] for _ in range(num_tokens)]
        for place, token in enumerate(seen):
            places[token].append(place)
        most = max(map(len, places))
        padded = [[*own, *[len(seen)] * (most - len(own))] for own in places]
        angles = rotary_angles(shifts_V, config.head_dim, config.rope_theta)
        return cls(tokens_V, angles, queries, torch.tensor(padded))

    def on(self, device: torch.device) -> _Turns:
        """Return the same for a layer that lies there."""
        cos_VE, sin_VE = self.angles
        return _Turns(
            self.tokens.to(device),
            (cos_VE.to(device), sin_VE.to(device)),
            tuple(x.to(device) for x in self.queries),
            self.places.to(device),
        )


class _SelectedView:
    """Plan of which turned query goes to which block; made once, used by every layer."""

    def __init__(
        self, caches: Mapping[int, KVCache], config: LanguageConfig, num_tokens: int, blocks: list[_Block]
    ) -> None:
        self._caches = caches
        self._blocks = blocks
        turns = _Turns.of(config, num_tokens, blocks)
        self._turns_on = per_device(turns.on)
        self.num_blocks = turns.places.shape[1]

    def attend(self, layer: int, q_HTE: Tensor) -> tuple[Tensor, Tensor]:
        turns = self._turns_on(q_HTE.device)
        turned_HVE = rotate(q_HTE[:, turns.tokens].float(), *turns.angles).to(q_HTE.dtype)
        parts = [
            self._attend_block(layer, block, turned_HVE.index_select(1, queries))
            for block, queries in zip(self._blocks, turns.queries, strict=True)
        ]
        out_HUE = functional.pad(torch.cat([out for out, _ in parts], 1), (0, 0, 0, 1))
        lse_HU = functional.pad(torch.cat([lse for _, lse in parts], 1), (0, 1), value=-torch.inf)
        lse_HTN = lse_HU[:, turns.places]
        lse_HT = lse_HTN.logsumexp(-1)
        weight_HT1N = (lse_HTN - lse_HT[..., None]).exp()[:, :, None]
        out_HTNE = out_HUE[:, turns.places].to(weight_HT1N.dtype)
        return (weight_HT1N @ out_HTNE)[:, :, 0].to(q_HTE.dtype), lse_HT

    def _attend_block(self, layer: int, block: _Block, q_HUE: Tensor) -> tuple[Tensor, Tensor]:
        keys_KSE, values_KSE = self._caches[block.compression].read(layer, block.end, first=block.start)
        out_1HUE, lse_1HU = attention_lse(q_HUE[None], keys_KSE[None], values_KSE[None])
        return out_1HUE[0], lse_1HU[0]
