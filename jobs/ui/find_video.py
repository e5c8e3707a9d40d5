"""Which video a person means."""

from schemas.failures import UsageError
from storage.index.views import EVER_KNOWN
from storage.query.catalog import Catalog

_CLOSE = """
SELECT uri FROM (
    SELECT DISTINCT uri, jaro_winkler_similarity(lower(file_name(uri)), lower(file_name($name))) AS score
    FROM {known})
WHERE score > 0.75 ORDER BY score DESC, uri LIMIT 3"""


def find_video(catalog: Catalog, uri: str) -> str:
    """A `video_id`. Whole URIs first; else exactly one URI must end so. UsageError: none does, or several."""
    return _find(catalog, uri, "videos", "ends_with(uri, $name)")


def find_ever(catalog: Catalog, name: str) -> str:
    """The same over everything that was ever heard of, and by `video_id` as well."""
    return _find(catalog, name, EVER_KNOWN, "ends_with(uri, $name) OR video_id = $name")


def _find(catalog: Catalog, name: str, known: str, condition: str) -> str:
    query = f"SELECT video_id, any_value(uri) FROM {known} WHERE {condition} GROUP BY video_id"
    rows = catalog.query(query, {"name": name}).rows if name else []
    found = [row for row in rows if name in row] or rows
    if len(found) > 1:
        several = ", ".join(sorted(str(uri) for _, uri in found)[:3])
        raise UsageError(f"{name} stands for {len(found)} videos", f"write its whole uri: {several}, …")
    if not found:
        close = [row[0] for row in catalog.query(_CLOSE.format(known=known), {"name": name[:1000]}).rows]
        hint = f"did you mean {' or '.join(close)}?" if close else "index it first, or write its whole uri"
        raise UsageError(f"{name or 'an empty name'} is not in the index", hint)
    return str(found[0][0])
