"""CPU of answering about the demo's six films with `small`, beside the code of another commit.

    python bench/answers_cpu.py [--beside FOLDER] [--repeats 3] [--profile]

The films are drawn once, two pictures a second, and every code gets the same pictures, weights and prompts;
each cell runs in a process of its own, the codes in turns. Told apart are prefill and all that comes after
it: prompts, decoding in a form, asking again, reading without the video. The texts are compared. Least and
median of the repeats, CPU seconds of one thread. `--profile` prints where the time goes. Prints Markdown.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import inspect
import json
import os
import pickle
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parents[1]
FILMS, FILM_S = (3002, 3008, 3012, 3019, 3022, 3037), 34.0  # as in infra/demo/demo.py
WEIGHTS = HERE / "videoxl2" / "small"


def draw(path: Path) -> None:
    """Write the films' pictures and times, as plain arrays, for any code to read."""
    sys.path.insert(0, str(HERE / "infra" / "small"))
    from fractions import Fraction

    from drawn_reader import read_drawn
    from storyboard import draw_film

    side = model().image_size
    films = []
    for number in FILMS:
        _, _, span = read_drawn(draw_film("test", number, FILM_S), side, Fraction(2))
        films.append((span.frames, span.pts_ms))
    path.write_bytes(pickle.dumps(films))


def measure(pictures: Path, profile: bool) -> dict[str, Any]:
    """Answer about all films; CPU seconds before and behind prefill, and a sum of the texts."""
    import torch

    torch.set_num_threads(1)
    from jobs.answers import analysis
    from jobs.answers.asking import Asker
    from jobs.prompts.pack import load_packs

    asker = Asker(model())
    prompts = load_packs()
    films = pickle.loads(pictures.read_bytes())
    texts: list[str] = []
    seconds = {"prefill": 0.0, "generate": 0.0}
    profiler = cProfile.Profile()
    for round_ in range(2):  # what is made on first use is not counted
        for frames, pts_ms in films[: 1 if round_ == 0 else None]:
            begun = time.process_time()
            session = asker.model.prefill([Span(frames, pts_ms)])
            prefilled = time.process_time()
            told = analysis._Told(**given_of(analysis._Told, asker, prompts))
            if round_ and profile:
                profiler.enable()
            told.ask(session, None, 0)
            profiler.disable()
            if round_:
                seconds["prefill"] += prefilled - begun
                seconds["generate"] += time.process_time() - prefilled
                texts += [answer.text for answer in told.answers()]
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(60)
    summed = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    return {**seconds, "texts": summed, "characters": sum(map(len, texts))}


class Span:
    """Pictures as a reader of any commit gives them."""

    warnings = ()

    def __init__(self, frames: Any, pts_ms: Any) -> None:
        self.frames, self.pts_ms = frames, pts_ms


def model() -> Any:
    try:
        from videoxl2.generate.models.video_xl2 import VideoXL2
    except ModuleNotFoundError:  # an older commit
        from videoxl2 import VideoXL2
    return VideoXL2.from_pretrained(WEIGHTS)


def given_of(kind: Any, asker: Any, prompts: Sequence[Any]) -> dict[str, Any]:
    """Return what this code's answering takes; older commits know nothing of speech."""
    from jobs.answers.carried import NOTHING_CARRIED

    given = {
        "asker": asker,
        "prompts": prompts,
        "duration_ms": round(1000 * FILM_S),
        "carried": NOTHING_CARRIED,
        "said": (),
    }
    return {name: value for name, value in given.items() if name in inspect.signature(kind).parameters}


def measured(folder: Path, pictures: Path, profile: bool = False) -> dict[str, Any]:
    """Measure with the code of `folder`, in a process of its own."""
    command = [sys.executable, __file__, "--cell", str(pictures), *["--profile"] * profile]
    env = os.environ | {"PYTHONPATH": str(folder)}
    out = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(out)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--cell", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell:
        print(json.dumps(measure(given.cell, given.profile)))
        return
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "films.pickle"
        draw(pictures)
        if given.profile:
            measured(HERE, pictures, profile=True)
            return
        codes = {"here": HERE} | ({"beside": given.beside} if given.beside else {})
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in codes}
        for _ in range(given.repeats):
            for name, code in codes.items():
                found[name].append(measured(code, pictures))
        show(found)


def show(found: dict[str, list[dict[str, Any]]]) -> None:
    print(f"load {os.getloadavg()[0]:.0f}\n")
    print("| code | prefill s, least | median | generate s, least | median | characters | texts |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        cells = [
            f"{f([run[part] for run in runs]):.2f}" for part in ("prefill", "generate") for f in (min, median)
        ]
        print(f"| {name} | {' | '.join(cells)} | {runs[0]['characters']} | {runs[0]['texts']} |")
    if "beside" in found:
        pairs = list(zip(found["here"], found["beside"], strict=True))
        ratio = median(one["generate"] / other["generate"] for one, other in pairs)
        print(f"\ngenerate: {ratio:.2f} of the other code's, the median of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
