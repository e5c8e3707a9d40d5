"""Ray dies under a run, and what a run of Ray's leaves behind: real commands, real kills."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("media-index")
NUM_VIDEOS = 8


@pytest.fixture
def where(tmp_path, make_video) -> list[str]:
    """A library of short videos, and the options that name it."""
    library = tmp_path / "library"
    library.mkdir()
    for number in range(NUM_VIDEOS):
        make_video(library / f"{number}.mp4", seconds=2, shade=number * 10)
    return ["--library", str(library), "--index", str(tmp_path / "index")]


@pytest.fixture
def temporary(monkeypatch) -> Iterator[Path]:
    """A temporary folder of the test's own, so that what is left in it is the run's."""
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def pid_of(part: str, driver: subprocess.Popen[str]) -> int:
    """One of Ray's processes, started by this driver."""
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "pid,sess,args"], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listing.stdout.splitlines()[1:]]
    (pid,) = [int(pid) for pid, session, args in rows if int(session) == driver.pid and part in args[:200]]
    return pid


@pytest.mark.parametrize(
    ("part", "log_format", "number", "dead"),
    [
        ("gcs/gcs_server", "json", signal.SIGKILL, "control store (GCS) ended (killed by SIGKILL)"),
        pytest.param(
            *("raylet/raylet", "text", signal.SIGKILL, "node manager (raylet) ended (killed by SIGKILL)"),
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            *("ray::RuntimeEnvAgent", "text", signal.SIGKILL, "node manager (raylet) ended (exit code 0)"),
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            *("gcs/gcs_server", "text", signal.SIGSTOP, "control store (GCS) did not answer 6 times"),
            marks=pytest.mark.nightly,  # it takes more than a minute to be sure
        ),
    ],
)
def test_a_ray_that_dies_ends_the_run_with_words(
    where, parrot, media_index, temporary, part, log_format, number, dead
):
    """Exit code 1: what died, where its logs are, what to type. The run is recorded and blames no video."""
    run = subprocess.Popen(
        [
            COMMAND,
            "run",
            "--new-index",
            *where,
            "--model",
            str(parrot),
            "--device",
            "cpu",
            "--log-format",
            log_format,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said: list[str] = []
        while not said or "indexed" not in said[-1]:
            said.append(run.stderr.readline())
            assert said[-1], said
        if number == signal.SIGSTOP:  # nothing is to end before it is noticed
            os.kill(pid_of("ray::ModelActor", run), number)
        os.kill(pid_of(part, run), number)
        out, rest = run.communicate(timeout=300)
    finally:
        run.kill()
    lines = [line.rstrip("\n") for line in (*said, *rest.splitlines())]
    assert run.returncode == 1, lines
    assert out == ""
    logs = next((temporary / "ray").glob("session_2*")).resolve() / "logs"
    if log_format == "json":
        ended, error = [json.loads(line) for line in lines][-2:]
        assert (ended["event"], ended["exit_code"], error["event"]) == ("ended", 1, "error")
        message, hint, command = error["message"], error["hint"], error["next"]
    else:
        message, hint, command = map(str.removeprefix, lines[-3:], ("error: ", "hint: ", "next: "))
        ours = ("plan ", "model ", "indexed ", "error: ", "hint: ", "next: ", "note")
        assert [line for line in lines if not line.startswith(ours)] == [], "no dump of Ray's"
    assert message.startswith("Ray died under the run: its")
    assert dead in message
    assert str(logs) in hint
    assert "raylet.out" in {path.name for path in logs.iterdir()}
    assert command.startswith("media-index run --library")
    status = media_index("status", *where[2:], "--json").json
    (row,) = status["latest_runs"]
    assert (row["exit_code"], row["set_aside"], row["unfinished"]) == (1, 0, NUM_VIDEOS - row["indexed"])
    assert row["indexed"] >= 1
    assert status["failures"] == []


@pytest.mark.nightly  # a frozen Ray is waited for twice
def test_a_ray_that_freezes_at_the_end_does_not_hold_the_run(where, parrot, media_index, temporary):
    """It ends, and takes what is frozen with it: with 0 where all was done before anybody noticed."""
    command = [COMMAND, "run", "--new-index", *where, "--model", str(parrot), "--device", "cpu"]
    pipe = subprocess.PIPE
    run = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    try:
        said: list[str] = []
        while sum("indexed" in line for line in said) < NUM_VIDEOS // 2:
            said.append(run.stderr.readline())
            assert said[-1], said
        frozen = pid_of("gcs/gcs_server", run)
        os.kill(frozen, signal.SIGSTOP)
        out, _ = run.communicate(timeout=300)
    finally:
        run.kill()
    all_done = (0, True) if run.returncode == 0 else (1, False)
    assert (run.returncode, f"{NUM_VIDEOS} indexed" in out) == all_done
    assert not Path(f"/proc/{frozen}").exists()


STRANGER = "import pathlib; pathlib.Path({trace!r}).touch(); raise ImportError('a stranger ran')\n"


def test_a_run_takes_nothing_from_a_strangers_folder_and_leaves_nothing(
    where, parrot, tmp_path, temporary, monkeypatch
):
    """No process imports what lies in the current folder; Ray's sockets fit into a long TMPDIR, and go."""
    cwd, trace = tmp_path / "cwd", tmp_path / "stranger ran"
    for name in ("jobs", "storage", "schemas", "videoxl2", "av", "ray"):
        (cwd / name).mkdir(parents=True)
        (cwd / name / "__init__.py").write_text(STRANGER.format(trace=str(trace)))
    for name in ("torch", "numpy", "json", "typing_extensions"):
        (cwd / f"{name}.py").write_text(STRANGER.format(trace=str(trace)))
    long = temporary / ("x" * 100)
    monkeypatch.setenv("TMPDIR", str(long))
    done = subprocess.run(
        [COMMAND, "run", "--new-index", *where, "--model", str(parrot), "--device", "cpu", "--limit", "1"],
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "1 indexed" in done.stdout
    assert not trace.exists()
    assert list((long / "ray").iterdir()) == []
