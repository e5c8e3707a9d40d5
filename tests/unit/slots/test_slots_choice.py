"""Choice slots: exactly one of the options, with its probability."""

from __future__ import annotations

import math
from typing import Any

import pytest

from videoxl2.constrained.drive import Sampling, fill
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import STOP, Choice, Got, Literal, Program

TIMES = tuple(f" {n / 10:.1f} seconds\n" for n in range(3, 4000, 7))
ODD = (" e\u0301\n", " é\n", " <|im_end|>\n", " 👩‍🚀\n", " 👩\n", " a  b\n", " a\n", f" a{STOP}", "\n\n")


def choose(*options: str) -> Program[Got]:
    yield Literal("12.0 -")
    return (yield Choice(options))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("options", [TIMES, ODD], ids=["times", "odd"])
def test_the_text_is_one_of_the_options(hostile: str, options: tuple[str, ...], table: TokenTable) -> None:
    """Character for character, also where the tokenizer would normalise or see a control token."""
    for seed in range(4):
        model = HostileModel(hostile, table, seed)
        filling = fill(choose(*options), table, model, [1], Sampling(1.0, seed))
        assert filling.text == "12.0 -" + options[filling.result.index].removesuffix(STOP)
        assert filling.result.text == options[filling.result.index]


@pytest.mark.parametrize("wish", [TIMES[0], TIMES[77], TIMES[-1]])
def test_the_model_gets_what_it_wants(wish: str, table: TokenTable, wishing: Any) -> None:
    """An option that the model prefers is chosen, in the tokens that the tokenizer gives the whole text."""
    filling = fill(choose(*TIMES), table, wishing("12.0 -" + wish), [1])
    assert filling.result.text == wish
    assert filling.token_ids == table.encode(["12.0 -" + wish])[0]
    assert filling.result.stats.probability > 0.9


def test_probabilities_of_all_options_sum_to_one(table: TokenTable) -> None:
    """Each option's probability is that of its path among legal tokens; drawing follows it."""
    options = (" day\n", " night\n", " dawn\n", " dusk\n", " unknown\n")
    found: dict[str, float] = {}
    counts: dict[str, int] = {}
    for seed in range(400):
        model = HostileModel("fixed", table, 5)
        filling = fill(choose(*options), table, model, [1], Sampling(1.0, seed))
        found[filling.result.text] = filling.result.stats.probability
        counts[filling.result.text] = counts.get(filling.result.text, 0) + 1
    missing = [option for option in options if option not in found]
    assert math.isclose(sum(found.values()), 1.0, abs_tol=0.03 * (1 + len(missing)))
    for option, probability in found.items():
        assert abs(counts[option] / 400 - probability) < 5 * math.sqrt(0.25 / 400)


def test_a_single_option_costs_no_decision(table: TokenTable) -> None:
    """It is written like a literal; its statistics are neutral."""
    model = HostileModel("uniform", table, 0)
    filling = fill(choose(" 3.0 seconds\n"), table, model, [1])
    assert model.num_pushed == 0
    assert filling.result.stats.decisions == ()
    assert filling.result.stats.probability == 1.0


@pytest.mark.parametrize("options", [("a", "a b"), ("a\n", "a\n")])
def test_ambiguous_options_are_an_error(options: tuple[str, ...], table: TokenTable) -> None:
    """Two options of which one begins with the other cannot be told apart."""
    with pytest.raises(ValueError, match="begins with another"):
        fill(choose(*options), table, HostileModel("uniform", table, 0), [1])


def test_the_same_seed_draws_the_same(table: TokenTable) -> None:
    """Sampling repeats with its seed and differs with another."""

    def drawn(seed: int) -> str:
        return fill(choose(*TIMES), table, HostileModel("fixed", table, 1), [1], Sampling(5.0, seed)).text

    assert drawn(4) == drawn(4)
    assert len({drawn(seed) for seed in range(8)}) > 1
