"""What every process of a run does, as JSON lines: a file for each in one folder.

The packages log under the names of their modules (`jobs.workers.actor`, `storage.index.publishing.publish`)
and say nothing until somebody listens. A record has an `event` and `fields` where it tells of one thing, a
video for example; its message alone is for people.
"""

import json
import logging
import os
import socket
import warnings
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

PACKAGES = ("jobs", "storage", "videoxl2")


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, process, event, message, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, with the traceback of its exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "event": getattr(record, "event", None),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line | getattr(record, "fields", {}), default=str)


@cache  # once per process: tasks of many videos come here
def follow(folder: Path | None, role: str) -> None:
    """Write from here on all this process does to `ROLE-MACHINE-PID.jsonl`; without a folder, nothing.

    A folder that a worker cannot write to costs its log and no video; the worker warns of it on its stderr.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / f"{role}-{socket.gethostname()}-{os.getpid()}.jsonl")
    except OSError as error:
        warnings.warn(f"no log of this process: {folder}: {error.strerror}", stacklevel=2)
        return
    handler.setFormatter(JsonLines())
    for package in PACKAGES:
        logger = logging.getLogger(package)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
