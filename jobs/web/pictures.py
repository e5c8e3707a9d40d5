"""Thumbnails: the picture stored for a row, or the one at a moment, read from the file when asked for."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jobs.web.media import check_served
from jobs.web.videos import Record, media_of
from schemas.failures import MediaIndexError
from storage.library.playback import find_file
from storage.query.catalog import Catalog
from videoxl2.frames import MediaError
from videoxl2.frames.reading.stills.thumbnail import read_thumbnail

NEAR_MS = 2000  # a stored picture may stand for a moment so far away, if the file is not at hand
_KEPT = 2048  # thumbnails in memory, about 10 kB each
_TOGETHER = 64  # pictures that are read at once

Row = tuple[str, str, int]  # video_id, table, index in it: what `keyframes` has pictures of

_OF_ROWS = """
SELECT video_id, table_name, row_index, arg_min(image, at_ms) FROM keyframes
WHERE video_id IN ({videos}) AND (video_id, table_name, row_index) IN ({rows}) AND media_type = 'image/jpeg'
GROUP BY ALL"""
# The table names its videos as well: Parquet files are sorted by them.
_NEAR = """
SELECT image FROM keyframes
WHERE video_id = $video_id AND analysis_key = $analysis_key AND media_type = 'image/jpeg'
    AND abs(at_ms - $at_ms) <= $within_ms
ORDER BY abs(at_ms - $at_ms), at_ms LIMIT 1"""


class StoredPictures:
    """The keyframes of rows. Those that a page shows are read together, as each reading opens every part.

    Nothing here is locked: use it while reading the index, which one thread does at a time.
    """

    def __init__(self) -> None:
        self._snapshot: int | None = None
        self._groups: OrderedDict[Row, list[Row]] = OrderedDict()  # what will be asked for, and with what
        self._kept: OrderedDict[Row, bytes | None] = OrderedDict()

    def expect(self, rows: Iterable[Row]) -> None:
        """A page shows these, in this order."""
        page = list(rows)
        for start in range(0, len(page), _TOGETHER):
            group = page[start : start + _TOGETHER]
            self._groups.update((row, group) for row in group)
        _forget_oldest(self._groups)

    def find(self, catalog: Catalog, row: Row) -> bytes | None:
        """A JPEG; None: none is stored for the row."""
        number = catalog.snapshot.number if catalog.snapshot else None
        if number != self._snapshot:
            self._snapshot = number
            self._kept.clear()
        if row not in self._kept:
            group = self._groups.pop(row, [row])
            self._kept.update(dict.fromkeys(group))
            self._kept.update(_read_rows(catalog, group))
            _forget_oldest(self._kept)
        return self._kept[row]


def _forget_oldest(kept: OrderedDict[Row, Any]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _read_rows(catalog: Catalog, rows: Sequence[Row]) -> dict[Row, bytes]:
    videos = sorted({video_id for video_id, _, _ in rows})
    sql = _OF_ROWS.format(videos=", ".join("?" * len(videos)), rows=", ".join(["(?, ?, ?)"] * len(rows)))
    found = catalog.query(sql, [*videos, *(value for row in rows for value in row)]).rows
    return {(video_id, table, index): image for video_id, table, index, image in found}


def stored_near(catalog: Catalog, video: Record, at_ms: int, within_ms: int) -> bytes | None:
    """The keyframe nearest to a moment, `video` being the row in `videos`; None: none is that near."""
    ids = {name: video[name] for name in ("video_id", "analysis_key")}
    rows = catalog.query(_NEAR, {**ids, "at_ms": at_ms, "within_ms": within_ms}).rows
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
