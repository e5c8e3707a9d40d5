"""Tokens as bytes, and which bytes may follow each other in a line of text.

A byte-level BPE token can end in the middle of a UTF-8 character, so legality is a walk through a small
automaton: a state says which bytes may come next. Barred besides ill-formed UTF-8 are C0 and C1 controls,
DEL, the separators U+2028 and U+2029 (Python splits lines there), and the bidirectional overrides
U+202A–E and U+2066–9.

Shapes: S states, V vocabulary.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from videoxl2.errors import ModelInputError

_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class Utf8(IntEnum):
    """State of reading a character; START is between two."""

    START = 0
    ONE = 1  # one more continuation byte
    TWO = 2
    THREE = 3
    C2 = 4  # lead bytes after which not every continuation is legal
    E0 = 5
    E2 = 6
    E2_80 = 7
    E2_81 = 8
    ED = 9
    F0 = 10
    F4 = 11
    DEAD = 12


_MOVES: tuple[tuple[Utf8, int, int, Utf8], ...] = (
    (Utf8.START, 0x20, 0x7E, Utf8.START),
    (Utf8.START, 0xC2, 0xC2, Utf8.C2),
    (Utf8.START, 0xC3, 0xDF, Utf8.ONE),
    (Utf8.START, 0xE0, 0xEF, Utf8.TWO),
    (Utf8.START, 0xE0, 0xE0, Utf8.E0),
    (Utf8.START, 0xE2, 0xE2, Utf8.E2),
    (Utf8.START, 0xED, 0xED, Utf8.ED),
    (Utf8.START, 0xF0, 0xF0, Utf8.F0),
    (Utf8.START, 0xF1, 0xF3, Utf8.THREE),
    (Utf8.START, 0xF4, 0xF4, Utf8.F4),
    (Utf8.ONE, 0x80, 0xBF, Utf8.START),
    (Utf8.TWO, 0x80, 0xBF, Utf8.ONE),
    (Utf8.THREE, 0x80, 0xBF, Utf8.TWO),
    (Utf8.C2, 0xA0, 0xBF, Utf8.START),
    (Utf8.E0, 0xA0, 0xBF, Utf8.ONE),
    (Utf8.E2, 0x82, 0xBF, Utf8.ONE),
    (Utf8.E2, 0x80, 0x80, Utf8.E2_80),
    (Utf8.E2, 0x81, 0x81, Utf8.E2_81),
    (Utf8.E2_80, 0x80, 0xA7, Utf8.START),
    (Utf8.E2_80, 0xAF, 0xBF, Utf8.START),
    (Utf8.E2_81, 0x80, 0xA5, Utf8.START),
    (Utf8.E2_81, 0xAA, 0xBF, Utf8.START),
    (Utf8.ED, 0x80, 0x9F, Utf8.ONE),  # the rest would be surrogates
    (Utf8.F0, 0x90, 0xBF, Utf8.TWO),
    (Utf8.F4, 0x80, 0x8F, Utf8.TWO),
)


def _automaton() -> NDArray[np.uint8]:
    next_S256 = np.full((len(Utf8), 256), Utf8.DEAD, np.uint8)
    for state, first, last, target in _MOVES:  # later lines override
        next_S256[state, first : last + 1] = target
    return next_S256


_NEXT_S256 = _automaton()


def _byte_of_character() -> dict[int, int]:
    """Return GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = dict.fromkeys(others, 0xFFFF)  # as characters they belong to no byte-level token
    return table | {b: b for b in printable} | {0x100 + n: byte for n, byte in enumerate(others)}


def token_bytes(tokenizer: Tokenizer, vocab_size: int) -> list[bytes]:
    """Return the bytes of every id; empty for padding, special and added ids, which no text may hold.

    Raises `ModelInputError` for a tokenizer that is not byte-level BPE: every byte needs a token.
    """
    table = _byte_of_character()
    tokens = [b""] * vocab_size
    added = tokenizer.get_added_tokens_decoder()
    for token, token_id in tokenizer.get_vocab(with_added_tokens=False).items():
        if token_id in added or token_id >= vocab_size:
            continue
        try:
            tokens[token_id] = token.translate(table).encode("latin-1")
        except UnicodeEncodeError:
            continue
    if len({token for token in tokens if len(token) == 1}) < 256:
        raise ModelInputError(
            "constrained answers need a byte-level BPE tokenizer with a token for every byte",
            "Use the checkpoint's own tokenizer.json.",
        )
    return tokens


def walk(tokens: list[bytes]) -> NDArray[np.uint8]:
    """Return the state after each token from each state, `[S, V]`; DEAD where the token is illegal."""
    lengths_V = np.array([len(token) for token in tokens])
    order_V = np.argsort(-lengths_V, kind="stable")
    starts_V = np.cumsum(lengths_V) - lengths_V
    flat = np.frombuffer(b"".join(tokens), np.uint8)
    state_SV = np.repeat(np.arange(len(Utf8) - 1, dtype=np.uint8)[:, None], len(tokens), axis=1)
    state_SV[:, lengths_V == 0] = Utf8.DEAD
    for position in range(int(lengths_V.max())):
        longer = order_V[: int((lengths_V > position).sum())]
        state_SV[:, longer] = _NEXT_S256[state_SV[:, longer], flat[starts_V[longer] + position]]
    return state_SV


def count_characters(tokens: list[bytes]) -> NDArray[np.int32]:
    """Count the characters that begin in each token, `[V]`."""
    return np.array([sum(byte & 0xC0 != 0x80 for byte in token) for token in tokens], np.int32)


def is_visible(text: bytes) -> bool:
    """Whether the complete characters of `text` hold a letter, digit, punctuation mark or symbol.

    Letters and symbols that show nothing (fillers, the empty Braille pattern) are none of these.
    """
    characters = text.decode("utf-8", "ignore")
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _UNSEEN for c in characters)
