"""A library in a folder: everything in it is listed, and only what was listed is fetched."""

import contextlib
import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.failures import PreflightError
from schemas.identity import VideoObject
from storage.errors import AccessDenied, BadName, NotFound, ObjectChanged
from storage.library.library import open_library
from storage.library.selection import Selection

ALL = Selection(extensions=None)


def _fill(folder: Path, *keys: str) -> None:
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_text(key)


def _keys(folder: Path, selection: Selection = ALL) -> list[str]:
    return [
        video.uri.removeprefix(f"{folder}/") for video in open_library(str(folder)).list_videos(selection)
    ]


def _only(folder: Path) -> VideoObject:
    (video,) = open_library(str(folder)).list_videos(ALL)
    return video


@contextlib.contextmanager
def _as_nobody() -> Iterator[Path]:
    """A folder owned by a user whom permissions stop, unlike root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


def test_names_of_all_kinds_are_listed_in_s3_order(tmp_path: Path) -> None:
    """Sorted by the bytes of the whole key, so that both kinds of library list alike."""
    keys = [
        "a b.mp4",
        "a#%+.mp4",
        "a'\"\n.mp4",
        "a-b/x.mp4",
        "a/x.mp4",
        "a.mp4",
        "é.mp4",
        "😀/[x]*?.mp4",
        "Z" * 250,
    ]
    _fill(tmp_path, *keys)
    assert _keys(tmp_path) == sorted(keys, key=str.encode)


def test_a_video_carries_what_identifies_its_bytes(tmp_path: Path) -> None:
    """Absolute path, size and modification time; no ETag on a disk."""
    _fill(tmp_path, "a.mp4")
    found = (tmp_path / "a.mp4").stat()
    assert _only(tmp_path) == VideoObject(str(tmp_path / "a.mp4"), 5, found.st_mtime_ns)


def test_what_the_filters_leave_out_is_counted(tmp_path: Path) -> None:
    """Hidden files are in neither count."""
    _fill(tmp_path, "a.mp4", "b.mp4", "notes.txt", "x/raw.mp4", ".hidden.mp4", ".git/c.mp4")
    listing = open_library(str(tmp_path)).list_videos(Selection(exclude=("x/",)))
    assert [Path(video.uri).name for video in listing] == ["a.mp4", "b.mp4"]
    assert (listing.num_listed, listing.num_ignored) == (2, 2)


def test_only_what_has_a_prefix_is_listed(tmp_path: Path) -> None:
    """As on S3: of keys, so it may end inside of a name; the rest is not even looked at."""
    _fill(tmp_path, "a/1.mp4", "a/x/2.mp4", "ab/3.mp4", "b/4.mp4", "b.mp4", "c/d/5.mp4", "c/e/6.mp4")
    listing = open_library(str(tmp_path)).list_videos(Selection(prefixes=("a", "c/d/", "b.")))
    assert [video.uri.removeprefix(f"{tmp_path}/") for video in listing] == [
        "a/1.mp4",
        "a/x/2.mp4",
        "ab/3.mp4",
        "b.mp4",
        "c/d/5.mp4",
    ]
    assert listing.num_ignored == 0


def test_only_what_was_modified_since_is_listed(tmp_path: Path) -> None:
    """At that very instant counts as since."""
    _fill(tmp_path, "old.mp4", "new.mp4")
    os.utime(tmp_path / "old.mp4", ns=(99, 99))
    os.utime(tmp_path / "new.mp4", ns=(100, 100))
    listing = open_library(str(tmp_path)).list_videos(Selection(modified_since_ns=100))
    assert [Path(video.uri).name for video in listing] == ["new.mp4"]
    assert (listing.num_listed, listing.num_ignored) == (1, 1)


def test_pipes_and_link_loops_do_not_stop_the_listing(tmp_path: Path) -> None:
    """Only regular files are objects, and a link back to a folder above ends there."""
    _fill(tmp_path, "x/a.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "x" / "up").symlink_to("..")
    (tmp_path / "y").symlink_to("x")
    assert _keys(tmp_path) == ["x/a.mp4"]


def test_a_broken_link_is_listed_and_fails_alone(tmp_path: Path) -> None:
    """The reason belongs in `failures`, so somebody has to ask for the file."""
    (tmp_path / "gone.mp4").symlink_to("nowhere.mp4")
    with pytest.raises(NotFound, match=r"gone\.mp4"):
        open_library(str(tmp_path)).fetch(_only(tmp_path), tmp_path)


def test_a_name_that_is_not_utf8_is_listed_and_fails_alone(tmp_path: Path) -> None:
    """It cannot be an id or a row as it is, so it is shown escaped."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")).write_text("x")
    video = _only(tmp_path)
    assert video.uri == f"{tmp_path}/caf\\xe9.mp4"
    assert video.video_id
    with pytest.raises(BadName, match="UTF-8"):
        open_library(str(tmp_path)).fetch(video, tmp_path)


def test_what_looks_like_such_a_name_is_none(tmp_path: Path) -> None:
    r"""A backslash, x, e and 9 are a valid name, of a file that may be deleted after it was listed."""
    (tmp_path / r"caf\xe9.mp4").write_text("x")
    video = _only(tmp_path)
    library = open_library(str(tmp_path))
    assert library.fetch(video, tmp_path).read_text() == "x"
    Path(video.uri).unlink()
    with pytest.raises(NotFound, match="not found"):
        library.fetch(video, tmp_path)


def test_unreadable_files_and_folders_fail_alone() -> None:
    """A closed folder is listed itself, whatever extensions are wanted, unless it is excluded."""
    with _as_nobody() as folder:
        _fill(folder, "closed.mp4", "open.mp4", "vault/inside.mp4")
        (folder / "closed.mp4").chmod(0)
        (folder / "vault").chmod(0)
        library = open_library(str(folder))
        closed, opened, vault = library.list_videos(Selection())
        assert library.fetch(opened, folder).read_text() == "open.mp4"
        for video in (closed, vault):
            with pytest.raises(AccessDenied):
                library.fetch(video, folder)
        assert len(list(library.list_videos(Selection(exclude=("vault/**",))))) == 2
        (folder / "vault").chmod(0o700)


def test_fetch_returns_the_file_itself(tmp_path: Path) -> None:
    """No copy is made."""
    _fill(tmp_path, "a.mp4")
    assert open_library(str(tmp_path)).fetch(_only(tmp_path), tmp_path / "unused") == tmp_path / "a.mp4"


def test_a_file_that_changed_since_the_listing_is_not_fetched(tmp_path: Path) -> None:
    """Rows must not say one revision and show another."""
    _fill(tmp_path, "a.mp4")
    video = _only(tmp_path)
    (tmp_path / "a.mp4").write_text("longer than before")
    with pytest.raises(ObjectChanged):
        open_library(str(tmp_path)).fetch(video, tmp_path)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(NotFound):
        open_library(str(tmp_path)).fetch(video, tmp_path)


def test_a_missing_library_is_said_before_the_run(tmp_path: Path) -> None:
    """Also one that is a file, or closed to us."""
    (tmp_path / "file").write_text("x")
    for name in ("missing", "file"):
        with pytest.raises(PreflightError) as caught:
            open_library(str(tmp_path / name))
        assert name in caught.value.message
    with _as_nobody() as folder:
        (folder / "vault").mkdir(mode=0)
        with pytest.raises(PreflightError, match="permission denied"):
            open_library(str(folder / "vault"))


def test_library_and_errors_travel_between_processes(tmp_path: Path) -> None:
    """Reading tasks carry the library along and send its errors back."""
    library = open_library(str(tmp_path))
    assert pickle.loads(pickle.dumps(library)) == library
    error = pickle.loads(pickle.dumps(ObjectChanged("what", "then")))
    assert (type(error), error.message, error.hint, error.code) == (
        ObjectChanged,
        "what",
        "then",
        "object_changed",
    )
