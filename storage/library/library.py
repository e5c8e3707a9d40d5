"""The videos to index: list them, and bring one within reach of a video reader."""

from pathlib import Path
from typing import Protocol

from schemas.failures import UsageError
from schemas.identity import Sidecar, VideoObject
from storage.errors import preflight
from storage.library.bucket import S3Library
from storage.library.inventory import Inventory
from storage.library.listing import Listing
from storage.library.local import LocalLibrary
from storage.library.selection import Selection
from storage.locations import Folder, parse_location


class Library(Protocol):
    """A folder or an S3 prefix full of videos. Small and picklable, so reading tasks carry it along."""

    @property
    def url(self) -> str:
        """The library's place, as people type it."""

    @property
    def is_local(self) -> bool:
        """Whether its videos are files, which have no etags, and of which a look costs no request."""
        ...

    def list_videos(self, selection: Selection) -> Listing:
        """Page by page, in order of the keys' UTF-8 bytes; the library is never held in memory.

        An object that cannot be looked at is listed all the same, so that `fetch` says why; only the
        library's own root going away raises (ObjectError).
        """
        ...

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        """A local file with exactly the bytes that were listed, or an ObjectError.

        A local library returns the video's own path. S3 objects are copied into `folder` under a name
        made here; the caller deletes the copy.
        """
        ...

    def fetch_ends(self, video: VideoObject, folder: Path) -> Path:
        """Fetch as `fetch` does, but of what would have to be copied only head and tail, zeros between: where
        containers say what they hold."""
        ...

    def fetch_sidecar(self, video: VideoObject, sidecar: Sidecar) -> bytes:
        """Fetch exactly the bytes that were listed. ObjectError: others, or more than `MAX_SIDECAR_BYTES`."""
        ...

    def peek(self, video: VideoObject) -> None:
        """Read the object's first byte; an ObjectError says why that cannot be done."""
        ...

    def check(self) -> None:
        """Raise an ObjectError unless the library exists and may be listed."""
        ...


def open_library(
    url: str,
    endpoint_url: str | None = None,
    inventory: str | None = None,
    follows_links: bool = False,
) -> Library:
    """A folder or `s3://bucket[/prefix]`, which may be listed from an S3 Inventory's manifest instead.

    `follows_links`: also those that lead out of the folder.

    UsageError: no such kind of URL, or another bucket's inventory. PreflightError: not usable.
    """
    location = parse_location(url)
    library: Library
    if isinstance(location, Folder):
        if inventory:
            raise UsageError(
                f"{url} is a folder, and an S3 Inventory lists a bucket", "Leave out --inventory."
            )
        library = LocalLibrary.at(location.path, follows_links)
    else:
        listed = Inventory(inventory, endpoint_url) if inventory else None
        library = S3Library(location.bucket, location.prefix, endpoint_url, listed)
    with preflight("library"):
        library.check()
    return library
