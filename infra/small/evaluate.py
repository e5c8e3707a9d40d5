"""How right the small checkpoint is: films through the whole pipeline, and what each part of it is worth.

    python infra/small/evaluate.py FOLDER            (the model card's first table)
    python infra/small/evaluate.py FOLDER --card     (all its tables, written into it)

Draws held-out films into FOLDER, indexes them with `media-index run`, reads the index by SQL, and judges it
against the storyboards. The other tables ask the model directly: no Ray, no files, no snapping to cuts. What
was indexed and told stays in FOLDER, so a command that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import click
import torch
from ablations import Examiner
from card import Counts, direct_block, pipeline_block, put_into, scores_of
from films import make_films
from judging import Score, Told, table
from kept import Kept, digest_of_checkpoint
from storyboard import Part, draw_film

from jobs.weights import find_weights
from storage.query.catalog import open_catalog

COMMAND = Path(sys.executable).with_name("media-index")
COUNTS = Counts()


def index_films(folder: Path, part: Part, count: int, model: str) -> Score:
    """Films to files, files to rows by the installed command, rows to a score."""
    library = folder / "library"
    index = (
        folder / "indexes" / Kept(folder, find_weights(model).folder).key
    )  # rows belong to weights and code
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


def blocks_of(folder: Path, part: Part, checkpoint: Path, model: str) -> dict[str, str]:
    """All tables but the first, each row as soon as it is known."""
    examiner = Examiner(find_weights(model), Kept(folder, checkpoint))
    rows: dict[str, list[tuple[str, Score]]] = defaultdict(list)
    for name, row, score in scores_of(examiner, part, COUNTS):
        rows[name].append((row, score))
        click.echo(table([(row, score)]).splitlines()[-1])
    return {name: direct_block(rows[name], made) for name, made in COUNTS.by_table.items()}


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--part", type=click.Choice(["validation", "test"]), default="test", show_default=True)
@click.option("--count", default=200, show_default=True, help="Films through the whole pipeline.")
@click.option("--model", default="small", show_default=True)
@click.option("--card", is_flag=True, help="Also the other tables; all go into README.md beside the weights.")
def main(folder: Path, part: Part, count: int, model: str, card: bool) -> None:
    torch.set_num_threads(1)
    checkpoint = find_weights(model).folder
    written = checkpoint / "README.md"
    if card:
        try:
            put_into(written.read_text(), dict.fromkeys(("pipeline", *COUNTS.by_table), ""))
        except (OSError, ValueError) as error:
            raise click.ClickException(f"{written}: {error}.") from None
    score = index_films(folder, part, count, model)
    click.echo(table([(f"{part}, whole pipeline", score)]))
    (folder / "score.json").write_text(json.dumps(score.measures(), indent=1) + "\n")
    if not card:
        return
    films = [draw_film(part, number) for number in range(count)]
    blocks = {"pipeline": pipeline_block(score, films, part, digest_of_checkpoint(checkpoint))}
    blocks |= blocks_of(folder, part, checkpoint, model)
    written.write_text(put_into(written.read_text(), blocks))
    click.echo(f"{written} has these tables now")


if __name__ == "__main__":
    main()
