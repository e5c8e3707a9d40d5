"""Thumbnails: the picture stored for a row, or the one at a moment, read from the file when asked for."""

from functools import lru_cache
from pathlib import Path

from jobs.web.media import check_served
from jobs.web.videos import Record, media_of
from schemas.failures import MediaIndexError
from storage.catalog import Catalog
from storage.playback import find_file
from videoxl2.frames import MediaError
from videoxl2.frames.thumbnail import read_thumbnail

NEAR_MS = 2000  # a stored picture may stand for a moment so far away, if the file is not at hand
_KEPT = 2048  # thumbnails in memory, about 10 kB each

# The table names its videos as well: Parquet files are sorted by them.
_KEYFRAME = """
SELECT image FROM keyframes
WHERE video_id = $video_id AND analysis_key = $analysis_key AND media_type = 'image/jpeg' AND {condition}
ORDER BY abs(at_ms - $at_ms), at_ms LIMIT 1"""


def stored_picture(catalog: Catalog, video: Record, table: str, row_index: int) -> bytes | None:
    """The keyframe of a row, a JPEG; None: none is stored. `video` is the row in `videos`."""
    condition = "table_name = $table AND row_index = $row_index"
    return _stored(catalog, video, condition, 0, table=table, row_index=row_index)


def stored_near(catalog: Catalog, video: Record, at_ms: int, within_ms: int) -> bytes | None:
    """The keyframe nearest to a moment; None: none is within that time of it."""
    return _stored(catalog, video, "abs(at_ms - $at_ms) <= $within_ms", at_ms, within_ms=within_ms)


def _stored(catalog: Catalog, video: Record, condition: str, at_ms: int, **params: str | int) -> bytes | None:
    ids = {name: video[name] for name in ("video_id", "analysis_key")}
    rows = catalog.query(_KEYFRAME.format(condition=condition), {**ids, "at_ms": at_ms, **params}).rows
    return rows[0][0] if rows else None


def find_picture(video: Record, at_ms: int, library: str | None) -> bytes | None:
    """A JPEG of what is on screen then; None where the file is not at hand or shows nothing.

    `video` is the row in `videos`.
    """
    media = media_of(video)
    if not media.is_local:
        return None
    try:
        check_served(media, library)
        path = find_file(media)
    except MediaIndexError:
        return None
    return _read(path, media.object_rev, at_ms, video["container_start_ms"])


@lru_cache(maxsize=_KEPT)
def _read(path: Path, object_rev: str, at_ms: int, start_ms: int) -> bytes | None:
    try:
        return read_thumbnail(path, at_ms, start_ms)
    except (MediaError, OSError):
        return None
