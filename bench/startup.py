"""Cost of the shortest commands: CPU seconds of a whole process, beside another media-index.

    python bench/startup.py demo/index --against ../before/.venv/bin/media-index

Both work on a copy of the index of their own, with a serving file that they built themselves, in turn. Prints
Markdown; a ratio is the median of the pairs' ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

COMMAND = Path(sys.executable).with_name("media-index")
VERBS = {
    "--help": ["--help"],
    "sql": ["sql", "--index", "{index}", "select count(*) from scenes"],
    "search": ["search", "--index", "{index}", "dancing in the kitchen"],
}


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """User and system time of one process, in seconds. CalledProcessError: it failed."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, command)
    return usage.ru_utime + usage.ru_stime


def prepared(command: Path, index: Path, folder: Path) -> list[list[str]]:
    """The commands that are measured, after a build and one run of each that is not counted."""
    copy = folder / "index"
    shutil.copytree(index, copy)
    subprocess.run([command, "build", "--index", copy], check=True, cwd=folder, capture_output=True)
    commands = [[str(command), *(word.format(index=copy) for word in words)] for words in VERBS.values()]
    for each in commands:
        cpu_seconds(each, folder)
    return commands


def main() -> None:
    """Measure in turn and print a row per verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("--against", type=Path, default=COMMAND, help="another media-index [this one]")
    parser.add_argument("--repeats", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        pairs = zip(
            VERBS,
            prepared(COMMAND, asked.index.resolve(), Path(ours)),
            prepared(asked.against.absolute(), asked.index.resolve(), Path(theirs)),
            strict=True,
        )
        print("| command | CPU s | of the other | ratio | ratios |\n|---|---|---|---|---|")
        for verb, mine, other in pairs:
            seconds = [
                (cpu_seconds(mine, Path(ours)), cpu_seconds(other, Path(theirs)))
                for _ in range(asked.repeats)
            ]
            ratios = [ours_s / theirs_s for ours_s, theirs_s in seconds]
            medians = (f"{statistics.median(column):.2f}" for column in zip(*seconds, strict=True))
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(f"| `{verb}` | {' | '.join(medians)} | **{statistics.median(ratios):.2f}** | {spread} |")


if __name__ == "__main__":
    main()
