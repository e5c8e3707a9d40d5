"""Output of a run, lines and events: to stderr as text or as JSON lines, and the events to `logging`, too."""

import logging
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from jobs.ui.terminal import event_line
from jobs.ui.words import visible

_log = logging.getLogger(__name__)
_LEVELS = {  # of events that are more, or less, than information
    "progress": logging.DEBUG,
    "quarantined": logging.WARNING,
    "retrying": logging.WARNING,
    "storage_trouble": logging.WARNING,
    "node_draining": logging.WARNING,
    "node_left_out": logging.WARNING,
    "node_lost": logging.WARNING,
    "error": logging.ERROR,
}


class Output:
    """Says lines to people, or events as JSON objects to machines."""

    def __init__(self, console: Console | None, log_format: Literal["text", "json"]) -> None:
        """Take a console; without one only `logging` is told."""
        self.console = console
        self.run_id: str | None = None  # named by every event, once there is one
        self._is_json = log_format == "json"

    @property
    def has_room_for_a_bar(self) -> bool:
        """Whether people look at a terminal."""
        return not self._is_json and self.console is not None and self.console.is_terminal

    def say(self, line: str | None, event: str | None, **fields: Any) -> None:
        """Say `line` to people, and `event` with its fields to machines; None: they are told otherwise."""
        if event is not None:
            self._log(line or event, event, fields)
        if self.console is None:
            return
        if self._is_json:
            if event is not None:
                print(event_line(event, self.run_id, **fields), file=self.console.file, flush=True)
        elif line is not None:
            self._print(self.console, line)

    def _log(self, line: str, event: str, fields: dict[str, Any]) -> None:
        level = _LEVELS.get(event, logging.INFO)
        told = {"run_id": self.run_id} | fields
        _log.log(level, "%s", visible(line), extra={"event": event, "fields": told})

    def _print(self, console: Console, line: str) -> None:
        if console.is_terminal:
            console.print(escape(visible(line)), soft_wrap=True, highlight=False)
        else:
            print(visible(line), file=console.file, flush=True)
