"""Videos with the same bytes: one is analysed, the others get its rows."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from schemas.commit import CommitState
from schemas.identity import VideoObject, digest
from schemas.plan import PlannedVideo, Reason
from storage.errors import NotFound
from storage.index.batches import batches
from storage.index.published import CurrentCommit
from storage.library.same_bytes import fingerprints
from storage.query.plans import PlannedVideos

_PAGE = 1000


class Settled(Protocol):
    """What is asked of the index about videos that need nothing."""

    def current_commits(self, video_ids: Sequence[str]) -> Mapping[str, CurrentCommit]:
        """The latest word on each of these videos that has one."""

    def uri_of(self, video_id: str, analysis_key: str) -> str:
        """The name that the video of a committed bundle has, or had."""


def with_rows_of(one: PlannedVideo, twin: CurrentCommit) -> PlannedVideo:
    """The same, to get what the index has of a video with the same bytes: rows, or why there are none."""
    key = one.analysis_key
    if twin.state == CommitState.QUARANTINED:
        key = digest("quarantine", key, twin.analysis_key)
    return replace(one, analysis_key=key, carried_key=twin.analysis_key, carried_id=twin.video_id, tasks=())


class SettledFiles:
    """Files on a disk that need nothing: 16 bytes each, and looked at only if another one has their size."""

    def __init__(self, index: Settled) -> None:
        self._index = index
        self._sizes, self._video_ids = array("q"), array("Q")

    def add(self, video: VideoObject) -> None:
        """One more."""
        self._sizes.append(video.size_bytes)
        self._video_ids.append(int(video.video_id, 16))

    def like(self, videos: PlannedVideos) -> Iterator[tuple[PlannedVideo, CurrentCommit]]:
        """Those of the videos that look like one of these files, with the latest word on it."""
        sizes = set(videos.sizes)
        known = {size for size in self._sizes if size in sizes}
        if not known:
            return
        commits: dict[str, CurrentCommit] = {}
        ids = (f"{i:016x}" for size, i in zip(self._sizes, self._video_ids, strict=True) if size in known)
        for page in batches(ids, _PAGE):
            found = list(self._named(self._index.current_commits(page).values()))
            looks = fingerprints(video for video, _ in found)
            commits |= {look: commit for (_, commit), look in zip(found, looks, strict=True) if look}
        rows = [row for row, size in enumerate(videos.sizes) if size in known]
        for places in batches(rows, _PAGE):
            some = list(videos.take(places))
            for one, look in zip(some, fingerprints(planned.video for planned in some), strict=True):
                if look in commits:
                    yield one, commits[look]

    def _named(self, commits: Iterable[CurrentCommit]) -> Iterator[tuple[VideoObject, CurrentCommit]]:
        for commit in commits:
            size, _, modified_ns = commit.object_rev.partition("-")
            try:
                uri = self._index.uri_of(commit.video_id, commit.analysis_key)
            except NotFound:
                continue
            yield VideoObject(uri, int(size), int(modified_ns)), commit


def split_copies(videos: PlannedVideos) -> tuple[PlannedVideos, PlannedVideos]:
    """Of videos that seem to have the same bytes the first one is to be analysed; the others are its copies.

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
            if first is not one:
                copies[row] = replace(
                    one,
                    reason=Reason.DUPLICATE,
                    tasks=(),
                    carried_key=first.analysis_key,
                    carried_id=first.video.video_id,
                )
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
