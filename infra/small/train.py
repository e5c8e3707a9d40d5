"""Train the small checkpoint: one command, which goes on where it was stopped.

    nice python infra/small/train.py FOLDER        (two hours on two free cores)

FOLDER keeps the state of each stage and `log.jsonl`, a line of losses and validation accuracies now and then;
FOLDER/checkpoint is the result.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import torch
from checkpoint import write_checkpoint
from figure_columns import FIRST_COLUMN, WIDTH
from growing import load_wide, width_of, wire_anew
from planning import plan
from recipe import NARROW, Recipe, School, small_network, train_tongue, train_whole
from training import Log


@contextmanager
def tongue_beside(folder: Path) -> Iterator[None]:
    """Another process teaches the language model, which needs no eyes yet; if it fails, this one does."""
    command = [sys.executable, __file__, str(folder), "--only", "language"]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice(["language"]), help="A part that runs beside the eyes' stages.")
@click.option(
    "--begin-with",
    type=click.Path(path_type=Path, exists=True),
    help="A checkpoint of 160 columns whose tower and answers are taken over, in place of the first stages;"
    " or one of 288, in which what is set and not learned is set anew.",
)
@click.option("--processes", default=2, show_default=True, help="1: all stages one after the other.")
@click.option(
    "--plan", "is_plan", is_flag=True, help="Try each stage for four steps, and tell what all cost."
)
def main(folder: Path, only: str | None, begin_with: Path | None, processes: int, is_plan: bool) -> None:
    torch.set_num_threads(1)
    if is_plan:
        click.echo(plan(Recipe()))
        return
    folder.mkdir(parents=True, exist_ok=True)
    school = School(folder, Log(folder), Recipe())
    if only:
        train_tongue(school, small_network(FIRST_COLUMN)[0])
    elif begin_with is not None and width_of(begin_with) == WIDTH:
        network = load_wide(begin_with)
        wire_anew(network)
        write_checkpoint(network, school.tokenizer, folder / "checkpoint")
    elif begin_with is None and processes > 1 and not (folder / NARROW).exists():
        with tongue_beside(folder):
            train_whole(school)
    else:
        train_whole(school, begin_with)


if __name__ == "__main__":
    main()
