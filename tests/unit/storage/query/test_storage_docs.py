"""The documentation of the tables is generated, and its recipes run."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import ROOT

from schemas.commit import Bundle
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.docs import tables_page

README = ROOT / "README.md"
PAGE = README.parent / "docs" / "tables.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_bundle: Callable[..., Bundle]) -> Path:
    """Holds an index named `catalog` in which one of two videos was replaced, and has a scene nobody saw."""
    folder = tmp_path_factory.mktemp("docs")
    index = open_index(str(folder / "catalog"), create=True)
    for uri, revision, title in [
        ("/v/a.mp4", "1", "Old"),
        ("/v/a.mp4", "2", "New"),
        ("/v/b.mp4", "1", "Other"),
    ]:
        bundle = make_bundle(uri=uri, revision=revision, titles=(title, "Unseen"))
        seen, unseen = bundle.scenes
        unseen = unseen.model_copy(update={"is_grounded": False})
        bundle = bundle.model_copy(update={"scenes": (seen, unseen)})
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        index.commit(*pair, encode_bundle(bundle))
        index.publish([pair])
    return folder


def _recipe(language: str, heading: str) -> str:
    section = tables_page().partition(f"### {heading}\n")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def _run(code: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_is_up_to_date() -> None:
    """Repair: python -m storage.query.docs docs/tables.md."""
    assert PAGE.read_text(encoding="utf-8") == tables_page()


def _readme_recipe() -> str:
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("recipe", [_recipe("python", "pandas"), _readme_recipe()], ids=["page", "README"])
def test_the_pandas_recipes_give_the_rows_of_the_view(folder: Path, recipe: str) -> None:
    """As printed, from the folder that holds the index."""
    out = _run(recipe + "print(sorted(scenes.title))", folder)
    assert out == "['New', 'Other']\n"


def test_the_pyarrow_recipe_gives_current_rows(folder: Path) -> None:
    """As printed, inside the index's folder."""
    recipe = _recipe("python", "pyarrow")
    out = _run(recipe + "print(sorted(scenes['title'].to_pylist()))", folder / "catalog")
    assert out == "['New', 'Other']\n"


def test_the_duckdb_recipe_gives_current_rows_after_a_move(folder: Path, tmp_path: Path) -> None:
    """Inside the index's folder, wherever that is now."""
    moved = tmp_path / "a moved [index]*?'s 😀"
    (folder / "catalog").rename(moved)
    try:
        out = _run(_recipe("python", "DuckDB"), moved)
    finally:
        moved.rename(folder / "catalog")
    assert "New" in out
    assert "Other" in out
    assert "Old" not in out
