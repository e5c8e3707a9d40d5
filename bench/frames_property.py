"""Films drawn from seeds, read from every entry point and compared with what they were written to show.

    python bench/frames_property.py                 # 5,000 films, both cores
    python bench/frames_property.py --films 500 --first 100000
    PYTHONPATH=tests/support python -m oddfilms 4711    # one film: its recipe and what is wrong with it

Columns: *right*; *alarm*, right but with a false warning; *flagged*, wrong, and the reader says that times
are estimated or pictures damaged; *refused*, a named error; *silent*, wrong without a word: must be 0.
"""

import argparse
import gc
import os
import platform
import sys
import tempfile
import time
from collections import Counter, defaultdict
from functools import partial
from multiprocessing import Pool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from oddfilms import KINDS, draw, judge, make

from videoxl2.frames.files.codecs import av_version

VERDICTS = ("right", "alarm", "flagged", "refused", "silent")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.films)
    started = time.monotonic()
    table: dict[str, Counter[str]] = defaultdict(Counter)
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder, Pool(arguments.processes, gc.freeze) as pool:
        for seed, verdict, problems, spent in pool.imap_unordered(partial(_judged, Path(folder)), seeds, 10):
            table[KINDS[seed % len(KINDS)]][verdict] += 1
            seconds += spent
            if verdict != "right":
                print(f"{seed} {verdict}: {draw(seed)}", *problems[:3], sep="\n    ", file=sys.stderr)
    _print(table)
    print(
        f"\n{len(seeds)} films, seeds {seeds[0]} to {seeds[-1]}; {time.monotonic() - started:.0f} s, "
        f"{seconds:.0f} s of CPU. {platform.processor() or platform.machine()}, "
        f"Python {platform.python_version()}, {av_version()}."
    )
    sys.exit(any(verdicts["silent"] for verdicts in table.values()))


def _judged(folder: Path, seed: int) -> tuple[int, str, tuple[str, ...], float]:
    started = time.process_time()
    film = make(folder, draw(seed))
    judgement = judge(film)
    film.path.unlink()
    return seed, judgement.verdict, judgement.problems, time.process_time() - started


def _print(table: dict[str, Counter[str]]) -> None:
    print(f"| kind | films | {' | '.join(VERDICTS)} |")
    print("|---|" + "---|" * (len(VERDICTS) + 1))
    total = sum(table.values(), Counter())
    for kind, verdicts in [*((kind, table[kind]) for kind in KINDS), ("all", total)]:
        print(f"| {kind} | {verdicts.total()} | {' | '.join(str(verdicts[word]) for word in VERDICTS)} |")


if __name__ == "__main__":
    main()
