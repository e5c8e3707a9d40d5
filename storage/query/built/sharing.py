"""A serving file that others use: its builder shares it through the index, and a reader fetches it once.

Only on S3, as a folder's file lies beside the index. What is shared is of one snapshot and never changed, so
it is right or of no use.
"""

from contextlib import suppress
from pathlib import Path

from schemas.failures import LeaseHeldError, PreflightError
from schemas.identity import digest
from storage.errors import AccessDenied, ObjectError
from storage.index.layout import serving_key
from storage.index.leases import holding
from storage.index.publishing.snapshots import Snapshot, read_newest
from storage.objects.store import ObjectStore
from storage.query.built.lock import lock_file, remove_pending

NO_VECTORS = "words"
MOST_BYTES = 4 << 30  # of a file that is shared


def key_of(snapshot: Snapshot, built_with: str, embedder_revision: str | None) -> str:
    """Return where the file of a snapshot is shared that was made by such code, with vectors of such a
    model."""
    return _key(snapshot, built_with, digest(embedder_revision) if embedder_revision else NO_VECTORS)


def _key(snapshot: Snapshot, built_with: str, vectors: str) -> str:
    made = digest(built_with, snapshot.created_at.isoformat())
    return serving_key(snapshot.number, made, vectors)


def share(store: ObjectStore, snapshot: Snapshot | None, key: str, file: Path) -> str | None:
    """Share the file, unless it is; why it is not, or None.

    Under a lease, so that no video is forgotten meanwhile that the file has.
    """
    if snapshot is None or not store.takes_requests or store.exists(key):
        return None
    if file.stat().st_size > MOST_BYTES:
        return f"it is larger than {MOST_BYTES >> 30} GB"
    try:
        with holding(store, "build", lambda holder: None):
            if read_newest(store, snapshot) == snapshot:
                store.share(key, file)
    except (LeaseHeldError, AccessDenied) as error:
        return error.message
    return None


def fetch(store: ObjectStore, snapshot: Snapshot | None, built_with: str, file: Path) -> bool:
    """Put the snapshot's shared file in its place, one with vectors before one without. False: there is none,
    it is too large, or it cannot be had now, so the parts are read."""
    if snapshot is None or not store.takes_requests:
        return False
    with suppress(ObjectError, PreflightError, OSError):
        any_vectors = _key(snapshot, built_with, "").removesuffix(".duckdb")
        shared = list(store.list_objects(any_vectors))
        shared.sort(key=lambda found: NO_VECTORS in found.key)
        if shared and shared[0].size_bytes <= MOST_BYTES:
            with lock_file(file):
                pending = file.with_name(f".pending-{file.name}")
                remove_pending(pending)
                store.fetch(shared[0].key, pending)
                pending.replace(file)
            return True
    return False
