"""Videos with the same bytes: one is analysed, the others get its rows."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from schemas.commit import CommitState
from schemas.identity import VideoId, VideoObject, digest
from schemas.plan import PlannedVideo, Reason
from storage.errors import NotFound
from storage.index.batches import batches
from storage.index.publishing.published import CurrentCommit
from storage.library.same_bytes import fingerprints
from storage.query.plans import PlannedVideos

_PAGE = 1000


class Known(Protocol):
    """Interface of the index for questions about files that have rows."""

    def commits_with_sizes(self, sizes: Collection[int]) -> Iterable[CurrentCommit]:
        """The latest word on the videos, of any library, that have, or had, so many bytes."""

    def uri_of(self, video_id: VideoId, analysis_key: str) -> str:
        """The name that the video of a committed bundle has, or had."""


def with_rows_of(one: PlannedVideo, twin: CurrentCommit) -> PlannedVideo:
    """The same, to get what the index has of a video with the same bytes: rows, or why there are none."""
    linked = _linked(one, twin.video_id, twin.analysis_key, twin.sidecars_rev)
    if twin.state == CommitState.QUARANTINED:
        return replace(linked, analysis_key=digest("quarantine", linked.analysis_key, twin.analysis_key))
    return linked


def _linked(one: PlannedVideo, other: VideoId, key: str, sidecars_rev: str | None) -> PlannedVideo:
    """The same, to get the rows of another video's bundle, which has the texts of `sidecars_rev`."""
    own = one.analysis_key
    if sidecars_rev != one.video.sidecars_rev:
        own = digest("relinked", own, key)  # its own texts are yet to be read
    return replace(
        one,
        analysis_key=own,
        carried_key=key,
        carried_id=other,
        tasks=None,
        signals=None,
        recipe_id=None,
    )


def is_helped_by(one: PlannedVideo, sidecars_rev: str | None) -> bool:
    """Whether rows of the same bytes, with the texts of `sidecars_rev`, bring the video nearer to its own.

    Where a model would be asked they do, beside whatever texts: its own are read later. One that lacks
    nothing but signals has to be beside the same texts, and sure to have the same bytes: what turns out to
    be another file is analysed from the beginning.
    """
    if one.reason is not Reason.NEW_SIDECARS and one.tasks != ():
        return True
    return not one.video.is_local and one.video.has_texts_of(sidecars_rev)


def like_known(videos: PlannedVideos, index: Known) -> Iterator[tuple[PlannedVideo, CurrentCommit]]:
    """Files on a disk that look like one the index has, in this library or another, with the word on that.

    Only files of an equal size are looked at.
    """
    commits = list(index.commits_with_sizes(set(videos.sizes)))
    if not commits:
        return
    by_look: dict[str, CurrentCommit] = {}
    for page in batches(commits, _PAGE):
        found = list(_named(page, index))
        looks = fingerprints(video for video, _ in found)
        by_look |= {look: commit for (_, commit), look in zip(found, looks, strict=True) if look}
    known = {_size_of(commit) for commit in by_look.values()}
    rows = [row for row, size in enumerate(videos.sizes) if size in known]
    for places in batches(rows, _PAGE):
        some = list(videos.take(places))
        for one, look in zip(some, fingerprints(planned.video for planned in some), strict=True):
            if look in by_look:
                yield one, by_look[look]


def _named(commits: Iterable[CurrentCommit], index: Known) -> Iterator[tuple[VideoObject, CurrentCommit]]:
    """Those of files, as they were listed then."""
    for commit in commits:
        size, _, modified_ns = commit.object_rev.partition("-")
        if not (size.isdigit() and modified_ns.removeprefix("-").isdigit()):
            continue  # of an object on S3
        try:
            uri = index.uri_of(commit.video_id, commit.analysis_key)
        except NotFound:
            continue
        yield VideoObject(uri, int(size), int(modified_ns)), commit


def _size_of(commit: CurrentCommit) -> int:
    return int(commit.object_rev.partition("-")[0])


def split_copies(videos: PlannedVideos) -> tuple[PlannedVideos, PlannedVideos]:
    """Part videos from their copies: of those that seem to have the same bytes the first one is analysed.

    A copy's `carried_id` and `carried_key` are the first one's, which may not be there yet.
    """
    often = {size for size, count in Counter(videos.sizes).items() if count > 1}
    firsts: dict[str, PlannedVideo] = {}
    copies: dict[int, PlannedVideo] = {}
    rows = [row for row, size in enumerate(videos.sizes) if size in often]
    for page in batches(rows, _PAGE):
        some = list(videos.take(page))
        for row, one, content in zip(page, some, _contents(some), strict=True):
            if content is None:
                continue
            first = firsts.setdefault(content, one)
            video = first.video
            has_all = one.tasks != () or one.recipe_id == first.recipe_id
            if first is not one and has_all and is_helped_by(one, video.sidecars_rev):
                linked = _linked(one, video.video_id, first.analysis_key, video.sidecars_rev)
                copies[row] = replace(linked, reason=Reason.DUPLICATE)
    if not copies:
        return videos, PlannedVideos.of(())
    return videos.take([row for row in range(len(videos)) if row not in copies]), PlannedVideos.of(
        copies.values()
    )


def _contents(videos: Sequence[PlannedVideo]) -> Iterator[str | None]:
    """What is equal for the same bytes; None where that cannot be told before they are read."""
    looks = fingerprints(one.video for one in videos if one.video.is_local)
    for one in videos:
        if one.video.is_local:
            yield next(looks)
        else:
            yield one.video.content_rev if one.video.tells_content else None
