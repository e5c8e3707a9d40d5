"""What all rows of the tables are made of, and the columns that say where a row comes from."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import VideoId


class Row(BaseModel):
    """One row of one table."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def columns_of(row_type: type[Row], *records: object) -> dict[str, Any]:
    """Return the values that records hold under the names of a table's columns; of several the last one
    counts."""
    return {
        name: getattr(record, name)
        for record in records
        for name in row_type.model_fields
        if hasattr(record, name)
    }


class Analysed(Row):
    """A row about these bytes of this video, under this recipe."""

    video_id: VideoId = Field(description="Follows the object's URI; stable over time")
    object_rev: str = Field(description="Which bytes: etag and size on S3, size and mtime on a disk")
    recipe_id: str = Field(
        description="Hash of model revision, prompts, answer schemas, sampling and signals"
    )
    analysis_key: str = Field(
        description="Hash of video_id, object_rev, recipe_id and texts beside the video"
    )


class Lineage(Analysed):
    """A row that names the bytes, the model, the prompt and the run that made it."""

    model_id: str | None = Field(
        description="Folder, hub id or S3 URL of the weights; null: no model involved"
    )
    model_revision: str | None = Field(
        description="Hub commit, or a hash of config and weight files; null: no model involved"
    )
    prompt_id: str | None = Field(description="Prompt and version, e.g. scenes@1; null: no prompt involved")
    run_id: str = Field(description="The run that made the row")
    created_at: datetime = Field(description="When the row was made (UTC)")
