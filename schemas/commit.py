"""The unit of visibility: a bundle's rows appear to readers together or not at all."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.failures import FailureClass
from schemas.identity import VideoId
from schemas.measured import MEASURED_TABLES, Measured
from schemas.rows import Row
from schemas.tables import Appearance, Attempt, Character, Failure, Highlight, Keyframe, Run, Scene, Video


class CommitState(StrEnum):
    """The state that a commit gives its video. The last two come without a bundle."""

    ROWS = "rows"  # analysed: the bundle holds its rows
    QUARANTINED = "quarantined"  # set aside: the bundle holds only the reason
    DELETED = "deleted"  # gone from the library: its rows are history
    RELEASED = "released"  # a person took it out of quarantine, to be tried again


VISIBLE_STATES = (CommitState.ROWS, CommitState.QUARANTINED)  # those that readers see rows of


class Commit(Row):
    """State of a video from one snapshot on; the newest one counts.

    A quarantined video is settled too, by a bundle that holds nothing but its failure; a replaced
    object has another `analysis_key` and comes back by itself.
    """

    analysis_key: str = Field(description="Names the bundle; where there is none, the one before")
    video_id: VideoId = Field(description="Follows the object's URI")
    object_rev: str = Field(description="Which bytes")
    recipe_id: str = Field(description="Under which recipe")
    uri: str = Field(description="s3://bucket/key, or an absolute path")
    run_id: str = Field(description="The run that made it")
    created_at: datetime = Field(description="When (UTC)")
    content_rev: str = Field(description="Equal for equal bytes elsewhere: etag and size, without a version")
    state: CommitState = Field(description="rows, quarantined, deleted or released")
    failure_class: FailureClass | None = Field(
        description="Why it is quarantined, or has rows of signals only (domain); see failures"
    )
    sidecars_rev: str | None = Field(
        default=None, description="Which texts lay beside the video, with which bytes; null: none"
    )


class Bundle(Row):
    """All rows about one video."""

    commit: Commit
    videos: tuple[Video, ...] = ()
    scenes: tuple[Scene, ...] = ()
    characters: tuple[Character, ...] = ()
    appearances: tuple[Appearance, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    keyframes: tuple[Keyframe, ...] = ()
    measured: dict[str, tuple[Measured, ...]] = Field(
        default_factory=dict, description="Rows of signals, by table"
    )
    own: dict[str, tuple[Row, ...]] = Field(
        default_factory=dict, description="Rows of the tables that prompt packs bring"
    )
    failures: tuple[Failure, ...] = ()
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether an answer or a signal is missing that the video should have."""
        return any(failure.failure_class != FailureClass.DOMAIN for failure in self.failures)

    def rows(self, table: str) -> tuple[Row, ...]:
        """Rows of one of our own tables."""
        if table in MEASURED_TABLES:
            return self.measured.get(table, ())
        found: tuple[Row, ...] = getattr(self, table)
        return found


class RunRecord(Row):
    """The record that a run leaves besides its bundles: its own row, and the videos it could not settle."""

    run: Run
    failures: tuple[Failure, ...] = ()
    attempts: tuple[Attempt, ...] = ()  # at videos that it could not settle
