"""`status`, and the commands and exit codes that it shares with runs and reports."""

import json
import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from places import ROOT

from jobs.cli.main import cli
from jobs.cli.run import run as run_verb
from jobs.reports.status import read_status, status_lines
from jobs.settings.config import Settings, resolve
from jobs.settings.model import FLAGS
from jobs.ui.exit_codes import AGAIN, MEANINGS, exit_code_help, meaning_of, next_after
from jobs.ui.next_command import IndexPlace
from schemas.commit import CommitState
from schemas.failures import ExitCode
from schemas.tables import Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.leases import acquire
from storage.objects.store import open_store
from storage.query.catalog import open_catalog

SETTINGS = {
    "library": "s3://my films/it's",
    "index": "there",
    "endpoint_url": "http://there:1",
    "model": "BAAI/Video-XL-2",
    "dtype": "bfloat16",
    "fps": "1/2",
    "max_frames": 100,
    "split": True,
    "packs": ["default", "surveillance"],
    "extensions": ["mp4", "mkv"],
    "include": ["*.mp4"],
    "exclude": ["a b*", "$(rm -rf ~)"],
    "where": "uri like '%\"x%'",
    "prefixes": ["2026/", "new films/"],
    "since": "7d",
    "max_failures": "1%",
    "deadline": "07:00",
    "log_format": "json",
    "num_actors": 3,
    "ray_address": "auto",
    "scratch": "/tmp/a b",
}


@pytest.fixture
def read():
    def read_it(folder):
        with open_catalog(str(folder)) as catalog:
            return read_status(catalog, open_store(str(folder), None), IndexPlace("here"))

    return read_it


def test_status_of_nights(three_nights, read):
    """What is there, how the latest runs ended, and a command for everything that is left."""
    status = read(three_nights)
    said = "\n".join(status_lines(status))
    assert "exit 3: done, but videos were left out or lack an answer" in said
    assert "at work\n  nobody" in said
    assert {"stale", "set aside"} <= {part for part in ("stale", "set aside") if part in said}
    assert len(status.next_steps) >= 4
    assert all(step.command.startswith("media-index ") for step in status.next_steps)


def test_who_is_at_work(tmp_path, read):
    """The lease's holder; one on this machine whose process is gone is known to be dead."""
    open_index(str(tmp_path), create=True)
    store = open_store(str(tmp_path), None)
    lease = acquire(store, "run", "r-alive", lambda holder: None)
    program = (
        "import sys; from storage.index.leases import acquire; from storage.objects.store import open_store;"
        "acquire(open_store(sys.argv[1], None), 'backfill', 'r-dead', lambda holder: None)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    status = read(tmp_path)
    assert {(h.kind, h.run_id, h.is_gone) for h in status.at_work} == {
        ("run", "r-alive", False),
        ("backfill", "r-dead", True),
    }
    lines = [line for line in status_lines(status) if "is gone" in line]
    assert len(lines) == 1
    assert "r-dead" in lines[0]
    assert f"{os.getpid()}" not in lines[0]
    lease.release()


def test_it_names_the_models_that_wrote_the_rows(tmp_path, make_bundle, read):
    """With how much of the index is theirs, and what small is."""
    index = open_index(str(tmp_path), create=True)
    models = [{"model_id": "small", "model_revision": "6f1c2a9b03de77aa"}] * 2 + [{"model_id": "large"}]
    for number, model in enumerate(models):
        bundle = make_bundle(f"s3://b/{number}.mp4", duration_ms=3_600_000, **model)
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    status = read(tmp_path)
    said = "\n".join(status_lines(status))
    assert "rows are by\n  small (6f1c2a9b03de)  2 videos  2.00 h\n" in said
    assert "  large                 1 video   1.00 h\n" in said
    assert "note: The model small understands drawn films" in said
    small, large = status.as_json()["models"]
    assert (small["model_id"], small["videos"], large["note"]) == ("small", 2, None)
    assert small["note"].startswith("The model small understands")


def test_an_empty_index_has_a_status(tmp_path, read):
    """No runs, nothing to do, no error."""
    open_index(str(tmp_path), create=True)
    status = read(tmp_path)
    assert status.next_steps == ()
    assert next(status_lines(status)).startswith("index ")


def test_every_count_that_is_not_zero_has_its_command(tmp_path, make_row, make_bundle, make_run_record, read):
    """Deleted, released, unfinished and partial videos."""
    index = open_index(str(tmp_path), create=True)
    bundles = [make_bundle(f"s3://b/{n}.mp4", is_partial=n == 0) for n in range(3)]
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(b.commit.video_id, b.commit.analysis_key) for b in bundles])
    marks = zip(bundles[1:], (CommitState.DELETED, CommitState.RELEASED), strict=True)
    index.publish([], marks=[b.commit.model_copy(update={"state": state}) for b, state in marks])
    index.publish([], [make_run_record("r1", unfinished=(make_bundle("s3://b/9.mp4"),))])
    status = read(tmp_path)
    now = status.standing
    assert (now.indexed, now.deleted, now.released, now.partial, now.unfinished) == (1, 1, 1, 1, 1)
    said = [step.what for step in status.next_steps]
    assert [what for what in said if what.startswith("1 video ")] == said
    assert len(said) == 4


def keys_of(value):
    """Of all objects in a JSON document."""
    inside = [value] if isinstance(value, dict) else []
    keys = {key for each in inside for key in each}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return keys.union(*map(keys_of, parts))


def test_the_verbs_speak_json(three_nights, tmp_path, media_index):
    """Each prints one document, and `report --html` leaves stdout alone."""
    shown = json.loads(media_index("status", "--index", three_nights, "--json").stdout)
    assert {"index", "models", "latest_runs", "failures", "at_work", "videos", "to_do"} == set(shown)
    assert all(key.isidentifier() for key in keys_of(shown))
    assert shown["latest_runs"][0]["meaning"] == meaning_of(3)
    report = json.loads(media_index("report", "--index", three_nights, "--json").stdout)
    uri = report["slowest"][0]["uri"]
    assert json.loads(media_index("explain", uri, "--index", three_nights, "--json").stdout)["uri"] == uri
    page = tmp_path / "night.html"
    done = media_index("report", "--index", three_nights, "--html", page)
    assert (done.code, done.stdout) == (0, "")
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["report", "--run", "none"], 2, "no run 'none'"),
        (["report", "--since", "soon"], 2, "'soon'"),
        (["report", "--html", "no/such/folder/x.html"], 2, "x.html"),
        (["explain", "nothing.mp4"], 2, "nothing.mp4"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_two_lines(three_nights, media_index, arguments, code, error):
    """`error:` and `hint:`, as everywhere."""
    done = media_index(*arguments, "--index", three_nights)
    lines = done.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert (done.code, error in lines[0]) == (code, True)


def test_the_shown_command_repeats_the_run(tmp_path):
    """Through a real shell and back: the same settings, but for the place of the index."""
    place = IndexPlace("here it is", "http://here:2")
    command = place.again(json.dumps(SETTINGS), "ignored")
    split = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    words = split.stdout.split("\0")[:-1]
    assert words[:2] == ["media-index", "run"]
    parsed = run_verb.make_context("run", words[2:]).params
    given = {k: v for k, v in parsed.items() if k in Settings.model_fields and v not in (None, ())}
    expected = resolve({**SETTINGS, "index": "here it is", "endpoint_url": "http://here:2"})
    assert resolve(given) == expected


def test_the_shown_command_says_no_defaults():
    """Whatever type a setting is of: who reads it must see what was typed."""
    settings = resolve({"library": "s3://films", "index": "here", "model": "m"})
    command = IndexPlace("here").again(settings.model_dump_json(), "ignored")
    assert command == "media-index run --index here --library s3://films --model m"


def test_every_setting_has_a_flag_of_its_name():
    """So that a run's settings can be typed again."""
    flags = {option for param in run_verb.params for option in param.opts}
    assert {f"--{FLAGS.get(n, n).replace('_', '-')}" for n in Settings.model_fields} <= flags


@pytest.mark.parametrize("settings_json", ["", "null", "[1]", "{}", '{"no_such": 1}'])
def test_settings_that_cannot_be_read_leave_the_library(settings_json):
    """Rows of other versions."""
    command = IndexPlace("here").again(settings_json, "s3://films")
    assert command == "media-index run --index here --library s3://films"


@pytest.mark.parametrize(
    "uri",
    [
        "plain.mp4",
        "it's.mp4",
        'a "b".mp4',
        "$(touch x)'`",
        "\x1b]0;x\x07.mp4",
        "new\nline's\\.mp4",
        "ü \u202e.mp4",
        "!",
    ],
)
def test_any_name_survives_the_shell(uri):
    """And no control character reaches the terminal."""
    command = IndexPlace("here").command("explain", uri)
    assert command.isprintable()
    split = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True)
    assert split.stdout.decode().split("\0")[-2] == uri


def test_every_exit_code_has_a_meaning_and_help_shows_all():
    """One table for help, runs, status and report."""
    assert set(MEANINGS) == set(ExitCode)
    shown = exit_code_help()
    for code, meaning in MEANINGS.items():
        assert f"  {code:<4} {meaning.says}" in shown
        assert (meaning.then is None) == (next_after(code, IndexPlace("here"), "again", "r1") is None)
    assert meaning_of(99) == "a code this version does not know"
    assert next_after(99, IndexPlace("here"), "again", "r1") is None
    assert next_after(ExitCode.DEADLINE, IndexPlace("here"), "again", "r1") == "again"
    assert next_after(3, IndexPlace("here"), "again", "r1") == "media-index report --index here --run r1"


def test_every_command_that_is_shown_names_a_verb(three_nights, read):
    """Nobody is sent to a command that does not exist."""
    from jobs.reports.explain.standing import steps_for
    from schemas.plan import Reason

    now = [step.command for step in read(three_nights).next_steps]
    for state in (*CommitState, None):
        commits: Any = () if state is None else (SimpleNamespace(state=state, failure_class=None),)
        steps = steps_for(commits, (), Reason.STALE_MODEL, IndexPlace("here"), "uri", "id", None, ())
        now += [step.command for step in steps]
    then = {f"media-index {m.then}" for m in MEANINGS.values() if m.then}
    verbs = {shlex.split(command)[1] for command in (*now, *then)}
    assert {"explain", "backfill", "retry", "sql", "run"} <= verbs
    assert verbs <= set(cli.commands)


def test_a_run_that_failed_videos_says_the_code_and_the_next_command(make_row, capsys):
    """On stderr, so that stdout holds the result alone."""
    from jobs.cli.run import _show_next

    counts = {"num_planned": 3, "num_listed": 3, "exit_code": 3}
    row = make_row(Run, run_id="r1", kind="run", model_id="m", **counts)
    settings = resolve({"library": "films", "index": "here", "model": "m"})
    _show_next(row, settings, as_json=False)
    failed = [
        "exit 3: done, but videos were left out or lack an answer",
        "next: media-index report --index here --run r1",
    ]
    assert capsys.readouterr().err.splitlines() == failed
    settings = resolve({"library": "films", "index": "here", "fps": "2"})
    row = row.model_copy(update={"model_id": None, "settings_json": settings.model_dump_json()})
    _show_next(row, settings, as_json=False)
    add = "media-index backfill --index here --missing --model BAAI/Video-XL-2 --library films --fps 2"
    assert capsys.readouterr().err.splitlines() == [
        *failed,
        f"scenes, characters and highlights need a model: {add}",
    ]


def test_the_table_in_the_docs_is_the_one_in_the_code():
    """Code by code, in the same words, with the same next verb."""
    docs = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", docs, re.MULTILINE))
    assert set(rows) == {str(int(code)) for code in ExitCode}
    for code, meaning in MEANINGS.items():
        says, then = rows[str(int(code))].split(" |", 1)
        assert says == meaning.says
        expected = {None: "", AGAIN: "the same command again"}.get(
            meaning.then, f"`media-index {meaning.then}`"
        )
        assert then.strip() in (expected, "the error says what to correct")
