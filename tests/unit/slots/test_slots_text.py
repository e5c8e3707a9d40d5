"""Text slots: what may stand in them, how they end, and what is noticed on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoxl2.constrained.drive import fill
from videoxl2.constrained.fill import Filling, is_looping
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import STOP, Back, Choice, Got, Literal, Program, Text, text_bound
from videoxl2.constrained.token_bytes import Utf8, token_bytes, walk
from videoxl2.errors import ModelInputError, NonFiniteError

BARRED = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"}
BARRED |= {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def one(*slots: Any) -> Program[Got]:
    got = Got()
    for slot in slots:
        got = yield slot
    return got


def is_legal(raw: bytes) -> bool:
    """What the automaton is to accept: strict UTF-8 without line breaks, controls and overrides."""
    try:
        return not BARRED & set(raw.decode("utf-8", "strict"))
    except UnicodeDecodeError:
        return False


def test_single_characters_are_legal_where_python_reads_text() -> None:
    """Every character of the first blocks, and those at the borders of UTF-8's lengths."""
    samples = [chr(n).encode() for n in range(0x3000) if not 0xD800 <= n < 0xE000]
    samples += [chr(n).encode() for n in (0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x1F3AC, 0x10FFFF)]
    for raw, state in zip(samples, walk(samples)[Utf8.START], strict=True):
        assert (state == Utf8.START) == is_legal(raw), raw


@given(
    st.lists(st.binary(min_size=1, max_size=4) | st.text(min_size=1, max_size=3).map(str.encode), min_size=1)
)
def test_bytes_are_legal_exactly_where_python_reads_text(samples: list[bytes]) -> None:
    """Whole texts and halves of characters, side by side as the tokens of a vocabulary are."""
    for raw, state in zip(samples, walk(samples)[Utf8.START], strict=True):
        assert (state == Utf8.START) == is_legal(raw), raw


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(("max_tokens", "max_chars"), [(1, 1), (1, 40), (5, 3), (12, 400)])
def test_texts_keep_to_their_caps(hostile: str, max_tokens: int, max_chars: int, table: TokenTable) -> None:
    """At most so many tokens and characters, visible, none forbidden, and one blank before them."""
    slot = Text(max_tokens, max_chars, ("\n", ";"), ";%")
    for seed in range(5):
        filling = fill(one(slot), table, HostileModel(hostile, table, seed), [1])
        text = filling.result.text
        assert 1 <= len(text) <= max_chars
        assert text.strip() == text
        assert not set(text) & (BARRED | {";", "%"})
        assert filling.text[0] == " "
        assert filling.text[-1] == slot.ends[filling.result.index]
        assert filling.num_spent <= text_bound(max_tokens, 1)


def test_a_text_that_ends_by_itself_is_untouched(table: TokenTable, wishing: Any) -> None:
    """Nothing is flagged, and its tokens are those the tokenizer gives the whole line."""
    filling = fill(
        one(Literal("Title:"), Text(20, 120)), table, wishing("Title: a man in red – 3 🎬.\n"), [1]
    )
    assert filling.text == "Title: a man in red – 3 🎬.\n"
    assert filling.token_ids == table.encode([filling.text])[0]
    assert filling.result.text == "a man in red – 3 🎬."
    stats = filling.result.stats
    assert (stats.truncated, stats.looped) == (False, False)
    assert stats.min_logprob <= stats.mean_logprob < 0
    assert 0.9 < stats.min_allowed_mass <= stats.allowed_mass <= 1.00001


def test_a_text_out_of_tokens_is_closed_and_says_so(table: TokenTable, wishing: Any) -> None:
    """The host writes the end; half a character is completed first."""
    filling = fill(one(Text(2, 120)), table, wishing(" 🎬🎬🎬"), [1])
    assert filling.result.stats.truncated
    assert filling.text.endswith("\n")
    assert len(filling.result.text) == 1


def test_the_model_says_how_a_closed_text_ends(table: TokenTable, wishing: Any) -> None:
    """Where several ends are possible, closing a text leaves the choice among them."""
    for end in ("\n\n", STOP):
        slot = Text(3, 120, ("\n\n", STOP))
        filling = fill(one(slot), table, wishing(f" the the the{end.strip(STOP)}"), [1])
        assert slot.ends[filling.result.index] == end


def test_unlikely_answers_show_in_the_mass(table: TokenTable) -> None:
    """A model that wants something else leaves little probability to what is legal."""
    filling = fill(one(Text(4, 40)), table, HostileModel("special and padded", table, 0), [1])
    assert filling.result.stats.allowed_mass < 0.1


CLEAN = """He walks, she walks, they walk; and the dog, the cat and the bird walk on and on through the long
long street. No, no, no! The score is 21 to 12, then 22 to 13, then 23 to 14. A very, very, very old man;
ha ha ha ha. One step, two steps, three steps, four steps. The red car, the red bus, the red bike. Ring
ring... ring ring."""


def test_clean_text_is_no_loop(table: TokenTable) -> None:
    """Rhythm and lists are not taken for a loop, at any prefix."""
    ids = table.encode([CLEAN.replace("\n", " ")])[0]
    assert not any(is_looping(ids[:n]) for n in range(len(ids)))


@pytest.mark.parametrize("period", [1, 2, 3, 5, 8, 10])
def test_a_loop_is_noticed_soon(period: int) -> None:
    """Within 32 tokens of its start for periods up to 10; three times the period for longer ones."""
    start = list(range(100, 117))
    loop = list(range(period)) * 40
    noticed = next(n for n in range(200) if is_looping(start + loop[:n]))
    assert noticed <= max(12, 3 * period) <= 32
    assert is_looping(start + list(range(24)) * 3)
    assert not is_looping(start + list(range(25)) * 3)


def test_a_looping_text_is_closed(table: TokenTable, wishing: Any) -> None:
    """The text ends early, flagged."""
    filling = fill(one(Text(200, 2000)), table, wishing(" the dog" * 90), [1])
    assert filling.result.stats.looped
    assert not filling.result.stats.truncated
    assert len(filling.token_ids) < 40


def test_what_is_taken_back_was_never_there(table: TokenTable) -> None:
    """After `Back` the model reads on from there, also when nothing new is written before its next choice."""

    def program() -> Program[None]:
        first = yield Choice(("yes\n", "no\n"))
        yield Text(9, 90)
        yield Back(first.num_tokens)
        yield Choice(("left\n", "right\n"))

    model = HostileModel("uniform", table, 3)
    filling: Filling[None] = fill(program(), table, model, [1, 2])
    assert filling.text in {f"{a}\n{b}\n" for a in ("yes", "no") for b in ("left", "right")}
    assert filling.num_spent > len(filling.token_ids)
    read = tuple(model.token_ids[2:])
    assert read == filling.token_ids[: len(read)]


def test_mistakes_in_a_slot_are_named() -> None:
    """No room, no end, ends that the text could contain, or forbidden characters that are no byte."""
    good: dict[str, Any] = {"max_tokens": 5, "max_chars": 5}
    for bad in (
        {"max_tokens": 0},
        {"max_chars": 0},
        {"ends": ()},
        {"ends": (";",)},
        {"forbidden": "é"},
    ):
        with pytest.raises(ValueError, match=r"text|ASCII"):
            Text(**good | bad)


def test_broken_weights_are_an_error(table: TokenTable) -> None:
    """NaN is never turned into an answer."""

    class Broken(HostileModel):
        def push(self, token_ids: Any) -> Any:
            return super().push(token_ids) * float("nan")

    with pytest.raises(NonFiniteError):
        fill(one(Text(5, 50)), table, Broken("uniform", table, 0), [1])


def test_only_byte_level_tokenizers_are_taken() -> None:
    """A tokenizer without a token for every byte is refused with a remedy."""
    from tokenizers import Tokenizer, models

    with pytest.raises(ModelInputError, match="byte-level"):
        token_bytes(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), 10)
