"""Which index was meant: those beside, above and just below a place that holds none."""

import difflib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from schemas.failures import ExitCode, PreflightError
from storage.errors import ObjectError
from storage.index.layout import MARKER
from storage.locations import Folder, S3Prefix, parse_location
from storage.objects.store import open_store

MAX_NAMED = 3  # indexes that a hint names
_MAX_LISTED = 1000  # folders beside or below, one page of S3
_MAX_LOOKED_AT = 20  # of each, those with the names that are closest: one request each
_MAX_ABOVE = 8


class NoIndexError(PreflightError):
    """The place that was named holds no index. Remedy: name another, or have one made there.

    As wrong as any other argument, so it ends with the code of those: a scheduler must not wait for it.
    """

    exit_code = ExitCode.USAGE


def no_index(url: str, endpoint_url: str | None) -> NoIndexError:
    """Return the error for a place without an index; its hint names the nearest indexes."""
    made = "`media-index run --new-index` makes one"
    near = nearest_indexes(url, endpoint_url)
    meant = f"Did you mean {' or '.join(near)}? If not" if near else "Check --index. If it is right"
    return NoIndexError(f"there is no index in {open_store(url, endpoint_url).url}", f"{meant}, {made}.")


def nearest_indexes(url: str, endpoint_url: str | None = None) -> list[str]:
    """Return the URLs of indexes nearby: those inside the place, then by how close their names are. What
    cannot be looked at is passed over."""
    inside = open_store(url, endpoint_url).url + "/"
    found: dict[str, float] = {}
    for place in _places(url, endpoint_url):
        with suppress(ObjectError):
            store = open_store(place, endpoint_url)
            if store.url not in found and store.exists(MARKER):
                found[store.url] = difflib.SequenceMatcher(None, url, store.url).ratio()
    return sorted(found, key=lambda place: (not place.startswith(inside), -found[place]))[:MAX_NAMED]


def _places(url: str, endpoint_url: str | None) -> Iterator[str]:
    above = list(islice(_above(url), _MAX_ABOVE))
    yield from _below(url, "", endpoint_url)
    if above:
        yield from _below(above[0], url.rstrip("/").rpartition("/")[2], endpoint_url)
    yield from above


def _above(url: str) -> Iterator[str]:
    """The folders or prefixes that it lies in, from near to far."""
    location = parse_location(url)
    if isinstance(location, Folder):
        yield from map(str, location.path.parents)
        return
    parts = location.prefix.split("/")[:-1]
    for length in range(len(parts) - 1, -1, -1):
        yield S3Prefix(location.bucket, "".join(f"{part}/" for part in parts[:length])).url


def _below(url: str, name: str, endpoint_url: str | None) -> Iterator[str]:
    """The folders directly in it, those named nearly so first."""
    names: list[str] = []
    with suppress(ObjectError):
        names += islice(open_store(url, endpoint_url).list_folders(), _MAX_LISTED)
    names.sort(key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())
    for other in names[:_MAX_LOOKED_AT]:
        yield f"{url.rstrip('/')}/{other}"
