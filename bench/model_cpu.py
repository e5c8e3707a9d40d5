"""Seconds and memory per stage on a CPU, small and medium random models, 64 to 1024 frames.

    python bench/model_cpu.py [--threads 1] [--models small,medium] [--frames 64,128,256,512,1024]
                              [--beside FOLDER] [--repeats 1]

Seconds are CPU time of the process, which a busy machine disturbs less than wall time. Every cell runs in a
process of its own, so peak memory is that cell's; what the loaded model takes is subtracted. Beside it run
the reference, one causal pass of transformers' Qwen2 over as many tokens (`full` only), and with
`--beside` the code of another commit, checked out in that folder; of several repeats, in turn, the fastest
counts. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

NEW_TOKENS = 32
PROMPT = "What happens in the video, and when?"
ROWS = 8
MODES = ("full", "streaming")
COLUMNS = ("vision", "dts", "prefill", "answer", "answers", "bilevel")
HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Cell:
    """CPU seconds by stage: the columns, and `reference` for one pass of transformers' decoder."""

    seconds: dict[str, float]
    tokens: int
    kv_reduction: float
    prefill_mib: float  # peak over the loaded model
    answer_mib: float


def medium_config(vocab_size: int):
    """The real model's grid and 144 visual tokens a group, so that attention weighs as it does there."""
    found = module_of("LanguageConfig", "network.configs.config", "network.config")

    vision = found.VisionConfig(64, 128, num_layers=2, num_heads=4, image_size=112, patch_size=14)
    language = found.LanguageConfig(128, 384, 4, 4, 2, 32, vocab_size)
    return found.ModelConfig(vision=vision, language=language, grid_side=24, dtype="float32")


def build(name: str):
    from videoxl2 import VideoXL2
    from videoxl2.random_checkpoint import build_tokenizer, random_network, small_config

    tokenizer = build_tokenizer()
    vocab = tokenizer.get_vocab_size()
    config = small_config(0, vocab) if name == "small" else medium_config(vocab)
    tokens = module_of("Vocabulary", "network.language.tokens", "network.tokens")
    return VideoXL2(random_network(config, seed=0), tokens.Vocabulary(tokenizer), "bench")


def module_of(name: str, *modules: str) -> Any:
    """Return the module that has `name`: the first of these that the measured commit knows."""
    for module in modules:
        try:
            found = importlib.import_module(f"videoxl2.{module}")
        except ModuleNotFoundError:
            continue
        if hasattr(found, name):
            return found
    raise ModuleNotFoundError(f"this commit has {name} in none of {modules}")


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
    """Measure one cell in this process."""
    import videoxl2.network.clock
    from videoxl2 import BiLevelOptions, PrefillOptions

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
    bilevel = BiLevelOptions(chunk_groups=4, top_chunks=4)
    started = time.process_time()
    session.generate(PROMPT, max_new_tokens=NEW_TOKENS)
    seconds["answer"] = time.process_time() - started
    started = time.process_time()
    session.generate_many([PROMPT] * ROWS, max_new_tokens=NEW_TOKENS)
    seconds["answers"] = time.process_time() - started
    started = time.process_time()
    report = session.generate(PROMPT, max_new_tokens=NEW_TOKENS, bilevel=bilevel).bilevel
    seconds["bilevel"] = time.process_time() - started
    assert report is not None
    answered = peak_mib()
    if mode == "full":
        seconds["reference"] = reference_seconds(model.network.language, session.num_tokens)
    return Cell(seconds, session.num_tokens, report.reduction, after_prefill - before, answered - before)


@torch.inference_mode()
def reference_seconds(language, num_tokens: int) -> float:
    """CPU seconds of one causal pass of transformers' Qwen2 with these sizes, keys and values kept."""
    from transformers import Qwen2Config, Qwen2Model

    sizes = language.config
    config = Qwen2Config(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.intermediate_size,
        num_hidden_layers=sizes.num_layers,
        num_attention_heads=sizes.num_heads,
        num_key_value_heads=sizes.num_kv_heads,
        attn_implementation="sdpa",  # type: ignore[call-arg]
    )
    theirs = Qwen2Model(config).eval()
    x_1TD = torch.randn(1, num_tokens, sizes.hidden_size)
    theirs(inputs_embeds=x_1TD[:, :64], use_cache=True)  # first-use costs
    started = time.process_time()
    theirs(inputs_embeds=x_1TD, use_cache=True)
    return time.process_time() - started


def measured(folder: Path, repeats: int, *arguments: object) -> Cell:
    """Measure a cell with the code of `folder`, in a process of its own."""
    command = [sys.executable, __file__, "--cell", ",".join(map(str, arguments))]
    env = os.environ | {"PYTHONPATH": str(folder)}
    found = [subprocess.run(command, env=env, check=True, capture_output=True) for _ in range(repeats)]
    cells = [Cell(**json.loads(one.stdout)) for one in found]
    fastest = {stage: min(cell.seconds[stage] for cell in cells) for stage in cells[0].seconds}
    return replace(cells[0], seconds=fastest)


def exponent(sizes: Sequence[int], cells: Sequence[Cell], stage: str) -> float:
    """Slope of log seconds over log frames, least squares over the three largest sizes."""
    seconds = [cell.seconds[stage] for cell in cells[-3:]]
    return float(np.polyfit(np.log(sizes[-3:]), np.log(seconds), 1)[0])


def line(code: str, name: str, mode: str, frames: int, cell: Cell) -> str:
    s = cell.seconds
    cells = [code, name, mode, str(frames), str(cell.tokens), *(f"{s[stage]:.2f}" for stage in COLUMNS)]
    cells.append(f"{s['reference']:.2f}" if "reference" in s else "–")
    cells += [f"{cell.kv_reduction:.0%}", f"{cell.prefill_mib:.0f}", f"{cell.answer_mib:.0f}"]
    return f"| {' | '.join(cells)} |"


def ratios(here: Cell, other: Cell | None) -> Iterator[str]:
    """Say ours over the reference, and over the other code."""
    s = here.seconds
    if "reference" in s:
        yield f"prefill {s['prefill'] / s['reference']:.2f} x the reference"
    if other is not None:
        o = other.seconds
        stages = ("vision", "dts", "prefill")
        whole = sum(s[n] for n in stages) / sum(o[n] for n in stages)
        parts = ", ".join(f"{n} {s[n] / o[n]:.2f}" for n in COLUMNS)
        yield f"of the other code: all prefill {whole:.2f} x; {parts}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models", default="small,medium")
    parser.add_argument("--frames", default="64,128,256,512,1024")
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cell:
        name, mode, frames, threads = arguments.cell.split(",")
        print(json.dumps(asdict(measure(name, mode, int(frames), int(threads)))))
        return
    sizes = [int(n) for n in arguments.frames.split(",")]
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}, threads {arguments.threads}, ", end="")
    print(f"torch {torch.__version__}, float32; answers of {NEW_TOKENS} tokens, {ROWS} together\n")
    print("| code | model | prefill | frames | tokens | vision s | DTS s | prefill s | answer s |", end="")
    print(f" {ROWS} answers s | bi-level answer s | reference s | KV reduction | prefill MiB | peak MiB |")
    print(f"|{'---|' * 15}", flush=True)
    compared = []
    growth = []
    for name in arguments.models.split(","):
        for mode in MODES:
            cells = []
            for frames in sizes:
                what = (name, mode, frames, arguments.threads)
                cell = measured(HERE, arguments.repeats, *what)
                print(line("here", name, mode, frames, cell), flush=True)
                other = arguments.beside and measured(arguments.beside, arguments.repeats, *what)
                if other:
                    print(line("other", name, mode, frames, other), flush=True)
                compared += [f"{name}, {mode}, {frames} frames: {said}" for said in ratios(cell, other)]
                cells.append(cell)
            if len(sizes) > 1:
                slopes = (f"{n} {exponent(sizes, cells, n):.2f}" for n in ("vision", "dts", "prefill"))
                growth.append(f"{name}, {mode}: {', '.join(slopes)}")
    print("\nSide by side:", *compared, sep="\n- ")
    print("\nGrowth exponents (seconds over frames, three largest sizes):", *growth, sep="\n- ")


if __name__ == "__main__":
    main()
