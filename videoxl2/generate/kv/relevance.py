"""Which selection chunks a prompt is about, read off the model's own attention.

The reference takes these scores from files computed for benchmark questions. Here the prompt's tokens run
once over the full cache, and a chunk's score is the share of their attention that falls on it, averaged over
a few middle layers, all heads and all prompt tokens. It needs the prompt and the cache, no other model.

Shapes: H query heads, K key/value heads, T prompt tokens, S video rows, E head size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.selection import SelectionChunk
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel

# Any other scorer: the prompt and the chunks with their times in, one number per chunk out.
ExternalScorer = Callable[[str, Sequence[SelectionChunk]], Sequence[float]]

_NUM_LAYERS = 4
# Share of the depth: early layers attend to neighbours, late ones to the next word.
_FIRST, _LAST = 1 / 3, 3 / 4


def scoring_layers(num_layers: int) -> list[int]:
    """Return a few layers spread over the middle of the stack."""
    steps = torch.linspace(_FIRST * num_layers, _LAST * num_layers, _NUM_LAYERS)
    return sorted({min(int(step), num_layers - 1) for step in steps.tolist()})


def attention_on_rows(q_HTE: Tensor, k_KSE: Tensor) -> Tensor:
    """Return the attention weight `[S]` on each video row, averaged over heads and prompt tokens."""
    kv_heads, num_rows, head_dim = k_KSE.shape
    q_KXE = q_HTE.reshape(kv_heads, -1, head_dim)
    total_S = torch.zeros(num_rows, device=k_KSE.device)
    for q_XE, k_SE in zip(q_KXE, k_KSE, strict=True):  # head by head bounds memory to [H/K * T, S]
        total_S += (q_XE @ k_SE.t() * head_dim**-0.5).float().softmax(-1).mean(0)
    return total_S / kv_heads


def chunk_scores(rows_S: Tensor, layout: TokenLayout, chunks: Sequence[SelectionChunk]) -> list[float]:
    """Return each chunk's mean weight over its visual tokens; stamps are kept anyway and do not count."""
    weights = [
        rows_S[layout.visual_rows(c.first_group, c.end_group).to(rows_S.device)].mean() for c in chunks
    ]
    scores: list[float] = torch.stack(weights).tolist()
    return scores


@torch.inference_mode()
def attention_scores(
    language: LanguageModel,
    cache: KVCache,
    layout: TokenLayout,
    suffix_ids: Sequence[int],
    question: slice,
    chunks: Sequence[SelectionChunk],
) -> list[float]:
    """Score each chunk for the prompt tokens `suffix_ids[question]`; the cache is left as it was."""
    layers = scoring_layers(cache.shape.num_layers)
    rows_S = torch.zeros(layout.end, device=cache.device)

    def observe(layer: int, q_HTE: Tensor) -> None:
        if layer in layers:
            keys, _ = cache.read(layer, layout.end)
            rows_S.add_(attention_on_rows(q_HTE[:, question], keys).to(rows_S.device))

    base = cache.length
    try:
        language.extend(language.embed(list(suffix_ids)), cache, keys_only=True, observe=observe)
    finally:
        cache.truncate(base)
    return chunk_scores(rows_S, layout, chunks)


def checked_scores(scores: Sequence[float], num_chunks: int) -> tuple[float, ...]:
    """Check an external scorer's answer and return it as numbers. ModelInputError: not one finite number a
    chunk."""
    values = tuple(float(score) for score in scores)
    if len(values) != num_chunks or any(value != value for value in values):
        raise ModelInputError(
            f"the scorer returned {len(values)} scores (NaN not allowed) for {num_chunks} chunks",
            "Return one finite number per selection chunk, in order.",
        )
    return values
