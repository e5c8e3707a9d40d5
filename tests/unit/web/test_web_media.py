"""Playing: bytes in ranges, of indexed videos only, and thumbnails."""

import io
import os
from typing import Any

import pytest
from PIL import Image


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
    assert abs(picture.convert("L").getpixel((160, 100)) - shade) <= 4


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
