"""The unit of visibility: a bundle's rows appear to readers together or not at all."""

from datetime import datetime

from pydantic import Field

from schemas.tables import Appearance, Character, Failure, Highlight, Keyframe, Row, Run, Scene, Video


class Commit(Row):
    """What a bundle decides: this revision of this video, under this recipe, is settled.

    A quarantined video is settled too, by a bundle that holds nothing but its failure; a replaced
    object has another `analysis_key` and comes back by itself.
    """

    analysis_key: str = Field(description="Names the bundle; hash of video_id, object_rev and recipe_id")
    video_id: str = Field(description="Follows the object's URI")
    object_rev: str = Field(description="Which bytes")
    recipe_id: str = Field(description="Under which recipe")
    uri: str = Field(description="s3://bucket/key, or an absolute path")
    run_id: str = Field(description="The run that made it")
    created_at: datetime = Field(description="When (UTC)")
    is_quarantined: bool = Field(description="The bundle holds only the reason why there are no rows")


class Bundle(Row):
    """All rows about one video."""

    commit: Commit
    videos: tuple[Video, ...] = ()
    scenes: tuple[Scene, ...] = ()
    characters: tuple[Character, ...] = ()
    appearances: tuple[Appearance, ...] = ()
    highlights: tuple[Highlight, ...] = ()
    keyframes: tuple[Keyframe, ...] = ()
    own: dict[str, tuple[Row, ...]] = Field(
        default_factory=dict, description="Rows of the tables that prompt packs bring"
    )
    failures: tuple[Failure, ...] = ()


class RunRecord(Row):
    """What a run leaves behind besides its bundles: its own row, and the videos it could not settle."""

    run: Run
    failures: tuple[Failure, ...] = ()
