"""Ray's folder, its signs of life and its words: real files, processes and sockets, and no Ray."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.checks.imports import names_in_the_way
from jobs.cluster import memory_kills, vital_signs
from jobs.cluster.memory_kills import MemoryKills, what_is_known
from jobs.cluster.session import MAX_ROOT_BYTES, session_folder, short_root
from jobs.cluster.store_pulse import MOST_MISSED, StorePulse
from jobs.cluster.vital_signs import OwnProcesses, Ports
from jobs.cluster.words import read_words, words_aside
from schemas.failures import MediaIndexError, PreflightError, UsageError

SOCKET = "session_2026-11-29_22-38-11_058883_4194304/sockets/plasma_store"


@pytest.fixture
def short_folder(monkeypatch) -> Iterator[Path]:
    """pytest's own are too long for Ray."""
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.mark.parametrize("length", [MAX_ROOT_BYTES - 4, MAX_ROOT_BYTES - 3, 200])
def test_sockets_fit_however_long_the_temporary_folders_path_is(monkeypatch, short_folder, length):
    """What is made in Ray's folder is in the temporary folder all the same, and stays there."""
    wanted = f"{short_folder}/".ljust(length, "x")
    monkeypatch.setenv("TMPDIR", wanted)
    with short_root() as root:
        place = root / SOCKET
        place.parent.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(place))
    assert (Path(wanted) / "ray" / SOCKET).is_socket()
    assert root == Path(wanted) / "ray" or not root.parent.exists()


def test_a_temporary_folder_that_is_none_is_said(monkeypatch, tmp_path):
    """With a hint that is true."""
    (tmp_path / "file").touch()
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "file"))
    with pytest.raises(PreflightError, match="Not a directory") as failed, short_root():
        pass
    assert "TMPDIR" in failed.value.hint


def run_in_session(root: Path, error: BaseException | None) -> Path:
    """A session that ends so; its folder."""
    with session_folder() as session:
        session.path = root / "ray" / "session_1"
        (session.path / "logs").mkdir(parents=True)
        (root / "ray" / "session_latest").symlink_to(session.path)
        session.words = "F1129 gone"
        if error:
            raise error
    return session.path


def test_a_session_that_ended_well_leaves_nothing(short_folder):
    """Its folder goes, and the link to it; whatever else is there stays."""
    (short_folder / "ray" / "session_0").mkdir(parents=True)
    run_in_session(short_folder, None)
    assert [path.name for path in (short_folder / "ray").iterdir()] == ["session_0"]


@pytest.mark.parametrize("error", [UsageError("no", "Correct it."), KeyboardInterrupt()])
def test_neither_does_one_that_did_not_fail(short_folder, error):
    """A setting or a second Ctrl-C is nothing to look for in Ray's logs."""
    with pytest.raises(type(error)):
        run_in_session(short_folder, error)
    assert list((short_folder / "ray").iterdir()) == []


@pytest.mark.parametrize("error", [MediaIndexError("Ray died", "Repeat it."), ValueError("a bug")])
def test_a_session_that_failed_stays_and_the_error_says_where(short_folder, error):
    """With what Ray said in the driver's process beside its other logs."""
    with pytest.raises(type(error)) as failed:
        run_in_session(short_folder, error)
    logs = (short_folder / "ray" / "session_1" / "logs").resolve()
    assert (logs / "media-index.err").read_text() == "F1129 gone"
    said = getattr(failed.value, "hint", "") + "".join(getattr(failed.value, "__notes__", []))
    assert f"Ray's logs are in {logs}." in said


def test_a_process_that_ended_is_told_with_how():
    """At once, by signal or code."""
    sleeping = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)]
    signs = OwnProcesses(dict(zip(("gcs_server", "raylet"), sleeping, strict=True)))
    try:
        assert signs.death() is None
        sleeping[1].kill()
        sleeping[1].wait()
        assert signs.death() == "its node manager (raylet) ended (killed by SIGKILL)"
    finally:
        for process in sleeping:
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("group", "name", "lines"),
    [
        ("0::/run.slice", "run.slice/memory.events", "oom 9\noom_kill {}\n"),
        ("0::/outside/of/the/container", "memory.events", "oom 9\noom_kill {}\n"),
        ("4:memory:/docker/1", "memory/docker/1/memory.oom_control", "under_oom 0\noom_kill {}\n"),
        ("0::/", "vmstat", "nr_free_pages 5\noom_kill {}\n"),
    ],
)
def test_memory_is_named_only_where_the_kernel_did(monkeypatch, tmp_path, group, name, lines):
    """By the counters of the control group, or of the machine; where there is none nothing is guessed."""
    own = tmp_path / "cgroup of the process"
    own.write_text(f"1:name=systemd:/\n{group}\n")
    monkeypatch.setattr(memory_kills, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory_kills, "OWN_GROUP", own)
    monkeypatch.setattr(memory_kills, "WHOLE_MACHINE", tmp_path / "vmstat")
    nobody_says = what_is_known(MemoryKills())
    assert nobody_says == "Repeat the command; what is committed stays."
    counter = tmp_path / name
    counter.parent.mkdir(parents=True, exist_ok=True)
    counter.write_text(lines.format(3))
    kills = MemoryKills()
    assert what_is_known(kills) == f"The kernel ended nothing here for want of memory. {nobody_says}"
    counter.write_text(lines.format(5))
    assert what_is_known(kills).startswith("The kernel ended 2 processes for want of memory: use fewer")


@pytest.fixture
def listening() -> Iterator[list[socket.socket]]:
    """Two ports that answer."""
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def test_a_refusing_raylet_is_dead_and_a_store_may_come_back(monkeypatch, listening):
    """The control store of a cluster is given as long as Ray itself would wait, nearly."""
    monkeypatch.setattr(vital_signs, "LOOK_AGAIN_S", 0.0)
    raylet, store = listening
    signs = Ports(raylet.getsockname(), store.getsockname())
    assert signs.death() is None
    address = store.getsockname()
    store.close()
    assert signs.death() is None
    with socket.create_server(address):
        assert signs.death() is None
    monkeypatch.setattr(vital_signs, "STORE_MAY_BE_AWAY_S", 0.0)
    assert "has not answered" in str(signs.death())
    raylet.close()
    assert "raylet" in str(signs.death())


def test_a_store_that_does_not_answer_is_dead_and_one_that_fails_at_once_is_not():
    """It is given so many tries in a row; an answer begins the count anew."""
    answers, asked = {"now": "late"}, threading.Semaphore(0)

    def ask(timeout_s: float) -> None:
        now = answers["now"]
        asked.release()
        if now == "late":
            time.sleep(timeout_s)
        if now != "there":
            raise OSError(now)

    pulse = StorePulse(ask, ask_s=0.02, every_s=0.001)
    try:
        for now in ("late", "there", "refused", "late"):
            answers["now"] = now
            while asked.acquire(blocking=False):
                pass
            for _ in range(3 * MOST_MISSED):
                assert asked.acquire(timeout=60)
            is_dead = pulse.death() is not None
            assert is_dead is (now == "late"), now
    finally:
        pulse.end()
    assert "did not answer" in pulse.death()


def test_what_ray_says_goes_aside(capfd):
    """Prints, and what C++ writes to file descriptor 2; afterwards both are as before."""
    with words_aside() as words:
        print("(raylet) state dump")
        os.write(2, b"F1129 gcs_client.cc: gone\n")
        subprocess.run([sys.executable, "-c", "import sys; sys.stderr.write('child')"], check=True)
        assert read_words(words) == "(raylet) state dump\nF1129 gcs_client.cc: gone\nchild"
    os.write(2, b"after\n")
    print("out")
    assert capfd.readouterr() == ("out\n", "after\n")


def test_only_pythonpath_leads_workers_into_the_current_folder(monkeypatch, tmp_path):
    """An empty entry does; a folder that is merely the current one does not."""
    (tmp_path / "torch.py").touch()
    (tmp_path / "av").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert names_in_the_way() == []
    for entries in (f"/opt/x:{tmp_path}", ":/opt/x", "."):
        monkeypatch.setenv("PYTHONPATH", entries)
        assert names_in_the_way() == ["av", "torch"]
    monkeypatch.setenv("PYTHONPATH", "/opt/x")
    assert names_in_the_way() == []
