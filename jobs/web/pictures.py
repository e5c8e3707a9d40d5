"""Thumbnails: the picture at a moment, read from the file when it is asked for."""

from functools import lru_cache
from pathlib import Path

from jobs.web.media import check_served
from jobs.web.videos import Record, media_of
from schemas.failures import MediaIndexError
from storage.playback import find_file
from videoxl2.frames import MediaError
from videoxl2.frames.thumbnail import read_thumbnail

_KEPT = 2048  # thumbnails in memory, about 10 kB each


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
