"""Which tokens are legal next: rows of a table that is built once per tokenizer and lives with the logits.

Per token decoded this costs a look-up; only near the character cap is the vocabulary compared once more.
Shapes: V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from videoxl2.constrained.flags import FlagsOnDevice
from videoxl2.constrained.slots import STOP, Json, Text
from videoxl2.constrained.token_bytes import Utf8, count_characters, is_visible, token_bytes, walk
from videoxl2.errors import CheckpointError
from videoxl2.network.language.tokens import END_OF_TURN
from videoxl2.network.transfer import to_device

if TYPE_CHECKING:
    from llguidance import LLTokenizer

    from videoxl2.generate.models.video_model import VideoModel

Flags = NDArray[np.bool_]

_BLANK_TOKENS = 4  # a text that is still blank after so many must show something now


class Closer(NamedTuple):
    """Meaning of a token that ends a text."""

    end: int  # which of the slot's ends
    content: bytes  # text in the same token, as in `.\n`
    rest: tuple[int, ...]  # tokens still to write where the end takes several


class Legal(NamedTuple):
    """Tokens that may stand next, and the characters that each of them takes of those allowed."""

    tokens: Tensor  # bool [V]
    chars: Tensor  # [V]
    longest: int  # the most that one of the legal ones takes


@dataclass
class TextState:
    """State of a text being written. While it is blank, one character is reserved for a visible one."""

    num_tokens: int = 0
    num_chars: int = -1  # the blank it begins with is no part of it
    utf8: Utf8 = Utf8.START
    is_blank: bool = True
    text: bytes = b""


class TokenTable:
    """Tokens of one tokenizer as constrained decoding needs them.

    `vocab_size` is that of the logits; ids beyond the tokenizer's are illegal. Not for several threads.
    """

    def __init__(
        self, tokenizer: Tokenizer, vocab_size: int, stop_id: int, device: str | torch.device
    ) -> None:
        self.vocab_size = vocab_size
        self.stop_id = stop_id
        self.device = torch.device(device)
        self.tokens = token_bytes(tokenizer, vocab_size)
        self._tokenizer = tokenizer
        self._id_of = {token: token_id for token_id, token in enumerate(self.tokens) if token}
        self._next_SV = walk(self.tokens)
        chars_V = count_characters(self.tokens)
        self._chars: list[int] = chars_V.tolist()
        self._visible_V = self._flag(is_visible)
        self._spaced_V = self._flag(lambda token: token[:1] == b" ")
        self._rows: dict[tuple[str | Utf8, bool, str, tuple[str, ...]], Legal] = {}
        self._barred: dict[str, Flags] = {}
        self._closers: dict[tuple[tuple[str, ...], str], dict[int, Closer]] = {}
        self._lines: dict[tuple[Utf8, tuple[str, ...]], Flags] = {}
        self._encoded: dict[str, tuple[int, ...]] = {}
        self.on_device = FlagsOnDevice(self.device)

    @classmethod
    def of(cls, model: VideoModel) -> TokenTable:
        """Build a model's table, in seconds for a real tokenizer. Raises `CheckpointError` without one."""
        tokenizer, stop_id = model.vocabulary.tokenizer, model.vocabulary.end_of_turn_id
        if tokenizer is None or stop_id is None:
            message = f"the checkpoint has no tokenizer with {END_OF_TURN}"
            raise CheckpointError(message, "Put the model's own tokenizer.json beside config.json.")
        return cls(tokenizer, model.config.language.vocab_size, stop_id, model.device)

    @cached_property
    def guide(self) -> LLTokenizer:
        """Return the tokenizer as `slot_json` needs it; 1.4 s for a real one."""
        from llguidance import LLTokenizer  # 0.1 s, and most programs hold no JSON

        slices = LLTokenizer.json_slices()
        return LLTokenizer(self._tokenizer.to_str(), self.vocab_size, self.stop_id, slices)

    # --- text to ids and back -----------------------------------------------------------------------------

    def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Encode each text, which may end in `STOP`, as canonical ids that decode to exactly this text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._encoded]
        if new:
            found = self._tokenizer.encode_batch(
                [t.removesuffix(STOP) for t in new], add_special_tokens=False
            )
            for text, encoding in zip(new, found, strict=True):
                self._encoded[text] = self._exact(text, tuple(encoding.ids))
        return [self._encoded[text] for text in texts]

    def count(self, text: str) -> int:
        """Count the tokens of a text."""
        return len(self.encode([text])[0])

    def decode(self, token_ids: Sequence[int]) -> str:
        """Return the text of tokens. UnicodeDecodeError: they end inside a character."""
        return b"".join(self.tokens[i] for i in token_ids).decode("utf-8")

    def _exact(self, text: str, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return `ids`, or single bytes if the tokenizer normalised the text (NFC) or saw a control token."""
        raw = text.removesuffix(STOP).encode("utf-8")
        if max(ids, default=0) >= self.vocab_size or b"".join(self.tokens[i] for i in ids) != raw:
            ids = tuple(self._id_of[bytes([byte])] for byte in raw)
        return (*ids, self.stop_id) if text.endswith(STOP) else ids

    # --- what is legal in a text --------------------------------------------------------------------------

    def legal_V(self, slot: Text, state: TextState) -> Tensor:
        """Return bool `[V]`: the tokens that may stand next in a text."""
        kind: str | Utf8 = state.utf8
        if state.utf8 is Utf8.START and state.is_blank:
            kind = "opening" if state.num_tokens < _BLANK_TOKENS else "visible"
            kind = kind if state.num_tokens else "first"
        ends = slot.ends if kind is Utf8.START else ()
        legal = self._row(kind, state.is_blank, slot.forbidden, ends)
        room = slot.max_chars - state.num_chars
        return legal.tokens if room >= legal.longest else legal.tokens & (legal.chars <= room)

    def finishing_V(self, slot: Text, state: TextState) -> Tensor:
        """Return bool `[V]`: the tokens after which the text can be closed: no half character, not blank."""
        if state.utf8 is not Utf8.START:
            legal = self._row(state.utf8, False, slot.forbidden)
            return legal.tokens & (legal.chars == 0)
        return self._row("one", False, slot.forbidden).tokens

    def line_V(self, utf8: Utf8, ends: tuple[str, ...]) -> Flags:
        """Return bool `[V]`, on the host: the tokens that may stand next in any line, with its ends."""
        if (utf8, ends) not in self._lines:
            legal_V = self._kind(utf8)
            if utf8 is Utf8.START:
                legal_V[list(self._closers_of(ends, ""))] = True
            self._lines[utf8, ends] = legal_V
        return self._lines[utf8, ends]

    def byte_id(self, byte: int) -> int:
        """Return the token that is this byte."""
        return self._id_of[bytes([byte])]

    def closer(self, slot: Text | Json, token: int) -> Closer | None:
        """Return what `token` ends, or None if it ends nothing."""
        return self._closers_of(slot.ends, slot.forbidden).get(token)

    def advance(self, state: TextState, token: int) -> None:
        """Append a legal token to the text."""
        state.num_tokens += 1
        state.num_chars += self._chars[token]
        state.utf8 = Utf8(int(self._next_SV[state.utf8, token]))
        state.text += self.tokens[token]
        state.is_blank = state.is_blank and not is_visible(state.text)

    def _row(self, kind: str | Utf8, is_blank: bool, forbidden: str, ends: tuple[str, ...] = ()) -> Legal:
        key = (kind, is_blank, forbidden, ends)
        if key not in self._rows:
            legal_V = self._kind(kind) & ~self._having(forbidden)
            chars_V = np.array(self._chars) + (is_blank & ~self._visible_V)
            closers = self._closers_of(ends, forbidden) if ends else {}
            for token, closer in closers.items():
                legal_V[token] = True
                [chars_V[token]] = count_characters([closer.content])
            longest = int(chars_V[legal_V].max())
            flags_V, counts_V = (to_device(torch.from_numpy(x), self.device) for x in (legal_V, chars_V))
            self._rows[key] = Legal(flags_V, counts_V, longest)
        return self._rows[key]

    def _kind(self, kind: str | Utf8) -> Flags:
        next_V = self._next_SV[kind if isinstance(kind, Utf8) else Utf8.START]
        legal_V: Flags = next_V != Utf8.DEAD
        shown_V = self._visible_V | (legal_V & (next_V != Utf8.START))  # or on the way to a character
        if kind == "first":
            legal_V &= self._spaced_V & shown_V
            legal_V[self._id_of[b" "]] = True
        elif kind == "opening":
            legal_V &= ~self._spaced_V & shown_V
        elif kind == "visible":
            legal_V &= self._visible_V
        elif kind == "one":
            legal_V = (next_V == Utf8.START) & self._visible_V & (np.array(self._chars) == 1)
        return legal_V

    def _having(self, forbidden: str) -> Flags:
        """Return the tokens that hold one of these characters."""
        if forbidden not in self._barred:
            self._barred[forbidden] = self._flag(lambda token: any(c in token for c in forbidden.encode()))
        return self._barred[forbidden]

    def _closers_of(self, ends: tuple[str, ...], forbidden: str) -> dict[int, Closer]:
        key = (ends, forbidden)
        if key not in self._closers:
            found = [self._closing_tokens(n, end, forbidden) for n, end in enumerate(ends)]
            self._closers[key] = {token: closer for tokens in found for token, closer in tokens.items()}
            if len(self._closers[key]) < sum(map(len, found)):
                raise ValueError(f"ends that open with the same token: {ends}")
        return self._closers[key]

    def _closing_tokens(self, index: int, end: str, forbidden: str) -> dict[int, Closer]:
        """Return the end's first token and, for line ends, tokens that carry some text before it (`.\n`)."""
        if end == STOP:
            return {self.stop_id: Closer(index, b"", ())}
        ids = self.encode([end])[0]
        closers = {ids[0]: Closer(index, b"", ids[1:])}
        if end[0] == "\n":
            newline = self.tokens[ids[0]]
            longer = [
                n for n, token in enumerate(self.tokens) if token.endswith(newline) and token != newline
            ]
            contents = [self.tokens[n].removesuffix(newline) for n in longer]
            states = walk(contents)[Utf8.START] if contents else ()
            for token_id, content, state in zip(longer, contents, states, strict=True):
                if state == Utf8.START and not any(c in content for c in forbidden.encode()):
                    closers[token_id] = Closer(index, content, ids[1:])
        return closers

    def _flag(self, test: Callable[[bytes], bool]) -> Flags:
        return np.array([test(token) for token in self.tokens])
