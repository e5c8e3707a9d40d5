"""The settings file: its keys are the flags, it is found from below, one file serves all verbs."""

import json
import re
from pathlib import Path

import click
import pytest
from places import ROOT

from jobs.cli.config import settings_page
from jobs.cli.main import cli
from jobs.cli.run import run as run_verb
from jobs.cli.settings import SAID_EACH_TIME, find_settings, flag_of
from jobs.settings.file import SETTINGS_FILE, find_settings_file

DOCS = ROOT / "docs" / "settings.md"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a settings file's place, two folders deep where commands run."""
    here = tmp_path / "project" / "deep" / "er"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    return tmp_path / "project"


def resolved(media_index, *flags) -> dict[str, tuple[object, str]]:
    """What `config --json` says: value and where it comes from."""
    done = media_index("config", "--json", *flags)
    assert done.code == 0, done.stderr
    return {one["key"]: (one["value"], one["from"]) for one in json.loads(done.stdout)["settings"]}


def run_params(*arguments: str) -> dict[str, object]:
    """What `run` would get of these arguments and the settings file."""
    return run_verb.make_context("run", list(arguments)).params


def test_keys_are_the_flags_with_dashes_or_underscores(project):
    """Both spellings, numbers and texts, lists where a flag is repeatable, dates as TOML has them."""
    (project / SETTINGS_FILE).write_text(
        'num-actors = 3\nmax_frames = 99\nfps = 0.5\npack = "surveillance"\nexclude = ["a/*", "b/*"]\n'
        "split = true\nsince = 2026-11-01\n"
    )
    params = run_params()
    assert (params["num_actors"], params["max_frames"], params["fps"]) == (3, 99, "0.5")
    assert (params["packs"], params["exclude"]) == (("surveillance",), ("a/*", "b/*"))
    assert (params["split"], params["since"]) == (True, "2026-11-01")


def test_a_flag_wins_over_the_file(project):
    """And only that one."""
    (project / SETTINGS_FILE).write_text('max-frames = 99\ndtype = "float32"\n')
    params = run_params("--max-frames", "7")
    assert (params["max_frames"], params["dtype"]) == (7, "float32")


def test_paths_are_relative_to_the_file(project, media_index, monkeypatch):
    """A folder, a home folder, a model that is a folder; URLs, hub ids and built-in names stay."""
    (project / "weights" / "xl").mkdir(parents=True)
    (project / SETTINGS_FILE).write_text(
        'library = "films"\nindex = "s3://catalog/index"\nmodel = "weights/xl"\nscratch = "~/tmp"\n'
        'pack = ["default", "./mine"]\n'
    )
    params = run_params()
    assert (params["library"], params["index"]) == (str(project / "films"), "s3://catalog/index")
    assert params["model"] == str(project / "weights" / "xl")
    assert params["scratch"] == Path.home() / "tmp"
    assert params["packs"] == ("default", str(project / "mine"))
    (project / SETTINGS_FILE).write_text('model = "BAAI/Video-XL-2"\nlibrary = "../films"\n')
    params = run_params()
    assert (params["model"], params["library"]) == ("BAAI/Video-XL-2", str(project.parent / "films"))
    monkeypatch.chdir(project)
    assert run_params()["library"] == "../films", "beside the file it is as it would be typed"


def test_the_nearest_file_counts_and_the_search_ends(project, tmp_path, monkeypatch):
    """Not above a repository, the home folder, or below a folder that everybody may write to."""
    (tmp_path / SETTINGS_FILE).touch()
    deep = project / "deep"
    assert find_settings_file(deep) == tmp_path / SETTINGS_FILE
    (project / SETTINGS_FILE).touch()
    assert find_settings_file(deep) == project / SETTINGS_FILE
    (project / SETTINGS_FILE).unlink()
    (project / ".git").mkdir()
    assert find_settings_file(deep) is None
    (project / ".git").rmdir()
    monkeypatch.setenv("HOME", str(project))
    assert find_settings_file(deep) is None
    monkeypatch.setenv("HOME", "/nowhere")
    tmp_path.chmod(0o777)
    assert find_settings_file(deep) is None
    assert find_settings_file(tmp_path) == tmp_path / SETTINGS_FILE, "who stands there means it"


def test_what_another_verb_takes_is_no_error(project, media_index):
    """`port` is for serve, `older-than` for vacuum; `limit` of runs is not the one of search."""
    (project / SETTINGS_FILE).write_text('port = 99999\nolder-than = "soon"\nlimit = 3\nfps = 2\n')
    assert media_index("sql", "--examples").code == 0
    assert cli.commands["search"].make_context("search", ["x"]).params["limit"] == 10
    assert cli.commands["eval"].make_context("eval", []).params["fps"] is None
    wrong = media_index("serve", "--index", "x")
    assert wrong.code == 2
    assert f"setting port = 99999 in {project / SETTINGS_FILE}" in wrong.stderr


@pytest.mark.parametrize(
    ("said", "error", "hint"),
    [
        ('libary = "x"', "unknown setting libary", "Did you mean library?"),
        ('packs = ["x"]', "unknown setting packs", "Did you mean pack?"),
        ("zzzz = 1", "unknown setting zzzz", "`media-index config` lists all settings."),
        ("new-index = true", "unknown setting new-index", "Give --new-index on the command line"),
        ("num-actors = 1\nnum_actors = 2", "says num-actors twice", "Leave one of them out."),
        ('library = ["a", "b"]', "setting library", "Write one value"),
        ("split = 1", "setting split", "Correct it"),
        ("limit = true", "setting limit", "Correct it"),
        ('limit = "many"', "setting limit = 'many'", "Correct it"),
        ("[quux]\nport = 1", "unknown setting quux", "`media-index config` lists"),
        ("fps = ", "is not TOML", "Correct that line."),
    ],
)
def test_a_mistake_in_the_file_is_named(project, media_index, said, error, hint):
    """Whatever verb runs: which file, which key, and what was probably meant."""
    (project / SETTINGS_FILE).write_text(said)
    done = media_index("run")
    assert done.code == 2
    first, second = done.stderr.strip().splitlines()
    assert error in first
    assert str(project / SETTINGS_FILE) in first
    assert second.startswith("hint: ")
    assert hint in second
    assert media_index("run", "--help").code == 0, "help is never refused"


def test_a_named_file_must_exist(project, media_index):
    """--config says which one; then no other is looked for."""
    (project / SETTINGS_FILE).write_text("limit = 3\n")
    done = media_index("config", "--config", "none.toml")
    assert (done.code, "settings file none.toml does not exist" in done.stderr) == (2, True)
    (project / "other.toml").write_text("limit = 4\n")
    assert resolved(media_index, "--config", project / "other.toml")["limit"] == (
        4,
        str(project / "other.toml"),
    )


def test_config_says_what_is_so_and_where_it_comes_from(project, media_index):
    """Every key, in words and as JSON."""
    (project / SETTINGS_FILE).write_text('library = "films"\n')
    settings = resolved(media_index)
    assert settings["library"] == (str(project / "films"), str(project / SETTINGS_FILE))
    assert settings["max-frames"] == (None, "default")
    shown = media_index("config")
    assert re.search(rf"library +{project / 'films'} +{project / SETTINGS_FILE}", shown.stdout)
    assert re.search(r"max-frames +2048 +default", shown.stdout)


def test_every_flag_of_every_verb_is_a_key():
    """But for those that are meant for one command."""
    flags = {
        flag_of(param)
        for verb in cli.commands.values()
        for param in verb.params
        if isinstance(param, click.Option)
    }
    assert set(find_settings(cli.commands)) == flags - SAID_EACH_TIME


def test_the_page_is_up_to_date():
    """Repair: python -m jobs.cli.config docs/settings.md."""
    assert DOCS.read_text(encoding="utf-8") == settings_page()


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_config_lists_all_settings_beside_a_wrong_key(project, media_index, flags):
    """The hint about a wrong key leads to it, so it must not answer with that hint alone."""
    (project / SETTINGS_FILE).write_text('zzzz = 1\nlibrary = "films"\n')
    done = media_index("config", *flags)
    assert done.code == 2
    assert "unknown setting zzzz" in done.stderr
    assert str(project / "films") in done.stdout
    assert "usd-per-gpu-hour" in done.stdout
