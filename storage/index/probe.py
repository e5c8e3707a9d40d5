"""Whether a place can hold an index: found out by doing there what a run does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.failures import PreflightError
from storage.errors import AccessDenied, ObjectError
from storage.index.index import check_conditional_writes, check_empty, check_marker
from storage.index.layout import PROBES, new_probe_key
from storage.index.snapshots import read_newest
from storage.objects.local import LocalStore
from storage.objects.store import open_store


@dataclass(frozen=True, slots=True)
class IndexProbe:
    """What was found; `ahead` is by how much this machine's clock differs from the store's."""

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
    is_new_folder = isinstance(store, LocalStore) and not store.root.exists()
    try:
        exists = check_marker(store)
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
            if isinstance(store, LocalStore):
                store.remove_folder(PROBES)
                if is_new_folder:
                    store.remove_folder("")
    except ObjectError as error:
        raise PreflightError(f"index {error.message}", error.hint) from error
    return IndexProbe(store.url, exists, newest.number if newest else 0, can_delete, ahead)
