"""Models of every family whose network is real and whose head wants the worst.

What is before the head is as it is: frames, prefill, rows that are cut back and begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from videoxl2 import VideoModel, load_model
from videoxl2.constrained.hostile import HUGE, NON_FINITE, hostile_wish
from videoxl2.constrained.hostile_phrases import PHRASES
from videoxl2.constrained.masks import TokenTable
from videoxl2.random_checkpoint import write_random_checkpoint

_ONE_IN = 40  # tokens of a kind whose numbers are none


class HostileHead(nn.Module):
    """Head with what a hostile model wishes for added to its logits, and noise."""

    def __init__(self, head: nn.Module, table: TokenTable) -> None:
        super().__init__()
        self.head = head
        self.kind, self.seed = "uniform", 0
        self._table = table
        self._wishes: dict[str, Tensor] = {}
        self._drawn = torch.Generator()

    def begin(self, kind: str, seed: int) -> None:
        """Wish for this from now on. Raises `ValueError` for a kind that remembers what it wrote."""
        if kind in PHRASES:
            raise ValueError(kind)
        self.kind = kind
        self._drawn.manual_seed(seed)
        self._wishes.setdefault(kind, hostile_wish(kind, self._table))

    def forward(self, x_TD: Tensor) -> Tensor:
        logits_TV: Tensor = self.head(x_TD)
        logits_TV = logits_TV + torch.randn(logits_TV.shape, generator=self._drawn) + self._wishes[self.kind]
        if self.kind == HUGE:
            return logits_TV.sign() * 3e38
        if self.kind in NON_FINITE and int(torch.randint(_ONE_IN, (), generator=self._drawn)) == 0:
            logits_TV[:, 0] = NON_FINITE[self.kind]
        return logits_TV


class HostileNetwork:
    """A model of a family, small and random, that stands where `VideoModel` does and counts generations."""

    def __init__(self, folder: Path, family: str) -> None:
        self.model: VideoModel = load_model(write_random_checkpoint(folder, family=family))
        self._head = HostileHead(self.model.network.language.lm_head, TokenTable.of(self.model))
        self.model.network.language.lm_head = self._head  # type: ignore[assignment]
        self.kind, self.seed = "uniform", 0
        self.num_begun = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    @property
    def side(self) -> int:
        """Return the side of the smallest frames that the model takes, pixels."""
        vision = self.model.config.qwen_vision
        return 1 if vision is None else vision.unit

    def prefill(self, spans: Iterable[Any], **options: Any) -> _CountedSession:
        self.seed += 1000
        self._head.begin(self.kind, self.seed)
        return _CountedSession(self, self.model.prefill(spans, **options))


class _CountedSession:
    def __init__(self, network: HostileNetwork, session: Any) -> None:
        self._network = network
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @contextmanager
    def start_rows(self, num_rows: int, selections: Sequence[Any] = (), *, room: int = 0) -> Iterator[Any]:
        with self._session.start_rows(num_rows, selections, room=room) as rows:
            yield _CountedRows(self._network, rows)


class _CountedRows:
    def __init__(self, network: HostileNetwork, rows: Any) -> None:
        self._network = network
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def restart(self, row: int, prompt: int = 0) -> None:
        self._network.num_begun += 1
        self._rows.restart(row, prompt)
