"""A command loads what it uses: most of the time of a lookup was spent on libraries that it never called."""

import json
import subprocess
import sys

from click.shell_completion import BashComplete

from jobs.cli.main import cli
from storage.index.index import open_index

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


def test_lookups_in_a_folder_load_no_client_of_s3_and_nothing_of_a_run(tmp_path):
    """Nor what only writers of Parquet need; SQL needs no words' endings."""
    open_index(str(tmp_path / "index"), create=True)
    where = ("--index", str(tmp_path / "index"))
    unused = {"boto3", "botocore", "ray", "torch", "transformers", "av", "jinja2", "jsonschema", "pandas"}
    by_sql = loaded_by("sql", *where, "select count(*) from videos")
    assert not by_sql & (unused | {"snowballstemmer", "tokenizers", "videoxl2"})
    assert "duckdb" in by_sql
