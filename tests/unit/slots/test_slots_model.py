"""Programs with a model in the loop: random weights, a prefilled video, one program or many rows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from jobs.prompts.checks import check_records
from jobs.prompts.program.programs import filled, program_for, run_program
from jobs.prompts.program.times import AnswerContext
from schemas.answers import ANSWERS
from videoxl2 import VideoXL2
from videoxl2.constrained.drive import Sampling, fill_rows
from videoxl2.constrained.masks import TokenTable
from videoxl2.generate.session import Session
from videoxl2.random_checkpoint import write_random_checkpoint

NUM_FRAMES = 24
CONTEXT = AnswerContext(
    NUM_FRAMES * 1000, tuple(range(0, NUM_FRAMES * 1000, 1000)), ("a man", "the dog"), None, 450
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> VideoXL2:
    return VideoXL2.from_pretrained(write_random_checkpoint(Path(tmp_path_factory.mktemp("checkpoint"))))


@pytest.fixture(scope="module")
def model_table(model: VideoXL2) -> TokenTable:
    tokenizer = model.vocabulary.tokenizer
    assert tokenizer is not None
    stop = tokenizer.token_to_id("<|im_end|>")
    assert stop is not None
    return TokenTable(tokenizer, model.config.language.vocab_size, stop, "cpu")


def watch(model: VideoXL2, seed: int) -> Session:
    frames = np.random.default_rng(seed).integers(0, 256, (NUM_FRAMES, 112, 112, 3), dtype=np.uint8)
    pts_ms = np.arange(NUM_FRAMES, dtype=np.int64) * 1000
    spans: Any = [SimpleNamespace(frames=frames, pts_ms=pts_ms)]
    return model.prefill(spans)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("temperature", [0.0, 0.7, 3.0])
def test_random_weights_give_valid_answers(
    seed: int, temperature: float, model: VideoXL2, model_table: TokenTable
) -> None:
    """Every answer type on one prefilled video, which is bit for bit the same afterwards."""
    session = watch(model, seed)
    before = session.generate("What happens?", max_new_tokens=8)
    for name, answer in ANSWERS.items():
        program = program_for(answer, CONTEXT, model_table.count)
        prompt_ids = session.vocabulary.suffix_ids(f"List the {name}.")
        with session.start() as continuation:
            done = run_program(program, model_table, continuation, prompt_ids, Sampling(temperature, seed))
        check_records(done.records, CONTEXT.duration_ms, CONTEXT.roster)
        assert done.num_spent <= done.token_bound
    assert session.generate("What happens?", max_new_tokens=8) == before


@pytest.mark.parametrize("width", [1, 64])
def test_many_rows_say_what_each_says_alone(width: int, model: VideoXL2, model_table: TokenTable) -> None:
    """Programs of all types on two rows, refilled as they end: the same greedy tokens as one by one."""
    session = watch(model, 3)
    programs = [program_for(answer, CONTEXT, model_table.count) for answer in ANSWERS.values()]
    prompts = [session.vocabulary.suffix_ids(f"Question {n}?") for n in range(len(programs))]
    alone = []
    for program, prompt_ids in zip(programs, prompts, strict=True):
        with session.start() as continuation:
            alone.append(run_program(program, model_table, continuation, prompt_ids))
    pairs = [(program.slots(), prompt_ids) for program, prompt_ids in zip(programs, prompts, strict=True)]
    with session.start_rows(2) as rows:
        together = fill_rows(pairs, model_table, rows, width=width)
    for program, one, filling in zip(programs, alone, together, strict=True):
        assert filled(program, filling).token_ids == one.token_ids


def test_jobs_load_no_torch_for_programs() -> None:
    """The driver plans answers without the model's libraries; only filling one loads them."""
    import subprocess
    import sys

    code = (
        "import jobs.prompts.program.programs, videoxl2.constrained.slots, sys\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert torch.__name__ == "torch"
