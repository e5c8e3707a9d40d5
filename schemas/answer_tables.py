"""The table of an answer type that has no row type of its own: one row per record, one column per field."""

from functools import cache
from typing import Any

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from schemas.answers import Answer, TimedAnswer
from schemas.rows import Row
from schemas.tables import TABLES, Described, Timed

RECORD_INDEX = "record_index"
# Names that stand for something else in an index: its tables, and what its views are built on.
RESERVED_TABLES = frozenset(TABLES) | {
    *("commits", "unfinished", "answers", "scene_tags", "scene_characters"),
    *("claims", "_claims"),
    *("serving", "documents", "corpus", "postings", "vectors"),
}
RESERVED_COLUMNS = frozenset(Timed.model_fields) | set(TimedAnswer.model_fields) | {RECORD_INDEX}


@cache
def row_type(answer: type[Answer]) -> type[Row]:
    """Lineage, how the record was written, its span where it has one, and its fields as they are."""
    base = Timed if issubclass(answer, TimedAnswer) else Described
    index = (int, Field(description="Position in the video's answer, from 0"))
    fields: dict[str, Any] = {RECORD_INDEX: index, **_columns(answer)}
    return create_model(
        answer.__name__.removesuffix("Answer"), __base__=base, __doc__=answer.__doc__, **fields
    )


def _columns(answer: type[Answer]) -> dict[str, tuple[Any, FieldInfo]]:
    """The answer has been checked against its bounds already; a row only needs its types."""
    return {
        name: (info.annotation, Field(description=info.description or ""))
        for name, info in answer.model_fields.items()
        if name not in TimedAnswer.model_fields
    }
