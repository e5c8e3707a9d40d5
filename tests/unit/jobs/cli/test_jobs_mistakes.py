"""Mistakes of the user: two lines, the right exit code, nothing spent and nothing changed."""

import json

import pytest

from storage.index.index import open_index
from storage.index.leases import KeptLease, acquire


@pytest.fixture
def media_index(tmp_path, monkeypatch, media_index):
    """The console script's function in this process; Ray is never started by a mistake."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    return media_index


@pytest.fixture
def films(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--library", "nowhere", "--index", "index"], 8, "nowhere"),
        (["--library", "ftp://films", "--index", "index"], 2, "ftp://films"),
        (["--library", "FILMS", "--index", "index", "--model", "FILMS"], 8, "config.json"),
        (["--library", "FILMS", "--index", "index", "--model", "not/there"], 8, "not/there"),
        (["--library", "FILMS", "--index", "index", "--fps", "fast"], 2, "fps"),
        (["--library", "FILMS", "--index", "index", "--max-frames", "0"], 2, "max-frames"),
        (["--library", "FILMS", "--index", "index", "--dtype", "float7"], 2, "dtype"),
        (["--library", "FILMS", "--index", "index", "--num-actors", "none"], 2, "--num-actors"),
        (["--library", "FILMS", "--index", "index", "--include", "[z-a]"], 2, "[z-a]"),
        (["--library", "FILMS", "--index", "index", "--speed", "9"], 2, "--speed"),
        (["--library", "FILMS", "--index", "index", "--ray-address", "ray://head:10001"], 2, "Ray Client"),
        (["--library", "FILMS"], 2, "no index given"),
        (["--index", "index"], 2, "no library given"),
        (["--library", "FILMS", "--index", "FILMS/a.txt"], 8, "a.txt"),
        (["--library", "FILMS", "--index", "FILMS"], 8, "not empty"),
        (["--config", "none.toml"], 2, "none.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_two_lines_and_a_code(films, media_index, arguments, code, error):
    """`error:` names what is wrong, `hint:` what to do; no traceback, no index made."""
    (films / "a.txt").write_text("something")
    model = () if "--model" in arguments else ("--model", "small")
    done = media_index("run", "--new-index", *model, *(a.replace("FILMS", str(films)) for a in arguments))
    lines = done.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], done.stderr
    assert error in lines[0]
    assert done.code == code
    assert [path.name for path in films.iterdir()] == ["a.txt"]
    assert not (films.parent / "index").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--log-format", "json", "--limt", "3"], "No such option '--limt'"),
        (["run", "--log-format=json", "--limit", "many"], "'many' is not a valid integer"),
        (["run", "--limit", "many", "--config", "json.toml"], "'many' is not a valid integer"),
        (["backfill", "--log-format", "json"], "backfill was not told which videos"),
        (["run", "--log-format", "json", "--config", "none.toml"], "none.toml does not exist"),
        (["run", "--log-format", "json", "--config", "wrong.toml"], "unknown setting libary"),
        (["run", "--config", "json.toml", "--deadline", "0s"], "more than 0"),
    ],
)
def test_a_mistake_is_json_where_stderr_is_json(tmp_path, monkeypatch, media_index, arguments, said):
    """Whoever parses the lines of a run gets no others, also where none begins."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.toml").write_text('log-format = "json"\nlibrary = "x"\nindex = "y"\nmodel = "small"')
    (tmp_path / "wrong.toml").write_text('libary = "x"')
    done = media_index(*arguments)
    (line,) = done.stderr.splitlines()
    event = json.loads(line)
    assert (done.code, event["event"], event["exit_code"]) == (2, "error", 2)
    assert said in event["message"]
    assert event["hint"].endswith((".", "?"))
    assert list(event) == ["time", "event", "run_id", "message", "hint", "exit_code", "next"]


def test_an_empty_library_is_nothing_to_do(films, tmp_path, media_index):
    """No videos is a success, and the index answers."""
    index = tmp_path / "index"
    done = media_index("run", "--library", films, "--index", index, "--model", "small", "--new-index")
    assert (done.code, done.stdout.splitlines()[0][:13]) == (0, "nothing to do")
    counted = media_index("sql", "select count(*) as n from videos", "--index", index, "--json")
    assert json.loads(counted.stdout) == [{"n": 0}]
    assert media_index("search", "anything", "--index", index).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["sql", "select 1", "--index", "nowhere"], 2, "nowhere"),
        (["sql", "selec 1", "--index", "INDEX"], 2, "SQL"),
        (["sql", "select '\udcff'", "--index", "INDEX"], 2, "not UTF-8"),
        (["search", "\udcff", "--index", "INDEX"], 2, "not UTF-8"),
        (["explain", "\udcff", "--index", "INDEX"], 2, "not in the index"),
        (["forget", "\udcff", "--yes", "--index", "INDEX"], 2, "not in the index"),
        (["build", "--output", "INDEX", "--index", "INDEX"], 2, "is a directory"),
        (["sql", "select no_such from videos", "--index", "INDEX"], 2, "no_such"),
        (["sql", "drop view videos", "--index", "INDEX"], 2, "only"),
        (["search", "  ", "--index", "INDEX"], 2, "no word"),
        (["search", "x", "--kind", "poem", "--index", "INDEX"], 2, "poem"),
        (["status"], 2, "no index given"),
        (["serv"], 2, "serv"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, list) else None,
)
def test_a_wrong_question_is_two_lines_and_a_code(films, tmp_path, media_index, arguments, code, error):
    """The verbs that read the index make the same promise."""
    index = tmp_path / "index"
    media_index("run", "--library", films, "--index", index, "--model", "small", "--new-index")
    done = media_index(*(a.replace("INDEX", str(index)) for a in arguments))
    lines = done.stderr.strip().splitlines()
    assert lines[0].startswith("error: ")
    assert lines[-1].startswith("hint: ")
    assert error in done.stderr
    assert done.code == code


@pytest.mark.parametrize(("ok", "code"), [((), 5), (("--ok", "3"), 5), (("--ok", "3", "--ok", "5"), 0)])
def test_a_scheduler_is_told_what_counts_as_success(films, tmp_path, media_index, monkeypatch, ok, code):
    """The reason is said all the same, and codes that nobody named stay what they are."""
    monkeypatch.setattr("storage.index.leases.RENEW_EVERY_S", 0.05)  # the second run waits for a sign of life
    where = ["--library", films, "--index", tmp_path / "index", "--model", "small"]
    assert media_index("run", *where, "--new-index").code == 0
    store = open_index(str(tmp_path / "index")).store
    with KeptLease(acquire(store, "run", "at-work", print), print):
        done = media_index("run", *where, *ok)
    assert (done.code, "error: " in done.stderr, "--ok 5: told as 0" in done.stderr) == (
        code,
        True,
        code == 0,
    )


def test_a_code_after_which_somebody_has_to_look_is_never_success(films, media_index):
    """Usage, preflight, bugs: a scheduler that called them success would repeat them for ever."""
    for code in ("1", "2", "8", "130"):
        done = media_index("run", "--library", films, "--index", "index", "--ok", code)
        assert done.code == 2
        assert "somebody has to look" in done.stderr
