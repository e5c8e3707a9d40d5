"""What can be said of one video, as records."""

from dataclasses import dataclass
from datetime import datetime

from jobs.reports.explain.rows import RowsOfTable
from jobs.reports.next_steps import Step
from schemas.commit import Commit
from schemas.tables import Attempt, Failure, Video


@dataclass(frozen=True)
class Revision:
    """A revision of a library object; what is in the file is known of those that were analysed."""

    object_rev: str
    first_seen: datetime
    last_seen: datetime
    size_bytes: int | None
    modified_at: datetime | None
    duration_ms: int | None
    width: int | None
    height: int | None
    video_codec: str | None


class Committed(Commit):
    """One commit. `differs` says what was other than with the commit before."""

    snapshot: int
    differs: tuple[str, ...] = ()


class Failed(Failure):
    """One row of the failures; `counts`: it still says something of how the video stands."""

    counts: bool


@dataclass(frozen=True)
class KnownRecipe:
    """One recipe that the video met. Of one that nobody declared only the id is known."""

    recipe_id: str
    is_newest: bool  # it is that of the newest run
    is_declared: bool
    model_id: str | None
    settings: dict[str, str]
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """All of it, oldest first; `state` in one sentence."""

    uri: str
    video_id: str
    state: str
    revisions: tuple[Revision, ...]
    commits: tuple[Committed, ...]
    recipes: tuple[KnownRecipe, ...]
    tries: tuple[Attempt, ...]
    failures: tuple[Failed, ...]
    video: Video | None  # its row in the commit that counts
    rows: tuple[RowsOfTable, ...]
    copies: tuple[str, ...]
    next_steps: tuple[Step, ...]
