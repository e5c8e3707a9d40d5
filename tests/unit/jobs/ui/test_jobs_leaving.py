"""How a process ends that is told to."""

import os
import signal
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
