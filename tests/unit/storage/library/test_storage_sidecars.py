"""Which texts belong to which video, by their names alone."""

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import VideoObject
from storage.errors import BadName, NotFound, ObjectChanged, ObjectError
from storage.library.library import open_library
from storage.library.listing import Listing
from storage.library.pairing import MAX_SIDECAR_BYTES
from storage.library.selection import SIDECAR_EXTENSIONS, VIDEO_EXTENSIONS, Selection

WITH = Selection(with_sidecars=True)


def _listing(keys: Iterable[str], selection: Selection = WITH, modified_ns: int = 1) -> Listing:
    """Of objects with these keys; `new` in a key's name makes it younger."""
    in_order = sorted(keys, key=str.encode)
    objects = [(key, VideoObject(f"/l/{key}", 7, modified_ns + 9 * ("new" in key))) for key in in_order]
    return Listing(iter(objects), selection)


def _pairs(keys: Iterable[str], selection: Selection = WITH) -> dict[str, list[str]]:
    return {
        video.uri.removeprefix("/l/"): [sidecar.name for sidecar in video.sidecars]
        for video in _listing(keys, selection)
    }


def _reasons(keys: Iterable[str], selection: Selection = WITH) -> dict[str, str]:
    listing, said = _listing(keys, selection), {}
    listing.on_ignored = lambda uri, why: said.update({uri.removeprefix("/l/"): why})
    list(listing)
    assert listing.num_ignored == len(said)
    return said


@pytest.mark.parametrize(
    ("texts", "owned"),
    [
        (["film.srt", "film.en.vtt", "film.de.forced.ass", "film.Director's cut.en.ttml"], None),
        (["film.mp4.srt", "film.mp4.en.srt"], None),
        (["film.idx", "film.sub"], None),
        (["film.SRT", "film.scc", "film.stl", "film.smi", "film.sbv", "film.mpl2", "film.itt"], None),
        (["films.srt", "film-en.srt", "film en.srt", "Film.srt", "fil.srt", "srt"], []),
        (["x/film.srt", "film/film.srt", "film.x/a.srt", "film.x/film.srt"], []),
        (["film.txt", "film.xml", "film.nfo", "film.srt.bak", "film.en.jpg"], []),
        ([".film.srt.srt", "film..srt"], ["film..srt"]),
    ],
)
def test_names_that_go_on_where_the_videos_stops_are_its_own(
    texts: list[str], owned: list[str] | None
) -> None:
    """In its folder, after a dot, with the extension of a text."""
    expected = sorted(texts) if owned is None else owned
    assert _pairs(["film.mp4", *texts]) == {"film.mp4": expected}


def test_the_longest_name_of_a_video_wins() -> None:
    """The second part's captions are not the whole film's, whichever is listed first."""
    videos = ["film.mp4", "film.part2.mp4", "film.part2.zz.webm", "film.mp4.mkv"]
    texts = ["film.srt", "film.part2.en.srt", "film.part2.zz.srt", "film.part3.srt", "film.mp4.srt"]
    assert _pairs([*videos, *texts]) == {
        "film.mp4": ["film.part3.srt", "film.srt"],
        "film.part2.mp4": ["film.part2.en.srt"],
        "film.part2.zz.webm": ["film.part2.zz.srt"],
        "film.mp4.mkv": ["film.mp4.srt"],
    }


def test_videos_that_differ_in_their_extension_share_a_sidecar() -> None:
    """Unless it names one of them."""
    keys = ["film.mkv", "film.mp4", "film.avi", "film.srt", "film.mp4.en.srt", "film.MP4.srt"]
    shared = ["film.MP4.srt", "film.srt"]
    assert _pairs(keys) == {
        "film.avi": shared,
        "film.mkv": shared,
        "film.mp4": ["film.MP4.srt", "film.mp4.en.srt", "film.srt"],
    }


def test_texts_without_a_video_are_ignored_with_the_reason() -> None:
    """And those whose video is left out; those of a video are in neither count."""
    keys = ["a.mp4", "a.srt", "b.srt", "c.mp4", "c.en.srt", "raw/d.mp4", "raw/d.srt", "e.en.srt"]
    said = _reasons(keys, Selection(with_sidecars=True, exclude=("c.mp4", "raw/**", "e*")))
    assert {key for key in keys if key not in said} == {"a.mp4", "a.srt"}
    assert "no video of that name" in said["b.srt"]
    assert "left out" in said["c.en.srt"]
    for key in ("c.mp4", "raw/d.mp4", "raw/d.srt", "e.en.srt"):
        assert said[key] == "left out by --include, --exclude or --prefix"


def test_a_video_that_is_left_out_keeps_its_texts() -> None:
    """They do not become those of another one whose name is shorter."""
    keys = ["film.mp4", "film.trailer.mp4", "film.trailer.en.srt", "film.teaser.dv", "film.teaser.srt"]
    selection = Selection(frozenset({"mp4"}), exclude=("*trailer*.mp4",), with_sidecars=True)
    assert _pairs(keys, selection) == {"film.mp4": []}


def test_include_and_prefix_part_no_video_from_its_texts() -> None:
    """Exclude does: it may name them."""
    keys = ["film.en.srt", "film.mp4", "film.z.srt", "other.mp4", "other.srt"]
    for selection in (
        Selection(include=("film.mp4",), with_sidecars=True),
        Selection(prefixes=("film.m",), with_sidecars=True),
        Selection(prefixes=("film.mp4",), extensions=None, with_sidecars=True),
    ):
        assert _pairs(keys, selection) == {"film.mp4": ["film.en.srt", "film.z.srt"]}
    assert _pairs(keys, Selection(exclude=("*.srt",), with_sidecars=True)) == {
        "film.mp4": [],
        "other.mp4": [],
    }


@pytest.mark.parametrize(
    ("prefix", "listed"),
    [
        ("in/film.m", "in/film."),
        ("in/film.", "in/film."),
        ("in/fi", "in/fi"),
        ("in.1/fi", "in.1/fi"),
        ("2024.01", "2024.01"),
        ("a.b.MP4", "a.b."),
        ("a.b.mp4.", "a.b.mp4."),
    ],
)
def test_a_prefix_is_widened_only_inside_of_an_extension(prefix: str, listed: str) -> None:
    """So that a day's videos can still be listed without the year's."""
    assert Selection(prefixes=(prefix,), with_sidecars=True).listed_prefixes == (listed,)
    assert Selection(prefixes=(prefix,)).listed_prefixes == (prefix,)


def test_what_is_listed_beyond_the_prefix_is_in_no_count() -> None:
    """It is there for the sidecars alone."""
    listing = _listing(
        ["f.avi", "f.mp4", "f.srt", "f.txt"], Selection(prefixes=("f.mp",), with_sidecars=True)
    )
    (video,) = listing
    assert [sidecar.name for sidecar in video.sidecars] == ["f.srt"]
    assert (listing.num_listed, listing.num_ignored) == (1, 0)


def test_a_video_is_recent_when_one_of_its_texts_is() -> None:
    """New captions for an old film are to be read; other old films and their texts stay left out."""
    keys = ["a.mp4", "a.new.srt", "b.mp4", "b.srt", "c.new.mp4", "c.new.srt", "c.srt"]
    selection = Selection(modified_since_ns=10, with_sidecars=True)
    assert _pairs(keys, selection) == {"a.mp4": ["a.new.srt"], "c.new.mp4": ["c.new.srt"]}
    said = _reasons(keys, selection)
    assert said.keys() == {"b.mp4", "b.srt", "c.srt"}
    assert said["b.mp4"] == "older than --since"


def test_a_text_that_is_asked_for_as_a_video_is_one() -> None:
    """As before; nobody asks for that but by its extension."""
    assert _pairs(["a.mp4", "a.srt"], Selection(frozenset({"srt"}), with_sidecars=True)) == {"a.srt": []}
    assert _pairs(["a.mp4", "a.srt", "b"], Selection(None, with_sidecars=True)) == {
        "a.mp4": ["a.srt"],
        "b": [],
    }


def test_without_the_flag_texts_are_what_they_were() -> None:
    """Objects that no extension takes."""
    assert _pairs(["a.mp4", "a.srt"], Selection()) == {"a.mp4": []}
    assert _reasons(["a.srt"], Selection()) == {"a.srt": "no video by its name (--extension)"}


def test_a_sidecar_carries_what_identifies_its_bytes() -> None:
    """Name, size, and modification time or etag."""
    objects = [
        (name, VideoObject(f"s3://b/x/{name}", size, 5, etag))
        for name, size, etag in (("a.mp4", 1, "e1"), ("a.srt", 2, "e2"))
    ]
    (video,) = Listing(iter(objects), WITH)
    (sidecar,) = video.sidecars
    assert (sidecar.name, sidecar.size_bytes, sidecar.modified_ns, sidecar.etag) == ("a.srt", 2, 5, "e2")


def test_the_listing_is_not_read_further_than_names_go_on() -> None:
    """A camera's folder, all of whose names begin alike: each video waits for the next name alone."""
    num_read = 0

    def objects() -> Iterator[tuple[str, VideoObject]]:
        nonlocal num_read
        for number in range(200):
            for extension in ("mp4", "srt"):
                num_read += 1
                key = f"2024.01.{number:04}.{extension}"
                yield key, VideoObject(f"/l/{key}", 1, 1)

    for number, video in enumerate(Listing(objects(), WITH)):
        assert len(video.sidecars) == 1
        assert num_read <= 2 * number + 3


TOKENS = ("a", "a-", "mp4")
NAMES = [".".join(tokens) for num in (1, 2) for tokens in itertools.product(TOKENS, repeat=num)]
FOLDERS = ("", "a.mp4/")
EXTENSIONS = ("mp4", "mkv", "srt", "txt")
KEYS = [f"{folder}{name}.{extension}" for folder in FOLDERS for name in NAMES for extension in EXTENSIONS]


def _paired_in_memory(keys: set[str]) -> tuple[dict[str, list[str]], set[str]]:
    """By the rule as it is written, with everything at hand; and the texts that nobody owns."""
    videos = [key for key in keys if key.rpartition(".")[2].lower() in VIDEO_EXTENSIONS]
    pairs: dict[str, list[str]] = {video: [] for video in sorted(videos, key=str.encode)}
    orphans = set()
    for text in sorted(keys, key=str.encode):
        if text.rpartition(".")[2].lower() not in SIDECAR_EXTENSIONS:
            continue
        folder, _, name = text.rpartition("/")
        beside = [video for video in videos if video.rpartition("/")[0] == folder]
        stems = {
            video.rpartition(".")[0] for video in beside if text.startswith(video.rpartition(".")[0] + ".")
        }
        longest = max(stems, key=len, default=None)
        owners = [video for video in beside if video.rpartition(".")[0] == longest]
        named = [video for video in owners if text.startswith(video + ".")]
        for owner in named or owners:
            pairs[owner].append(name)
        if not owners:
            orphans.add(text)
    return pairs, orphans


@given(st.sets(st.sampled_from(KEYS), max_size=24))
def test_pairing_while_listing_is_pairing_in_memory(keys: set[str]) -> None:
    """Whatever names lie together; the same videos, in the same order."""
    pairs, orphans = _paired_in_memory(keys)
    found = _pairs(keys)
    assert list(found.items()) == list(pairs.items())
    said = _reasons(keys)
    assert said.keys() == orphans | {key for key in keys if key.endswith(".txt")}


def test_a_folder_is_listed_with_its_sidecars(tmp_path: Path) -> None:
    """Hidden ones and pipes are none; bad names and broken links are, so that reading them says why."""
    for key in ("film.mp4", "film.en.srt", "._film.en.srt", ".film.srt", "film.x/film.srt", "other.srt"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text(key)
    os.mkfifo(tmp_path / "film.fr.srt")
    (tmp_path / "film.de.srt").symlink_to("nowhere.srt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/film.caf\xe9.srt")).write_text("x")
    listing = open_library(str(tmp_path)).list_videos(WITH)
    (video,) = listing
    assert [sidecar.name for sidecar in video.sidecars] == ["film.caf\\xe9.srt", "film.de.srt", "film.en.srt"]
    assert (listing.num_listed, listing.num_ignored) == (1, 2)
    part = open_library(str(tmp_path)).list_videos(Selection(prefixes=("film.mp",), with_sidecars=True))
    assert [one.sidecars for one in part] == [video.sidecars]
    assert (part.num_listed, part.num_ignored) == (1, 0)


def test_only_the_bytes_that_were_listed_are_fetched(tmp_path: Path) -> None:
    """Else the reason: changed, gone, turned into a pipe, a broken link, a name that cannot be opened."""
    (tmp_path / "film.mp4").write_text("film")
    for name in ("film.a.srt", "film.b.srt", "film.c.srt", "film.d.srt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "film.e.srt").symlink_to("nowhere.srt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/film.\xe9.srt")).write_text("x")
    library = open_library(str(tmp_path))
    (video,) = library.list_videos(WITH)
    (tmp_path / "film.b.srt").write_text("another")
    for name in ("film.c.srt", "film.d.srt"):
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / "film.d.srt")
    good, changed, gone, pipe, broken, bad = video.sidecars
    assert library.fetch_sidecar(video, good) == b"film.a.srt"
    for sidecar, error in ((changed, ObjectChanged), (gone, NotFound), (pipe, ObjectChanged)):
        with pytest.raises(error, match=sidecar.name):
            library.fetch_sidecar(video, sidecar)
    with pytest.raises(NotFound):
        library.fetch_sidecar(video, broken)
    with pytest.raises(BadName):
        library.fetch_sidecar(video, bad)


def test_a_sidecar_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Nobody can read so many captions; the film keeps its others."""
    (tmp_path / "film.mp4").write_text("film")
    with (tmp_path / "film.srt").open("wb") as file:
        file.truncate(MAX_SIDECAR_BYTES + 1)
    library = open_library(str(tmp_path))
    (video,) = library.list_videos(WITH)
    with pytest.raises(ObjectError, match="too many for captions") as caught:
        library.fetch_sidecar(video, video.sidecars[0])
    assert "64 MiB" in caught.value.hint
    with (tmp_path / "film.srt").open("wb") as file:
        file.truncate(MAX_SIDECAR_BYTES)
    (video,) = library.list_videos(WITH)
    assert len(library.fetch_sidecar(video, video.sidecars[0])) == MAX_SIDECAR_BYTES
