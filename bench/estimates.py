"""How near estimates come: what `plan` says and what the run then takes, under other settings than before.

    python bench/estimates.py FOLDER [--films 8] [--only "--fps 2"]

Drawn films of 10 to 80 seconds, the built-in checkpoint, this machine. The history is one run with the
default settings; then, for each row of the table, other films are planned and run under other settings, and
the likely figures are compared with what the run took: seconds of the actor, or of CPU cores where only
signals are read, and wall time of the command. Each row works on a copy of the index as the history left it,
so rows do not depend on each other.

Seconds tell how busy the machine was, too. A thread measures that beside every run, as the wall time that a
second of CPU takes at its priority, and the last two columns compare with what the run would have taken had
the machine been as busy as when the history was made.
"""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parents[1] / "infra" / "small"))  # the drawn films' generator

from films import ENCODINGS, encode
from storyboard import draw_film

COMMAND = Path(sys.executable).with_name("media-index")
LENGTHS_S = (10, 20, 30, 15, 45, 25, 80, 12)
SMALL = ("--model", "small")
SETTINGS: dict[str, tuple[str, ...]] = {
    "signals only": (),
    "the same settings": SMALL,
    "--fps 2": (*SMALL, "--fps", "2"),
    "--fps 1/2 --max-frames 12": (*SMALL, "--fps", "1/2", "--max-frames", "12"),
    "--pack surveillance": (*SMALL, "--pack", "surveillance"),
}
# Which the history says nothing about: other films are run so, first.
NEW = {"signals only", "--pack surveillance"}

MEASURES = ("frames", "tokens", "busy s", "wall s", "busy s, as busy", "wall s, as busy")
_LOOK_S, _EVERY_S = 0.02, 0.5


class Busyness:
    """How long a second of CPU takes on this machine, measured beside what runs."""

    def __init__(self) -> None:
        self._wall_s = self._cpu_s = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._is_over.wait(_EVERY_S):
            begun, cpu = time.perf_counter(), time.thread_time()
            while time.thread_time() - cpu < _LOOK_S:
                pass
            self._wall_s += time.perf_counter() - begun
            self._cpu_s += time.thread_time() - cpu

    def __enter__(self) -> "Busyness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def factor(self) -> float:
        """1 where nothing else is at work."""
        return self._wall_s / self._cpu_s if self._cpu_s else 1.0


@dataclass(frozen=True)
class Row:
    """One setting: each measure as planned (likely), and as it was."""

    setting: str
    pairs: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        cells = (
            f"{planned:7.1f} {was:7.1f} {planned / was - 1 if was else 0:+5.0%}"
            for planned, was in self.pairs
        )
        return f"{self.setting:26} {'  '.join(cells)}"


def make_library(folder: Path, first: int, count: int) -> Path:
    """Films of all lengths and encodings in turn; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(count):
        how = ENCODINGS[(first + place) % len(ENCODINGS)]
        path = folder / f"{first + place:04}.{how.suffix}"
        if not path.exists():
            encode(draw_film("test", 5000 + first + place, LENGTHS_S[place % len(LENGTHS_S)]), how, path)
    return folder


def command(*arguments: str) -> Any:
    """What a verb answers as JSON. Ends the bench where it fails."""
    done = subprocess.run([COMMAND, *arguments, "--json"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 3):
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def make_history(folder: Path, num_films: int) -> tuple[Path, float]:
    """The index of a run with default settings, made unless it is there, and how busy the machine was."""
    index, said = folder / "index", folder / "busy"
    library = make_library(folder / "history", 0, num_films)
    if not said.exists():
        shutil.rmtree(index, ignore_errors=True)
        with Busyness() as busy:
            command("run", "--library", str(library), "--index", str(index), *SMALL, "--new-index")
        said.write_text(str(busy.factor))
    return index, float(said.read_text())


def measure(folder: Path, num_films: int, only: tuple[str, ...]) -> Iterator[Row]:
    """One row a setting."""
    index, was_busy = make_history(folder, num_films)
    for number, (setting, flags) in enumerate(SETTINGS.items(), start=1):
        if only and setting not in only:
            continue
        library = make_library(folder / str(number), 100 * number, num_films)
        copy = Path(f"{index}-{number}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(index, copy)
        place = ("--index", str(copy), *flags)
        then_busy = was_busy
        if setting in NEW:
            before = make_library(folder / f"{number}-before", 100 * number + 50, num_films)
            with Busyness() as busy:
                command("run", "--library", str(before), *place)
            then_busy = busy.factor
        where = ("--library", str(library), *place)
        planned = command("plan", *where)["estimate"]
        with Busyness() as busy:
            run = command("run", *where)
        yield Row(setting, tuple(compare(planned, run, copy, busy.factor / then_busy)))


def compare(planned: Any, run: Any, index: Path, busier: float) -> Iterator[tuple[float, float]]:
    """Each measure, planned and taken, of a run on a machine that was so much busier than before."""
    spent = (
        "sum(signal_seconds)"
        if planned["actor_hours"] is None
        else "sum(seconds - coalesce(finish_seconds, 0))"
    )
    sql = f"SELECT {spent} AS s FROM attempts WHERE run_id = '{run['run_id']}'"
    [took] = command("sql", sql, "--index", str(index))
    wall = datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])
    hours = (planned["actor_hours"] or [sum(one["cpu_hours"] for one in planned["signals"])])[0]
    busy = (hours * 3600, took["s"])
    whole = (planned["finish_hours"][0] * 3600, wall.total_seconds())
    yield (planned["num_frames"] or 0, run["num_frames"])
    yield (planned["num_output_tokens"] or 0, run["num_output_tokens"])
    yield from (busy, whole)
    yield from ((likely, was / busier) for likely, was in (busy, whole))


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--films", default=8, show_default=True, help="Of the history, and of each setting.")
@click.option("--only", multiple=True, type=click.Choice(list(SETTINGS)), help="Rows. [all]")
def main(folder: Path, films: int, only: tuple[str, ...]) -> None:
    click.echo(" " * 27 + "  ".join(f"{'planned':>7} {name:13}" for name in MEASURES))
    for row in measure(folder, films, only):
        click.echo(str(row))


if __name__ == "__main__":
    main()
