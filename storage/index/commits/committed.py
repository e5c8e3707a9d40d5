"""Which bundles there are, published or not: one request for each, or one list of all for very many."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from schemas.identity import VideoId
from storage.index.layout import BUNDLES, bundle_key
from storage.objects.store import ObjectStore

NUM_LISTED_ABOVE = 2000  # questions from which on a server is asked for a list, a thousand bundles a request
_DIGITS = "0123456789abcdef"


class CommittedBundles:
    """Bundles that are committed: those it listed once, and what it was told since; for any thread."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._num_asked = 0
        self._listed: npt.NDArray[np.uint64] | None = None  # analysis keys as numbers, in order
        self._told: set[str] = set()

    def tell(self, analysis_key: str) -> None:
        """Note that it is there now."""
        if self._listed is not None:
            self._told.add(analysis_key)

    def has(self, video_id: VideoId, analysis_key: str) -> bool:
        """Whether the bundle exists."""
        if analysis_key in self._told:
            return True
        with self._lock:
            self._num_asked += 1
            if self._listed is None and self._num_asked > NUM_LISTED_ABOVE and self._store.takes_requests:
                self._listed = _list_all(self._store)
        if self._listed is None:
            return self._store.exists(bundle_key(video_id, analysis_key))
        number = np.uint64(int(analysis_key, 16))
        place = int(np.searchsorted(self._listed, number))
        return place < len(self._listed) and bool(self._listed[place] == number)


def _list_all(store: ObjectStore) -> npt.NDArray[np.uint64]:
    def list_some(digit: str) -> npt.NDArray[np.uint64]:
        keys = store.list(BUNDLES + digit)
        return np.fromiter((int(key[-24:-8], 16) for key in keys if key.endswith(".parquet")), np.uint64)

    with ThreadPoolExecutor(len(_DIGITS)) as pool:
        found = np.concatenate(list(pool.map(list_some, _DIGITS)))
    found.sort()
    return found
