"""What is to be done to which video, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.identity import VideoId, VideoObject
from schemas.recipe import RecipeRecord


class Reason(StrEnum):
    """Reasons why a video is, or is not, worth a machine's time."""

    NEW = "new"
    CHANGED = "changed"  # other bytes under the same URI
    RETRY = "retry"  # failed, and may go better now
    STALE_MODEL = "stale_model"  # analysed with another model than the recipe's, or otherwise set
    STALE_SAMPLING = "stale_sampling"  # … with other frames
    STALE_KV = "stale_kv"  # … decoded on other keys and values, dense or pooled
    STALE_PROMPT = "stale_prompt"  # … asked otherwise
    MISSING = "missing"  # never asked what the recipe asks now
    STALE_SIGNALS = "stale_signals"  # … with other signals, or other settings of them
    MISSING_SIGNALS = "missing_signals"  # a signal that the recipe has now was never read
    NEW_SIDECARS = "new_sidecars"  # the texts beside it are not those that were read
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
STALE = frozenset(
    {
        Reason.STALE_MODEL,
        Reason.STALE_SAMPLING,
        Reason.STALE_KV,
        Reason.STALE_PROMPT,
        Reason.STALE_SIGNALS,
    }
)
MISSING = frozenset({Reason.MISSING, Reason.MISSING_SIGNALS})
CHANGED = UNTOUCHED | {Reason.NEW_SIDECARS}  # what a nightly is for
COSTLY = CHANGED | STALE | MISSING  # all others cost no time of a GPU or of a CPU


@dataclass(frozen=True, slots=True)
class PlannedVideo:
    """One video to work on: `tasks` are the prompts to ask, `signals` those to read; None means all.

    What else its recipe has is carried over from the bundle of `carried_key`. `recipe_id` is what its bundle
    holds in the end; None: the run's recipe. A moved or duplicate video has all of its rows from the bundle
    of `carried_key`, and `carried_id` is the other video.
    """

    video: VideoObject
    analysis_key: str
    reason: Reason
    has_rows: bool = False  # readers see rows of its present bytes
    tasks: tuple[str, ...] | None = None
    signals: tuple[str, ...] | None = None
    recipe_id: str | None = None
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
    recipes: tuple[RecipeRecord, ...] = ()  # that planned videos will have, besides the run's
