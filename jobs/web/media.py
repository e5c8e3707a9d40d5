"""The video itself: a file in ranges, or a short-lived link into the bucket."""

from pathlib import PurePosixPath

from starlette.responses import FileResponse, RedirectResponse, Response

from schemas.failures import MediaIndexError
from storage.errors import NotFound
from storage.library.playback import IndexedObject, find_file, is_inside, presign

_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",  # the same boxes; browsers refuse video/quicktime unread
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".ogv": "video/ogg",
}


class NotServedError(MediaIndexError):
    """The video is in the index, yet outside of what may be played."""


def check_served(media: IndexedObject, library: str | None) -> None:
    """Check that a video may be served. NotServedError: it lies outside of `library`; None lets everything in
    the index through."""
    if library is not None and not is_inside(media.uri, library):
        raise NotServedError(
            f"{media.uri} is outside of {library}", "The page was started for that library only (--library)."
        )


def play(media: IndexedObject, library: str | None, endpoint_url: str | None) -> Response:
    """The bytes that were indexed. NotServedError; ObjectError: they are gone, replaced or out of reach."""
    check_served(media, library)
    content_type = _TYPES.get(PurePosixPath(media.uri).suffix.lower(), "application/octet-stream")
    if not media.is_local:
        link = presign(media, endpoint_url, content_type)
        return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
    path = find_file(media)
    try:
        found = path.stat()
    except OSError as error:
        raise NotFound(f"{media.uri}: {error.strerror}", "It was removed at this moment.") from error
    return FileResponse(
        path, media_type=content_type, stat_result=found, headers={"Cache-Control": "private, no-cache"}
    )
