"""The limits of a run and what it says meanwhile, through the installed command on real files."""

import json

import pytest


@pytest.fixture
def where(tmp_path, make_video):
    """A library of four films and one that is none."""
    library = tmp_path / "library"
    library.mkdir()
    for number in range(4):
        make_video(library / f"{number}.mp4", seconds=2, shade=number * 10)
    (library / "broken.mp4").write_bytes(b"no film at all")
    return ["--library", library, "--index", tmp_path / "index"]


def test_attempts_and_json_logs(where, parrot, media_index):
    """Every try is a row that says what it took; stderr is one JSON object a line, stdout the result."""
    done = media_index("run", *where, "--new-index", "--model", parrot, "--log-format", "json", "--json")
    assert done.code == 3, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert {event["run_id"] for event in events} == {done.json["run_id"]}
    names = [event["event"] for event in events]
    assert (names[0], names[-1], names.count("indexed")) == ("started", "ended", 4)
    (aside,) = (event for event in events if event["event"] == "quarantined")
    assert (aside["class"], aside["uri"].endswith("/broken.mp4")) == ("media", True)
    query = (
        "select outcome, count(*) as n, bool_and(node <> '' and device = 'cpu') as placed, "
        "bool_and(wait_seconds <= prefill_seconds) as waited, min(generate_seconds) > 0 as told, "
        "min(finish_seconds) > 0 as finished, min(peak_memory_bytes) > 50000000 as peaked, "
        "min(num_frames) as frames, min(fingerprint) is not null as printed "
        "from attempts group by outcome order by outcome"
    )
    indexed, aside = media_index("sql", query, *where[2:], "--json").json
    assert indexed == {
        **dict.fromkeys(("placed", "waited", "told", "finished", "peaked"), True),
        "outcome": "indexed",
        "n": 4,
        "frames": 2,
        "printed": False,
    }
    assert (aside["outcome"], aside["n"], aside["placed"], aside["printed"]) == ("quarantined", 1, True, True)


def test_a_deadline_that_is_over_begins_nothing_and_the_next_run_goes_on(
    where, parrot, media_index, installed
):
    """Exit code 6, no video touched (Ray takes longer to start); with a later one the rest is done."""
    late = installed("run", *where, "--new-index", "--model", parrot, "--deadline", "1s")
    assert late.code == 6, late.stderr
    assert "exit 6: deadline reached" in late.stderr
    (run,) = media_index("sql", "select exit_code, num_unfinished from runs", *where[2:], "--json").json
    assert run == {"exit_code": 6, "num_unfinished": 5}
    again = media_index("run", *where, "--model", parrot, "--deadline", "6h", "--json")
    assert (again.code, again.json["num_indexed"]) == (3, 4), again.stderr


def test_errors_are_json_too(tmp_path, media_index):
    """Where the log is for machines, so is the reason why there is no run."""
    (tmp_path / "library").mkdir()
    where = ["--library", tmp_path / "library", "--index", tmp_path / "library"]
    (tmp_path / "library" / "a.txt").write_text("x")
    failed = media_index("run", *where, "--new-index", "--model", "small", "--log-format", "json")
    assert failed.code == 8
    (*_, error) = [json.loads(line) for line in failed.stderr.splitlines()]
    assert (error["event"], error["exit_code"]) == ("error", 8)
    assert error["hint"]


def test_a_wrong_setting_is_an_event_too(media_index):
    """Before there is a run."""
    failed = media_index("run", "--library", "x", "--model", "small", "--log-format", "json")
    (error,) = [json.loads(line) for line in failed.stderr.splitlines()]
    assert (failed.code, error["event"], error["exit_code"]) == (2, "error", 2)
    assert "index" in error["message"]
