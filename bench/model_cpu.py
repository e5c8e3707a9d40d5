"""Seconds and memory per stage on a CPU, small and medium random models, 64 to 1024 frames.

    python bench/model_cpu.py [--threads 1] [--frames 64,128,256,512,1024]

Seconds are CPU time of the process, which a busy machine disturbs less than wall time. Every cell runs in a
forked process of its own, so peak memory is that cell's; what the loaded model takes is subtracted. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import torch

import videoxl2.network.clock
from videoxl2 import BiLevelOptions, PrefillOptions, VideoXL2
from videoxl2.network.config import LanguageConfig, ModelConfig, VisionConfig
from videoxl2.network.tokens import Vocabulary
from videoxl2.random_checkpoint import build_tokenizer, random_network, small_config

NEW_TOKENS = 32
BILEVEL = BiLevelOptions(chunk_groups=4, top_chunks=4)
PROMPT = "What happens in the video, and when?"
MODES = ("full", "streaming")


@dataclass(frozen=True)
class Cell:
    model: str
    mode: str
    frames: int
    seconds: dict[str, float]  # vision, dts, prefill
    tokens: int
    answer_s: float
    bilevel_answer_s: float
    bilevel_reduction: float
    prefill_mib: float  # peak over the loaded model
    answer_mib: float


def medium_config(vocab_size: int) -> ModelConfig:
    """The real model's grid and 144 visual tokens a group, so that attention weighs as it does there."""
    vision = VisionConfig(64, 128, num_layers=2, num_heads=4, image_size=112, patch_size=14)
    language = LanguageConfig(128, 384, 4, 4, 2, 32, vocab_size)
    return ModelConfig(vision=vision, language=language, grid_side=24, dtype="float32")


def build(name: str) -> VideoXL2:
    tokenizer = build_tokenizer()
    vocab = tokenizer.get_vocab_size()
    config = small_config(0, vocab) if name == "small" else medium_config(vocab)
    return VideoXL2(random_network(config, seed=0), Vocabulary(tokenizer), "bench")


def spans(num_frames: int, size: int) -> Iterator[SimpleNamespace]:
    """Noise in spans of 64 frames, made as they are asked for."""
    rng = np.random.default_rng(0)
    for first in range(0, num_frames, 64):
        count = min(64, num_frames - first)
        frames = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        yield SimpleNamespace(frames=frames, pts_ms=np.arange(first, first + count) * 1000)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, mode: str, frames: int, threads: int) -> Cell:
    torch.set_num_threads(threads)
    # The stages' clock counts wall time; here it counts this process's CPU time.
    videoxl2.network.clock.time = SimpleNamespace(perf_counter=time.process_time)  # type: ignore[assignment, attr-defined]
    model = build(name)
    model.prefill(spans(8, model.image_size)).generate(PROMPT, max_new_tokens=2)  # first-use costs
    before = peak_mib()
    session = model.prefill(spans(frames, model.image_size), prefill=PrefillOptions(mode=mode))  # type: ignore[arg-type]
    session = replace(session, stop_ids=frozenset())  # every answer has NEW_TOKENS tokens
    after_prefill = peak_mib()
    seconds = session.stage_seconds()
    started = time.process_time()
    session.generate(PROMPT, max_new_tokens=NEW_TOKENS)
    answered = time.process_time()
    report = session.generate(PROMPT, max_new_tokens=NEW_TOKENS, bilevel=BILEVEL).bilevel
    ended = time.process_time()
    assert report is not None
    return Cell(
        model=name,
        mode=mode,
        frames=frames,
        seconds=seconds,
        tokens=session.num_tokens,
        answer_s=answered - started,
        bilevel_answer_s=ended - answered,
        bilevel_reduction=report.reduction,
        prefill_mib=after_prefill - before,
        answer_mib=peak_mib() - before,
    )


def exponent(cells: list[Cell], stage: str) -> float:
    """Slope of log seconds over log frames, least squares over the three largest sizes."""
    upper = cells[-3:]
    frames = np.log([c.frames for c in upper])
    return float(np.polyfit(frames, np.log([c.seconds[stage] for c in upper]), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", default="64,128,256,512,1024")
    arguments = parser.parse_args()
    sizes = [int(n) for n in arguments.frames.split(",")]
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}, threads {arguments.threads}, ", end="")
    print(f"torch {torch.__version__}, float32; answers of {NEW_TOKENS} tokens\n")
    print("| model | prefill | frames | tokens | vision s | DTS s | prefill s | prefill peak MiB |", end="")
    print(" answer s | bi-level answer s | KV reduction | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    lines = []
    fork = multiprocessing.get_context("fork")
    for name in ("small", "medium"):
        for mode in MODES:
            cells = []
            for frames in sizes:
                with fork.Pool(1) as pool:  # a fresh process: its peak memory is its own
                    cell = pool.apply(measure, (name, mode, frames, arguments.threads))
                cells.append(cell)
                s = cell.seconds
                print(
                    f"| {name} | {mode} | {frames} | {cell.tokens} | {s['vision']:.2f} | {s['dts']:.2f} "
                    f"| {s['prefill']:.2f} | {cell.prefill_mib:.0f} | {cell.answer_s:.2f} "
                    f"| {cell.bilevel_answer_s:.2f} | {cell.bilevel_reduction:.0%} | {cell.answer_mib:.0f} |",
                    flush=True,
                )
            slopes = ", ".join(
                f"{stage} {exponent(cells, stage):.2f}" for stage in ("vision", "dts", "prefill")
            )
            lines.append(f"{name}, {mode}: {slopes}")
    print("\nGrowth exponents (seconds over frames, three largest sizes):", *lines, sep="\n- ")


if __name__ == "__main__":
    main()
