"""`python -m oddfilms SEED …`: make films and judge them. `--keep FOLDER` leaves the files."""

import argparse
import tempfile
from pathlib import Path

from oddfilms import draw, judge, make


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m oddfilms", description=__doc__)
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            recipe = draw(seed)
            print(recipe)
            film = make(arguments.keep or Path(folder), recipe)
            judgement = judge(film)
            print(film.path.name, judgement.verdict, *judgement.problems, sep="\n    ")


if __name__ == "__main__":
    main()
