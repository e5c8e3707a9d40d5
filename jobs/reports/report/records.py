"""What a report says: every number once, for text, JSON and page alike."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from jobs.reports.next_steps import Step
from jobs.ui.made_by import MadeBy
from jobs.weights import note_on
from schemas.usage import Usage


@dataclass(frozen=True, kw_only=True)
class RunLine(Usage):
    """One run. Without `exit_code` it has not ended: it is at work, or it died; its tries tell the rest."""

    run_id: str
    kind: str | None  # run or backfill; None: not known
    started_at: datetime
    seen_at: datetime  # when it ended, or the end of its latest recorded try
    exit_code: int | None
    library: str
    recipe_id: str
    model_id: str | None
    settings_json: str
    num_listed: int | None
    num_unchanged: int | None
    num_planned: int
    num_indexed: int
    num_partial: int
    num_quarantined: int
    num_unfinished: int
    meaning: str = ""
    num_actors: int | None = None  # models that held a video at once; None: no attempts recorded

    @property
    def seconds(self) -> float:
        """Seconds from start to end, or to the latest thing known of it."""
        return max(0.0, (self.seen_at - self.started_at).total_seconds())


@dataclass(frozen=True)
class Bucket:
    """The events of one column of time."""

    at: datetime
    indexed: int = 0
    partial: int = 0
    quarantined: int = 0
    next_run: int = 0
    busy_seconds: float = 0.0


@dataclass(frozen=True)
class RunTimeline:
    """Columns of time of equal width `bucket_s`, in each of which models can be busy for
    `busy_capacity_s`."""

    bucket_s: int
    buckets: tuple[Bucket, ...]
    busy_capacity_s: float


@dataclass(frozen=True)
class ReasonLine:
    """Videos that the plan had for one reason."""

    reason: str
    videos: int
    indexed: int
    partial: int
    quarantined: int
    unfinished: int
    video_hours: float
    gpu_hours: float
    cpu_hours: float


@dataclass(frozen=True)
class FailureGroup:
    """Failures that are alike, with one example."""

    failure_class: str
    code: str
    fingerprint: str
    stage: str | None
    videos: int
    tries: int
    quarantined: int
    partial: int
    unfinished: int
    uri: str
    video_id: str
    message: str | None
    hint: str | None
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Spent(Usage):
    """The usage of a period's tries. `p50`, `p90`: model seconds per hour of video, vain tries included."""

    attempts: int
    lost_seconds: float  # of models, on tries that brought no rows
    video_hours: float
    p50: float | None
    p90: float | None
    busy_share: float | None = None  # seconds of compute / seconds in which models held a video
    run_share: float | None = None  # seconds of compute / (seconds of the runs × models)

    @property
    def model_hours(self) -> float:
        """Hours in which models held a video."""
        return self.model_seconds / 3600

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """The seconds of what a video passes through in the model's hands, by name."""
        if not self.attempts:  # runs' totals do not tell more
            return (("prefill", self.prefill_seconds or 0.0), ("generate", self.generate_seconds or 0.0))
        return parts_of(self)

    @property
    def cpu_parts(self) -> tuple[tuple[str, float], ...]:
        """The seconds of what it passes through on CPUs, while the model goes on; nothing where no attempt
        tells."""
        return cpu_parts_of(self)

    @property
    def throughput(self) -> float | None:
        """Hours of video per hour of a model."""
        return self.video_hours / self.model_hours if self.model_hours else None


@dataclass(frozen=True, kw_only=True)
class SlowVideo(Usage):
    """One video's cost, all its tries in one run together."""

    uri: str
    video_id: str
    outcome: str
    tries: int
    seconds: float

    @property
    def total_seconds(self) -> float:
        """Seconds that the model and CPUs spent on it."""
        return self.model_seconds + self.cpu_seconds


def parts_of(usage: Usage) -> tuple[tuple[str, float], ...]:
    """Return what a model's seconds with a video were spent on, by name."""
    wait_s = usage.wait_seconds or 0.0
    computing = usage.busy_seconds - (usage.generate_seconds or 0.0)
    return (("waiting", wait_s), ("prefill", computing), ("generate", usage.generate_seconds or 0.0))


def cpu_parts_of(usage: Usage) -> tuple[tuple[str, float], ...]:
    """Return what seconds of CPUs were spent on, by name; nothing where no attempt tells."""
    found = (("signals", usage.signal_seconds or 0.0), ("finish", usage.finish_seconds or 0.0))
    return tuple((name, seconds) for name, seconds in found if seconds > 0)


@dataclass(frozen=True)
class Machine:
    """One machine's share; `peak_memory_bytes` of the try that took most, at `peak_uri`."""

    node: str
    device: str
    attempts: int
    failed: int
    busy_seconds: float
    held_seconds: float
    peak_memory_bytes: int | None
    peak_uri: str | None


@dataclass(frozen=True)
class SetAside:
    """One video that is set aside now; `is_new`: by a run of the period."""

    uri: str
    video_id: str
    created_at: datetime
    is_new: bool
    failure_class: str | None
    code: str | None
    message: str | None
    hint: str | None
    total: int  # of all that are set aside


@dataclass(frozen=True)
class RecipeLine:
    """Rows under one recipe. `stale`: why a backfill would ask them again; `differs`: what changed since."""

    recipe_id: str
    is_used: bool  # it is that of the newest run
    model_id: str | None
    model_revision: str | None
    videos: int
    video_hours: float
    newest: datetime | None
    stale: str | None = None
    differs: tuple[str, ...] = ()
    note: str | None = None  # what has to be said of the model

    @property
    def model(self) -> str:
        """The model by its name and revision, as people read it; empty: not known."""
        return MadeBy(self.model_id or "", self.model_revision or "").name if self.model_id else ""


@dataclass(frozen=True)
class Disagreement:
    """A run whose scenes begin where no shot does, far more often than those of the same model elsewhere."""

    run_id: str
    model_id: str | None
    model_revision: str | None
    num_borders: int
    share: float  # of them that are FAR_MS and more away from any shot's border
    usual: float  # the same of the other runs

    @property
    def note(self) -> str:
        """Say it in a sentence."""
        model = MadeBy(self.model_id, self.model_revision).name
        return (
            f"Of {self.num_borders:,} scene borders of run {self.run_id}, by {model}, {self.share:.0%} are a "
            f"second and more away from any border of a shot; usual is {self.usual:.0%}."
        )


@dataclass(frozen=True)
class Report:
    """All of it. Sections of a period without runs, or without recorded attempts, are empty."""

    index: str
    made_at: datetime
    since: datetime | None
    runs: tuple[RunLine, ...]
    timeline: RunTimeline
    reasons: tuple[ReasonLine, ...]
    failures: tuple[FailureGroup, ...]
    spent: Spent
    slowest: tuple[SlowVideo, ...]
    machines: tuple[Machine, ...]
    set_aside: tuple[SetAside, ...]
    recipes: tuple[RecipeLine, ...]
    disagreements: tuple[Disagreement, ...]
    next_steps: tuple[Step, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on the models that made rows or ran, each once, and on what runs made."""
        said = [*(note_on(run.model_id) for run in self.runs), *(line.note for line in self.recipes)]
        said += [one.note for one in self.disagreements]
        return tuple(dict.fromkeys(filter(None, said)))

    @property
    def num_planned(self) -> int:
        """Videos that the runs were to analyse."""
        return sum(run.num_planned for run in self.runs)

    @property
    def num_done(self) -> int:
        """Videos that became rows."""
        return sum(run.num_indexed + run.num_partial for run in self.runs)

    @property
    def num_actors(self) -> int:
        """The most that a run had."""
        return max((run.num_actors or 0 for run in self.runs), default=0)

    @property
    def engine(self) -> str:
        """The word for what a model ran on, as its time is called."""
        return "GPU" if any(m.device not in ("", "cpu") for m in self.machines) else "model"

    @property
    def exit_codes(self) -> dict[str, int]:
        """Count the runs by exit code, the most frequent first."""
        codes = Counter("no exit code" if r.exit_code is None else f"exit {r.exit_code}" for r in self.runs)
        return dict(codes.most_common())
