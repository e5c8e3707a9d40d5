"""Which video a person means."""

from schemas.failures import UsageError
from storage.catalog import Catalog


def find_video(catalog: Catalog, uri: str) -> str:
    """A `video_id`. Whole URIs first; else exactly one URI must end so. UsageError: none does, or several."""
    rows = catalog.query("SELECT video_id, uri FROM videos WHERE ends_with(uri, ?)", [uri]).rows
    found = [row for row in rows if row[1] == uri] or rows
    if len(found) != 1:
        problem = "is not in the index" if not found else f"stands for {len(found)} videos"
        raise UsageError(f"{uri} {problem}", "index it first, or write its whole uri")
    return str(found[0][0])
