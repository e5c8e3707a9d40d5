"""Numbers that are none end in the promised error, before a token is drawn among them; large ones do not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from videoxl2.constrained.choose import choose_rows
from videoxl2.constrained.drive import Sampling, fill, fill_rows
from videoxl2.constrained.fill import Ask
from videoxl2.constrained.hostile import HUGE, NON_FINITE, HostileModel, HostileRows
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.picking import pick
from videoxl2.constrained.slots import Choice, Json, Program, Text
from videoxl2.errors import ModelInputError, NonFiniteError
from videoxl2.frames import FrameSpan
from videoxl2.generate.blind import blind_logprobs
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.random_checkpoint import write_random_checkpoint

TEMPERATURES = [0.0, 1e-6, 0.5, 1.0, 30.0]
PLATE = '{"type":"string","maxLength":9}'


def program() -> Program[None]:
    for _ in range(9):
        yield Text(9, 90)
        yield Json(PLATE, 9)
        yield Choice(("yes\n", "no\n", "maybe\n"))


@pytest.mark.parametrize("kind", NON_FINITE)
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_every_slot_tells(kind: str, temperature: float, table: TokenTable) -> None:
    """On one row and on many; a single such number among thousands is enough, legal or not."""
    for seed in range(3):
        sampling = Sampling(temperature, seed)
        with pytest.raises(NonFiniteError):
            fill(program(), table, HostileModel(kind, table, seed), [1], sampling)
        with pytest.raises(NonFiniteError):
            fill_rows([(program(), [1])] * 3, table, HostileRows(kind, table, seed, 2), sampling)


@pytest.mark.parametrize("broken", NON_FINITE.values())
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_only_the_row_with_such_a_number_is_lost(
    broken: float, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `multinomial`, which such numbers crash a GPU in, never sees one."""
    draw = torch.multinomial

    def checked(chances: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        assert chances.isfinite().all()
        return draw(chances, *args, **kwargs)

    monkeypatch.setattr(torch, "multinomial", checked)
    logits_BV = torch.randn(3, 20, generator=torch.Generator().manual_seed(0))
    logits_BV[1, 7] = broken
    asked, generators = [Ask(0, (), (1, 2, 3))] * 3, [torch.Generator().manual_seed(n) for n in range(3)]
    picked = pick(logits_BV, asked, generators, temperature)
    assert [one is None for one in picked] == [False, True, False]
    assert all(one.token in (1, 2, 3) and math.isfinite(one.logprob) for one in picked if one)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_large_numbers_are_numbers(temperature: float, table: TokenTable) -> None:
    """Finite logits give finite statistics, however far apart they are."""
    for seed in range(3):
        filling = fill(
            program_of_stats(), table, HostileModel(HUGE, table, seed), [1], Sampling(temperature, seed)
        )
        stats = filling.result
        figures = (stats.mean_logprob, stats.min_logprob, stats.allowed_mass, stats.probability)
        assert all(map(math.isfinite, figures))


def program_of_stats() -> Program[Any]:
    return (yield Text(9, 90)).stats


@pytest.mark.parametrize("temperature", [-1.0, 1e-30, 1e30, math.nan, math.inf])
def test_temperatures_that_mean_nothing_are_refused(temperature: float) -> None:
    """Dividing by them would give such numbers."""
    with pytest.raises(ModelInputError, match="temperature"):
        Sampling(temperature)


def test_no_legal_token_is_a_fault_of_ours() -> None:
    """It is not blamed on the weights."""
    with pytest.raises(ValueError, match="no token is legal"):
        pick(torch.zeros(1, 9), [Ask(0, (), torch.zeros(9, dtype=torch.bool))], [torch.Generator()], 1.0)


@pytest.mark.parametrize("broken", NON_FINITE.values())
def test_the_network_tells_on_every_way(broken: float, tmp_path: Path) -> None:
    """Plain answers, one and many; choices; and the reading without the video. The session lives on."""
    model = VideoXL2.from_pretrained(write_random_checkpoint(tmp_path, seed=2))
    size = model.image_size
    pictures = np.random.default_rng(0).integers(0, 255, (4, size, size, 3), np.uint8)
    times_ms, zeros = np.arange(4) * 1000, np.zeros(4, np.uint8)
    session = model.prefill([FrameSpan(0, pictures, times_ms, np.arange(4, dtype=np.int32), zeros, (), 0.0)])
    table, ids = TokenTable.of(model), model.vocabulary.suffix_ids("Who?")
    logits_of = type(model.network.language).logits

    def poisoned(self: Any, x_TD: Tensor) -> Tensor:
        logits_TV = logits_of(self, x_TD)
        logits_TV[-1, 3] = broken
        return logits_TV

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(model.network.language), "logits", poisoned)
        with pytest.raises(NonFiniteError):
            session.generate("Who?", max_new_tokens=2)
        with pytest.raises(NonFiniteError):
            session.generate_many(["Who?", "Why?"], max_new_tokens=2)
        with pytest.raises(NonFiniteError):
            blind_logprobs(model, ids, [1, 2, 3])
        with session.start_rows(2) as rows, pytest.raises(NonFiniteError):
            choose_rows([(ids, ("A", "B"))] * 2, table, rows)
        with session.start() as continuation, pytest.raises(NonFiniteError):
            fill(program(), table, continuation, ids, Sampling(1.0))
    assert session.generate("Who?", max_new_tokens=2).token_ids
