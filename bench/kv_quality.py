"""Cost of bi-level decoding in right answers: `small` about drawn films, dense and pooled 2x, 4x and 8x.

    python bench/kv_quality.py [--films 6] [--seconds 300] [--window 60] [--dense-chunks 2] [--whole-film]
        [--weight-bits]

Scenes are asked in windows, which stay dense; characters and highlights about the whole film, of which the
given number of 24-picture chunks stays dense besides the first and the last; with `--whole-film` these alone.
With `--weight-bits` all ways are dense, and the weights have 16, 8 and 4 bits.
Every way is asked of the same pictures, drawn and not encoded, one a second; nothing is snapped to cuts.
Prints Markdown after each film.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt, load_packs
from jobs.weights import find_weights
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.network.configs.weight_bits import BITS

sys.path.insert(0, str(Path(__file__).parents[1] / "infra" / "small"))  # the drawn films' generator
from drawn_reader import read_drawn
from judging import Score, Told
from storyboard import draw_film

COMPRESSIONS = (2, 4, 8)
KINDS = {  # of prompt, and what measures them
    "window": ("scene boundary F1", "setting", "time of day", "action"),
    "whole film": ("character F1", "highlight hit@1"),
    "both": ("characters by scene F1",),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--films", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--window", type=int, default=60)
    parser.add_argument("--dense-chunks", type=int, default=2)
    parser.add_argument("--whole-film", action="store_true", help="ask for characters and highlights alone")
    parser.add_argument("--weight-bits", action="store_true", help="16, 8 and 4 bits in place of pooling")
    given = parser.parse_args()
    torch.set_num_threads(1)
    folder = find_weights("small").folder
    model = VideoXL2.from_pretrained(folder)
    if given.weight_bits:
        models = {bits: VideoXL2.from_pretrained(folder, weight_bits=bits) for bits in BITS}
        ways = {f"{bits} bits": Asker(one) for bits, one in models.items()}
    else:
        ways = {"dense": Asker(model)}
        ways |= {f"{x}x": Asker(model, BiLevelKv(x, given.dense_chunks)) for x in COMPRESSIONS}
    first = next(iter(ways))
    scores = {name: Score() for name in ways}
    cpu_s = dict.fromkeys(ways, 0.0)
    prompts = prompts_of(given.window, given.whole_film)
    told: dict[str, list[Told]] = {name: [] for name in ways}
    for number in range(given.films):
        film = draw_film("test", 2_000_000 + 1000 * given.seconds + number, given.seconds)
        info, grid, span = read_drawn(film, model.image_size)
        for name, asker in ways.items():
            started = time.process_time()
            analysis = analyze(asker, info, grid, [span], prompts)
            cpu_s[name] += time.process_time() - started
            told[name].append(Told.of_analysis(analysis))
            scores[name].add(film, told[name][-1])
        print(f"\nafter {number + 1} films of {given.seconds} s, windows of {given.window} s\n")
        show(scores, cpu_s, ["whole film"] if given.whole_film else list(KINDS))
        for what in ("characters", "highlights"):
            same = (str(sum(map(same_as(what), told[first], told[name]))) for name in ways)
            print(f"| | films with the same {what} as {first} | {number + 1} | {' | '.join(same)} |")


def same_as(what: str) -> Callable[[Told, Told], bool]:
    return lambda one, other: getattr(one, what) == getattr(other, what)


def prompts_of(window_s: int, is_whole_film: bool) -> tuple[Prompt, ...]:
    """Characters and highlights about all of a film, scenes in windows."""
    windows: dict[str, int | None] = {"characters": None, "highlights": None}
    if not is_whole_film:
        windows["scenes"] = 1000 * window_s
    return tuple(replace(p, window_ms=windows[p.name]) for p in load_packs() if p.name in windows)


def show(scores: dict[str, Score], cpu_s: dict[str, float], kinds: Sequence[str]) -> None:
    """A line for each measure, grouped by the kind of prompt."""
    print(f"| prompt | measure | of | {' | '.join(scores)} |")
    print(f"|---|---|---|{'---|' * len(scores)}")
    measures = {name: score.measures() for name, score in scores.items()}
    counts = counts_of(next(iter(scores.values())))
    for kind in kinds:
        for name in KINDS[kind]:
            values = " | ".join(f"{of_way[name]:.3f}" for of_way in measures.values())
            print(f"| {kind} | {name} | {counts[name]} | {values} |")
    print(f"| | CPU s, prefill included | | {' | '.join(f'{s:.0f}' for s in cpu_s.values())} |", flush=True)


def counts_of(score: Score) -> dict[str, int]:
    """Count the true things that a measure is about."""
    scenes = len(score.settings)
    return {
        "scene boundary F1": scenes - score.num_films,
        **dict.fromkeys(("setting", "time of day", "action"), scenes),
        "character F1": score.characters.num_true,
        "characters by scene F1": score.appearances.num_true,
        "highlight hit@1": len(score.hits),
    }


if __name__ == "__main__":
    main()
