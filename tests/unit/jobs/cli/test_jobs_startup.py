"""A command loads what it uses: most of the time of a lookup was spent on libraries that it never called."""

import json
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

from jobs.cli.main import cli
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving

# Prints, as the last line, which of all modules are loaded once the command has run.
_RUN = """
import json, sys
from jobs.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_by(*words: str) -> set[str]:
    """The packages that are loaded once the command has run, without the interpreter's own."""
    done = subprocess.run([sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    measuring = {"coverage", "$coverage"}  # where `make coverage` runs this
    return {name for name in loaded - measuring - set(sys.stdlib_module_names) if not name.startswith("_")}


def test_help_loads_click_and_flags():
    """The list of verbs needs nothing of what the verbs do."""
    assert loaded_by("--help") == {"click", "jobs", "schemas", "storage"}


def test_the_shell_completes_verbs_and_flags():
    """As the README says, by click's own means: names only, nothing is run."""
    complete = BashComplete(cli, {}, "media-index", "_MEDIA_INDEX_COMPLETE")
    assert [found.value for found in complete.get_completions([], "se")] == ["search", "serve"]
    assert [found.value for found in complete.get_completions(["search"], "--li")] == ["--limit"]


OF_RUNS_AND_WRITERS = {"av", "boto3", "botocore", "jinja2", "jsonschema", "pandas", "pyarrow", "ray"}
OF_RUNS_AND_WRITERS |= {"torch", "transformers"}


@pytest.fixture(scope="module")
def index(tmp_path_factory, make_bundle):
    """An index of one video with its serving file."""
    place = str(tmp_path_factory.mktemp("lookups") / "index")
    bundle = make_bundle()
    pair = (bundle.commit.video_id, bundle.commit.analysis_key)
    opened = open_index(place, create=True)
    opened.commit(*pair, encode_bundle(bundle))
    opened.publish([pair])
    build_serving(place, words_only=True)
    return place


def test_sql_loads_duckdb_and_row_types(index):
    """Neither arrays nor Arrow nor words' endings: DuckDB reads Parquet and makes rows by itself."""
    loaded = loaded_by("sql", "--index", index, "select count(*) from videos")
    assert not loaded & (OF_RUNS_AND_WRITERS | {"numpy", "snowballstemmer", "tokenizers", "videoxl2"})
    assert "duckdb" in loaded


def test_search_loads_arrays_and_endings_of_words_besides(index):
    """What compares words and vectors; nothing that would build what is asked."""
    loaded = loaded_by("search", "--index", index, "opening")
    assert not loaded & OF_RUNS_AND_WRITERS
    assert {"duckdb", "numpy", "snowballstemmer"} <= loaded
