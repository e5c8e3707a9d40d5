"""What is said of a run while it is at work: which line and which event for each thing that happens."""

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Literal

from rich.console import Console
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

from jobs.attempts.tries import AttemptHistory
from jobs.attempts.work import Work
from jobs.cluster.nodes import NodeEvent
from jobs.driver.loop.machines import Shortage
from jobs.driver.telling.node_words import node_said, shortage_said
from jobs.driver.telling.output import Output
from jobs.driver.telling.pace import Pace
from jobs.failures import VideoFailure
from jobs.planning.lines import pace_line, plan_lines
from jobs.planning.plan import Plan
from jobs.settings.limits import Ending
from jobs.weights import BUILT_IN, BUILT_IN_NOTE, Weights
from schemas.failures import ExitCode, FailureAction, MediaIndexError
from schemas.tables import Run
from storage.index.leases import Holder
from storage.query.built.build import Build
from storage.upkeep.compact import Compaction

TELL_PACE_EVERY_S = 30.0
_CLOSING = {Ending.DEADLINE: "deadline reached", Ending.NO_MACHINES: "what the run waits for did not come"}
MAX_REFUSED = 100  # named in one event
SIGNALS_ONLY = "no model is asked: signals only"


class Progress:
    """Tells what happens to each video, in one line each: words for people, or a JSON object."""

    def __init__(self, console: Console | None, log_format: Literal["text", "json"] = "text") -> None:
        """Tell a console; without one only `logging` is told."""
        self._output = Output(console, log_format)
        self._say = self._output.say
        self._bar: Bar | None = None
        self._pace: Pace | None = None
        self._tell_pace_at = 0.0

    def started(self, run_id: str) -> None:
        """A run begins; all JSON lines from here on name it."""
        self._output.run_id = run_id
        self._say(None, "started")

    def waiting(self, holder: Holder) -> None:
        """Tell that another run may be at work, or may have died."""
        line = f"waiting   {holder.kind} {holder.run_id} on {holder.host} holds the index: is it still alive?"
        self._say(line, "waiting", holder=holder.run_id, kind=holder.kind, host=holder.host, pid=holder.pid)

    def planned(self, plan: Plan, weights: Weights | None, fps: Fraction) -> None:
        """The plan in one line per reason, and what will answer, at `fps`; None: only signals are read."""
        summary = plan.summary
        counts = {"plan_id": summary.plan_id, "videos": len(plan.videos), "ignored": summary.num_ignored}
        refused = plan.refused[:MAX_REFUSED]
        self._say(None, "planned", **counts, reasons=dict(summary.reasons), doubt=plan.doubt, refused=refused)
        for line in plan_lines(plan):
            self._say(f"plan      {line}", None)
        if not len(plan.videos):
            return
        if weights is None:
            self._say(f"note      {SIGNALS_ONLY}", "note", message=SIGNALS_ONLY)
            return
        line = f"model     {weights.model_id} ({weights.revision[:12]})"
        self._say(line, "model", model=weights.model_id, revision=weights.revision)
        if weights.model_id == BUILT_IN:
            self._say(f"note      {BUILT_IN_NOTE}", "note", message=BUILT_IN_NOTE)
        if shown := pace_line(weights.config, fps):
            self._say(f"note      {shown}", "note", message=shown)

    @contextmanager
    def working(self, pace: Pace) -> Iterator[None]:
        """Show the bar while videos are being analysed."""
        self._pace = pace
        columns = (
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Bar(
            *columns,
            console=self._output.console,
            transient=True,
            redirect_stdout=False,  # what others print is not for the terminal: see `jobs.cluster.words`
            redirect_stderr=False,
            disable=not self._output.has_room_for_a_bar,
        ) as bar:
            self._bar = bar
            self._task = bar.add_task("starting", total=len(pace.costs))
            try:
                yield
            finally:
                self._bar = None

    def tick(self) -> None:
        """Videos are at work: the bar follows, and machines are told now and then."""
        if self._pace is None or time.monotonic() < self._tell_pace_at:
            return
        if self._bar and not self._bar.disable:
            self._bar.update(self._task, description=self._pace.words())
            return
        self._tell_pace_at = time.monotonic() + TELL_PACE_EVERY_S
        self._say(None, "progress", **self._pace.fields())

    def begun(self) -> None:
        """The first video is in an actor's hands."""
        if self._pace:
            self._pace.begin()

    def indexed(self, video: AttemptHistory, is_partial: bool) -> None:
        """One video is committed."""
        usage = video.last.usage
        word = "partial " if is_partial else "indexed "
        what = f"{usage.num_frames or 0:>6} frames {usage.model_seconds:6.1f} s"
        if not video.work.is_for_model:
            what = f"    signals {usage.signal_seconds or 0.0:7.1f} s"
        line = f"{word}  {what}  {video.work.video.uri}"
        told = {
            "frames": usage.num_frames,
            "video_ms": usage.video_ms,
            "signal_seconds": usage.signal_seconds,
        }
        self._say(
            line, word.strip(), **_tried(video), **told, **self._advance(video.work, usage.video_ms or 0)
        )

    def failed(self, video: AttemptHistory, action: FailureAction) -> None:
        """One video is given up, for good or until the next run."""
        word = "set aside" if action is FailureAction.QUARANTINED else "unfinished"
        line = f"{word} {_failed(video)}"
        self._say(line, action, **_tried(video), **_why(video.failure), **self._advance(video.work))

    def retrying(self, video: AttemptHistory) -> None:
        """One try failed; another follows."""
        self._say(f"again     {_failed(video)}", "retrying", **_tried(video), **_why(video.failure))

    def settled_elsewhere(self, work: Work) -> None:
        """Tell that another run was first with this video."""
        line = f"elsewhere another run has it  {work.video.uri}"
        self._say(line, "settled_elsewhere", uri=work.video.uri, **self._advance(work))

    def storage_trouble(self, error: MediaIndexError) -> None:
        """A commit or a publish did not go through; it is tried again."""
        line = f"again     storage: {error.message}"
        self._say(line, "storage_trouble", message=error.message, hint=error.hint)

    def short(self, shortage: Shortage) -> None:
        """Tell that nothing gets on, as machines lack."""
        line, fields = shortage_said(shortage)
        self._say(line, "waiting", **fields)

    def node(self, event: NodeEvent) -> None:
        """A node came, drains or is gone."""
        line, name, fields = node_said(event)
        self._say(line, name, **fields)

    def scaled(self, num_gpus: int, num_wanted: int) -> None:
        """Tell how many GPUs there are now."""
        self._say(f"scaled    {num_gpus} of {num_wanted} GPUs", "scaled", gpus=num_gpus, wanted=num_wanted)

    def left_over(self, num_gpus: int, gpus_per_model: int) -> None:
        """Tell that some GPUs are of no use."""
        line = f"idle      {num_gpus} GPUs: a model takes {gpus_per_model} of one node"
        self._say(line, "left_over", gpus=num_gpus, gpus_per_model=gpus_per_model)

    def stopped(self) -> None:
        """The user asked to stop, and no video is in flight any more."""
        self._say("stopping: what is committed stays", "stopping")

    def closing(self, ending: Ending, num_in_flight: int, grace_s: float) -> None:
        """A limit of the run is reached: no video begins any more."""
        why = _CLOSING.get(ending, "too many failures")
        line = f"closing   {why}: no more videos begin, {num_in_flight} under way have {grace_s / 60:.0f} min"
        self._say(line, "closing", reason=ending, videos_in_flight=num_in_flight, grace_seconds=grace_s)

    def ended(self, run: Run) -> None:
        """The run is recorded. Its summary for people goes to stdout."""
        self._say(None, "ended", **run.model_dump(mode="json", exclude={"run_id", "settings_json"}))

    def built(self, build: Build | None) -> None:
        """Say that the search database is of the newest snapshot; `build` None: it was before."""
        if build is None:
            self._say(None, "built", is_new=False)
            return
        line = f"built     {build.file}: snapshot {build.snapshot}, {build.num_documents} documents"
        fields = {"file": build.file, "snapshot": build.snapshot, "documents": build.num_documents}
        if build.not_shared:
            line += f"; not shared: {build.not_shared}"
            fields["not_shared"] = build.not_shared
        self._say(line, "built", is_new=True, **fields)

    def compacted(self, done: Compaction) -> None:
        """Small files of the index are merged."""
        num_before = sum(len(merged.before) for merged in done.merged.values())
        num_after = sum(len(merged.after) for merged in done.merged.values())
        line = f"compacted {num_before} files of the index into {num_after}"
        self._say(line, "compacted", snapshot=done.snapshot, before=num_before, after=num_after)

    def not_compacted(self, error: MediaIndexError | OSError) -> None:
        """Small files of the index stay as they are until the next time."""
        said = error.message if isinstance(error, MediaIndexError) else str(error)
        self._say(f"note      the index's files are not merged: {said}", "not_compacted", message=said)

    def error(self, error: MediaIndexError, command: str | None = None) -> None:
        """Say what stops the run, and what to type next."""
        fields = {"message": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
        self._say(f"error: {error.message}", "error", **fields, next=command)

    def crashed(self, error: BaseException) -> int:
        """Say that our own bug, or a second Ctrl-C, ends the run; return the exit code for it."""
        code, hint = ExitCode.INTERNAL, "Please report it with the traceback."
        if isinstance(error, KeyboardInterrupt):
            code, hint = ExitCode.INTERRUPTED, "Repeat the command; what is committed stays."
        message = f"{type(error).__name__}: {error}"
        lines = "".join(traceback.format_exception(error))
        self._say(
            f"error: {message}", "error", message=message, hint=hint, exit_code=int(code), traceback=lines
        )
        return int(code)

    def _advance(self, work: Work, video_ms: int = 0) -> dict[str, object]:
        """One more video is through: how far the run is."""
        if self._pace is None:
            return {}
        self._pace.settled(work.analysis_key, video_ms)
        if self._bar:
            self._bar.update(self._task, advance=1, description=self._pace.words())
        return self._pace.fields()


def _failed(video: AttemptHistory) -> str:
    return f"{video.failure.code}: {video.failure.message}  {video.work.video.uri}"


def _tried(video: AttemptHistory) -> dict[str, Any]:
    tried = video.last
    return {
        "uri": video.work.video.uri,
        "video_id": video.work.video.video_id,
        "attempt": tried.attempt,
        "seconds": round(tried.seconds, 3),
        "node": tried.location and tried.location.host,
    }


def _why(failure: VideoFailure) -> dict[str, Any]:
    return {
        "stage": failure.stage,
        "class": failure.failure_class,
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
    }
