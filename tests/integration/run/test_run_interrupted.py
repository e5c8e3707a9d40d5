"""Interrupts and real kills: what is committed stays, and repeating the command finishes the rest."""

import os
import signal
import subprocess
import sys
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
def start(parrot, where):
    """Start a run; returns the process once `num_lines` videos are reported committed."""
    started = []

    def run(num_lines: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, "run", *where, "--new-index", "--model", parrot, "--device", "cpu"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        while num_lines and (line := process.stderr.readline()):
            num_lines -= line.startswith("indexed")
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def actor_pids(driver: subprocess.Popen[str]) -> list[int]:
    """This run's model actors; Ray writes the actor's name over their command line."""
    listing = subprocess.run(["ps", "-eo", "pid,sess,args"], capture_output=True, text=True, check=True)
    rows = (line.split(None, 2) for line in listing.stdout.splitlines()[1:])
    return [
        int(pid) for pid, sess, args in rows if args.startswith("ray::ModelActor") and int(sess) == driver.pid
    ]


def counts(where: list[str], media_index) -> tuple[int, int]:
    """Videos, and videos that are whole: their scenes cover them once, end to end."""
    query = (
        "with covered as (select video_id, sum(end_ms - start_ms) as ms from scenes group by video_id) "
        "select count(*) as videos, count(*) filter (ms = duration_ms) as whole "
        "from videos left join covered using (video_id)"
    )
    (row,) = media_index("sql", query, *where[2:], "--json").json
    return row["videos"], row["whole"]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)])
def test_a_stop_leaves_a_consistent_index_and_the_same_command_goes_on(
    where, start, parrot, media_index, number
):
    """Ctrl-C or SIGTERM: exit code 130, whole videos only, and in the end each video once."""
    process = start(num_lines=2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: Ray's processes get it, too
    else:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130, stderr
    assert "stopping" in stderr
    videos, whole = counts(where, media_index)
    assert 2 <= whole == videos < NUM_VIDEOS
    (run,) = media_index("sql", "select * from runs", *where[2:], "--json").json
    assert (run["exit_code"], run["num_unfinished"]) == (130, NUM_VIDEOS - videos)

    done = media_index("run", *where, "--model", parrot, "--json")
    assert done.code == 0, done.stderr
    assert done.json["num_planned"] == NUM_VIDEOS - videos
    assert counts(where, media_index) == (NUM_VIDEOS, NUM_VIDEOS)


def test_a_killed_driver_loses_only_what_was_in_flight(where, start, parrot, media_index):
    """kill -9: bundles committed but never published are published, not paid for again."""
    process = start(num_lines=3)
    process.kill()
    process.wait()
    done = media_index("run", *where, "--model", parrot, "--json")
    assert done.code == 0, done.stderr
    assert done.json["num_planned"] <= NUM_VIDEOS - 3
    assert counts(where, media_index) == (NUM_VIDEOS, NUM_VIDEOS)


def test_a_killed_actor_is_replaced(where, start, media_index):
    """kill -9 of the model's process: its video is tried again elsewhere, all others are unharmed."""
    process = start(num_lines=2)
    for pid in actor_pids(process):
        os.kill(pid, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert "worker_killed" in stderr
    assert stdout.startswith("run "), "what Ray says of the kill does not belong among the results"
    assert counts(where, media_index) == (NUM_VIDEOS, NUM_VIDEOS)
