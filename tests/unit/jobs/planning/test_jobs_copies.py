"""Which videos are planned as copies of others, on S3 by what etags say, on a disk by a look at the files."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.planning.reasons.copies import split_copies
from jobs.planning.reasons.reasons import examine
from schemas.commit import CommitState
from schemas.identity import VideoObject, digest
from schemas.plan import PlannedVideo, Reason
from schemas.recipe import RecipeRecord
from storage.index.publishing.published import CurrentCommit
from storage.library.same_bytes import are_same
from storage.query.plans import PlannedVideos

RECIPE = RecipeRecord(
    recipe_id="r1", model_id="m", model="m1", sampling="f1", tasks={"scenes": "s1"}, settings={}, prompts={}
)
MD5 = "9e107d9d372bb6826bd81d3542a419d6"


class Index:
    """Commits and URIs of these videos, each with rows unless said otherwise."""

    def __init__(self, *videos: VideoObject, **states: str) -> None:
        self.uris = {video.video_id: video.uri for video in videos}
        self.commits = {}
        for video in videos:
            state = states.get(Path(video.uri).stem, CommitState.ROWS)
            is_aside = state == CommitState.QUARANTINED
            key = "0123456789abcdef" if is_aside else video.analysis_key("r1")
            revisions = (video.object_rev, video.content_rev, "r1")
            media = "media" if is_aside else None
            self.commits[video.video_id] = CurrentCommit(1, video.video_id, key, *revisions, state, media)

    def current_commits(self, video_ids):
        return {video_id: self.commits[video_id] for video_id in video_ids if video_id in self.commits}

    def commits_with_content(self, content_revs):
        return [commit for commit in self.commits.values() if commit.content_rev in content_revs]

    def commits_with_sizes(self, sizes):
        wanted = {str(size) for size in sizes}
        return [one for one in self.commits.values() if one.content_rev.partition("-")[0] in wanted]

    def is_committed(self, video_id, analysis_key):
        return False

    def recipe(self, recipe_id):
        return RECIPE

    def unfinished(self):
        return frozenset()

    def uri_of(self, video_id, analysis_key):
        return self.uris[video_id]


def on_s3(name: str, etag: str, size_bytes: int = 9) -> VideoObject:
    return VideoObject(f"s3://films/{name}.mp4", size_bytes, 0, etag)


@pytest.fixture
def file(tmp_path):
    """Write a file, and list it."""

    def write(name: str, data: bytes, modified_ns: int = 5) -> VideoObject:
        path = tmp_path / name
        path.write_bytes(data)
        os.utime(path, ns=(modified_ns, modified_ns))
        return VideoObject(str(path), len(data), modified_ns)

    return write


def planned(*videos: VideoObject) -> PlannedVideos:
    return PlannedVideos.of(PlannedVideo(video, video.analysis_key("r1"), Reason.NEW) for video in videos)


def split(*videos: VideoObject) -> tuple[list[str], dict[str, str]]:
    """The names to analyse, and those of copies with the video whose rows they get."""
    originals, copies = split_copies(planned(*videos))
    names = {video.video_id: Path(video.uri).stem for video in videos}
    for copy in copies:
        assert copy.reason is Reason.DUPLICATE
        (original,) = (one for one in originals if one.video.video_id == copy.carried_id)
        assert copy.carried_key == original.analysis_key
    return (
        [Path(one.video.uri).stem for one in originals],
        {Path(copy.video.uri).stem: names[copy.carried_id] for copy in copies},
    )


def test_a_copy_of_a_file_of_another_library_gets_its_rows(file, tmp_path):
    """Of one index, whatever is listed now; what only has its size, or lies on S3, is none of it."""
    elsewhere = file("elsewhere.mp4", b"the same bytes", modified_ns=7)
    other = file("other.mp4", b"but not these!")
    stored = VideoObject("s3://films/stored.mp4", 14, 0, "1" * 32)
    index = Index(elsewhere, other, stored)
    copy, new = file("copy.mp4", b"the same bytes"), file("new.mp4", b"none has these")
    found = examine([copy, new], index, RECIPE, is_local=True)
    assert found.reasons == {Reason.DUPLICATE: 1, Reason.NEW: 1}
    (planned,) = found.relinked
    assert (planned.video, planned.carried_id) == (copy, elsewhere.video_id)


def test_a_file_that_was_set_aside_for_its_name_comes_back_by_another_one(file):
    """Its bytes were never looked at, so nothing is known against them."""
    mangled = VideoObject("/films/caf\\xe9.mp4", 5, 5)
    renamed = file("cafe.mp4", b"bytes")
    index = Index(mangled, **{Path(mangled.uri).stem: CommitState.QUARANTINED})
    found = examine([renamed], index, RECIPE, is_local=True)
    assert found.reasons == {Reason.NEW: 1}
    assert [one.video for one in found.costly] == [renamed]


def test_on_s3_etag_and_size_tell():
    """Also of uploads in parts; not an etag that is no digest, or that a server gives to everything."""
    zeros = "0" * 32 + "-1"
    videos = [
        *(on_s3("a", MD5), on_s3("b", MD5), on_s3("longer", MD5, 10), on_s3("parts", f"{MD5}-3")),
        *(on_s3("parts again", f"{MD5}-3"), on_s3("other parts", f"{MD5}-4"), on_s3("odd", "W/x-1")),
        *(on_s3("odd again", "W/x-1"), on_s3("zeros", zeros), on_s3("zeros again", zeros)),
    ]
    originals, copies = split(*videos)
    assert copies == {"b": "a", "parts again": "parts"}
    assert originals == [
        *("a", "longer", "parts", "other parts", "odd", "odd again", "zeros", "zeros again"),
    ]
    assert [one.reason for one in examine([on_s3("new", "W/x-1")], Index(videos[6]), RECIPE, False).costly]


def test_on_a_disk_the_files_are_looked_at(file):
    """Whenever they were written; equal sizes prove nothing, and a file that changed is nobody's copy."""
    film = os.urandom(400_000)
    tail, middle = bytearray(film), bytearray(film)
    tail[-1] ^= 1
    middle[200_000] ^= 1
    videos = [
        *(file("a.mp4", film), file("b.mp4", film, 6), file("tail.mp4", bytes(tail))),
        *(file("middle.mp4", bytes(middle)), file("short.mp4", b"x"), file("short too.mp4", b"x")),
    ]
    changed = file("changed.mp4", film)
    Path(changed.uri).write_bytes(film + b"more")
    assert split(*videos, changed) == (
        ["a", "tail", "middle", "short", "changed"],
        {"b": "a", "short too": "short"},
    )


def test_rows_are_shared_only_by_files_that_are_equal_throughout(file):
    """Looks are one thing: every byte is compared, but for two names of one file."""
    film = os.urandom(5_000_000)
    alike = bytearray(film)
    alike[300_000] ^= 1
    a, b, c = file("a.mp4", film), file("b.mp4", film, 6), file("c.mp4", bytes(alike))
    assert split(a, b, c)[1] == {"b": "a", "c": "a"}
    Path(f"{a.uri}.link").hardlink_to(a.uri)
    gone = VideoObject("/nowhere", 5, 5)
    pairs = [(a.uri, b), (a.uri, c), (f"{a.uri}.link", a), (a.uri, replace(b, modified_ns=1)), (a.uri, gone)]
    assert list(are_same(pairs)) == [True, False, True, False, False]


def test_a_copy_of_what_the_index_has_costs_nothing(file):
    """Whenever it was written, and whatever it is called; of a file that is set aside the copy is, too."""
    film, copy = file("film.mp4", b"film"), file("copy.mp4", b"film", 6)
    bad, bad_copy = file("bad.mp4", b"bad"), file("bad copy.mp4", b"bad", 6)
    other = file("other.mp4", b"elif")
    index = Index(film, bad, bad=CommitState.QUARANTINED)
    found = examine([film, copy, bad, bad_copy, other], index, RECIPE, is_local=True)
    assert found.reasons == {
        Reason.UNCHANGED: 1,
        Reason.QUARANTINED: 1,
        Reason.DUPLICATE: 2,
        Reason.NEW: 1,
    }
    assert [one.video for one in found.costly] == [other]
    with_rows, aside = found.relinked
    assert (with_rows.carried_id, with_rows.analysis_key) == (film.video_id, copy.analysis_key("r1"))
    assert aside.carried_key == "0123456789abcdef"
    assert aside.analysis_key == digest("quarantine", bad_copy.analysis_key("r1"), "0123456789abcdef")


def test_what_a_person_released_is_tried_itself(file):
    """Though another file with its bytes is set aside."""
    bad, released = file("bad.mp4", b"bad"), file("released.mp4", b"bad", 6)
    index = Index(bad, released, bad=CommitState.QUARANTINED, released=CommitState.RELEASED)
    found = examine([bad, released], index, RECIPE, is_local=True)
    assert found.reasons == {Reason.QUARANTINED: 1, Reason.RETRY: 1}


def test_another_name_of_the_same_file_has_moved(file, tmp_path):
    """Rows that were made under a link's name belong to the real one."""
    film = file("film.mp4", b"film")
    (tmp_path / "link.mp4").symlink_to("film.mp4")
    by_link = replace(film, uri=str(tmp_path / "link.mp4"))
    found = examine([film], Index(by_link), RECIPE, is_local=True)
    assert found.reasons == {Reason.MOVED: 1}
