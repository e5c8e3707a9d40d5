"""Savings of bi-level decoding: keys and values read per step, CPU per step, bytes held, 256 to 2,048 frames.

    python bench/kv_cost.py [--frames 256,512,1024,2048] [--model medium]

Two ways to ask: one prompt about a whole film, of which 8 of its 24-picture chunks stay dense, and windows of
240 pictures, up to 8 of them together, each with its own chunks dense. Keys, values and weights are noise;
stamps and visual tokens are as many as the real model's (10 and 144 a group). What is read is counted where
the cache is read. CPU seconds of the process. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from model_cpu import build
from prompts import full_size_layers
from torch import Tensor

from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.selection import Selection, dense_from_window, selection_chunks
from videoxl2.generate.session import Session
from videoxl2.network.clock import StageClock
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.random_checkpoint import build_tokenizer

COMPRESSIONS = (2, 4, 8)
PREFIX, STAMP, VISUAL = 14, 10, 144
CHUNK_GROUPS, WINDOW_FRAMES, MAX_ROWS, DENSE_CHUNKS = 6, 240, 8, 6
SUFFIX_TOKENS, STEPS = 64, 6


@dataclass(frozen=True)
class Cell:
    """One way to decode, a step of all its rows."""

    read_bytes: int
    cpu_s: float
    made_bytes: int  # caches besides the dense one
    made_s: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", default="256,512,1024,2048")
    parser.add_argument("--model", choices=("medium", "full-size-layers"), default="medium")
    given = parser.parse_args()
    torch.set_num_threads(1)
    language = build("medium").network.language if given.model == "medium" else full_size_layers()[0]
    print(f"{given.model}, float32, one thread, load {os.getloadavg()[0]:.0f}, torch {torch.__version__}\n")
    print(
        "| asked about | frames | rows | decoded | MB read a step | of dense | CPU ms a step | of dense |",
        end="",
    )
    print(" MB made | of dense | CPU ms to make |\n|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for frames in map(int, given.frames.split(",")):
        session = noise_session(language, frames)
        for name, ask in (("the whole film", whole), ("windows", windows)):
            dense = measure(session, [Selection()] * len(ask(session, 4)))
            show(name, frames, len(ask(session, 4)), "dense", dense, dense, session.kv_bytes)
            for compression in COMPRESSIONS:
                chosen = ask(session, compression)
                cell = measure(session, chosen)
                show(name, frames, len(chosen), f"{compression}x", cell, dense, session.kv_bytes)


def whole(session: Session, compression: int) -> list[Selection]:
    """One prompt with its chunks spread over the film."""
    chunks = tuple(selection_chunks(session.group_times_ms, CHUNK_GROUPS))
    inner = [1 + round((n + 1) * (len(chunks) - 1) / (DENSE_CHUNKS + 1)) for n in range(DENSE_CHUNKS)]
    return [Selection(chunks, tuple(sorted({1, *inner, len(chunks)})), (), compression)]


def windows(session: Session, compression: int) -> list[Selection]:
    """The first windows of the film, each with its chunks."""
    chunks = tuple(selection_chunks(session.group_times_ms, CHUNK_GROUPS))
    count = min(MAX_ROWS, max(1, round(session.num_frames / WINDOW_FRAMES)))
    size_ms = 1000 * session.num_frames // max(1, round(session.num_frames / WINDOW_FRAMES))
    spans = [(n * size_ms, (n + 1) * size_ms) for n in range(count)]
    return [
        Selection(chunks, tuple(sorted(dense_from_window(chunks, span))), (), compression) for span in spans
    ]


def noise_session(language: LanguageModel, frames: int) -> Session:
    """A session as after prefill, with a cache of noise."""
    layout = TokenLayout(PREFIX, VISUAL)
    for _ in range(frames // 4):
        layout.add_group(STAMP)
    cache = KVCache(language.cache_shape, torch.device("cpu"), capacity=layout.end)
    cache.advance(layout.end)
    for layer in range(cache.shape.num_layers):
        for x_KSE in cache.read(layer, layout.end):
            x_KSE.normal_()
    return Session(
        language=language,
        vocabulary=Vocabulary(build_tokenizer()),
        layout=layout,
        cache=cache,
        stop_ids=frozenset(),
        frame_times_ms=tuple(range(0, 1000 * frames, 1000)),
        group_times_ms=tuple(range(0, 1000 * frames, 4000)),
        degraded=(),
        clock=StageClock(cache.device),
    )


def measure(session: Session, selections: Sequence[Selection]) -> Cell:
    """Decode some steps; the first one makes what the later ones read."""
    session.pooled.clear()
    with counted() as count:
        started = time.process_time()
        rows = session.start_rows(len(selections), selections, room=SUFFIX_TOKENS + STEPS + 1)
        made_s, made_bytes = time.process_time() - started, count["made"]
        with rows:
            rows.push([list(range(5, 5 + SUFFIX_TOKENS))] * len(selections))
            step(rows)
            count.clear()
            seconds = [step(rows) for _ in range(STEPS)]
    return Cell(count["read"] // STEPS, min(seconds), made_bytes, made_s)


def step(rows: Rows | OneRow) -> float:
    started = time.process_time()
    rows.push([[7]] * rows.num_rows)
    return time.process_time() - started


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Bytes that caches allocate, and that are read from them."""
    count: Counter[str] = Counter()
    read, allocate = KVCache.read, KVCache.allocate

    def counting_read(self: KVCache, *where: Any, **how: Any) -> tuple[Tensor, Tensor]:
        both = read(self, *where, **how)
        count["read"] += sum(x.numel() * x.itemsize for x in both)
        return both

    def counting_allocate(self: KVCache, rows: int, layer: int) -> Tensor:
        made = allocate(self, rows, layer)
        count["made"] += made.numel() * made.itemsize
        return made

    KVCache.read, KVCache.allocate = counting_read, counting_allocate  # type: ignore[method-assign]
    try:
        yield count
    finally:
        KVCache.read, KVCache.allocate = read, allocate  # type: ignore[method-assign]


def show(about: str, frames: int, rows: int, how: str, cell: Cell, dense: Cell, kv_bytes: int) -> None:
    print(
        f"| {about} | {frames} | {rows} | {how} | {cell.read_bytes / 1e6:.1f} "
        f"| {cell.read_bytes / dense.read_bytes:.2f} "
        f"| {cell.cpu_s * 1e3:.1f} | {cell.cpu_s / dense.cpu_s:.2f} "
        f"| {cell.made_bytes / 1e6:.1f} | {cell.made_bytes / kv_bytes:.2f} | {cell.made_s * 1e3:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
