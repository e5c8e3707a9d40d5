"""The choice among options on many rows, against the slot that chooses one at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from videoxl2.constrained.choose import choose_rows
from videoxl2.constrained.drive import fill
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import Choice, Got, Program
from videoxl2.frames import FrameSpan
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.random_checkpoint import write_random_checkpoint

QUESTIONS = ("Who?", "What is this, and why is it there?", "When?", "Where was the dog?", "How many?")
LETTERS = [("A", "B", "C", "D"), ("A", "B"), ("A", "B", "C", "D", "E", "F"), ("A", "B", "C"), ("A", "B")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: Any) -> SimpleNamespace:
    """Untrained weights, four pictures of noise, and five questions with their letters."""
    folder: Path = write_random_checkpoint(tmp_path_factory.mktemp("weights"), seed=7)
    model = VideoXL2.from_pretrained(folder, device="cpu")
    size = model.image_size
    pictures = np.random.default_rng(0).integers(0, 255, (4, size, size, 3), np.uint8)
    times = np.arange(4) * 1000
    span = FrameSpan(0, pictures, times, np.arange(4, dtype=np.int32), np.zeros(4, np.uint8), (), 0.0)
    stop_id = model.vocabulary.tokenizer.token_to_id("<|im_end|>")
    return SimpleNamespace(
        session=model.prefill([span]),
        table=TokenTable(model.vocabulary.tokenizer, model.config.language.vocab_size, stop_id, model.device),
        questions=[
            (model.vocabulary.suffix_ids(text), letters)
            for text, letters in zip(QUESTIONS, LETTERS, strict=True)
        ],
    )


def choose(options: tuple[str, ...]) -> Program[Got]:
    return (yield Choice(options))


@pytest.mark.parametrize("num_rows", [1, 2, 5, 8])
def test_every_choice_is_that_of_a_slot(asked: SimpleNamespace, num_rows: int) -> None:
    """Same option, probability and mass, however many rows there are for five questions."""
    with asked.session.start_rows(num_rows) as rows:
        chosen = choose_rows(asked.questions, asked.table, rows)
    for one, (prompt_ids, letters) in zip(chosen, asked.questions, strict=True):
        with asked.session.start() as continuation:
            got = fill(choose(letters), asked.table, continuation, prompt_ids).result
        assert one.index == got.index
        assert len(one.probabilities) == len(letters)
        assert sum(one.probabilities) == pytest.approx(1)
        assert one.probabilities[one.index] == pytest.approx(got.stats.probability, rel=1e-4)
        assert one.allowed_mass == pytest.approx(got.stats.allowed_mass, rel=1e-4)


def test_options_that_begin_alike_are_refused(asked: SimpleNamespace) -> None:
    """Their first token would not tell them apart."""
    with asked.session.start_rows(1) as rows, pytest.raises(ValueError, match="begin with the same token"):
        choose_rows([(asked.questions[0][0], (" 1.0", " 1.5"))], asked.table, rows)
