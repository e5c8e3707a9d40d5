"""What is to be done to which video, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.identity import VideoId, VideoObject


class Reason(StrEnum):
    """Why a video is, or is not, worth a GPU's time."""

    NEW = "new"
    CHANGED = "changed"  # other bytes under the same URI
    RETRY = "retry"  # failed, and may go better now
    STALE_MODEL = "stale_model"  # analysed with another model than the recipe's
    STALE_SAMPLING = "stale_sampling"  # … with other frames
    STALE_PROMPT = "stale_prompt"  # … asked otherwise
    MISSING = "missing"  # never asked what the recipe asks now
    COMMITTED = "committed"  # analysed before, not visible yet
    MOVED = "moved"  # another video's bytes, which is gone
    DUPLICATE = "duplicate"  # another video's bytes
    UNCHANGED = "unchanged"
    QUARANTINED = "quarantined"  # set aside until its object is replaced
    ARCHIVED = "archived"  # must be restored from its storage class first
    TOO_COSTLY = "too_costly"  # more than one video may cost
    DELETED = "deleted"  # no longer in the library
    CLAIMED = "claimed"  # another run at work has it


UNTOUCHED = frozenset({Reason.NEW, Reason.CHANGED, Reason.RETRY})  # without rows of their present bytes
STALE = frozenset({Reason.STALE_MODEL, Reason.STALE_SAMPLING, Reason.STALE_PROMPT})
COSTLY = UNTOUCHED | STALE | {Reason.MISSING}  # all others cost no GPU's time


@dataclass(frozen=True, slots=True)
class PlannedVideo:
    """One video to work on. No `tasks` means all of the recipe's.

    With `tasks`, the other answers are carried over from the bundle of `carried_key`. A moved or duplicate
    video has all of its rows from there, and `carried_id` is the other video.
    """

    video: VideoObject
    analysis_key: str
    reason: Reason
    has_rows: bool = False  # readers see rows of its present bytes
    tasks: tuple[str, ...] = ()
    carried_key: str | None = None
    carried_id: VideoId | None = None


class PlanSummary(BaseModel):
    """A plan without its videos. `reasons` counts all that were looked at, the free ones included."""

    model_config = ConfigDict(frozen=True)

    plan_id: str
    index_id: str
    library: str
    recipe_id: str
    created_at: datetime
    reasons: Counter[Reason]
    num_ignored: int
    num_links_out: int = 0  # of a folder: not followed, as they lead out of it
    listed_as_of: datetime | None = None  # by an S3 Inventory, not by a look at the library
    num_videos: int  # planned, after all limits
    video_bytes: int
