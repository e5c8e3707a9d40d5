"""How right the small checkpoint is: films through the whole pipeline, and what each part of it is worth.

    python infra/small/evaluate.py FOLDER                    (the model card's first table)
    python infra/small/evaluate.py FOLDER --ablations        (and its second)

Draws held-out films into FOLDER, indexes them with `media-index run`, reads the index by SQL, and judges it
against the storyboards. The second table asks the model directly: no Ray, no snapping to cuts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
from ablations import ablate, by_length
from films import make_films
from judging import Score, Told, table
from storyboard import Part, draw_film

from storage.query.catalog import open_catalog

COMMAND = Path(sys.executable).with_name("media-index")


def index_films(folder: Path, part: Part, count: int, model: str) -> Score:
    """Films to files, files to rows by the installed command, rows to a score."""
    library, index = folder / "library", folder / "index"
    truth = make_films(library, part, range(count))
    (folder / "truth.json").write_text(truth.model_dump_json(indent=1) + "\n")
    new = () if (index / "index.json").exists() else ("--new-index",)
    done = subprocess.run(
        [COMMAND, "run", "--library", library, "--index", index, "--model", model, "--device", "cpu", *new]
    )
    if done.returncode:
        sys.exit(done.returncode)
    return judge_index(index, part, count)


def judge_index(index: Path, part: Part, count: int) -> Score:
    """The rows of the films of that part, by the numbers in their names."""
    catalog = open_catalog(str(index))
    score = Score()
    for number in range(count):
        query = "SELECT video_id FROM videos WHERE contains(uri, ?)"
        [(video_id,)] = catalog.query(query, [f"/{part}-{number:04}."]).rows
        score.add(draw_film(part, number), Told.of_index(catalog, video_id))
    return score


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--part", type=click.Choice(["validation", "test"]), default="test", show_default=True)
@click.option("--count", default=200, show_default=True, help="Films.")
@click.option("--model", default="small", show_default=True)
@click.option("--ablations", is_flag=True, help="Also the table of what each part of the model is worth.")
def main(folder: Path, part: Part, count: int, model: str, ablations: bool) -> None:
    score = index_films(folder, part, count, model)
    click.echo(table([(f"{part}, whole pipeline", score)]))
    (folder / "score.json").write_text(json.dumps(score.measures(), indent=1) + "\n")
    if ablations:
        click.echo("\n" + table(ablate(folder / "ablations", part, model)))
        click.echo("\n" + table(by_length(folder / "ablations", part, model)))


if __name__ == "__main__":
    main()
