"""What is in an index: rows by SQL, moments by words and by meaning."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from storage.query.built.build import Build, build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import Catalog, Result
from storage.query.date_kinds import DateKind
from storage.query.filters import Filters
from storage.query.lost_parts import again_if_changed
from storage.query.search import MOST_UNBUILT, Hit, make_searchable
from storage.query.search import search as search_catalog

_log = logging.getLogger(__name__)


def open_catalog(
    index: str, *, endpoint_url: str | None = None, serving: Path | None = None, history: bool = True
) -> Catalog:
    """Open the newest snapshot of an index for any number of queries; a context manager, to be closed.

    Args:
        index: A folder or `s3://bucket/prefix`.
        endpoint_url: The S3 server, where it is not AWS.
        serving: The file that `build` wrote, where it is not the index's own.
        history: Whether the views `*_all` and pictures are wanted; without them less is opened.

    Raises:
        PreflightError: There is no index, it is newer than this code, or it cannot be reached.
    """
    served = open_serving(index, endpoint_url, serving, history)
    if served.note:
        _log.warning("%s", served.note, extra={"event": "slow"})
    return served.catalog


def sql(
    index: str,
    query: str,
    params: Sequence[Any] | Mapping[str, Any] | None = None,
    *,
    endpoint_url: str | None = None,
) -> Result:
    """Run one query over the tables of docs/tables.md; `?` or `$name` in it stand for `params`.

    Raises:
        UsageError: DuckDB refuses the query, or it is more than a query.
        PreflightError: As `open_catalog`.
    """

    def ask() -> Result:
        with open_catalog(index, endpoint_url=endpoint_url) as catalog:
            return catalog.query(query, params)

    return again_if_changed(ask)


def search(
    index: str,
    text: str,
    *,
    limit: int = 10,
    kind: str | None = None,
    video: str | None = None,
    since: date | None = None,
    by: DateKind = "recorded",
    tags: Sequence[str] = (),
    language: str | None = None,
    supported: bool = False,
    unbuilt_rows: int = MOST_UNBUILT,
    endpoint_url: str | None = None,
) -> list[Hit]:
    """Find moments by the words and by the meaning of `text`, the best first.

    Args:
        index: A folder or `s3://bucket/prefix`.
        text: What to look for, in words.
        limit: At most so many hits.
        kind: Only rows of this table: videos, scenes, captions, …, or one of a prompt pack.
        video: Only in videos whose URI ends so.
        since: Only in videos of this day or instant and later.
        by: The date that `since` means: recorded, modified or indexed.
        tags: Only in scenes that have all these tags.
        language: Only captions in this language, as BCP 47; `pt` takes `pt-BR`, too.
        supported: No scenes or highlights that shots, or what is said and written, speak against
            (docs/trust.md).
        unbuilt_rows: Search at most so many rows that `build` has not seen yet.
        endpoint_url: The S3 server, where it is not AWS.

    Raises:
        UsageError: There is no word in `text`, or nothing can pass a filter.
        PreflightError: As `open_catalog`; or there are more than `unbuilt_rows`.
    """
    filters = Filters(kind, video, since, tuple(tags), by, language, supported)

    def ask() -> list[Hit]:
        with open_catalog(index, endpoint_url=endpoint_url, history=False) as catalog:
            if words_only := make_searchable(catalog, unbuilt_rows):
                _log.warning("%s", words_only, extra={"event": "words_only"})
            return search_catalog(catalog, text, limit, filters)

    return again_if_changed(ask)


def build(index: str, *, endpoint_url: str | None = None, output: Path | None = None) -> Build | None:
    """Make the file that makes `search` and `sql` fast, or bring it up to date. None: it was current.

    Args:
        index: A folder or `s3://bucket/prefix`.
        endpoint_url: The S3 server, where it is not AWS.
        output: Where to write it, instead of where `search` and `sql` look for it.

    Raises:
        PreflightError: There is no index, or no room for the file.
    """
    return build_serving(index, endpoint_url, output)
