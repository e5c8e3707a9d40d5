"""Models that want the worst, for tests and benchmarks of constrained answers.

Each prefers some tokens by far and draws among the rest at random, whatever was written before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from videoxl2.constrained.masks import TokenTable

_STRONG = 20.0  # logits; the noise has a standard deviation of 1
_POOL = 16  # noise vectors, as drawing a large vocabulary for each token would take longer than the masks


def _is_broken(token: bytes) -> bool:
    try:
        token.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


_WANTED: dict[str, Callable[[bytes], bool]] = {
    "uniform": lambda token: False,
    "partial UTF-8": _is_broken,
    "backslashes": lambda token: b"\\" in token or b'"' in token,
    "digits": lambda token: token.isdigit(),
    "whitespace": lambda token: bool(token) and not token.strip(),
    "delimiters": lambda token: any(c in token for c in b"\n;:-"),
    "special and padded": lambda token: not token,
}

HOSTILE = (*_WANTED, "longest", "never closes", "fixed")


class HostileModel:
    """Logits of the hostile model of this name; keeps what it was fed, as a cache would."""

    def __init__(self, name: str, table: TokenTable, seed: int) -> None:
        self.token_ids: list[int] = []
        self.num_pushed = 0
        generator = torch.Generator(table.device).manual_seed(seed)
        size = (1 if name == "fixed" else _POOL, table.vocab_size)
        self._logits_NV = torch.randn(size, generator=generator, device=table.device) + hostile_wish(
            name, table
        )
        self._order = torch.randint(size[0], (997,), generator=generator, device=table.device).tolist()

    def push(self, token_ids: Sequence[int]) -> Tensor:
        assert token_ids, "nothing to read"
        self.token_ids += token_ids
        self.num_pushed += len(token_ids)
        return self._logits_NV[self._order[self.num_pushed % len(self._order)]]

    def back_to(self, num_tokens: int) -> None:
        del self.token_ids[num_tokens:]


def hostile_wish(name: str, table: TokenTable) -> Tensor:
    """`[V]`, what this model adds to its noise."""
    if name == "fixed":
        wish = [0.0] * table.vocab_size
    elif name == "longest":
        wish = [_STRONG * len(token) / 8 for token in table.tokens]
    elif name == "never closes":
        wish = [-_STRONG if not token or token[-1] in b"\n;" else 0.0 for token in table.tokens]
    else:
        wish = [_STRONG * _WANTED[name](token) for token in table.tokens]
    return torch.tensor(wish, device=table.device)
