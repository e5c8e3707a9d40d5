"""The small JSON files of an index: each says by which schema version it was written."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.failures import PreflightError
from schemas.tables import SCHEMA_VERSION
from storage.index.tables.columns import check_version


class _Header(BaseModel):
    """What can be read of a file of any version."""

    schema_version: int = SCHEMA_VERSION


M = TypeVar("M", bound=BaseModel)


def read_json(kind: type[M], data: bytes, name: str, hint: str) -> M:
    """Parse a small file. PreflightError: it is of a newer version; or damaged, and then `hint` is what to
    do."""
    try:
        check_version(_Header.model_validate_json(data).schema_version, name)
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise PreflightError(f"{name} is damaged: {error.errors()[0]['msg']}", hint) from error
