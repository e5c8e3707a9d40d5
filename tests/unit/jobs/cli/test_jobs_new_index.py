"""An index is made only where that was said: a wrong name must not cost a whole library."""

import json
import os
from pathlib import Path

import pytest

from jobs.cli.main import cli
from storage.index.index import open_index
from storage.index.nearby import nearest_indexes


@pytest.fixture
def media_index(tmp_path, monkeypatch, media_index):
    """The console script's function in this process, in an empty folder; Ray is never started."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")

    return media_index


@pytest.fixture
def films(tmp_path):
    """A library whose videos are never read here."""
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(tmp_path):
    """An index that is there."""
    open_index(str(tmp_path / "catalog"), create=True)
    return tmp_path / "catalog"


def content(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder with its size and time."""
    found = [folder, *sorted(folder.rglob("*"))]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


@pytest.mark.parametrize("verb", [("run",), ("backfill", "--all")])
def test_without_a_model_and_without_signals_nothing_begins(films, catalog, media_index, verb):
    """Exit 2, and the hint says what the built-in one is good for; the index stays as it was."""
    before = content(catalog)
    done = media_index(*verb, "--library", films, "--index", catalog, "--signal", "none")
    said = "error: nothing to do without a model and without signals"
    assert (done.code, done.stderr.splitlines()[0]) == (2, said)
    assert "--model small" in done.stderr
    assert "drawn films only" in done.stderr
    assert content(catalog) == before


def test_an_index_is_made_once_and_said_so(films, tmp_path, media_index):
    """With --new-index it is made; again with it nothing is touched, without it the command goes on."""
    command = ("run", "--library", films, "--index", tmp_path / "new", "--model", "small")
    assert media_index(*command, "--new-index").code == 0
    before = content(tmp_path / "new")
    again = media_index(*command, "--new-index")
    assert again.code == 2
    assert f"there is an index in {tmp_path / 'new'} already" in again.stderr
    assert "Leave out --new-index" in again.stderr
    assert content(tmp_path / "new") == before
    assert media_index(*command).code == 0


VERBS = [
    ("run", "--library", "FILMS", "--model", "small"),
    ("backfill", "--all", "--library", "FILMS", "--model", "small"),
    ("retry", "--all"),
    ("status",),
    ("report",),
    ("explain", "x"),
    ("sql", "select 1"),
    ("search", "x"),
    ("build",),
    ("eval", "--truth", "TRUTH"),
    ("export", "--format", "jsonl"),
    ("serve",),
    ("compact",),
    ("compact", "--repair"),
    ("vacuum",),
    ("forget", "x", "--yes"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_at_a_place_without_an_index_names_the_nearest(films, catalog, tmp_path, media_index, verb):
    """Exit 2, `error:` and `hint:`, and no folder appears."""
    truth = tmp_path / "truth.json"
    truth.write_text('{"videos": [{"uri": "a.mp4"}]}')
    words = [{"FILMS": str(films), "TRUTH": str(truth)}.get(word, word) for word in verb]
    done = media_index(*words, "--index", tmp_path / "catalgo")
    assert done.code == 2, done.stderr
    error, hint = done.stderr.strip().splitlines()
    assert error == f"error: there is no index in {tmp_path / 'catalgo'}"
    assert hint == f"hint: Did you mean {catalog}? If not, `media-index run --new-index` makes one."
    assert not (tmp_path / "catalgo").exists()


def test_every_verb_is_asked():
    """But for those that need no index there: plan, doctor, config."""
    assert {verb[0] for verb in VERBS} | {"plan", "doctor", "config"} >= set(cli.commands)


def test_the_nearest_are_found_beside_above_and_below(catalog, tmp_path):
    """A wrong letter, a folder too deep, a folder too high; nothing near is nothing named."""
    assert nearest_indexes(str(tmp_path / "Catalog")) == [str(catalog)]
    assert nearest_indexes(str(catalog / "index")) == [str(catalog)]
    assert nearest_indexes(str(tmp_path))[0] == str(catalog)
    assert nearest_indexes(str(tmp_path / "films" / "deep" / "er")) == []


def test_a_plan_needs_no_index_and_makes_none(films, tmp_path, media_index):
    """It says so first, in words and in JSON."""
    for number in range(3):
        (films / f"{number}.mp4").write_bytes(bytes([number] * 9))
    where = ("--library", films, "--index", tmp_path / "new", "--model", "small")
    told = media_index("plan", *where, "--where", "uri like '%1.mp4'")
    assert told.code == 0, told.stderr
    assert told.stdout.splitlines()[0] == (
        "NO INDEX THERE YET: everything is new, and the run must say --new-index"
    )
    assert "3 new  1 of them now" in told.stdout
    answer = json.loads(media_index("plan", *where, "--json").stdout)
    assert (answer["index_exists"], answer["num_videos"]) == (False, 3)
    assert not (tmp_path / "new").exists()


def test_a_plan_for_a_wrong_name_says_what_was_meant(films, catalog, tmp_path, media_index):
    """Before anybody types --new-index."""
    told = media_index("plan", "--library", films, "--index", tmp_path / "catalgo", "--model", "small")
    assert told.stdout.splitlines()[1].strip() == f"did you mean the index {catalog}?"


def test_a_plan_saved_before_its_index_is_made_can_be_carried_out(films, tmp_path, media_index):
    """The plan is looked at, then the index is made with it: here of nothing, so that Ray is not needed."""
    where = ("--library", films, "--index", tmp_path / "new", "--model", "small")
    saved = media_index("plan", *where, "--save", tmp_path / "first.plan")
    assert "media-index run --new-index --plan" in saved.stderr
    done = media_index("run", "--new-index", "--plan", tmp_path / "first.plan", *where)
    assert done.code == 0, done.stderr


def test_a_plan_leaves_an_index_as_it_is(films, catalog, tmp_path, media_index):
    """Also one that nobody may write to, and that a pack would add tables to."""
    (films / "a.mp4").write_bytes(bytes(9))
    where = ("--library", films, "--index", catalog, "--model", "small", "--pack", "surveillance")
    before = content(catalog)
    folders = [catalog, *(path for path in catalog.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        told = media_index("plan", *where, "--json")
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (told.code, json.loads(told.stdout)["reasons"]) == (0, {"new": 1}), told.stderr
    assert content(catalog) == before
    assert os.listdir(tmp_path / "cwd") == []  # noqa: PTH208 - names alone


def test_a_plan_of_an_empty_library_is_not_silent(films, catalog, media_index):
    """It says that nothing was listed, and what to look at."""
    where = ("--library", films, "--index", catalog, "--model", "small")
    told = media_index("plan", *where)
    assert (told.code, told.stdout.strip()) == (0, "0 videos listed, nothing to do")
    assert "hint: Is this the right --library" in told.stderr
    (films / "a.mp4").write_bytes(bytes(9))
    told = media_index("plan", *where)
    assert "0 videos" not in told.stdout
    assert "hint" not in told.stderr


def test_a_plan_lists_what_it_leaves_out(films, tmp_path, media_index):
    """With the reason, when asked; else their number alone."""
    for name in ("a.mp4", "notes.txt", "draft.mp4", "old.mp4"):
        (films / name).write_bytes(bytes(9))
    os.utime(films / "old.mp4", (1e9, 1e9))
    where = ("--library", films, "--index", tmp_path / "new", "--model", "small")
    filters = ("--exclude", "draft*", "--since", "2w")
    told = media_index("plan", *where, *filters, "--show-ignored").stdout.splitlines()
    assert told[:3] == [
        f"ignored  {films}/draft.mp4: left out by --include, --exclude or --prefix",
        f"ignored  {films}/notes.txt: no video by its name (--extension)",
        f"ignored  {films}/old.mp4: older than --since",
    ]
    assert not any("ignored" in line for line in media_index("plan", *where).stdout.splitlines()[:2])
    answer = json.loads(media_index("plan", *where, *filters, "--show-ignored", "--json").stdout)
    assert [one["why"] for one in answer["ignored"]] == [line.partition(": ")[2] for line in told[:3]]


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (("--max-failures", "200%"), "at most 100%"),
        (("--usd-per-gpu-hour", "-1"), "usd-per-gpu-hour"),
        (("--since", "7y"), "2026-11-01"),
        (("--deadline", "soon"), "07:00"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_meant_is_refused(films, catalog, media_index, flags, error):
    """Before anything begins, and with where to read on."""
    done = media_index("run", "--library", films, "--index", catalog, "--model", "small", *flags)
    assert done.code == 2, done.stderr
    assert error in done.stderr
    assert "See `media-index run --help`." in done.stderr


def test_a_usage_error_leads_to_the_help_of_its_verb(media_index):
    """Whatever was typed wrongly there."""
    for words in (("vacuum", "--older"), ("search",), ("serve", "--port", "x")):
        done = media_index(*words)
        assert done.code == 2
        assert done.stderr.splitlines()[-1] == f"hint: See `media-index {words[0]} --help`."
    assert media_index("serv").stderr.splitlines()[-1] == "hint: See `media-index --help`."
