"""The full 8B model with random weights on one CUDA GPU, in bfloat16, with goals beside the figures.

    python bench/model_gpu.py [--frames 512,2048,10000] [--seconds 330] [--device cuda] [--size full]
        [--weight-bits 16]

Weights are drawn on the device, frames are noise already at the model's size, so nothing is read or
downloaded. Each row is printed as soon as it is measured; sections that would start after `--seconds` are
skipped and said so. Sections: correctness on this device, the card's own matmul and copy rates, seconds and
MFU per stage, decode steps by rows, dense and bi-level, three prompts on one prefill. Goals are what the card
itself does: floors are operations over its matmul rate and bytes over its copy rate. With `--device cpu` and
`--size small` all of it runs anywhere, to try the script.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from model_cpu import medium_config
from model_gpu_card import Card, measure_card, stage_flops
from safetensors.torch import load_file

from videoxl2 import BiLevelOptions, ModelError, PrefillOptions, VideoXL2
from videoxl2.generate.decoding.decode_step import StepRecorder
from videoxl2.generate.session import Session
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.weight_bits import BITS, FULL_BITS
from videoxl2.network.footprint import RESERVED, Answers, footprint
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.layers.attention import attention, attention_lse, merge
from videoxl2.network.memory import PeakMemory, device_name, release_unused
from videoxl2.random_checkpoint import build_tokenizer, random_network, small_config

GOLDEN = Path(__file__).parents[1] / "tests" / "data" / "golden"
PROMPTS = (
    "Split the video into scenes. For each scene give start and end in seconds and one sentence.",
    "List the main people in the video with a short visual description of each.",
    "Which moments stand out, and why?",
)
BILEVEL = BiLevelOptions(chunk_groups=6, top_chunks=8)
STEP_ROWS = (1, 8, 32)
STEP_ROOM = 256


def spans(num_frames: int, size: int) -> Iterator[SimpleNamespace]:
    """The same 64 noise frames over and over, two frames a second."""
    frames = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    for first in range(0, num_frames, 64):
        count = min(64, num_frames - first)
        yield SimpleNamespace(frames=frames[:count], pts_ms=np.arange(first, first + count) * 500)


def timed_prefill(card: Card, model: VideoXL2, frames: int, options: PrefillOptions) -> tuple[Session, float]:
    card.wait()
    started = time.perf_counter()
    session = model.prefill(spans(frames, model.image_size), prefill=options)
    card.wait()
    seconds = time.perf_counter() - started
    return replace(session, stop_ids=frozenset()), seconds  # every answer has as many tokens


def timed_answers(card: Card, session: Session, prompts: tuple[str, ...]) -> float:
    started = time.perf_counter()
    for prompt in prompts:
        session.generate(prompt, max_new_tokens=card.new_tokens)
    card.wait()
    return time.perf_counter() - started


def check_device(card: Card) -> None:
    """Golden ids on this device in float32, recorded decode steps against plain passes, rows against one."""
    check_merge(card.device)
    equal = total = 0
    for folder in sorted(p for p in GOLDEN.iterdir() if p.is_dir()):
        model = VideoXL2.from_pretrained(folder, device=card.device, dtype="float32")
        inputs = load_file(folder / "inputs.safetensors")
        for case in json.loads((folder / "cases.json").read_text()):
            for run in case.get("streaming", []):
                name = case["name"]
                span = SimpleNamespace(
                    frames=inputs[f"{name}.frames"].numpy(),
                    pts_ms=np.round(inputs[f"{name}.times"].numpy() * 1000).astype(np.int64),
                )
                options = PrefillOptions("streaming", run["block_size"], run["prev_blocks"])
                session = model.prefill([span], prefill=options, prefix_ids=case["prefix_ids"])
                answer = session.generate(case["question_ids"], max_new_tokens=case["new_tokens"])
                want = load_file(folder / "streaming.safetensors")[f"{name}.{run['tag']}.generated_ids"]
                equal += answer.token_ids == tuple(want.tolist())
                total += 1
                quick = replace(session, recorder=StepRecorder(card.device, plain_first=0))
                recorded = quick.generate(case["question_ids"], max_new_tokens=case["new_tokens"])
                assert recorded.token_ids == answer.token_ids, "recorded decode step differs"
                rows = session.generate_many([case["question_ids"]] * 3, max_new_tokens=case["new_tokens"])
                assert {row.token_ids for row in rows} == {answer.token_ids}, "rows differ"
    print(f"golden streaming runs with equal ids on this device: {equal} of {total}\n", flush=True)


def check_merge(device: torch.device) -> None:
    """Attention over two halves of the keys, merged, in bfloat16 at full size, against attention over all."""
    q = torch.randn(28, 1, 128, device=device, dtype=torch.bfloat16)
    k, v = torch.randn(2, 4, 3000, 128, device=device, dtype=torch.bfloat16)
    halves = [
        attention_lse(q[None], k[None, :, at], v[None, :, at]) for at in (slice(2900), slice(2900, 3000))
    ]
    difference = merge(*halves[0], *halves[1])[0] - attention(q, k, v)
    assert difference.abs().max() < 0.01, "merged attention differs"


def prefill_rows(card: Card, model: VideoXL2, sizes: list[int], late: float) -> None:
    print("| frames | prefill | tokens | vision s | DTS s | LLM s | end to end s | floor s ", end="")
    print(f"| MFU vision / DTS / LLM | peak GB | by formula |\n|{'---|' * 11}")
    for frames in sizes:
        for mode in ("streaming", "full"):
            if time.monotonic() > late or (mode == "full" and frames > 512):
                print(f"| {frames} | {mode} | not run |", flush=True)
                continue
            try:
                print(f"| {frames} | {mode} | {prefill_row(card, model, frames, mode)} |", flush=True)
            except ModelError as error:
                print(f"| {frames} | {mode} | {error} |", flush=True)
            release_unused(card.device)


def prefill_row(card: Card, model: VideoXL2, frames: int, mode: str) -> str:
    memory = PeakMemory(card.device)
    memory.begin()
    options = PrefillOptions(mode, expected_frames=frames)  # type: ignore[arg-type]
    session, wall = timed_prefill(card, model, frames, options)
    peak = memory.num_bytes()
    said = footprint(model.config, frames, itemsize=model.dtype.itemsize, answers=Answers(rows=0))
    seconds = session.stage_seconds()
    flops = stage_flops(model.config, session, None if mode == "full" else 14)
    mfu = {stage: flops[stage] / seconds[stage] / card.flops for stage in ("vision", "dts", "prefill")}
    floor = sum(flops.values()) / card.flops
    if mode == "streaming":
        card.compare("MFU of vision", str(frames), mfu["vision"])
        card.compare("MFU of DTS", str(frames), mfu["dts"])
        card.compare("MFU of the language model", str(frames), mfu["prefill"])
        card.compare("end to end over its floor", str(frames), wall / floor)
        card.compare("peak over what footprint.py says", str(frames), peak / said.total)
        step_rows(card, model, session)
    cells = [f"{session.num_tokens}", *(f"{seconds[stage]:.2f}" for stage in mfu), f"{wall:.2f}"]
    cells += [f"{floor:.2f}", " / ".join(f"{share:.0%}" for share in mfu.values()), f"{peak / 1e9:.1f}"]
    return " | ".join([*cells, f"{(said.total - RESERVED) / 1e9:.1f}", *session.degraded])


def step_rows(card: Card, model: VideoXL2, session: Session) -> None:
    """Milliseconds of one decode step of many rows behind the same video, dense and bi-level."""
    selection = session.select(PROMPTS[0], BILEVEL)
    weights = footprint(
        model.config, 0, itemsize=model.dtype.itemsize
    ).weights  # the tower's are the smaller part
    frames = str(session.num_frames)
    for num_rows in STEP_ROWS:
        dense = step_seconds(card, session, num_rows, [])
        pooled = step_seconds(card, session, num_rows, [selection] * num_rows)
        floor = (weights + session.kv_bytes) / card.bytes
        print(
            f"{frames} frames, {num_rows} rows: dense {dense * 1e3:.2f} ms a step (floor {floor * 1e3:.2f}), "
            f"bi-level {pooled * 1e3:.2f} ms",
            flush=True,
        )
        if num_rows == 8:
            card.compare("a step of 8 rows over its floor", frames, dense / floor)
            card.compare("a bi-level step over a dense one", frames, pooled / dense)


def step_seconds(card: Card, session: Session, num_rows: int, selections: list) -> float:
    with session.start_rows(num_rows, selections, room=STEP_ROOM) as rows:
        rows.push([[5] * 64] * num_rows)
        for _ in range(8):
            rows.push([[7]] * num_rows)  # records the step
        card.wait()
        started = time.perf_counter()
        for _ in range(32):
            rows.push([[7]] * num_rows)
        card.wait()
        return (time.perf_counter() - started) / 32


def prompt_rows(card: Card, model: VideoXL2, frames: int) -> None:
    """Three prompts on one prefill, against one prompt and against three prefills."""
    options = PrefillOptions(expected_frames=frames)
    session, prefill = timed_prefill(card, model, frames, options)
    session.generate_many(PROMPTS, max_new_tokens=2)
    one = prefill + timed_answers(card, session, PROMPTS[:1])
    one_by_one = prefill + timed_answers(card, session, PROMPTS)
    started = time.perf_counter()
    session.generate_many(PROMPTS, max_new_tokens=card.new_tokens)
    card.wait()
    together = prefill + time.perf_counter() - started
    plain = card.new_tokens / timed_answers(card, replace(session, recorder=None), PROMPTS[:1])
    card.compare("three prompts together over one", str(frames), together / one)
    separate = f"one by one {one_by_one:.2f} s ({one_by_one / one:.2f}x)"
    print(
        f"\n{frames} frames, answers of {card.new_tokens} tokens: one prompt {one:.2f} s, three on one ",
        end="",
    )
    print(f"prefill together {together:.2f} s ({together / one:.2f}x), {separate}; ", end="")
    print(f"decode without recorded steps: {plain:.0f} tok/s", flush=True)


def config_of(size: str) -> ModelConfig:
    vocab = build_tokenizer().get_vocab_size()
    if size == "full":
        return ModelConfig()
    return small_config(0, vocab) if size == "small" else medium_config(vocab)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", default="512,2048,10000")
    parser.add_argument("--seconds", type=float, default=330)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", choices=("full", "medium", "small"), default="full")
    parser.add_argument("--weight-bits", type=int, choices=BITS, default=FULL_BITS)
    arguments = parser.parse_args()
    late = time.monotonic() + arguments.seconds
    if arguments.device == "cpu":
        torch.set_num_threads(1)
    card = Card(torch.device(arguments.device), new_tokens=128 if arguments.size == "full" else 8)
    print(
        f"{device_name(card.device)}, torch {torch.__version__}, {arguments.size} model, random weights, "
        f"{arguments.weight_bits} bits"
    )
    check_device(card)
    measure_card(card)
    network = random_network(config_of(arguments.size), seed=0, device=arguments.device)
    if arguments.weight_bits != FULL_BITS:
        network.config = network.config.with_weight_bits(arguments.weight_bits)
        for index in range(network.config.language.num_layers):
            network.language.quantise_layer(index, arguments.weight_bits)
    model = VideoXL2(network, Vocabulary(build_tokenizer()), "bench")
    timed_answers(card, timed_prefill(card, model, 64, PrefillOptions())[0], PROMPTS[:1])  # first-use costs
    sizes = [int(n) for n in arguments.frames.split(",")]
    prefill_rows(card, model, sizes, late)
    if time.monotonic() < late:
        prompt_rows(card, model, min(2048, max(sizes)))
    card.print_goals()


if __name__ == "__main__":
    main()
