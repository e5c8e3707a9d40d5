"""Every bound holds for every vocabulary: tokens of many characters, many lines, or halves of characters."""

from __future__ import annotations

import random

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from jobs.prompts.program.programs import program_for, run_program
from jobs.prompts.program.times import AnswerContext
from schemas.answers import ANSWERS
from videoxl2.constrained.drive import Sampling, fill
from videoxl2.constrained.hostile import ALL_KINDS, NON_FINITE, HostileModel
from videoxl2.constrained.masks import TextState, TokenTable
from videoxl2.constrained.slots import STOP, Choice, Got, Program, Text, text_bound
from videoxl2.errors import ModelInputError
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.random_checkpoint import SPECIAL_TOKENS

ODD: dict[str, list[bytes]] = {
    "long line ends": [
        b"-" * 90 + b"\n",
        b" " + b"word " * 30 + b"\n",
        b"." * 7 + b"\n\n",
        b"x\n",
        b"\n" * 17,
        b"\n x",
    ],
    "long words": [b"x" * 300, b" " + b"y" * 200, b" " * 80, b" " * 80 + b"z", b"a;" * 40, b"; b"],
    "halves": [
        b"\xe5\xa5",
        b"\xb3\xe4\xba",
        b"\xba\n",
        b"\xb3\n\n",
        b" \xf0\x9f",
        b"\x8e\xac\xcc",
        b"\x80" * 3,
        b"\xcc",
    ],
    "unseen": [
        "\u0300".encode() * 40,
        " \u0300".encode(),
        "\u3164".encode() * 9,
        "\u200b".encode() * 30 + b"\xcc",
    ],
    "whole lines": [
        b" none\n",
        b" none\n\n",
        b" day\n\n",
        b" unknown;",
        b"Mood:",
        b"\n\nSummary:",
        b" 0.0 - ",
    ],
}
ODD["all"] = [token for tokens in ODD.values() for token in tokens]


def tokenizer_of(odd: list[bytes]) -> Tokenizer:
    """A token for each byte, special ones in their midst, and odd ones; some are merged, some never made."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {b: chr(b) for b in printable} | {byte: chr(0x100 + n) for n, byte in enumerate(others)}
    alphabet = [letters[byte] for byte in range(256)]
    words: list[str] = []
    merges: list[tuple[str, str]] = []
    for token in odd:
        word = "".join(letters[byte] for byte in token)
        for end in range(2, min(len(word), 12) + 1):
            if (word[: end - 1], word[end - 1]) not in merges:
                merges.append((word[: end - 1], word[end - 1]))
                words.append(word[:end])
        words.append(word)
    vocabulary = [*alphabet[:100], *SPECIAL_TOKENS, *alphabet[100:], *dict.fromkeys(words)]
    tokenizer = Tokenizer(models.BPE({token: n for n, token in enumerate(vocabulary)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL_TOKENS])
    return tokenizer


@pytest.fixture(scope="module", params=ODD)
def odd_tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return tokenizer_of(ODD[request.param])


@pytest.fixture(scope="module")
def odd(odd_tokenizer: Tokenizer) -> TokenTable:
    stop = odd_tokenizer.token_to_id("<|im_end|>")
    assert stop == 102
    return TokenTable(odd_tokenizer, odd_tokenizer.get_vocab_size() + 5, stop, "cpu")


KINDS = [kind for kind in ALL_KINDS if kind not in NON_FINITE]


def one(slot: Text) -> Program[Got]:
    return (yield slot)


def test_texts_keep_to_their_characters_and_tokens(odd: TokenTable) -> None:
    """With ends of one token or several, wherever a token with an end in it would carry on the text."""
    for number, kind in enumerate(KINDS):
        rng = random.Random(number)
        max_tokens, max_chars = rng.choice([1, 2, 7]), rng.choice([1, 2, 5, 40])
        ends = rng.choice([("\n",), ("\n\n", STOP), ("\n", ";")])
        slot = Text(max_tokens, max_chars, ends, ";" if ";" in ends else "")
        filling = fill(
            one(slot), odd, HostileModel(kind, odd, number), [1], Sampling(rng.choice([0.0, 1.0]), number)
        )
        text = filling.result.text
        assert 1 <= len(text) <= max_chars, (kind, slot, text)
        assert text.isprintable() or not any(c < " " for c in text)
        assert filling.num_spent <= text_bound(max_tokens, max(odd.count(end.strip(STOP)) for end in ends))


def test_answers_keep_to_their_bound(odd: TokenTable) -> None:
    """Whatever the pieces cost one by one or together."""
    times_ms = tuple(range(0, 20_000, 700))
    for number, kind in enumerate(KINDS[len(odd.tokens) % 4 :: 4]):
        name = list(ANSWERS)[number % len(ANSWERS)]
        context = AnswerContext(20_033, times_ms, ("Ann", "none of them", "Bob; x", "x" * 60))
        program = program_for(ANSWERS[name], context, odd.count)
        bounded = program_for(
            ANSWERS[name],
            AnswerContext(20_033, times_ms, context.roster, None, 2 * program.record_bound),
            odd.count,
        )
        filled = run_program(bounded, odd, HostileModel(kind, odd, number), [1], Sampling(number % 2, number))
        assert len(filled.token_ids) <= filled.num_spent <= filled.token_bound


def test_a_token_of_text_and_end_counts_as_its_text() -> None:
    """A model may close exactly at the limit, by a token of the last word and the end, and no later."""
    tokenizer = tokenizer_of([b"abcd\n", b"abcde\n"])
    table = TokenTable(tokenizer, tokenizer.get_vocab_size(), 102, "cpu")
    state, slot = TextState(), Text(9, 5)
    for byte in b" x":
        table.advance(state, table.byte_id(byte))
    legal_V = table.legal_V(slot, state)
    ends = {token: bool(legal_V[n]) for n, token in enumerate(table.tokens) if token.endswith(b"\n")}
    assert ends == {b"\n": True, b"abcd\n": True, b"abcde\n": False}


def test_words_that_are_cheaper_together_are_counted_apart() -> None:
    """Where ` day` and the blank line are one token, but three each by themselves, the bound knows of six."""
    table_ = tokenizer_of([b" no\n\n"])
    table = TokenTable(table_, table_.get_vocab_size(), 102, "cpu")
    assert table.count(" no\n\n") == 1 < table.count(" no") + table.count("\n\n")

    def program() -> Program[None]:
        yield Choice((" yes\n\n", f" no{STOP}"))

    assert fill(program(), table, HostileModel("uniform", table, 0), [1]).num_spent <= 6


def test_counting_needs_no_table(odd: TokenTable, odd_tokenizer: Tokenizer) -> None:
    """Budgets are checked before a model is there, by the same count: what merges wrong is a token a byte."""
    vocabulary = Vocabulary(odd_tokenizer)
    for text in ("Mood:", " day\n\n", " <|im_end|>", "女人", " e\u0301\n", "x" * 40, "; b"):
        assert vocabulary.count(text) == odd.count(text), text


def test_byte_fallback_is_no_byte_level() -> None:
    """Tokens named `<0x0A>` stand for bytes only to another decoder: such a vocabulary is refused."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"a": 256}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
    with pytest.raises(ModelInputError, match="byte-level"):
        TokenTable(tokenizer, 300, 0, "cpu")
