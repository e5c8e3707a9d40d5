"""A video whose answers come from hostile models: all that is done with a model but its network.

It stands where a `VideoModel` does, and its sessions where `Session` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import torch
from tokenizers import Tokenizer
from torch import Tensor

from videoxl2.constrained.hostile import HostileRows
from videoxl2.constrained.masks import TokenTable
from videoxl2.generate.kv.selection import Selection
from videoxl2.generate.prefill.stream import FrameSpan
from videoxl2.network.configs.pace import REAL_TIME
from videoxl2.network.language.cache import CacheShape, KVCache
from videoxl2.network.language.tokens import Vocabulary


class HostileVideo:
    """Video model that answers as `kind` says; `kind` may change between videos."""

    def __init__(self, tokenizer: Tokenizer, vocab_size: int) -> None:
        self.vocabulary = Vocabulary(tokenizer)
        self.device = torch.device("cpu")
        self.config = SimpleNamespace(language=SimpleNamespace(vocab_size=vocab_size))
        self.network = SimpleNamespace(language=_Blind(vocab_size))
        self.table = TokenTable.of(self)  # type: ignore[arg-type]
        self.kind, self.seed = "uniform", 0
        self.num_begun = 0  # generations

    def prefill(self, spans: Iterable[FrameSpan], **_: object) -> HostileSession:
        """Return a session that knows the times of the frames, and nothing else of them."""
        times_ms = tuple(int(ms) for span in spans for ms in span.pts_ms)
        self.seed += 1000
        return HostileSession(self, times_ms)


class HostileSession:
    """Session that takes the times of its frames and never looks at them."""

    degraded: tuple[str, ...] = ()
    pace = REAL_TIME

    def __init__(self, video: HostileVideo, frame_times_ms: tuple[int, ...]) -> None:
        self.frame_times_ms = frame_times_ms
        self._video = video

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Draw other answers than before."""
        self._video.seed += 100
        yield

    def select(self, prompt: str, options: None, **_: object) -> Selection:
        """Return all of the video, which hostile models never look at."""
        return Selection()

    @contextmanager
    def start_rows(
        self, num_rows: int, selections: Sequence[Selection] = (), *, room: int = 0
    ) -> Iterator[HostileRows]:
        """Yield rows whose tokens are drawn from the seed."""
        assert room >= 0
        assert all(selection.is_whole for selection in selections)
        rows = HostileRows(self._video.kind, self._video.table, self._video.seed, num_rows)
        yield rows
        self._video.num_begun += rows.num_begun


class _Blind:
    """Stand-in for the language model where it reads an answer without the video."""

    cache_shape = CacheShape(num_layers=1, num_kv_heads=1, head_dim=1, dtype=torch.float32)

    def __init__(self, vocab_size: int) -> None:
        self._logits_V = torch.randn(vocab_size, generator=torch.Generator().manual_seed(0))

    def embed(self, token_ids: Sequence[int]) -> Tensor:
        return torch.zeros(len(token_ids), 1)

    def extend(self, x_TD: Tensor, cache: KVCache) -> Tensor:
        cache.reserve(cache.length + len(x_TD))
        cache.advance(len(x_TD))
        return x_TD

    def logits(self, x_TD: Tensor) -> Tensor:
        return self._logits_V.repeat(len(x_TD), 1)
