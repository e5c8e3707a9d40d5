"""A JSON value on its way: which tokens may come next, and which end it soonest.

What texts may not hold (controls, line separators, bidirectional overrides) strings may not either. Unlike
texts they may be empty or blank, and may begin and end with blanks. Loads llguidance.

Shapes: V vocabulary.
"""

from __future__ import annotations

import numpy as np
from llguidance import LLMatcher

from videoxl2.constrained.json_grammar import grammar
from videoxl2.constrained.masks import Flags, TextState, TokenTable
from videoxl2.constrained.slots import Json

# Bytes that end a value soonest, the best first; where none is legal, the shortest token that is.
_SOONEST = b'}],n"[{:0123456789-.'
_SOONEST_IN_STRING = b'"?'


class JsonValue:
    """JSON value that is being written, with a matcher of its own."""

    def __init__(self, slot: Json, table: TokenTable) -> None:
        """Raises `ValueError` for a schema that llguidance does not take."""
        self._slot = slot
        self._table = table
        self._matcher = LLMatcher(table.guide, grammar(slot.schema, slot.ends, table.stop_id), log_level=0)
        self._first_of_ends = [ids[0] for ids in table.encode(slot.ends)]
        self._state = TextState()
        self._in_string = self._escaped = False
        self._check()

    @property
    def text(self) -> bytes:
        """Return what was written, with the blank before it."""
        return self._state.text

    def legal_V(self) -> Flags:
        """Return bool `[V]`: the tokens that may stand next, with those that end the line."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._check()
        legal_V = np.unpackbits(bits, count=self._table.vocab_size, bitorder="little").view(np.bool_)
        return legal_V & self._table.line_V(self._state.utf8, self._slot.ends)

    def is_whole(self, legal_V: Flags) -> bool:
        """Whether nothing but an end has to follow."""
        return bool(legal_V[self._first_of_ends].any())

    def soonest(self, legal_V: Flags) -> int:
        """Return the legal token that leads to the end in no more bytes than `json_schema.closing_bytes`."""
        for byte in _SOONEST_IN_STRING if self._in_string else _SOONEST:
            if legal_V[token := self._table.byte_id(byte)]:
                return token
        return min(np.flatnonzero(legal_V).tolist(), key=lambda token: len(self._table.tokens[token]))

    def advance(self, token: int) -> None:
        """Append a legal token to the value."""
        self._matcher.consume_token(token)
        self._check()
        self._table.advance(self._state, token)
        for byte in self._table.tokens[token]:
            if self._escaped:
                self._escaped = False
            elif byte == ord('"'):
                self._in_string = not self._in_string
            else:
                self._escaped = byte == ord("\\")

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ValueError(f"llguidance: {self._matcher.get_error().splitlines()[0]}")
