"""What can be said of one video, as records."""

from dataclasses import dataclass
from datetime import datetime

from jobs.reports.explain.rows import RowsOfTable
from jobs.reports.next_steps import Step


@dataclass(frozen=True)
class Revision:
    """What the library object was; what is in the file is known of those that were analysed."""

    object_rev: str
    first_seen: datetime
    last_seen: datetime
    size_bytes: int | None
    modified_at: datetime | None
    duration_ms: int | None
    width: int | None
    height: int | None
    video_codec: str | None


@dataclass(frozen=True)
class Committed:
    """One commit. `differs` says what was other than with the commit before."""

    snapshot: int
    created_at: datetime
    state: str
    object_rev: str
    recipe_id: str
    run_id: str
    analysis_key: str
    failure_class: str | None
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Try:
    """One attempt; see the table `attempts`."""

    run_id: str
    started_at: datetime
    attempt: int
    plan_reason: str
    object_rev: str
    recipe_id: str
    node: str | None
    device: str | None
    seconds: float
    wait_seconds: float | None
    prefill_seconds: float | None
    generate_seconds: float | None
    finish_seconds: float | None
    outcome: str
    stage: str | None
    failure_class: str | None
    code: str | None
    fingerprint: str | None
    peak_memory_bytes: int | None
    num_frames: int | None


@dataclass(frozen=True)
class Failed:
    """One row of the failures; `counts`: it still says something of how the video stands."""

    created_at: datetime
    run_id: str
    object_rev: str
    stage: str
    failure_class: str
    code: str
    message: str
    hint: str
    action: str
    attempts: int
    prompt_id: str | None
    counts: bool


@dataclass(frozen=True)
class Recipe:
    """One recipe that the video met; without `prompts` nobody declared what its id stands for."""

    recipe_id: str
    is_newest: bool  # it is that of the newest run
    model_id: str | None
    settings: dict[str, str]
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What the video's row says now."""

    title: str | None
    summary: str | None
    duration_ms: int
    is_partial: bool
    is_degraded: bool
    num_dropped: int
    warnings: list[str]


@dataclass(frozen=True)
class Explanation:
    """All of it, oldest first; `state` in one sentence."""

    uri: str
    video_id: str
    state: str
    revisions: tuple[Revision, ...]
    commits: tuple[Committed, ...]
    recipes: tuple[Recipe, ...]
    tries: tuple[Try, ...]
    failures: tuple[Failed, ...]
    video: Row | None
    rows: tuple[RowsOfTable, ...]
    copies: tuple[str, ...]
    next_steps: tuple[Step, ...]
