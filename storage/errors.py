"""What can go wrong with one object, in the library or in the index.

ObjectError           one object failed; uncaught it stops the command like any MediaIndexError
├── NotFound           no such object (any more)
│   └── NoBucket       not even the bucket
├── AccessDenied       credentials or file permissions refuse
├── BadName            its name is not valid UTF-8: no row can hold it
├── Archived           the object sleeps in a cold storage class
├── ObjectChanged      its bytes are not those that were listed
├── Damaged            its bytes arrive otherwise than they were stored    retryable
├── StorageUnavailable the store did not answer, or asked for patience    retryable
└── NoSpace            the local disk is full                             retryable
"""

# ruff: noqa: N818 - the names say what happened; the base says that it is an error

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from schemas.failures import MediaIndexError, PreflightError

OF_S3 = "AWS Error"  # how Arrow's errors about S3 begin


class ObjectError(MediaIndexError):
    """The store refused in a way that none of the subclasses names."""

    code: ClassVar[str] = "storage_error"
    retryable: ClassVar[bool] = False


class NotFound(ObjectError):
    """An object that is not there, or no longer."""

    code = "not_found"


class NoBucket(NotFound):
    """A bucket that this endpoint does not have."""

    code = "no_bucket"


class AccessDenied(ObjectError):
    """Credentials or file permissions do not allow it."""

    code = "access_denied"


class BadName(ObjectError):
    """The name is not valid UTF-8. Remedy: rename the file; until then it is not read."""

    code = "bad_name"


class Archived(ObjectError):
    """The object must be restored from its storage class before it can be read."""

    code = "archived"


class ObjectChanged(ObjectError):
    """The object was replaced after it was listed; the next run sees the new one."""

    code = "object_changed"


class Damaged(ObjectError):
    """Error of bytes that are not those that the store itself says it has."""

    code = "damaged_in_transit"
    retryable = True


class StorageUnavailable(ObjectError):
    """Error of a store that is throttled, too slow, timed out or unreachable, after the client's own
    retries."""

    code = "storage_unavailable"
    retryable = True


class NoSpace(ObjectError):
    """The local disk cannot hold the object; other downloads may free it."""

    code = "no_space"
    retryable = True


@contextmanager
def preflight(what: str) -> Iterator[None]:
    """An ObjectError in here keeps `what` from being used at all: it goes on as a PreflightError."""
    try:
        yield
    except ObjectError as error:
        raise PreflightError(f"{what} {error.message}", error.hint) from error
