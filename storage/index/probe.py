"""Whether a place can hold an index: found out by doing there what a run does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.errors import AccessDenied, preflight
from storage.index.layout import PROBES, new_probe_key
from storage.index.marker import check_conditional_writes, check_empty, find_index_id
from storage.index.publishing.snapshots import read_newest
from storage.objects.store import open_store


@dataclass(frozen=True, slots=True)
class IndexProbe:
    """The findings of a probe; `ahead` is by how much this machine's clock differs from the store's."""

    url: str
    exists: bool
    snapshot: int
    can_delete: bool
    ahead: timedelta


def probe_index(url: str, endpoint_url: str | None = None) -> IndexProbe:
    """Write an object twice and remove it. No index is made.

    PreflightError: unreachable, not an index and not empty, not writable, or conditional writes are ignored.
    """
    store = open_store(url, endpoint_url)
    is_new_folder = not store.exists_already
    with preflight("index"):
        exists = find_index_id(store) is not None
        if not exists:
            check_empty(store)
        newest = read_newest(store) if exists else None
        ahead = datetime.now(UTC) - store.now()
        can_delete = True
        probe = new_probe_key()
        try:
            check_conditional_writes(store, probe, b"probe")
        finally:
            try:
                store.delete(probe)
            except AccessDenied:
                can_delete = False
            store.remove_folder(PROBES)
            if is_new_folder:
                store.remove_folder("")
    return IndexProbe(store.url, exists, newest.number if newest else 0, can_delete, ahead)
