"""What questions cost: the serving file beside SQLite FTS5, sqlite-vec, tantivy and LanceDB.

    python bench/search.py --scenes 100000            # FOLDER keeps the drawn rows for the next time
    pip install apsw sqlite-vec tantivy lancedb       # for the other columns; what is missing is said

Each engine runs in a process of its own, on the same rows (bench/search_rows.py) and the same vectors.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from search_engines import ENGINES, Rows
from search_rows import DrawnEmbedder, make_index

import storage.search
import storage.serving_build

REPEATS = 21
NEEDS = {"SQLite": ("apsw", "sqlite_vec"), "tantivy": ("tantivy",), "LanceDB": ("lancedb",)}
QUESTIONS = (
    "scenes of a video",
    "scene at a time",
    "tag, first 20",
    "two characters together",
    "words: two, each in 1 of 15",
    "words: a rare one",
    "words: with 'the'",
    "meaning",
    "words and meaning",
)


def main() -> None:
    """Without --engine: draw the rows, run every engine, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/media-index-bench-search"))
    parser.add_argument("--engine", choices=ENGINES)
    options = parser.parse_args()
    folder = options.folder / str(options.scenes)
    storage.search.load_embedder = storage.serving_build.load_embedder = lambda: _EMBEDDER
    if options.engine:
        print(json.dumps(measure(options.engine, folder)))
        return
    if not (folder / "index" / "snapshots").exists():
        make_index(folder / "index", options.scenes)
    results = {}
    for engine in ENGINES:
        missing = [name for name in NEEDS.get(engine, ()) if find_spec(name) is None]
        if missing:
            print(f"{engine}: not installed: {', '.join(missing)}", file=sys.stderr)
            continue
        command = [sys.executable, __file__, "--scenes", str(options.scenes), "--folder", str(options.folder)]
        done = subprocess.run([*command, "--engine", engine], stdout=subprocess.PIPE, text=True)
        if done.returncode == 0:
            results[engine] = json.loads(done.stdout.splitlines()[-1])
    print_table(results)


_EMBEDDER = DrawnEmbedder()


def measure(name: str, folder: Path) -> dict:
    """Milliseconds (median, p95) per question, and what making the engine's files took."""
    rows = Rows(folder / "index", _EMBEDDER)
    start, cpu = time.perf_counter(), time.process_time()
    engine = ENGINES[name](rows, folder / name.replace(" ", "-"))
    built = {"build s": time.perf_counter() - start, "build CPU s": time.process_time() - cpu}
    answers = engine.questions()
    found = {question: timed(answers[question]) for question in QUESTIONS if question in answers}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "built": built,
        "MB": engine.size_bytes() / 1e6,
        "peak MiB": peak,
        "ms": found,
    }


def timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile of wall milliseconds, the first time left out."""
    ask()
    spent = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - start) * 1000)
    return float(np.median(spent)), float(np.percentile(spent, 95))


def print_table(results: dict[str, dict]) -> None:
    """Markdown, one column per engine; in brackets how often ours goes into it."""
    ours = next(iter(results.values()))["ms"]
    print("| " + " | ".join(["ms: median / p95", *results]) + " |")
    print("|---" * (len(results) + 1) + "|")
    for question in QUESTIONS:
        cells = []
        for result in results.values():
            if question not in result["ms"]:
                cells.append("")
                continue
            median, p95 = result["ms"][question]
            cells.append(f"{median:.2f} / {p95:.2f} ({median / ours[question][0]:.2g}x)")
        print(f"| {question} | " + " | ".join(cells) + " |")
    for name in ("build s", "build CPU s"):
        print(f"| {name} | " + " | ".join(f"{r['built'][name]:.0f}" for r in results.values()) + " |")
    for name in ("MB", "peak MiB"):
        print(f"| {name} | " + " | ".join(f"{r[name]:.0f}" for r in results.values()) + " |")


if __name__ == "__main__":
    main()
