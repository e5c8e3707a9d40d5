"""The selected videos of a library, one by one, and how many objects were left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.identity import VideoObject
from storage.library.pairing import paired
from storage.library.selection import Selection


@dataclass(slots=True)
class LinksOut:
    """The count of links that were not followed, as they lead out of the library."""

    num: int = 0


class Listing(Iterator[VideoObject]):
    """The selected videos in order of their keys; the counts grow while it is read.

    `as_of` is when S3 Inventory looked at the library, None where it is being looked at now. `is_whole`: a
    key that the selection takes and that is not listed is not there.
    """

    def __init__(
        self,
        objects: Iterator[tuple[str, VideoObject]],
        selection: Selection,
        as_of: datetime | None = None,
        links_out: LinksOut | None = None,
    ) -> None:
        self.as_of = as_of
        self.is_whole = as_of is None and selection.modified_since_ns is None
        self._selection = selection
        self._videos = (
            paired(objects, selection, self._ignore) if selection.with_sidecars else self._taken(objects)
        )
        self._links_out = links_out or LinksOut()
        self.num_listed = 0
        self.num_ignored = 0
        self.on_ignored: Callable[[str, str], None] | None = None  # is told URI and reason of each

    @property
    def num_links_out(self) -> int:
        """Links that were not followed, as they lead out of the library."""
        return self._links_out.num

    def __next__(self) -> VideoObject:
        video = next(self._videos)
        self.num_listed += 1
        return video

    def _taken(self, objects: Iterator[tuple[str, VideoObject]]) -> Iterator[VideoObject]:
        for key, video in objects:
            if self._selection.takes(key) and self._selection.is_recent(video):
                yield video
            else:
                self._ignore(key, video, None)

    def _ignore(self, key: str, found: VideoObject, reason: str | None) -> None:
        """`reason` is None where the selection knows it."""
        self.num_ignored += 1
        if self.on_ignored:
            self.on_ignored(found.uri, reason or self._selection.why_not(key))
