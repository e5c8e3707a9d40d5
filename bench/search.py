"""What questions cost: the serving file beside SQLite FTS5, sqlite-vec, tantivy and LanceDB.

    python bench/search.py --scenes 100000            # --folder keeps the drawn rows for the next time
    pip install .[bench]       # for the other columns; what is missing is said

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
from search_engines import ENGINES
from search_questions import Rows
from search_rows import DrawnEmbedder, make_index

import storage.query.built.build
import storage.query.search

REPEATS, SECONDS = 21, 30  # of a question; slow ones are asked less often, thrice at least
NEEDS = {"SQLite": ("apsw", "sqlite_vec"), "tantivy": ("tantivy",), "LanceDB": ("lancedb",)}


def main() -> None:
    """Without --measure: draw the rows, run the engines one after the other, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/media-index-bench-search"))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--minutes", type=float, default=90, help="give up on an engine after that long")
    parser.add_argument("--keep", action="store_true", help="keep the engines' files, to ask them again")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder / str(options.scenes)
    storage.query.search.load_embedder = lambda: _EMBEDDER  # type: ignore[assignment, attr-defined]
    storage.query.built.build.load_embedder = lambda: _EMBEDDER  # type: ignore[assignment, attr-defined]
    if options.measure:
        print(json.dumps(measure(options.engines[0], folder)))
        return
    if not (folder / "index" / "snapshots").exists():
        make_index(folder / "index", options.scenes)
    Rows(folder / "index", _EMBEDDER).write()
    results = {}
    for engine in options.engines:
        missing = [name for name in NEEDS.get(engine, ()) if find_spec(name) is None]
        if missing:
            print(f"{engine}: not installed: {', '.join(missing)}", file=sys.stderr)
            continue
        if result := _run(engine, options):
            results[engine] = result
            (folder / f"{engine}.json").write_text(json.dumps(result))
        if not options.keep:
            ENGINES[engine].remove(folder)
    if results:
        print_table(results)


def _run(engine: str, options: argparse.Namespace) -> dict | None:
    """In a process of its own. None: it failed or took too long, which is said."""
    command = [sys.executable, __file__, "--scenes", str(options.scenes), "--folder", str(options.folder)]
    command += ["--engines", engine, "--measure"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=options.minutes * 60)
    except subprocess.TimeoutExpired:
        print(f"{engine}: given up after {options.minutes:.0f} minutes", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{engine}: ended with {done.returncode}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


_EMBEDDER = DrawnEmbedder()


def measure(name: str, folder: Path) -> dict:
    """Milliseconds per question, and what making the engine's files took."""
    rows = Rows(folder / "index", _EMBEDDER)
    start, cpu = time.perf_counter(), time.process_time()
    engine = ENGINES[name](rows, folder)
    built = {"build s": time.perf_counter() - start, "build CPU s": time.process_time() - cpu}
    built["build peak MiB"] = peak_mib()
    print(name, built, file=sys.stderr)
    found = {}
    for question, ask in engine.questions().items():
        found[question] = timed(ask)
        print(name, question, found[question], file=sys.stderr)
    return {**built, "MB": engine.size_bytes() / 1e6, "peak MiB": peak_mib(), "ms": found}


def peak_mib() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(ask: Callable[[], object]) -> dict[str, float]:
    """Milliseconds: median and 95th percentile of the repeats by the clock, median of the CPU time of all
    threads, and the first time by the clock, which is in none of them."""
    spent: list[tuple[float, float]] = []
    begin = time.perf_counter()
    while len(spent) < 4 or (len(spent) <= REPEATS and time.perf_counter() - begin < SECONDS):
        start, cpu = time.perf_counter(), time.process_time()
        ask()
        spent.append(((time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000))
    wall, of_cpu = np.array(spent[1:]).T
    return {
        "median": float(np.median(wall)),
        "p95": float(np.percentile(wall, 95)),
        "CPU": float(np.median(of_cpu)),
        "first": spent[0][0],
    }


def print_table(results: dict[str, dict]) -> None:
    """Markdown, one column per engine; in brackets how often our median goes into theirs."""
    ours = next(iter(results.values()))["ms"]
    print("| " + " | ".join(["ms: median / p95 / CPU", *results]) + " |")
    print("|---" * (len(results) + 1) + "|")
    for question in ours:
        cells = (_cell(result["ms"].get(question), ours[question]) for result in results.values())
        print(f"| {question} | " + " | ".join(cells) + " |")
    for name in ("build s", "build CPU s", "build peak MiB", "peak MiB", "MB"):
        print(f"| {name} | " + " | ".join(f"{r[name]:.0f}" for r in results.values()) + " |")


def _cell(asked: dict[str, float] | None, ours: dict[str, float]) -> str:
    if asked is None:
        return ""
    times = " / ".join(f"{asked[name]:.2f}" for name in ("median", "p95", "CPU"))
    return times if asked is ours else f"{times} ({asked['median'] / ours['median']:.2g}x)"


if __name__ == "__main__":
    main()
