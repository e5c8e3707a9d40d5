"""Files of a snapshot that cannot be read: why, and what then helps."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import duckdb

from schemas.failures import MediaIndexError, PreflightError
from storage.errors import OF_S3, NotFound
from storage.index.publishing.damage import repair_command
from storage.index.publishing.snapshots import Snapshot, read_present
from storage.objects.store import ObjectStore

_TRIES = 5  # of reading one whole snapshot
T = TypeVar("T")


class ChangedUnderneath(PreflightError):  # noqa: N818 - the name says what happened
    """Files that are read were removed or replaced meanwhile. Remedy: read what is there now."""


def again_if_changed(read: Callable[[], T]) -> T:
    """Call `read` again while its snapshot's files are removed or replaced, and return what it gives. `read`
    opens the newest snapshot by itself.

    ChangedUnderneath: the files changed every time.
    """
    for _ in range(_TRIES - 1):
        with suppress(ChangedUnderneath):
            return read()
    return read()


def trouble(store: ObjectStore, snapshot: Snapshot | None, error: duckdb.Error) -> PreflightError:
    """Return why a part cannot be read: the store, damage, or ChangedUnderneath where there is a newer
    snapshot."""
    behind = store.trouble_behind(error)
    if behind and not isinstance(behind, NotFound):
        return PreflightError(f"index {behind.message}", behind.hint)
    try:
        newest = read_present(store, snapshot)
    except MediaIndexError:
        newest = snapshot
    kind = PreflightError if newest == snapshot else ChangedUnderneath
    missing = _missing_part(store, snapshot, error)
    return kind(*damage(store.url, f"{missing} is missing" if missing else error))


def _missing_part(store: ObjectStore, snapshot: Snapshot | None, error: duckdb.Error) -> str | None:
    """The part that the error is about, where it is not there: DuckDB takes it for a pattern then."""
    said = str(error)
    keys = snapshot.files if snapshot else ()
    return next((key for key in keys if key in said and not store.exists(key)), None)


def damage(url: str, error: duckdb.Error | str) -> tuple[str, str]:
    """Message and hint for an index whose files DuckDB cannot read."""
    hint = f"Repeat the command; if a file is missing or damaged, {repair_command(url)} makes it anew."
    problem = str(error).partition("\n")[0]  # below it DuckDB points into a view, which nobody here wrote
    return f"index {url} cannot be read: {problem}", hint


def is_damage(error: duckdb.Error) -> bool:
    """Whether a DuckDB file is damaged, as by who writes into a file in use; found when a block is read."""
    return "Corrupt database file" in str(error)


def names_a_part(error: duckdb.Error, snapshot: Snapshot | None) -> bool:
    """Whether the error is about our files, not the user's SQL; DuckDB has several classes for both."""
    said = str(error)  # parts are all that is read from S3
    return snapshot is not None and (OF_S3 in said or any(key in said for key in snapshot.files))
