"""Playing: bytes in ranges, of indexed videos only, and thumbnails."""

import html
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from schemas.commit import Bundle
from schemas.identity import VideoObject
from schemas.tables import Keyframe

_SCENES = [
    {"start_ms": 20_000 * n, "end_ms": 20_000 * n + 10_000, "title": title, "character_ids": []}
    for n, title in enumerate(("A street", "A harbour", "A hill"))
]


def _media(site: Any, name: str = "animals.mp4", method: str = "GET", **headers: str) -> Any:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return site.client.request(method, f"/media/{site.ids[name]}", headers=sent)


def test_whole_file(site: Any) -> None:
    """As it is on the disk, with its type and the offer of ranges."""
    answer = _media(site)
    assert answer.status_code == 200
    assert answer.content == (site.library / "animals.mp4").read_bytes()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("spec", ["0-0", "0-99", "100-", "-100", "5-10"])
def test_ranges_are_those_bytes(site: Any, spec: str) -> None:
    """Both ends inclusive, open ends, and the last n bytes (RFC 9110, 14.1.2)."""
    whole = (site.library / "animals.mp4").read_bytes()
    first, last = spec.split("-")
    start = int(first) if first else len(whole) - int(last)
    stop = int(last) + 1 if first and last else len(whole)
    answer = _media(site, Range=f"bytes={spec}")
    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(stop - start)


def test_end_beyond_the_file_is_the_end(site: Any) -> None:
    """Players ask for more than there is."""
    size = (site.library / "animals.mp4").stat().st_size
    assert _media(site, Range="bytes=10-99999999").headers["content-range"] == f"bytes 10-{size - 1}/{size}"


def test_start_beyond_the_file_is_416(site: Any) -> None:
    """With the length, so that the client can ask better."""
    size = (site.library / "animals.mp4").stat().st_size
    answer = _media(site, Range=f"bytes={size}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


def test_ranges_in_unknown_units_are_ignored(site: Any) -> None:
    """The whole file, as if nothing were said (RFC 9110, 14.2)."""
    answer = _media(site, Range="pictures=0-5")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str((site.library / "animals.mp4").stat().st_size)


def test_head_says_the_same_without_the_bytes(site: Any) -> None:
    """Length and range, no body."""
    whole, part = _media(site, method="HEAD"), _media(site, method="HEAD", Range="bytes=0-9")
    size = (site.library / "animals.mp4").stat().st_size
    assert (whole.status_code, whole.headers["content-length"], whole.content) == (200, str(size), b"")
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")


def test_if_range_gives_the_whole_of_another_file(site: Any) -> None:
    """A part is only sent to go with the part that the client has."""
    etag = _media(site).headers["etag"]
    assert _media(site, Range="bytes=0-9", If_Range=etag).status_code == 206
    assert _media(site, Range="bytes=0-9", If_Range='"other"').status_code == 200


@pytest.mark.parametrize("name", ["outside.mp4", "gone.mp4"])
def test_files_outside_and_files_gone_are_404_with_a_hint(site: Any, name: str) -> None:
    """They are in the index, yet not to be had: outside of --library, or deleted."""
    answer = _media(site, name)
    assert answer.status_code == 404
    assert ("is outside of" if name == "outside.mp4" else "not found") in answer.text


@pytest.mark.parametrize("link", ["a link.mp4", "a folder/outside.mp4"])
def test_a_link_out_of_the_library_is_not_played(
    own_site: Any,
    open_site: Any,
    add_films: Callable[..., None],
    make_film: Callable[..., Bundle],
    link: str,
) -> None:
    """However it came into the index, nothing is read through it: no film, no picture."""
    (own_site.library / "a link.mp4").symlink_to(own_site.folder / "outside.mp4")
    (own_site.library / "a folder").symlink_to(own_site.folder)
    path = own_site.library / link
    found = path.stat()
    film = make_film(VideoObject(str(path), found.st_size, found.st_mtime_ns), title="Out", duration_ms=3000)
    add_films(own_site.folder / "linked", film)
    for library, is_played in ((own_site.library, False), (None, True)):
        with open_site(own_site.folder / "linked", library and str(library)) as client:
            answer = client.get(f"/media/{film.commit.video_id}")
            picture = client.get(f"/picture/{film.commit.video_id}/0")
            page = client.get(f"/video/{film.commit.video_id}").text
        assert (answer.status_code == 200) is is_played
        assert (picture.headers["content-type"] == "image/jpeg") is is_played
        assert ("is outside of" in answer.text) is ("is outside of" in page) is not is_played


def test_replaced_file_is_not_played(own_site: Any) -> None:
    """The rows speak of other bytes; sending these would show wrong moments."""
    os.utime(own_site.library / "animals.mp4", ns=(1, 1))
    answer = _media(own_site)
    assert answer.status_code == 404
    assert "replaced since it was indexed" in answer.text


def test_a_pipe_in_the_files_place_does_not_hang(own_site: Any) -> None:
    """Opening it must not wait for a writer."""
    path = own_site.library / "animals.mp4"
    path.unlink()
    os.mkfifo(path)
    assert _media(own_site).status_code == 404


@pytest.mark.parametrize(
    ("at_ms", "shade"), [("0", 0), ("1000", 80), ("1990", 152), ("2900", 232), ("999999", 232)]
)
def test_thumbnail_is_the_picture_on_screen_then(site: Any, at_ms: str, shade: int) -> None:
    """Picture n of the film has shade 8 n and is shown for 100 ms."""
    answer = site.client.get(f"/picture/{site.ids['animals.mp4']}/{at_ms}")
    assert answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (320, 213)
    found = picture.convert("L").getpixel((160, 100))
    assert isinstance(found, int)
    assert abs(found - shade) <= 4


@pytest.mark.parametrize("name", ["gone.mp4", "outside.mp4"])
def test_thumbnail_of_what_cannot_be_read_is_drawn(site: Any, name: str) -> None:
    """And not kept by the browser, as the file may come back."""
    answer = site.client.get(f"/picture/{site.ids[name]}/0")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("at_ms", ["-1", "1.5", "x", "9" * 40, "٣"])
def test_thumbnail_times_are_checked(site: Any, at_ms: str) -> None:
    """Whole milliseconds or nothing."""
    assert site.client.get(f"/picture/{site.ids['animals.mp4']}/{at_ms}").status_code == 404


@pytest.fixture
def remote(
    tmp_path: Path, make_film: Callable[..., Bundle], make_row: Callable[..., Any], add_films: Any
) -> str:
    """The id of a video in a bucket out of reach, with keyframes of two scenes, in `tmp_path / "index"`."""
    video = VideoObject("s3://films/a.mp4", 1, 1, etag="1")
    film = make_film(video, scenes=_SCENES, duration_ms=90_000)
    ids = {name: getattr(film.commit, name) for name in ("video_id", "analysis_key")}
    media_types = ("image/jpeg", "image/jpeg", "text/html")
    keyframes = tuple(
        make_row(
            Keyframe,
            table_name="scenes",
            row_index=n,
            at_ms=20_000 * n,
            media_type=media_type,
            image=b"scene %d" % n,
            **ids,
        )
        for n, media_type in enumerate(media_types)
    )
    add_films(tmp_path / "index", film.model_copy(update={"keyframes": keyframes}))
    return video.video_id


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("10000?row=scenes-0", b"scene 0"),
        ("10000?row=scenes-1", b"scene 1"),
        ("0?row=highlights-1", b"scene 0"),  # none of its own, and one close by
        ("9000?row=highlights-1", None),
        ("21000", b"scene 1"),
        ("23000", None),
        ("poster", b"scene 1"),
        ("40000?row=scenes-2", None),  # no picture, whatever an index says
    ],
)
def test_stored_pictures_stand_for_files_out_of_reach(
    tmp_path: Path, remote: str, open_site: Any, asked: str, shown: bytes | None
) -> None:
    """That of the row, of a moment close by, or for a poster the one nearest to a third of the video."""
    with open_site(tmp_path / "index") as client:
        answer = client.get(f"/picture/{remote}/{asked}")
    if shown is None:
        assert answer.headers["content-type"] == "image/svg+xml"
    else:
        assert (answer.headers["content-type"], answer.content) == ("image/jpeg", shown)


def test_pages_ask_for_their_rows_pictures(tmp_path: Path, remote: str, open_site: Any) -> None:
    """Hits and scenes by table and index."""
    with open_site(tmp_path / "index") as client:
        for address in ("/?q=harbour", f"/video/{remote}"):
            assert f'src="/picture/{remote}/25000?row=scenes-1&amp;of=' in client.get(address).text


@pytest.mark.parametrize("page", ["/?q=harbour+street", "/video/{}"])
def test_pictures_of_a_page_are_read_together(tmp_path: Path, remote: str, open_site: Any, page: str) -> None:
    """Once the first is shown, the others need no further look into the files; absent ones stay absent."""
    with open_site(tmp_path / "index") as client:
        assert client.get(page.format(remote)).status_code == 200
        assert client.get(f"/picture/{remote}/0?row=scenes-0").content == b"scene 0"
        for part in (tmp_path / "index" / "tables" / "keyframes").iterdir():
            part.unlink()
        assert client.get(f"/picture/{remote}/0?row=scenes-1").content == b"scene 1"
        assert client.get(f"/picture/{remote}/0?row=scenes-0").content == b"scene 0"
        assert client.get(f"/picture/{remote}/0?row=scenes-7").status_code == 503


def test_pictures_of_a_replaced_video_are_read_anew(
    tmp_path: Path,
    remote: str,
    open_site: Any,
    add_films: Callable[..., None],
    make_film: Callable[..., Bundle],
    make_row: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A newer snapshot brings its own, which a page of the older one does not show beside its rows."""
    monkeypatch.setattr("jobs.web.open_index.LOOK_EVERY_S", 0.0)
    with open_site(tmp_path / "index") as client:
        assert client.get(f"/picture/{remote}/0?row=scenes-0").content == b"scene 0"
        found = re.search(r"/picture/[^\"]*row=scenes-0[^\"]*", client.get(f"/video/{remote}").text)
        assert found
        of_then = html.unescape(found[0])
        assert client.get(of_then).content == b"scene 0"
        film = make_film(VideoObject("s3://films/a.mp4", 2, 2, etag="2"), scenes=_SCENES, duration_ms=90_000)
        ids = {name: getattr(film.commit, name) for name in ("video_id", "analysis_key")}
        newer = make_row(
            Keyframe,
            table_name="scenes",
            row_index=0,
            at_ms=5,
            media_type="image/jpeg",
            image=b"newer",
            **ids,
        )
        add_films(tmp_path / "index", film.model_copy(update={"keyframes": (newer,)}))
        assert client.get(f"/picture/{remote}/0?row=scenes-0").content == b"newer"
        late = client.get(of_then)
    assert (late.headers["content-type"], late.headers["cache-control"]) == ("image/svg+xml", "no-store")


@pytest.mark.parametrize("row", ["scenes", "scenes-x", "-1", "a'-1", "scenes-" + "9" * 10, ""])
def test_rows_of_pictures_are_checked(site: Any, row: str) -> None:
    """A table and a number or nothing."""
    answer = site.client.get(f"/picture/{site.ids['animals.mp4']}/0", params={"row": row})
    assert answer.status_code == 404
