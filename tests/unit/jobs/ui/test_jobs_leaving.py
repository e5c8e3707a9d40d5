"""How a process ends that is told to."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from jobs.cli import main as command_line
from jobs.cluster import joining
from jobs.ui.leaving import sigterm_as_interrupt


def test_sigterm_ends_a_command_with_words(monkeypatch, capsys):
    """As Ctrl-C does: before a run has begun, and where none does."""
    before = signal.getsignal(signal.SIGTERM)
    told = []

    def stopped(**_):
        assert signal.getsignal(signal.SIGTERM) is not before  # else this would end the tests
        os.kill(os.getpid(), signal.SIGTERM)
        told.append("went on")

    monkeypatch.setattr(command_line.cli, "main", stopped)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert (ended.value.code, told) == (130, [])
    assert capsys.readouterr().err.splitlines() == [
        "error: interrupted",
        "hint: Repeat the command; what is committed stays.",
    ]
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_while_ray_starts_is_an_interrupt():
    """Ray's handler, in place until it has started, exits with the signal's number."""
    with pytest.raises(KeyboardInterrupt), joining._own_sigterm():
        raise SystemExit(signal.SIGTERM)


def test_other_threads_leave_signals_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with sigterm_as_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


_SIGNALLED_WHILE_IT_LOADS = """
import os, signal, sys

class AtTheVerbs:
    def find_spec(self, name, path=None, target=None):
        if name == "jobs.cli.ask":
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, AtTheVerbs())
sys.argv = ["media-index", "config"]
from jobs.cli.entry import main
main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_verbs_are_loaded_ends_with_words(name):
    """In the first second of a command, before anything of it could be told."""
    program = [sys.executable, "-c", _SIGNALLED_WHILE_IT_LOADS.replace("{name}", name)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.splitlines() == [
        "error: interrupted",
        "hint: Repeat the command; what is committed stays.",
    ]
