"""The same from Python: docs/python.md runs as it stands, in one process that stays its owner's."""

import doctest
import json
import logging
import os
import signal
import threading
from pathlib import Path

import pytest
from films import ENCODINGS, encode
from places import ROOT
from storyboard import draw_film

from jobs import sdk
from jobs.workers.reading.one_pass import FEW_THREADS

pytestmark = pytest.mark.usefixtures("no_ray")

PAGE = ROOT / "docs" / "python.md"


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """A folder with a library of one drawn film, and nothing of Ray or of us left in the process."""
    (tmp_path / "films").mkdir()
    encode(draw_film("test", 3002, 8.0), ENCODINGS[0], tmp_path / "films" / "night walk.mp4")
    monkeypatch.chdir(tmp_path)
    before = list(logging.getLogger("jobs").handlers), logging.getLogger("jobs").level
    yield tmp_path
    handlers, level = before
    for handler in logging.getLogger("jobs").handlers:
        if handler not in handlers:
            handler.close()
    logging.getLogger("jobs").handlers[:] = handlers
    logging.getLogger("jobs").setLevel(level)


class Watching(logging.Handler):
    """Notes at every step of a run who handles signals."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[object] = set()
        self.events: list[str | None] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen |= {signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        self.events.append(getattr(record, "event", None))


def test_the_page_runs_as_it_stands(in_folder, capfd):
    """Every example gives what the page says, and nothing else is said."""
    handlers = {signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    watching = Watching()
    logging.getLogger("jobs").addHandler(watching)
    logging.getLogger("jobs").setLevel(logging.INFO)
    capfd.readouterr()
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, verbose=False)
    said = capfd.readouterr()
    assert (failed, said.out) == (0, ""), said.out
    assert tried > 20
    assert watching.seen == handlers
    assert {"started", "planned", "indexed", "ended"} <= set(watching.events)


def test_every_process_can_be_followed(in_folder, parrot):
    """With a folder for it, driver, actor and readers each write what they do into a file of their own."""
    where = {"library": "films", "index": "catalog", "model": str(parrot), "device": "cpu"}
    settings = sdk.Settings.of(**where, log_dir=in_folder / "logs", kv="bilevel")
    assert sdk.run(settings, new_index=True).num_indexed == 1
    assert sdk.sql("catalog", "select kv from videos").rows == [("bilevel 4x, 6 chunks of 24 frames",)]
    events: dict[str, set[str]] = {}
    for file in Path("logs").glob("*.jsonl"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert {line["process"] for line in lines} == {int(file.stem.rpartition("-")[2])}
        events.setdefault(file.name.partition("-")[0], set()).update(line["event"] for line in lines)
    assert events["driver"] >= {"started", "lease_held", "indexed", "published", "ended"}
    assert events["actor"] == {"loaded", "begun", "analysed"}
    is_one_pass = len(os.sched_getaffinity(0)) <= FEW_THREADS
    assert events["worker"] == {"opened", "watched" if is_one_pass else "read", "postprocessed"}


@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="a shell began the tests in the background"
)
def test_ctrl_c_stops_a_run_and_keeps_what_is_committed(
    in_folder, parrot, make_video, shared_ray, monkeypatch
):
    """KeyboardInterrupt, as anywhere in Python, after the run is published; the next call goes on."""
    for number in range(8):
        make_video(in_folder / "films" / f"{number}.mp4", seconds=2, shade=number * 10)

    class Interrupting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "event", None) == "indexed":
                self.setLevel(logging.CRITICAL)
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    logging.getLogger("jobs").addHandler(Interrupting())
    logging.getLogger("jobs").setLevel(logging.INFO)
    where = {"library": "films", "index": "catalog", "model": str(parrot), "device": "cpu"}
    settings = sdk.Settings.of(**where)
    with pytest.raises(KeyboardInterrupt):
        sdk.run(settings, new_index=True)
    ((number, code, left),) = sdk.sql(
        "catalog", "select num_indexed, exit_code, num_unfinished from runs"
    ).rows
    assert (code, number + left) == (130, 9)
    assert 1 <= number < 9
    monkeypatch.setattr("jobs.driver.execution.join_cluster", shared_ray.joined)
    assert sdk.run(settings).num_planned == left
