"""The application: addresses, and what an error looks like."""

import os
import re
from functools import partial
from typing import TypeVar

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from jobs.web import api, media
from jobs.web.guards import SafeHeaders, allowed_hosts
from jobs.web.looks import STATIC, show
from jobs.web.open_index import OpenIndex
from jobs.web.pages import Pages
from jobs.web.pictures import NEAR_MS, StoredPictures, find_picture, stored_near
from jobs.web.strip import read_sheet
from jobs.web.videos import Record, media_of, read_video
from schemas.failures import MediaIndexError, PreflightError, UsageError
from schemas.identity import VideoId, parse_video_id
from storage.errors import NotFound, ObjectChanged
from storage.query.lost_parts import again_if_changed

T = TypeVar("T")

_ROW = re.compile(r"([a-z][a-z0-9_]*)-([0-9]{1,9})")
_GONE_HINT = "It may have been removed from the index since; search for it again."
_PLACEHOLDER = STATIC / "no-picture.svg"


class NoSuchPageError(MediaIndexError):
    """The address leads nowhere."""


_STATUS: tuple[tuple[type[MediaIndexError], int], ...] = (
    (UsageError, 400),
    (PreflightError, 503),
    (NoSuchPageError, 404),
    (media.NotServedError, 404),
    (NotFound, 404),
    (ObjectChanged, 404),
)


def make_app(index: OpenIndex, library: str | None, host: str) -> Starlette:
    """The page over `index`, to be served on `host`; with `library` only videos in it are played."""
    site = _Site(index, library)
    return Starlette(
        routes=[
            Route("/", site.search),
            Route("/video/{video_id}", site.video),
            Route("/media/{video_id}", site.media),
            Route("/picture/{video_id}/{at_ms}", site.picture),
            Route("/strip/{video_id}", site.strip),
            Route("/api/search", site.api_search),
            Route("/api/videos/{video_id}", site.api_video),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(host), www_redirect=False),
        ],
        exception_handlers={MediaIndexError: _show_error, HTTPException: _show_http_error},
    )


class _Site:
    """One method per address. All but `picture` are plain functions: Starlette runs them in threads.

    An answer is of one snapshot; where its files are removed meanwhile, it is made again of the next one.
    """

    def __init__(self, index: OpenIndex, library: str | None) -> None:
        self._index = index
        self._library = library
        self._stored = StoredPictures()
        self._pages = Pages(index, library, self._stored)
        # Decoding takes a core; more at once than there are would only hold up the searches.
        self._decoding = anyio.CapacityLimiter(max(1, (os.cpu_count() or 1) - 1))

    def search(self, request: Request) -> Response:
        return again_if_changed(lambda: self._pages.search(request.query_params))

    def video(self, request: Request) -> Response:
        video_id = _video_id(request)
        page = again_if_changed(lambda: self._pages.video(video_id, request.query_params))
        return _found(page, video_id)

    def media(self, request: Request) -> Response:
        video_id = _video_id(request)
        row = _found(again_if_changed(lambda: self._read_video(video_id)), video_id)
        request.scope["headers"] = _known_ranges(request.scope["headers"])
        return media.play(media_of(row), self._library, self._index.endpoint_url)

    async def picture(self, request: Request) -> Response:
        video_id, at = _video_id(request), request.path_params["at_ms"]
        if not re.fullmatch(r"[0-9]{1,12}|poster", at):
            raise NoSuchPageError("there is no such picture", "Times are whole milliseconds.")
        row = _row(request.query_params.get("row"))
        read = partial(self._picture, video_id, at, row, request.query_params.get("of"))
        jpeg = await anyio.to_thread.run_sync(again_if_changed, read, limiter=self._decoding)
        if jpeg is None:
            drawn = _PLACEHOLDER.read_bytes()
            return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    def _picture(
        self, video_id: VideoId, at: str, row: tuple[str, int] | None, of: str | None
    ) -> bytes | None:
        """What is stored for that row or poster; else out of the file; else what is stored close by.

        None, too, where the rows are no longer `of` that analysis: a page of an older snapshot asks for it.
        """
        with self._index.reading() as catalog:
            video = _found(read_video(catalog, video_id), video_id)
            if of not in (None, video["analysis_key"]):
                return None
            length_ms = video["duration_ms"]
            # Many films begin and end black: a third into it is a better poster.
            at_ms = length_ms // 3 if at == "poster" else min(int(at), length_ms)
            stored = None
            if row is not None:
                stored = self._stored.find(catalog, (video_id, *row))
            elif at == "poster":
                stored = stored_near(catalog, video, at_ms, length_ms)
        if picture := stored or find_picture(video, at_ms, self._library):
            return picture
        with self._index.reading() as catalog:
            return stored_near(catalog, video, at_ms, NEAR_MS)

    def strip(self, request: Request) -> Response:
        video_id = _video_id(request)
        sheet = again_if_changed(lambda: self._read_sheet(video_id))
        if sheet is None:
            raise NoSuchPageError(
                "this video has no strip", "The signal strip makes one: see docs/signals.md."
            )
        return Response(sheet, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    def api_search(self, request: Request) -> Response:
        return again_if_changed(lambda: api.search(self._index, request.query_params))

    def api_video(self, request: Request) -> Response:
        video_id = _video_id(request)
        return _found(again_if_changed(lambda: api.video(self._index, video_id)), video_id)

    def _read_sheet(self, video_id: VideoId) -> bytes | None:
        with self._index.reading() as catalog:
            return read_sheet(catalog, video_id)

    def _read_video(self, video_id: VideoId) -> Record | None:
        with self._index.reading() as catalog:
            return read_video(catalog, video_id)


def _video_id(request: Request) -> VideoId:
    video_id = parse_video_id(request.path_params["video_id"])
    if video_id is None:
        raise NoSuchPageError("this is no id of a video", "Ids are 16 hexadecimal digits.")
    return video_id


def _row(name: str | None) -> tuple[str, int] | None:
    """`scenes-3`: a table and the row's index in it."""
    if name is None:
        return None
    found = _ROW.fullmatch(name)
    if not found:
        raise NoSuchPageError("there is no such picture", "A row is named as in row=scenes-3.")
    return found[1], int(found[2])


def _known_ranges(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Ranges in other units than bytes count as not given (RFC 9110, 14.2); Starlette would refuse them."""
    return [(name, value) for name, value in headers if name != b"range" or value.startswith(b"bytes=")]


def _found(value: T | None, video_id: VideoId) -> T:
    if value is None:
        raise NoSuchPageError(f"there is no video {video_id} in this index", _GONE_HINT)
    return value


def _show_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MediaIndexError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 502)
    return _answer(request, status, error.message, error.hint)


def _show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hints = {404: "Start again from the search page.", 405: "This server is for reading: GET and HEAD."}
    response = _answer(
        request, error.status_code, str(error.detail).lower(), hints.get(error.status_code, "")
    )
    response.headers.update(error.headers or {})
    return response


def _answer(request: Request, status: int, message: str, hint: str) -> Response:
    if request.url.path.startswith("/api/"):
        return api.answer({"error": message, "hint": hint}, status)
    return show("error.html", status, code=status, message=message, hint=hint)
