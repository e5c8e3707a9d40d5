"""How near estimates come: what `plan` says and what the run then takes, under other settings than before.

    python bench/estimates.py FOLDER [--films 8] [--only "--fps 2"]

Drawn films of 10 to 80 seconds, the built-in checkpoint, this machine. The history is one run with the
default settings; then, for each row of the table, other films are planned and run under other settings, and
the likely figures are compared with what the run took: seconds of the actor, and wall time of the command.
Each row works on a copy of the index as the history left it, so rows do not depend on each other.
"""

import json
import shutil
import subprocess
import sys
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
SETTINGS: dict[str, tuple[str, ...]] = {
    "the same settings": (),
    "--fps 2": ("--fps", "2"),
    "--fps 1/2 --max-frames 12": ("--fps", "1/2", "--max-frames", "12"),
    "--pack surveillance": ("--pack", "surveillance"),
}
NEW_QUESTIONS = {"--pack surveillance"}  # which the history was not asked: other films are, first


MEASURES = ("frames", "tokens", "actor s", "wall s")


@dataclass(frozen=True)
class Row:
    """One setting: each measure as planned (likely), and as it was."""

    setting: str
    pairs: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        cells = (f"{planned:8.1f} {was:8.1f} {planned / was - 1:+5.0%}" for planned, was in self.pairs)
        return f"{self.setting:28} {'   '.join(cells)}"


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


def measure(folder: Path, num_films: int, only: tuple[str, ...]) -> Iterator[Row]:
    """The history, unless it is there, then one row a setting."""
    index = str(folder / "index")
    history = make_library(folder / "history", 0, num_films)
    if not Path(index).exists():
        command("run", "--library", str(history), "--index", index, "--model", "small", "--new-index")
    for number, (setting, flags) in enumerate(SETTINGS.items(), start=1):
        if only and setting not in only:
            continue
        library = make_library(folder / str(number), 100 * number, num_films)
        copy = Path(f"{index}-{number}")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(index, copy)
        place = ("--index", str(copy), "--model", "small", *flags)
        if setting in NEW_QUESTIONS:
            before = make_library(folder / f"{number}-before", 100 * number + 50, num_films)
            command("run", "--library", str(before), *place)
        where = ("--library", str(library), *place)
        planned = command("plan", *where)["estimate"]
        run = command("run", *where)
        spent = "SELECT sum(seconds - coalesce(finish_seconds, 0)) AS s FROM attempts WHERE run_id = "
        [took] = command("sql", f"{spent}'{run['run_id']}'", "--index", str(copy))
        wall = datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])
        yield Row(
            setting,
            (
                (planned["num_frames"], run["num_frames"]),
                (planned["num_output_tokens"], run["num_output_tokens"]),
                (planned["actor_hours"][0] * 3600, took["s"]),
                (planned["finish_hours"][0] * 3600, wall.total_seconds()),
            ),
        )


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--films", default=8, show_default=True, help="Of the history, and of each setting.")
@click.option("--only", multiple=True, type=click.Choice(list(SETTINGS)), help="Rows. [all]")
def main(folder: Path, films: int, only: tuple[str, ...]) -> None:
    click.echo(" " * 29 + "   ".join(f"{'planned':>8} {name:>8}      " for name in MEASURES))
    for row in measure(folder, films, only):
        click.echo(str(row))


if __name__ == "__main__":
    main()
