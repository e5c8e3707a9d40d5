"""The index's bytes. Files are created once and never changed, so there is nothing to lock."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from storage.locations import Folder, parse_location
from storage.objects.bucket import S3Store
from storage.objects.local import LocalStore
from storage.objects.stored import StoredObject


class ObjectStore(Protocol):
    """Keys are paths below the index's root. Methods raise ObjectError, naming the object."""

    @property
    def url(self) -> str: ...

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create the object, durably and all at once. False: it existed, and was left alone.

        Of any number of writers exactly one gets True; after a lost answer a writer may get False for
        its own object. CommitUnknownError: not even a look afterwards could tell.
        """
        ...

    def read(self, key: str) -> bytes: ...

    def exists(self, key: str) -> bool: ...

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

    def now(self) -> datetime:
        """By the store's clock, which is the one that dates its objects."""
        ...


def open_store(url: str, endpoint_url: str | None = None) -> LocalStore | S3Store:
    """Nothing is looked at yet. UsageError: the URL names neither a folder nor an S3 prefix."""
    location = parse_location(url)
    if isinstance(location, Folder):
        return LocalStore(location.path)
    return S3Store(location.bucket, location.prefix, endpoint_url)


def enforces_conditional_writes(store: ObjectStore, key: str, data: bytes) -> bool:
    """Whether a second create of `key` is refused. Some S3 servers accept it without a word.

    One request where the object exists. The index is safe only on a store that refuses.
    """
    return not store.put_if_absent(key, data) or not store.put_if_absent(key, data)
