"""Several prompts on one prefilled video, on a CPU: one after the other against all together.

    python bench/prompts.py [--threads 1] [--frames 512,1024]

Two tables. Answers: three prompts with a prefill each, with one prefill and three `generate`, with one
prefill and `generate_many`; the medium model of `model_cpu.py`. Steps: one decode step of many rows against
as many single steps, on that model's prefix and on two layers of the full-size language model behind a prefix
of random keys and values. Seconds are CPU time of the process, of steps the least of three. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from model_cpu import build, spans

from videoxl2 import VideoXL2
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.decode import Continuation
from videoxl2.generate.kv.prefix import WholePrefix
from videoxl2.generate.session import Session
from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel

PROMPTS = (
    "Split the video into scenes. For each scene give start and end in seconds and one sentence.",
    "List the main people in the video with a short visual description of each.",
    "Which moments stand out, and why?",
)
NEW_TOKENS = 64
ROWS = (1, 4, 8, 16)
SUFFIX_TOKENS = 32  # in every row before the step that is timed
FULL_SIZE_PREFIX = 16384
REPEATS = 3


@dataclass(frozen=True)
class Answers:
    prefill_s: float  # mean of three
    separate_s: float
    one_by_one_s: float  # without prefill
    together_s: float  # without prefill
    session: Session


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds, the least of a few."""
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


def answer(model: VideoXL2, frames: int) -> Answers:
    prefill_s = separate_s = 0.0
    for prompt in PROMPTS:
        started = time.process_time()
        session = replace(model.prefill(spans(frames, model.image_size)), stop_ids=frozenset())
        prefill_s += time.process_time() - started
        session.generate(prompt, max_new_tokens=NEW_TOKENS)
        separate_s += time.process_time() - started
    started = time.process_time()
    alone = [session.generate(prompt, max_new_tokens=NEW_TOKENS) for prompt in PROMPTS]
    one_by_one = time.process_time()
    many = session.generate_many(PROMPTS, max_new_tokens=NEW_TOKENS)
    together_s = time.process_time() - one_by_one
    assert [a.token_ids for a in many] == [a.token_ids for a in alone], "answers differ"
    return Answers(prefill_s / len(PROMPTS), separate_s, one_by_one - started, together_s, session)


def print_answers(frames: int, a: Answers) -> None:
    one_by_one, together = (a.prefill_s + s for s in (a.one_by_one_s, a.together_s))
    one = a.prefill_s + a.one_by_one_s / len(PROMPTS)
    print(
        f"| {frames} | {a.session.num_tokens} | {a.prefill_s:.2f} | {a.separate_s:.2f} "
        f"| {one_by_one:.2f} | {together:.2f} | {one_by_one / a.separate_s:.2f} "
        f"| **{together / a.separate_s:.2f}** | {together / one:.2f} "
        f"| {a.one_by_one_s:.2f} | {a.together_s:.2f} |",
        flush=True,
    )


def print_steps(name: str, language: LanguageModel, cache: KVCache) -> None:
    """One step of B rows against B single steps, each behind a few tokens of its own."""
    suffix = list(range(5, 5 + SUFFIX_TOKENS))
    with Continuation(language, cache) as continuation:
        continuation.push(suffix)

        def single() -> None:
            continuation.push([7])
            continuation.back_to(SUFFIX_TOKENS)

        def four() -> None:
            for _ in range(4):
                single()

        single_s = seconds(four) / 4
    for num_rows in ROWS:
        with Rows(language, WholePrefix(cache), cache.shape, num_rows, room=SUFFIX_TOKENS + 1) as rows:
            rows.push([suffix] * num_rows)
            together_s = seconds(lambda rows=rows: step(rows))  # type: ignore[misc]
        ratio = together_s / (num_rows * single_s)
        print(
            f"| {name} | {cache.length} | {num_rows} | {together_s * 1e3:.1f} "
            f"| {num_rows * single_s * 1e3:.1f} | **{ratio:.2f}** |",
            flush=True,
        )


def step(rows: Rows) -> None:
    rows.push([[7]] * rows.num_rows)
    for row in range(rows.num_rows):
        rows.back_to(row, SUFFIX_TOKENS)


def full_size_layers() -> tuple[LanguageModel, KVCache]:
    """Two layers of the published sizes with a small vocabulary, behind keys and values of noise."""
    with torch.device("meta"):
        language = LanguageModel(replace(LanguageConfig(), num_layers=2, vocab_size=1024))
    language = language.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for parameter in language.parameters():
        # Uniform: much faster to draw than normal, and what the numbers are does not matter here.
        width = parameter.shape[-1] ** -0.5
        parameter.data.uniform_(-width, width, generator=generator)
    cache = KVCache(language.cache_shape, torch.device("cpu"), capacity=FULL_SIZE_PREFIX + 256)
    for layer in range(2):
        shape = (language.config.num_kv_heads, FULL_SIZE_PREFIX, language.config.head_dim)
        cache.write(layer, torch.randn(shape, generator=generator), torch.randn(shape, generator=generator))
    cache.advance(FULL_SIZE_PREFIX)
    return language, cache


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", default="512,1024")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}, threads {arguments.threads}, ", end="")
    print(f"torch {torch.__version__}, float32; {len(PROMPTS)} answers of {NEW_TOKENS} tokens\n")
    model = build("medium")
    model.prefill(spans(8, model.image_size)).generate_many(PROMPTS, max_new_tokens=2)  # first-use costs
    print("| frames | tokens | one prefill s | three prefills s | one prefill, one by one s ", end="")
    print(
        "| one prefill, together s | one by one / three | together / three | together / one prompt ", end=""
    )
    print(f"| decode one by one s | decode together s |\n|{'---|' * 11}", flush=True)
    sessions = []
    for frames in (int(n) for n in arguments.frames.split(",")):
        answers = answer(model, frames)
        print_answers(frames, answers)
        sessions.append(answers.session)
    print("\n| language model | prefix | rows | one step of all ms | as many single steps ms | ratio |")
    print(f"|{'---|' * 6}", flush=True)
    for session in sessions:
        print_steps("medium", session.language, session.cache)
    print_steps("two full-size layers", *full_size_layers())


if __name__ == "__main__":
    main()
