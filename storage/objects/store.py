"""The index's bytes. Files are created once and never changed, so there is nothing to lock."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from storage.errors import ObjectError
from storage.locations import Folder, parse_location
from storage.objects.local import LocalStore
from storage.objects.stored import Place, StoredObject

if TYPE_CHECKING:
    import pyarrow as pa  # questions to a folder do without


class ObjectStore(Protocol):
    """Keys are paths below the index's root. Methods raise ObjectError, naming the object."""

    @property
    def url(self) -> str:
        """The root's place, as people type it."""
        ...

    @property
    def takes_requests(self) -> bool:
        """Whether a question costs a request to a server, so that one list is cheaper than many of them."""
        ...

    @property
    def exists_already(self) -> bool:
        """Whether the root needs not be made: a bucket's prefix never does."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create the object, durably and all at once. False: it existed, and was left alone.

        Of any number of writers exactly one gets True; after a lost answer a writer may get False for
        its own object. CommitUnknownError: not even a look afterwards could tell.
        """
        ...

    def replace(self, key: str, make: Callable[[], bytes]) -> None:
        """Overwrite what can be made again, for who opens a folder with other tools; a bucket has no such
        file, and `make` is not called."""
        ...

    def read(self, key: str) -> bytes:
        """Return all bytes of an object. NotFound: there is none."""
        ...

    def share(self, key: str, file: Path) -> None:
        """Keep a copy of a file of at most 5 GB that can be made again, unless there is one, for readers on
        other machines; those of a folder find the file itself."""
        ...

    def fetch(self, key: str, file: Path) -> None:
        """Write the object, however large, to a file."""
        ...

    def open(self, key: str) -> "pa.NativeFile":
        """The object, to read some of it. FileNotFoundError: there is none; OSError: see `trouble_behind`."""
        ...

    def trouble_behind(self, error: Exception) -> ObjectError | None:
        """Return what kept an object from being read, behind an error of Arrow or DuckDB; None: that says it
        all."""
        ...

    def scan(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        keys: Sequence[str],
        schema: "Callable[[], pa.Schema]",
    ) -> str:
        """SQL that reads the rows of Parquet objects, at least one, all of the table `name`; `schema` makes
        its columns, for who needs them."""
        ...

    def expect(self, places: Iterable[Place]) -> None:
        """Know where objects are that `scan` reads, so that less has to be asked for; what was known before
        is forgotten."""
        ...

    def gather(self, keys: Iterable[str]) -> None:
        """Take at once those of the expected objects that lie together, as they are read next."""
        ...

    def allow_scans(self, connection: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> None:
        """Allow a connection to read these objects by `scan`, and no others, once it is locked."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; that it is gone already is no error."""
        ...

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Keys that start with `prefix` and sort after `after`, sorted."""
        ...

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        """The same with size and time. One that is removed meanwhile may be missing."""
        ...

    def list_folders(self) -> Iterator[str]:
        """The names of the folders, or prefixes up to the next slash, directly below the root, sorted."""
        ...

    def list_pending(self) -> Iterator[StoredObject]:
        """Yield what is being written, or was left behind by a killed writer; a bucket shows only whole
        objects."""
        ...

    def remove_folder(self, prefix: str) -> None:
        """Remove it if it is empty, and only while nobody writes. A bucket has no folders."""
        ...

    def now(self) -> datetime:
        """The time by the store's clock, which is the one that dates its objects."""
        ...


def open_store(url: str, endpoint_url: str | None = None) -> ObjectStore:
    """Return the store of a URL, unlooked at. UsageError: it names neither a folder nor an S3 prefix."""
    location = parse_location(url)
    if isinstance(location, Folder):
        return LocalStore(location.path)
    from storage.objects.bucket import S3Store  # boto3, which readers of a folder do without

    return S3Store(location.bucket, location.prefix, endpoint_url)


def enforces_conditional_writes(store: ObjectStore, key: str, data: bytes) -> bool:
    """Whether a second create of `key` is refused. Some S3 servers accept it without a word.

    One request where the object exists. The index is safe only on a store that refuses.
    """
    return not store.put_if_absent(key, data) or not store.put_if_absent(key, data)
