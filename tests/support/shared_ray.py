"""One private Ray for the runs of many tests, where neither its start nor its end is under test."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

from jobs.cluster.joining import Cluster, join_cluster
from jobs.cluster.words import words_aside


class SharedRay:
    """Joined when a run first asks for it, and left when a test needs a Ray of its own."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._cluster: Cluster | None = None

    def join(self) -> Cluster:
        """The cluster; a Ray that has died under a test before is replaced."""
        if self._cluster is None or self._cluster.vital_signs.death():
            self.leave()
            self._cluster = self._stack.enter_context(join_cluster("local", keeps_quiet=False))
        return self._cluster

    def leave(self) -> None:
        """End it, if there is one."""
        self._stack.close()
        self._cluster = None

    @contextmanager
    def joined(self, address: str, keeps_quiet: bool = True) -> Iterator[Cluster]:
        """What a run calls instead of `join_cluster`: it goes, Ray stays."""
        assert address == "local"
        with words_aside() if keeps_quiet else nullcontext():
            yield self.join()
