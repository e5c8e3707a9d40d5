"""The file that makes a place an index: looked for, made, and found fit to be written beside."""

import json
import secrets

from schemas.failures import PreflightError, UsageError
from schemas.tables import SCHEMA_VERSION
from storage.errors import NoBucket, NotFound, preflight
from storage.index.layout import MARKER
from storage.index.nearby import no_index
from storage.index.tables.columns import check_version
from storage.objects.store import ObjectStore, enforces_conditional_writes, open_store


def check_place(url: str, endpoint_url: str | None, is_new: bool) -> None:
    """Whether it is as it was said to be: with an index, or with `is_new` without one.

    Making one is said, as a wrong name would otherwise cost the whole library once more. NoIndexError: none
    there. UsageError: there is one already. PreflightError: a newer one, or it cannot be reached.
    """
    store = open_store(url, endpoint_url)
    with preflight("index"):
        exists = find_index_id(store) is not None
    if not exists and not is_new:
        raise no_index(url, endpoint_url)
    if exists and is_new:
        raise UsageError(
            f"there is an index in {store.url} already, and it was left as it is",
            "Leave out --new-index to go on with it, or name another --index.",
        )


def open_for_writing(
    url: str, endpoint_url: str | None = None, create: bool = False
) -> tuple[ObjectStore, str]:
    """The store, found fit to be written to, and the index's id. PreflightError: as `open_index`."""
    store = open_store(url, endpoint_url)
    with preflight("index"):
        marker = _read_marker(store)
        if marker is None:
            if not create:
                raise no_index(url, endpoint_url)
            check_empty(store)
        check_conditional_writes(store, MARKER, marker or _new_marker())
        marker = marker or _read_marker(store)  # of two that make it, one is read by both
        return store, _id_of(marker or b"{}")


def check_conditional_writes(store: ObjectStore, key: str, data: bytes) -> None:
    """Create `key` twice. PreflightError: the store lets two writers overwrite each other."""
    if not enforces_conditional_writes(store, key, data):
        raise PreflightError(
            f"{store.url}: this S3 server ignores If-None-Match, so two runs could overwrite each other",
            "Use a server that honours conditional writes (docs/s3.md), or a local index.",
        )


def find_index_id(store: ObjectStore) -> str | None:
    """The id of the index that is there; None: there is none. PreflightError: a newer one, or a file in the
    marker's place."""
    marker = _read_marker(store)
    return None if marker is None else _id_of(marker)


def _new_marker() -> bytes:
    marker = {"format": "media-index", "schema_version": SCHEMA_VERSION, "index_id": secrets.token_hex(8)}
    return json.dumps(marker).encode()


def _id_of(marker: bytes) -> str:
    return str(json.loads(marker).get("index_id", ""))


def _read_marker(store: ObjectStore) -> bytes | None:
    try:
        data = store.read(MARKER)
    except NoBucket:
        raise
    except NotFound:
        return None
    try:
        marker = json.loads(data)
        version = int(marker["schema_version"])
        is_ours = marker["format"] == "media-index"
    except (ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise PreflightError(
            f"{store.url}/{MARKER} is not media-index's", "Name another place for the index."
        )
    check_version(version, store.url)
    return data


def check_empty(store: ObjectStore) -> None:
    """Refuse a place that is not empty, by a `PreflightError`; another writer may be making an index at this
    moment."""
    first = next(store.list(""), None)
    if first is not None and find_index_id(store) is None:
        raise PreflightError(
            f"{store.url} is not empty and not an index (it holds {first!r})",
            "Name a new or empty place for the index.",
        )
