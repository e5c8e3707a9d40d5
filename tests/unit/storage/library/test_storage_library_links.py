"""Links in a library of files: every real file once, by one name, and nothing from outside unasked."""

import os
from pathlib import Path

import pytest

from storage.library.library import open_library
from storage.library.selection import Selection

ALL = Selection(extensions=None)


def _fill(folder: Path, *keys: str) -> None:
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_text(key)


def _list(folder: Path, selection: Selection = ALL, follow: bool = False) -> tuple[list[str], int]:
    """The keys, and how many links were not followed."""
    listing = open_library(str(folder), follows_links=follow).list_videos(selection)
    keys = [video.uri.removeprefix(f"{os.path.realpath(folder)}/") for video in listing]
    return keys, listing.num_links_out


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "library").mkdir()
    return tmp_path / "library"


def test_folders_that_link_to_each_other_are_each_listed_once(library: Path) -> None:
    """Seven folders with a video and links to the six others hold seven videos, whatever is asked."""
    for name in "abcdefg":
        _fill(library, f"{name}/{name}.mp4")
        for other in set("abcdefg") - {name}:
            (library / name / f"to {other}").symlink_to(f"../{other}")
    expected = ([f"{name}/{name}.mp4" for name in "abcdefg"], 0)
    assert _list(library) == expected
    assert _list(library, follow=True) == expected


def test_links_in_folders_that_link_to_each_other_are_listed_once(library: Path, tmp_path: Path) -> None:
    """Broken ones, those to one file outside, and those to one that is hidden."""
    _fill(library, ".store/hidden.mp4")
    _fill(tmp_path, "outside.mp4")
    for name in "abc":
        (library / name).mkdir()
        (library / name / "gone.mp4").symlink_to("nowhere.mp4")
        (library / name / "out.mp4").symlink_to(tmp_path / "outside.mp4")
        (library / name / "in.mp4").symlink_to(library / ".store" / "hidden.mp4")
        for other in "abc":
            (library / name / f"to {other}").symlink_to(f"../{other}")
    broken = ["a/gone.mp4", "b/gone.mp4", "c/gone.mp4"]
    assert _list(library) == (["a/gone.mp4", "a/in.mp4", *broken[1:]], 3)
    assert _list(library, follow=True) == (["a/gone.mp4", "a/in.mp4", "a/out.mp4", *broken[1:]], 0)


def test_links_to_itself_to_its_parent_and_in_circles_end(library: Path) -> None:
    """A link above the library leads out of it, and is not followed even if that is asked."""
    _fill(library, "x/a.mp4")
    (library / "x" / "up").symlink_to("..")
    (library / "x" / "self").symlink_to(".")
    (library / "above").symlink_to(library.parent)
    (library / "one").symlink_to("two")
    (library / "two").symlink_to("one")
    assert _list(library, Selection()) == (["x/a.mp4"], 1)
    assert _list(library, Selection(), follow=True) == (["x/a.mp4"], 1)


def test_links_out_of_the_library_are_followed_only_if_asked(library: Path, tmp_path: Path) -> None:
    """Folders and files alike; each real folder outside once, under the first name that leads to it."""
    _fill(library, "in.mp4")
    _fill(tmp_path, "out/o.mp4", "out/deep/d.mp4", "file.mp4", "notes.txt")
    (library / "b").symlink_to(tmp_path / "out")
    (library / "c").symlink_to(tmp_path / "out" / "deep")
    (library / "d.mp4").symlink_to(tmp_path / "file.mp4")
    (library / "notes.txt").symlink_to(tmp_path / "notes.txt")
    assert _list(library, Selection()) == (["in.mp4"], 3)  # the text would not have been taken anyway
    assert _list(library, Selection(), follow=True) == (["b/deep/d.mp4", "b/o.mp4", "d.mp4", "in.mp4"], 0)


def test_the_kernels_own_folders_are_never_entered(library: Path) -> None:
    """/proc holds every file that any process has open, under names without end."""
    (library / "proc").symlink_to("/proc")
    (library / "me").symlink_to("/proc/self/task")
    assert _list(library) == ([], 2)
    assert _list(library, follow=True) == ([], 2)


def test_a_linked_file_is_listed_by_the_name_that_the_filters_take(library: Path) -> None:
    """Once, where its own name is listed; by the link's where its own is hidden or left out."""
    _fill(library, "a.mp4", ".store/b.mp4", "raw/c.bin", "raw/d.mp4")
    for name, target in (("z.mp4", "a.mp4"), ("b.mp4", ".store/b.mp4"), ("c.mp4", "raw/c.bin")):
        (library / name).symlink_to(target)
    (library / "kept").symlink_to("raw")
    assert _list(library, Selection())[0] == ["a.mp4", "b.mp4", "c.mp4", "raw/d.mp4"]
    without_raw = Selection(exclude=("raw/",))
    assert _list(library, without_raw)[0] == ["a.mp4", "b.mp4", "c.mp4", "kept/d.mp4"]
    assert _list(library, Selection(prefixes=("kept/",)))[0] == ["kept/d.mp4"]


def test_a_hidden_folder_is_entered_once_by_its_link(library: Path) -> None:
    """As its own name is not listed, the first link's is its name."""
    _fill(library, ".store/films/a.mp4")
    (library / "films").symlink_to(".store/films")
    (library / "more films").symlink_to(".store/films")
    assert _list(library)[0] == ["films/a.mp4"]


def test_a_library_is_the_same_through_a_link(library: Path, tmp_path: Path) -> None:
    """Its location, its URIs and so its ids are those of the real folder."""
    _fill(library, "a.mp4")
    (tmp_path / "link").symlink_to(library)
    direct, linked = open_library(str(library)), open_library(str(tmp_path / "link"))
    assert linked.url == direct.url == str(library)
    assert [v.video_id for v in linked.list_videos(ALL)] == [v.video_id for v in direct.list_videos(ALL)]
    (tmp_path / "up").symlink_to(tmp_path)
    assert open_library(str(tmp_path / "up" / "link" / ".")).url == str(library)


def test_a_linked_sidecar_belongs_to_the_video_beside_the_link(library: Path, tmp_path: Path) -> None:
    """Its own name may belong to another one; a link out of the library is followed only if asked."""
    _fill(library, "a/film.mp4", "a/film.srt", "b/film.mp4")
    _fill(tmp_path, "texts/film.srt")
    (library / "b" / "film.en.srt").symlink_to("../a/film.srt")
    (library / "b" / "film.fr.srt").symlink_to(tmp_path / "texts" / "film.srt")
    for follow, names in ((False, ["film.en.srt"]), (True, ["film.en.srt", "film.fr.srt"])):
        opened = open_library(str(library), follows_links=follow)
        listing = opened.list_videos(Selection(with_sidecars=True))
        first, second = listing
        assert [sidecar.name for sidecar in first.sidecars] == ["film.srt"]
        assert [sidecar.name for sidecar in second.sidecars] == names
        assert opened.fetch_sidecar(second, second.sidecars[0]) == b"a/film.srt"
        assert (listing.num_links_out, listing.num_ignored) == (0 if follow else 1, 0)


def test_hard_links_are_names_of_their_own(library: Path) -> None:
    """Neither is the original; the plan finds that they are the same bytes."""
    _fill(library, "a.mp4")
    os.link(library / "a.mp4", library / "b.mp4")
    assert _list(library)[0] == ["a.mp4", "b.mp4"]
