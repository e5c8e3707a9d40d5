"""Find the video that a person means; names that are not UTF-8 are found as the library lists them."""

from schemas.failures import UsageError
from schemas.identity import VideoId
from storage.index.views import EVER_KNOWN
from storage.library.walk import printable
from storage.query.catalog import Catalog

MAX_CANDIDATES = 5  # videos that an error names

_CLOSE = """
SELECT uri FROM (
    SELECT DISTINCT uri, jaro_winkler_similarity(lower(file_name(uri)), lower(file_name($name))) AS score
    FROM {known})
WHERE score > 0.75 ORDER BY score DESC, uri LIMIT 3"""


def find_video(catalog: Catalog, uri: str) -> VideoId:
    """A `video_id`. Whole URIs first; else exactly one URI must end so. UsageError: none does, or several."""
    return _find(catalog, printable(uri), "videos", "ends_with(uri, $name)")


def find_ever(catalog: Catalog, name: str) -> VideoId:
    """The same over everything that was ever heard of, by `video_id` as well, and by any part of the two."""
    name = printable(name)
    named = "ends_with(uri, $name) OR video_id = $name"
    part = "contains(lower(uri), lower($name)) OR starts_with(video_id, lower($name))"
    known = f"SELECT count(*) > 0 FROM {EVER_KNOWN} WHERE {named}"
    [(is_named,)] = catalog.query(known, {"name": name}).rows
    return _find(catalog, name, EVER_KNOWN, named if is_named else part)


def _find(catalog: Catalog, name: str, known: str, condition: str) -> VideoId:
    query = f"SELECT video_id, any_value(uri) FROM {known} WHERE {condition} GROUP BY video_id"
    rows = catalog.query(query, {"name": name}).rows if name else []
    found = [row for row in rows if name in row] or rows
    if len(found) > 1:
        several = sorted(str(uri) for _, uri in found)
        more = ", …" if len(several) > MAX_CANDIDATES else ""
        raise UsageError(
            f"{name} stands for {len(found)} videos: {', '.join(several[:MAX_CANDIDATES])}{more}",
            f"Write more of its name, or the whole: {several[0]}.",
        )
    if not found:
        close = [row[0] for row in catalog.query(_CLOSE.format(known=known), {"name": name[:1000]}).rows]
        hint = f"Did you mean {' or '.join(close)}?" if close else "Index it first, or write its whole uri."
        raise UsageError(f"{name or 'an empty name'} is not in the index", hint)
    return VideoId(found[0][0])
