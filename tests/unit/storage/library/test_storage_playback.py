"""Which bytes may be played, and where links lead."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.identity import VideoObject
from storage.errors import NotFound, ObjectChanged, ObjectError
from storage.library.playback import IndexedObject, find_file, is_inside, link_origin
from storage.s3.client import link_client, s3_client


def _indexed(path: Path) -> IndexedObject:
    found = path.stat()
    video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
    return IndexedObject(video.uri, video.object_rev, None, None)


def test_a_file_is_found_while_it_is_the_one_indexed(tmp_path: Path) -> None:
    """Same size and modification time; else it would be another film."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film")
    indexed = _indexed(path)
    assert find_file(indexed) == path
    os.utime(path, ns=(0, 1))
    with pytest.raises(ObjectChanged):
        find_file(indexed)
    path.unlink()
    with pytest.raises(NotFound):
        find_file(indexed)


@pytest.mark.parametrize("uri", ["a.mp4", "/a\0.mp4", "http://host/a.mp4", "", "file:///etc/passwd"])
def test_names_that_are_no_paths_lead_nowhere(uri: str) -> None:
    """What an index says is not taken on trust."""
    with pytest.raises(NotFound):
        find_file(IndexedObject(uri, "1-1", None, None))


def test_folders_and_devices_are_not_played(tmp_path: Path) -> None:
    """Regular files only."""
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(NotFound):
            find_file(_indexed(path))


@pytest.mark.parametrize(
    ("uri", "library", "inside"),
    [
        ("/films/a.mp4", "/films", True),
        ("/films/2026/a.mp4", "/films/", True),
        ("/films-private/a.mp4", "/films", False),
        ("/films/../etc/passwd", "/films", False),
        ("/etc/passwd", "/films", False),
        ("s3://bkt/films/a.mp4", "s3://bkt/films", True),
        ("s3://bkt/films-private/a.mp4", "s3://bkt/films", False),
        ("s3://other/films/a.mp4", "s3://bkt/films", False),
        ("/films/a.mp4", "s3://bkt", False),
        ("s3://bkt/a.mp4", "/films", False),
    ],
)
def test_a_library_ends_where_its_folder_ends(uri: str, library: str, inside: bool) -> None:
    """By whole names, on disk and in buckets."""
    assert is_inside(uri, library) is inside


def test_links_out_of_a_library_lead_out_of_it(tmp_path: Path) -> None:
    """Files and folders, over several links too; links to what is inside stay inside."""
    library, outside = tmp_path / "library", tmp_path / "outside"
    (library / "2026").mkdir(parents=True)
    outside.mkdir()
    for folder in (library / "2026", outside):
        (folder / "a.mp4").write_bytes(b"film")
    (library / "file.mp4").symlink_to(outside / "a.mp4")
    (library / "folder").symlink_to("../outside")
    (library / "twice.mp4").symlink_to(library / "folder" / "a.mp4")
    (library / "within.mp4").symlink_to("2026/a.mp4")
    (library / "loop.mp4").symlink_to("loop.mp4")
    inside = {
        name: is_inside(str(library / name), str(library))
        for name in ("file.mp4", "folder/a.mp4", "twice.mp4", "within.mp4", "2026/a.mp4", "loop.mp4")
    }
    assert inside == {
        "file.mp4": False,
        "folder/a.mp4": False,
        "twice.mp4": False,
        "within.mp4": True,
        "2026/a.mp4": True,
        "loop.mp4": True,
    }
    with pytest.raises(ObjectError, match=r"loop\.mp4"):
        find_file(IndexedObject(str(library / "loop.mp4"), "1-1", None, None))


def test_a_library_reached_through_a_link_is_the_same_library(tmp_path: Path) -> None:
    """Whichever of its names the index and the command use."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp4").write_bytes(b"film")
    (tmp_path / "link").symlink_to("real")
    names = [str(tmp_path / "real"), str(tmp_path / "link")]
    assert all(is_inside(f"{one}/a.mp4", other) for one in names for other in names)
    assert find_file(_indexed(tmp_path / "link" / "a.mp4")) == tmp_path / "real" / "a.mp4"


@pytest.fixture
def _in_frankfurt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    s3_client.cache_clear()
    link_client.cache_clear()
    yield
    s3_client.cache_clear()
    link_client.cache_clear()


@pytest.mark.usefixtures("_in_frankfurt")
@pytest.mark.parametrize(
    ("uri", "endpoint_url", "origin"),
    [
        ("s3://films/a.mp4", None, "https://films.s3.eu-central-1.amazonaws.com"),
        ("s3://my.films/a.mp4", None, "https://s3.eu-central-1.amazonaws.com"),
        ("s3://films/a.mp4", "http://localhost:7480", "http://localhost:7480"),
    ],
)
def test_links_lead_to_the_bucket_without_a_detour(uri: str, endpoint_url: str | None, origin: str) -> None:
    """A redirect to the bucket's region would leave the origin that the page allows its player."""
    assert link_origin(uri, endpoint_url) == origin
