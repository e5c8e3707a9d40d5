"""The full 8B model with random weights on one CUDA GPU, in bfloat16.

    python bench/model_gpu.py [--frames 512,2048,10000] [--seconds 450]

Weights are drawn on the device, frames are noise already at the model's size, so nothing is read or
downloaded. Each table row is printed as soon as it is measured; sections that would start after `--seconds`
are skipped and said so. Sections: correctness on this device, the card's own matmul rate, seconds and MFU per
stage and full against chunk prefill, decoding, three prompts on one prefill together and one by one, decode
steps of many rows.
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
from safetensors.torch import load_file

from videoxl2 import BiLevelOptions, ModelError, PrefillOptions, VideoXL2
from videoxl2.generate.session import Session
from videoxl2.network.attention import attention, attention_lse, merge
from videoxl2.network.config import GROUP_FRAMES, ModelConfig
from videoxl2.network.tokens import Vocabulary
from videoxl2.random_checkpoint import build_tokenizer, random_network

GOLDEN = Path(__file__).parents[1] / "tests" / "data" / "golden"
PROMPTS = (
    "Split the video into scenes. For each scene give start and end in seconds and one sentence.",
    "List the main people in the video with a short visual description of each.",
    "Which moments stand out, and why?",
)
NEW_TOKENS = 128
BILEVEL = BiLevelOptions(chunk_groups=6, top_chunks=8)


def spans(num_frames: int, size: int) -> Iterator[SimpleNamespace]:
    """The same 64 noise frames over and over, two frames a second."""
    frames = np.random.default_rng(0).integers(0, 256, (64, size, size, 3), dtype=np.uint8)
    for first in range(0, num_frames, 64):
        count = min(64, num_frames - first)
        yield SimpleNamespace(frames=frames[:count], pts_ms=np.arange(first, first + count) * 500)


def timed_prefill(model: VideoXL2, frames: int, options: PrefillOptions) -> tuple[Session, float]:
    torch.cuda.synchronize()
    started = time.perf_counter()
    session = model.prefill(spans(frames, model.image_size), prefill=options)
    torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    return replace(session, stop_ids=frozenset()), seconds  # every answer has NEW_TOKENS tokens


def timed_answers(session: Session, prompts: tuple[str, ...], bilevel: BiLevelOptions | None = None) -> float:
    started = time.perf_counter()
    for prompt in prompts:
        session.generate(prompt, max_new_tokens=NEW_TOKENS, bilevel=bilevel)
    torch.cuda.synchronize()
    return time.perf_counter() - started


def matmul_tflops() -> float:
    """What this card does on an 8192-cube bfloat16 product; MFU below is against it."""
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        a @ b
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(50):
        a @ b
    torch.cuda.synchronize()
    return 50 * 2 * 8192**3 / (time.perf_counter() - started) / 1e12


def stage_flops(config: ModelConfig, session: Session, previous_groups: int | None) -> dict[str, float]:
    """Multiply-adds as two operations; attention of the language model counted per visible pair."""
    v, d, groups = config.vision, config.language, session.layout.num_groups
    frames, patches, width = groups * GROUP_FRAMES, v.patches_per_side**2, v.hidden_size
    per_layer = patches * 2 * (4 * width**2 + 2 * width * v.intermediate_size) + 4 * patches**2 * width
    vision = frames * (v.num_layers * per_layer + 2 * patches * 3 * v.patch_size**2 * width)
    pixels, r2 = config.grid_side**2, config.tokens_per_group
    spatial = sum(t * (8 * pixels * width**2 + 4 * pixels**2 * width) for t in (4, 2))
    temporal = sum(t * 8 * pixels * width**2 for t in (4, 2))
    convolution = sum(t * pixels * 54 * width**2 for t in (2, 1))
    projector = 2 * pixels * width * d.hidden_size + 2 * r2 * d.hidden_size**2
    attention_width, kv_width = d.num_heads * d.head_dim, d.num_kv_heads * d.head_dim
    linear = 2 * attention_width * d.hidden_size + 2 * kv_width * d.hidden_size
    linear += 3 * d.hidden_size * d.intermediate_size
    group_tokens = (session.num_tokens - session.layout.prefix_tokens) / groups
    window = [g if previous_groups is None else min(g, previous_groups) for g in range(groups)]
    stamps = sum(
        (g - w) * n for g, w, n in zip(range(groups), window, session.layout.stamp_tokens, strict=True)
    )
    pairs = (sum(window) + 0.5 * groups) * group_tokens**2 + stamps * group_tokens
    language = session.num_tokens * 2 * linear * d.num_layers + pairs * 4 * attention_width * d.num_layers
    return {
        "vision": vision,
        "dts": groups * (spatial + temporal + convolution + projector),
        "prefill": language,
    }


def check_device() -> None:
    """Golden ids on this device in float32, recorded decode steps against plain passes, rows against one."""
    check_merge()
    equal = total = 0
    for folder in sorted(p for p in GOLDEN.iterdir() if p.is_dir()):
        model = VideoXL2.from_pretrained(folder, device="cuda", dtype="float32")
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
                slow = replace(session, step=None)
                plain = slow.generate(case["question_ids"], max_new_tokens=case["new_tokens"])
                assert plain.token_ids == answer.token_ids, "recorded decode step differs"
                rows = session.generate_many([case["question_ids"]] * 3, max_new_tokens=case["new_tokens"])
                assert {row.token_ids for row in rows} == {answer.token_ids}, "rows differ"
    print(f"golden streaming runs with equal ids on this device: {equal} of {total}\n", flush=True)


def check_merge() -> None:
    """Attention over two halves of the keys, merged, in bfloat16 at full size, against attention over all."""
    q = torch.randn(28, 1, 128, device="cuda", dtype=torch.bfloat16)
    k, v = torch.randn(2, 4, 3000, 128, device="cuda", dtype=torch.bfloat16)
    halves = [
        attention_lse(q[None], k[None, :, at], v[None, :, at]) for at in (slice(2900), slice(2900, 3000))
    ]
    difference = merge(*halves[0], *halves[1])[0] - attention(q, k, v)
    assert difference.abs().max() < 0.01, "merged attention differs"


def prefill_rows(model: VideoXL2, sizes: list[int], peak: float, late: float) -> None:
    columns = (
        "frames | prefill | tokens | vision s | DTS s | LLM s | end to end s | MFU vision / DTS / LLM",
        "peak GiB | decode tok/s | bi-level tok/s | KV kept",
    )
    print(f"| {' | '.join(columns)} |\n|{'---|' * 12}")
    for frames in sizes:
        for mode in ("streaming", "full"):
            if time.monotonic() > late or (mode == "full" and frames > 2048):
                print(f"| {frames} | {mode} | not run |", flush=True)
                continue
            try:
                print(f"| {frames} | {mode} | {prefill_row(model, frames, mode, peak)} |", flush=True)
            except ModelError as error:
                print(f"| {frames} | {mode} | {error} |", flush=True)
            torch.cuda.empty_cache()


def prefill_row(model: VideoXL2, frames: int, mode: str, peak: float) -> str:
    torch.cuda.reset_peak_memory_stats()
    options = PrefillOptions(mode, expected_frames=frames)  # type: ignore[arg-type]
    session, wall = timed_prefill(model, frames, options)
    rate = NEW_TOKENS / timed_answers(session, PROMPTS[:1])
    pooled = NEW_TOKENS / timed_answers(session, PROMPTS[:1], BILEVEL)
    report = session.generate(PROMPTS[0], max_new_tokens=1, bilevel=BILEVEL).bilevel
    assert report is not None
    seconds = session.stage_seconds()
    flops = stage_flops(model.config, session, None if mode == "full" else 14)
    stages = ("vision", "dts", "prefill")
    cells = [
        f"{session.num_tokens}",
        *(f"{seconds[stage]:.2f}" for stage in stages),
        f"{wall:.2f}",
        " / ".join(f"{flops[stage] / seconds[stage] / 1e12 / peak:.0%}" for stage in stages),
        f"{torch.cuda.max_memory_allocated() / 2**30:.1f}",
        f"{rate:.0f}",
        f"{pooled:.0f}",
        f"{1 - report.reduction:.0%}",
        *session.degraded,
    ]
    return " | ".join(cells)


def prompt_rows(model: VideoXL2, frames: int) -> None:
    """Three prompts on one prefill, against one prompt and against three prefills."""
    options = PrefillOptions(expected_frames=frames)
    session, prefill = timed_prefill(model, frames, options)
    session.generate_many(PROMPTS, max_new_tokens=2)  # records the wider steps
    one = prefill + timed_answers(session, PROMPTS[:1])
    one_by_one = prefill + timed_answers(session, PROMPTS)
    started = time.perf_counter()
    session.generate_many(PROMPTS, max_new_tokens=NEW_TOKENS)
    torch.cuda.synchronize()
    together = prefill + time.perf_counter() - started
    plain = NEW_TOKENS / timed_answers(replace(session, step=None), PROMPTS[:1])
    separate = 0.0
    for prompt in PROMPTS:
        fresh, seconds = timed_prefill(model, frames, options)
        separate += seconds + timed_answers(fresh, (prompt,))
    print(f"\n{frames} frames, answers of {NEW_TOKENS} tokens: one prompt {one:.2f} s; three on one prefill ")
    print(f"together {together:.2f} s ({together / one:.2f}x), one by one {one_by_one:.2f} s ", end="")
    print(f"({one_by_one / one:.2f}x); three prefills {separate:.2f} s ({separate / one:.2f}x)")
    print(f"decode without recorded steps: {plain:.0f} tok/s", flush=True)
    step_rows(session)


def step_rows(session: Session) -> None:
    """Milliseconds of one decode step of many rows behind the same prefix."""
    cells = []
    for num_rows in (1, 4, 8, 16, 32):
        with session.start_rows(num_rows, room=256) as rows:
            rows.push([[5] * 64] * num_rows)
            rows.push([[7]] * num_rows)  # records the step
            torch.cuda.synchronize()
            started = time.perf_counter()
            for _ in range(32):
                rows.push([[7]] * num_rows)
            torch.cuda.synchronize()
            cells.append(f"{num_rows}: {(time.perf_counter() - started) / 32 * 1e3:.1f}")
    print(f"ms a step by rows, {session.num_tokens} cached tokens: {', '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", default="512,2048,10000")
    parser.add_argument("--seconds", type=float, default=450)
    arguments = parser.parse_args()
    late = time.monotonic() + arguments.seconds
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, bfloat16, 8B random weights")
    check_device()
    peak = matmul_tflops()
    print(f"measured matmul rate: {peak:.0f} TFLOP/s\n", flush=True)
    network = random_network(ModelConfig(), seed=0, device="cuda")
    model = VideoXL2(network, Vocabulary(build_tokenizer()), "bench")
    timed_answers(timed_prefill(model, 64, PrefillOptions())[0], PROMPTS[:1])  # first-use costs
    prefill_rows(model, [int(n) for n in arguments.frames.split(",")], peak, late)
    if time.monotonic() < late:
        prompt_rows(model, 2048)


if __name__ == "__main__":
    main()
