"""The command line in the test's own process: what a person sees of `media-index …` without 1 CPU-second of
imports. What needs a process of its own (Ray, signals, kills) starts the installed command instead."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

Text = TypeVar("Text", str, bytes)


@dataclass(frozen=True)
class Outcome(Generic[Text]):
    """What a user sees of one command; `stdout` is bytes where an export may be no text."""

    code: int
    stdout: Text
    stderr: str

    @property
    def json(self) -> Any:
        assert self.stdout, self.stderr
        return json.loads(self.stdout)


def run_here(
    arguments: Sequence[object], read_output: Callable[[], tuple[Text, Text]], patch: pytest.MonkeyPatch
) -> Outcome[Text]:
    """Run the console script's function; `read_output` is `readouterr` of a capturing fixture."""
    from jobs.cli.main import main  # with numpy, which reads its number of threads when it is loaded

    read_output()  # what was written before belongs to no command
    patch.setattr(sys, "argv", ["media-index", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = read_output()
    return Outcome(int(ended.value.code or 0), out, err.decode() if isinstance(err, bytes) else err)
