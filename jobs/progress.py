"""What a person sees while a run goes on: a bar on a terminal, plain lines anywhere else. On stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as Bar,
)

from jobs.failures import Trouble
from jobs.finishing import Indexed
from jobs.plan_lines import plan_lines
from jobs.planning import Plan
from jobs.weights import BUILT_IN, BUILT_IN_NOTE, Weights
from jobs.work import Work
from schemas.failures import FailureAction, MediaIndexError
from storage.leases import Holder


class Progress:
    """Tells what happens to each video, in one line each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None

    def waiting(self, holder: Holder) -> None:
        """Another run may be at work, or may have died."""
        self._say(
            f"waiting   {holder.kind} {holder.run_id} on {holder.host} holds the index: is it still alive?"
        )

    def planned(self, plan: Plan, weights: Weights) -> None:
        """The plan in one line per reason, and what will answer."""
        for line in plan_lines(plan):
            self._say(f"plan      {line}")
        if not len(plan.videos):
            return
        self._say(f"model     {weights.model_id} ({weights.revision[:12]})")
        if weights.model_id == BUILT_IN:
            self._say(f"note      {BUILT_IN_NOTE}")

    @contextmanager
    def working(self, num_videos: int) -> Iterator[None]:
        """While videos are being analysed."""
        columns = (
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Bar(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        ) as bar:
            self._bar = bar
            self._task = bar.add_task("loading the model", total=num_videos)
            try:
                yield
            finally:
                self._bar = None

    def indexed(self, work: Work, outcome: Indexed) -> None:
        """One video is committed."""
        seconds = outcome.prefill_seconds + outcome.generate_seconds
        word = "partial " if outcome.is_partial else "indexed "
        self._say(f"{word}  {outcome.num_frames:>6} frames {seconds:6.1f} s  {work.video.uri}")
        self._advance()

    def failed(self, work: Work, trouble: Trouble, action: FailureAction) -> None:
        """One video is given up, for good or until the next run."""
        word = "set aside" if action is FailureAction.QUARANTINED else "unfinished"
        self._say(f"{word} {trouble.code}: {trouble.message}  {work.video.uri}")
        self._advance()

    def retrying(self, work: Work, trouble: Trouble) -> None:
        """One try failed; another follows."""
        self._say(f"again     {trouble.code}: {trouble.message}  {work.video.uri}")

    def settled_elsewhere(self, work: Work) -> None:
        """Another run was first with this video."""
        self._say(f"elsewhere another run has it  {work.video.uri}")
        self._advance()

    def storage_trouble(self, error: MediaIndexError) -> None:
        """A commit or a publish did not go through; it is tried again."""
        self._say(f"again     storage: {error.message}")

    def stopped(self) -> None:
        """The user asked to stop, and no video is in flight any more."""
        self._say("stopping: what is committed stays")

    def _advance(self) -> None:
        if self._bar:
            self._bar.update(self._task, advance=1, description="videos")

    def _say(self, line: str) -> None:
        self._console.print(escape(line), soft_wrap=True, highlight=False)
