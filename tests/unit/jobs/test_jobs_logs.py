"""What a process tells of itself, line by line."""

import json
import logging
import os
import sys

import pytest

from jobs.logs import PACKAGES, JsonLines, follow


@pytest.fixture
def quiet_again():
    """Loggers of the packages as they were, and a process that follows nothing yet."""
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in PACKAGES}
    follow.cache_clear()
    yield
    follow.cache_clear()
    for name, (handlers, level) in before.items():
        logger = logging.getLogger(name)
        for handler in {*logger.handlers} - {*handlers}:
            handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)


def test_a_record_is_a_line_with_its_fields(tmp_path, quiet_again):
    """Fields and event stand beside the message; what JSON has no word for is text."""
    follow(tmp_path / "logs", "actor")
    follow(tmp_path / "logs", "actor")  # of the next video
    logging.getLogger("jobs.workers").info("read", extra={"event": "read", "fields": {"path": tmp_path}})
    logging.getLogger("urllib3").warning("of no interest")
    (file,) = (tmp_path / "logs").iterdir()
    assert file.name.startswith("actor-")
    assert file.name.endswith(f"-{os.getpid()}.jsonl")
    (line,) = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    del line["time"], line["process"]
    assert line == {
        "level": "info",
        "logger": "jobs.workers",
        "event": "read",
        "message": "read",
        "path": str(tmp_path),
    }


def test_a_traceback_is_part_of_its_line():
    """However many lines it has."""
    try:
        raise KeyError("lost")
    except KeyError:
        record = logging.LogRecord("jobs", logging.ERROR, "f.py", 1, "it failed", (), sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "it failed"
    assert line["traceback"].endswith("KeyError: 'lost'")


def test_without_a_folder_nothing_is_followed(quiet_again):
    """The packages stay silent."""
    before = logging.getLogger("jobs").handlers[:]
    follow(None, "driver")
    assert logging.getLogger("jobs").handlers == before


def test_a_folder_that_cannot_be_written_costs_the_log_alone(tmp_path, quiet_again):
    """It is warned of, once."""
    (tmp_path / "logs").write_text("a file in its place")
    with pytest.warns(UserWarning, match="no log of this process"):
        follow(tmp_path / "logs", "actor")
    follow(tmp_path / "logs", "actor")
