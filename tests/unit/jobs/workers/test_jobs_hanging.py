"""The deadline of the model's own work, in processes of their own that hang for good."""

import subprocess
import sys

from jobs.workers.hanging import BASE_S, allowed_seconds

# Sleeps in C with the interpreter locked, as a GPU call may: no Python thread could end this process.
HANG = "ctypes.PyDLL(None).sleep(300)"
PREPARE = "import ctypes, time; from jobs.workers.hanging import HangGuard\n"


def outcome(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PREPARE + code], capture_output=True, text=True, timeout=60)


def test_a_call_that_hangs_ends_the_process():
    """Though it holds the interpreter; its log says where it hung."""
    ended = outcome(f"def work():\n    {HANG}\nwith HangGuard(1):\n    work()")
    assert ended.returncode == 1
    assert "in work" in ended.stderr


def test_waiting_for_pictures_is_not_the_models_time():
    """Readers have a deadline of their own; the rest still counts, and afterwards nothing does."""
    ended = outcome(
        "def slow():\n"
        "    for n in range(3):\n"
        "        time.sleep(0.7)\n"
        "        yield n\n"
        "with HangGuard(1.5) as guard:\n"
        "    print(list(guard.pausing(slow())))\n"
        "time.sleep(2)\n"
        f"with HangGuard(1) as guard:\n    for n in guard.pausing(slow()):\n        {HANG}"
    )
    assert ended.stdout == "[0, 1, 2]\n"
    assert ended.returncode == 1


def test_the_deadline_follows_the_videos_length_and_what_is_asked():
    """Longer videos and answers get longer, a CPU much longer."""
    short, long = allowed_seconds("cuda", 10, 100), allowed_seconds("cuda", 2048, 20_000)
    assert BASE_S < short < long < 5 * 3600
    assert allowed_seconds("cpu", 10, 100) > 10 * short
