"""What a CPU takes for the bare products of a prefill and of decode steps, beside all that they take.

    python bench/model_floor.py [--frames 512] [--repeats 3] [--beside FOLDER]

The model is *medium* of `model_cpu.py`, one thread, float32, chunks of 16 frames with three before. Every
matrix product, convolution and call of attention is written down with the shapes and strides of what it
gets, and done again by itself, in the same order, as PyTorch calls them: no code that computes the same by
these calls can take less. With `--beside` the code of another commit, checked out in that folder, runs its
own. The least of the repeats counts. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from model_cpu import PROMPT, ROWS, build, spans
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = ("linear", "addmm", "mm", "bmm", "baddbmm", "matmul", "einsum", "conv")  # beginnings of names
STEPS = 32
HERE = Path(__file__).parents[1]
Call = tuple[Any, tuple[Any, ...], dict[str, Any]]


class Products(TorchDispatchMode):
    """Record of products and attention inside a `with`, on stand-ins of what they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._stand_ins: dict[object, Tensor] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name.startswith(PRODUCTS) or "attention" in name:
            given = {key: self._stand_in(value) for key, value in (kwargs or {}).items()}
            self.calls.append((func, tuple(map(self._stand_in, args)), given))
        return func(*args, **(kwargs or {}))

    def _stand_in(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(map(self._stand_in, value))
        if not isinstance(value, Tensor):
            return value
        key = (value.shape, value.stride(), value.dtype)
        if key not in self._stand_ins:
            made = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype)
            self._stand_ins[key] = made.fill_(True) if value.dtype == torch.bool else made.normal_()
        return self._stand_ins[key]

    def seconds(self, repeats: int) -> float:
        """CPU seconds of all calls, done again."""
        return min(timed(self._again) for _ in range(repeats))

    def _again(self) -> None:
        for func, args, kwargs in self.calls:
            func(*args, **kwargs)


def timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@torch.inference_mode()
def measure(frames: int, repeats: int) -> dict[str, tuple[float, float]]:
    """CPU seconds by part: all of it, and its products alone."""
    torch.set_num_threads(1)
    model = build("medium")
    model.prefill(spans(8, model.image_size))  # first-use costs
    found = {}

    def part(name: str, work: Callable[[], object]) -> None:
        whole = min(timed(work) for _ in range(repeats))
        with Products() as products:
            work()
        found[name] = (whole, products.seconds(repeats))

    session = model.prefill(spans(frames, model.image_size))
    tokens = torch.randn(frames // 4, session.layout.tokens_per_group, model.config.language.hidden_size)
    pictures = [span.frames for span in spans(frames, model.image_size)]
    encoder = encoder_of(model)
    part("pictures to tokens", lambda: [encoder.encode(some) for some in pictures])
    part("prefill", lambda: prefilled(model, tokens))
    for rows in (1, ROWS):
        part(f"{STEPS} steps of {rows}", lambda rows=rows: decoded(session, rows))  # type: ignore[misc]
    return found


def encoder_of(model: Any) -> Any:
    from videoxl2.network.clock import StageClock
    from videoxl2.network.encoder import FrameEncoder

    return FrameEncoder(model.network, model.device, None, StageClock(model.device))


def prefilled(model: Any, tokens_GND: Tensor) -> None:
    from videoxl2 import PrefillOptions

    options = PrefillOptions(expected_frames=4 * len(tokens_GND))
    running = model._start(options, None, tokens_GND.shape[1], encoder_of(model).clock)
    for first in range(0, len(tokens_GND), 8):
        some = tokens_GND[first : first + 8]
        running.add_groups([model.before_group(4000 * (first + n)) for n in range(len(some))], some)
    running.finish()


def decoded(session: Any, num_rows: int) -> None:
    with session.start_rows(num_rows, room=len(PROMPT) + STEPS) as rows:
        rows.push([session.vocabulary.suffix_ids(PROMPT)] * num_rows)
        for _ in range(STEPS):
            rows.push([[7]] * num_rows)


def measured(folder: Path, frames: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Measure with the code of `folder`, in a process of its own."""
    command = [sys.executable, __file__, "--cell", "--frames", str(frames), "--repeats", str(repeats)]
    env = os.environ | {"PYTHONPATH": str(folder)}
    found: dict[str, tuple[float, float]] = json.loads(
        subprocess.run(command, env=env, check=True, capture_output=True).stdout
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--cell", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell:
        print(json.dumps(measure(given.frames, given.repeats)))
        return
    print("| code | part | CPU s | products alone | of all |\n|---|---|---|---|---|")
    for name, folder in (("here", HERE), ("beside", given.beside)):
        for part, (whole, products) in (
            measured(folder, given.frames, given.repeats) if folder else {}
        ).items():
            print(f"| {name} | {part} | {whole:.2f} | {products:.2f} | {products / whole:.2f} |", flush=True)


if __name__ == "__main__":
    main()
