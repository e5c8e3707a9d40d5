"""The open index, shared by all requests and renewed when a newer snapshot is published."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from schemas.failures import PreflightError
from storage.errors import preflight
from storage.index.publishing.snapshots import read_present
from storage.objects.store import open_store
from storage.query.built.database import open_serving
from storage.query.catalog import Catalog
from storage.query.search import make_searchable

LOOK_EVERY_S = 2.0  # for a newer snapshot: one small listing


class OpenIndex:
    """One catalog and a lock: a DuckDB connection serves one query at a time, and uses all cores for it."""

    def __init__(self, url: str, endpoint_url: str | None) -> None:
        """PreflightError: as `open_serving`."""
        self.url = url
        self.endpoint_url = endpoint_url
        self._store = open_store(url, endpoint_url)
        self._lock = Lock()
        served = open_serving(url, endpoint_url)
        self._catalog: Catalog | None = served.catalog
        self.note = served.note  # for who starts the page, if it is not the fast way
        self._looked_at = time.monotonic()

    def warm_up(self) -> str | None:
        """Make what search needs, so that the first one need not wait; says what it will lack, if anything.

        PreflightError: as `reading`.
        """
        with self.reading() as catalog:
            return make_searchable(catalog)

    @contextmanager
    def reading(self) -> Iterator[Catalog]:
        """The newest snapshot, for this thread alone. PreflightError: the index cannot be read any more.

        After such an error the next reader opens it anew, so an index that is restored is served again.
        """
        with self._lock:
            try:
                yield self._newest()
            except PreflightError:
                self._drop()
                raise

    def close(self) -> None:
        """Close what is open; the next question opens it again."""
        with self._lock:
            self._drop()

    def _newest(self) -> Catalog:
        now = time.monotonic()
        if self._catalog is not None and now - self._looked_at >= LOOK_EVERY_S:
            known = self._catalog.snapshot
            with preflight("index"):
                newest = read_present(self._store, known)
            self._looked_at = now
            if newest != known:
                self._drop()
        if self._catalog is None:
            self._catalog = open_serving(self.url, self.endpoint_url).catalog
            self._looked_at = now
        return self._catalog

    def _drop(self) -> None:
        if self._catalog is not None:
            self._catalog.close()
        self._catalog = None
