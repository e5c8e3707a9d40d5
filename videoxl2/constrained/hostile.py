"""Models that want the worst, for tests and benchmarks of constrained answers.

Each prefers some tokens by far and draws among the rest at random, or goes round in a text, whatever was
written before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from videoxl2.constrained.hostile_phrases import PHRASES
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

# Numbers that are none, from some token on. These are the only ones whose answers are lost.
NON_FINITE = {
    "NaN": torch.nan,
    "infinity": torch.inf,
    "minus infinity": -torch.inf,
}
HUGE = "huge logits"  # finite, and too large for sums or quotients
STOPS = "stops at once"
ALL_KINDS = (*HOSTILE, STOPS, HUGE, *PHRASES, *NON_FINITE)


class HostileModel:
    """Logits of the hostile model of this name; keeps what it was fed, as a cache would."""

    def __init__(self, name: str, table: TokenTable, seed: int) -> None:
        self.token_ids: list[int] = []
        self.num_pushed = 0
        self._table = table
        self._phrase = _Phrase(PHRASES[name], table) if name in PHRASES else None
        self._broken = NON_FINITE.get(name)
        generator = torch.Generator(table.device).manual_seed(seed)
        size = (1 if name == "fixed" else _POOL, table.vocab_size)
        self._logits_NV = torch.randn(size, generator=generator, device=table.device)
        self._logits_NV += hostile_wish(name, table)
        if name == HUGE:
            self._logits_NV = self._logits_NV.sign() * 3e38
        draw = torch.randint(1, 997, (997,), generator=generator, device=table.device)
        self._order: list[int] = (draw % size[0]).tolist()
        self._breaks_at = int(draw[0]) % 60  # tokens

    def push(self, token_ids: Sequence[int]) -> Tensor:
        assert token_ids, "nothing to read"
        self.token_ids += token_ids
        self.num_pushed += len(token_ids)
        logits_V = self._logits_NV[self._order[self.num_pushed % len(self._order)]]
        if self._phrase is not None:
            logits_V = logits_V + self._phrase.wish_V(b"".join(self._table.tokens[i] for i in token_ids))
        if self._broken is not None and self.num_pushed > self._breaks_at:
            logits_V = logits_V.clone()
            logits_V[self.num_pushed % len(logits_V)] = self._broken
        return logits_V

    def back_to(self, num_tokens: int) -> None:
        del self.token_ids[num_tokens:]


class _Phrase:
    """Wish of a model that repeats one text for ever."""

    def __init__(self, text: bytes, table: TokenTable) -> None:
        self._text = text
        self._table = table
        self._at = 0
        self._wishes: dict[int, Tensor] = {}

    def wish_V(self, written: bytes) -> Tensor:
        """Return `[V]` behind these bytes; where they differ from what it wanted, it skips one of its own."""
        text = self._text[self._at :] + self._text
        step = len(written) if text.startswith(written) else 1
        self._at = (self._at + step) % len(self._text)
        if self._at not in self._wishes:
            text = (self._text[self._at :] + self._text)[: len(self._text)]
            fits = (len(t) if t and text.startswith(t) else 0 for t in self._table.tokens)
            wish = [_STRONG * size for size in fits]
            self._wishes[self._at] = torch.tensor(wish, device=self._table.device)
        return self._wishes[self._at]


class HostileRows:
    """Hostile models in the place of `videoxl2.generate.decoding`'s `Rows`; each restart draws anew."""

    def __init__(self, name: str, table: TokenTable, seed: int, num_rows: int) -> None:
        self._how = name, table
        self._seed = seed
        self._rows = [HostileModel(name, table, seed + row) for row in range(num_rows)]
        self._logits_BV = torch.zeros(num_rows, table.vocab_size, device=table.device)
        self.num_begun = 0  # programs

    @property
    def num_rows(self) -> int:
        """The count of rows that are decoded together."""
        return len(self._rows)

    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        self._logits_BV = self._logits_BV.clone()
        for row, ids in enumerate(token_ids):
            if ids:
                self._logits_BV[row] = self._rows[row].push(ids)
        return self._logits_BV

    def back_to(self, row: int, num_tokens: int) -> None:
        self._rows[row].back_to(num_tokens)

    def restart(self, row: int, prompt: int) -> None:
        self._seed += self.num_rows
        self.num_begun += 1
        self._rows[row] = HostileModel(*self._how, self._seed)


def hostile_wish(name: str, table: TokenTable) -> Tensor:
    """Return `[V]`, what this model adds to its noise."""
    if name == "longest":
        wish = [_STRONG * len(token) / 8 for token in table.tokens]
    elif name == "never closes":
        wish = [-_STRONG if not token or token[-1] in b"\n;" else 0.0 for token in table.tokens]
    elif name == STOPS:
        wish = [_STRONG * (n == table.stop_id) for n in range(table.vocab_size)]
    elif name in _WANTED:
        wish = [_STRONG * _WANTED[name](token) for token in table.tokens]
    else:
        wish = [0.0] * table.vocab_size
    return torch.tensor(wish, device=table.device)
