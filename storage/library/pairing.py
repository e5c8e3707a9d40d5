"""Videos and the texts beside them, paired by their names while the listing goes by.

A sidecar lies in its video's folder and its name goes on where the video's stops, before the extension or
after it: `film.srt`, `film.en.srt` and `film.mp4.srt` beside `film.mp4`. Where several videos could own it,
the longest name without extension wins (`film.part2.srt` is `film.part2.mp4`'s, not `film.mp4`'s); of videos
that differ in their extension alone, all do, unless the sidecar names one. Case counts, but in extensions.

Keys come in order of their UTF-8 bytes, so all that begin with `film.` follow each other. While they do, the
videos of that name wait; all later videos wait behind them, as their order stays.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from schemas.identity import Sidecar, VideoObject
from storage.errors import ObjectError
from storage.library.selection import Selection

Ignore = Callable[[str, VideoObject, str | None], None]  # key, object, reason; None: the selection knows it
NO_VIDEO = "texts, and no video of that name beside them (film.srt goes with film.mp4)"
MAX_SIDECAR_BYTES = 64 << 20  # hours of talk, markup and all, are a hundredth of it
NOT_WANTED = "texts of a video that is left out"


def paired(
    objects: Iterator[tuple[str, VideoObject]], selection: Selection, ignore: Ignore
) -> Iterator[VideoObject]:
    """The selected videos, in their order, with their sidecars; `ignore` is told of all that is neither.

    Holds what shares the start of a name up to a dot, and is not yet told apart.
    """
    return iter(_Pairing(objects, selection, ignore))


@dataclass(eq=False, slots=True)
class _Waiting:
    """A video whose sidecars may still come. `is_taken`: the selection wants it, so far as its key says."""

    key: str
    video: VideoObject
    is_taken: bool
    is_settled: bool = False


@dataclass(eq=False, slots=True)
class _Name:
    """The videos that differ in their extension alone. `start`: their keys up to it, the dot included."""

    start: str
    videos: list[_Waiting] = field(default_factory=list)

    def owners_of(self, key: str) -> list[_Waiting]:
        """Owners of a sidecar whose key begins with `start`; none where a folder has such a name."""
        rest = key[len(self.start) :]
        named, dot, _ = rest.partition(".")
        if "/" in rest:
            return []
        return [one for one in self.videos if dot and one.key == self.start + named] or self.videos


class _Pairing:
    def __init__(
        self, objects: Iterator[tuple[str, VideoObject]], selection: Selection, ignore: Ignore
    ) -> None:
        self._objects, self._selection, self._tell_ignored = objects, selection, ignore
        self._names: list[_Name] = []  # each begins with the one before it
        self._texts: list[tuple[str, VideoObject]] = []  # nobody's yet
        self._queue: deque[_Waiting] = deque()  # in the order in which they are given out

    def __iter__(self) -> Iterator[VideoObject]:
        for key, found in self._objects:
            self._settle_until(key)
            self._look_at(key, found)
            yield from self._settled()
        self._settle_until("")
        yield from self._settled()

    def _look_at(self, key: str, found: VideoObject) -> None:
        is_taken = self._selection.takes(key)
        if self._selection.has_video_name(key):
            self._name_of(key).videos.append(self._wait(_Waiting(key, found, is_taken)))
        elif self._selection.takes_sidecar(key):
            self._texts.append((key, found))
        elif is_taken:
            self._settle(self._wait(_Waiting(key, found, is_taken)), [])
        else:
            self._ignore(key, found, None)

    def _name_of(self, key: str) -> _Name:
        start = key[: key.rindex(".") + 1]
        if not self._names or self._names[-1].start != start:
            self._names.append(_Name(start))
        return self._names[-1]

    def _wait(self, waiting: _Waiting) -> _Waiting:
        if waiting.is_taken:
            self._queue.append(waiting)
        else:
            self._ignore(waiting.key, waiting.video, None)
        return waiting

    def _settle_until(self, key: str) -> None:
        """Names and texts that this key, and so all that follow it, have left behind."""
        while self._names and not key.startswith(self._names[-1].start):
            self._pair(self._names.pop())
        while self._texts and not key.startswith(_shortest_start(self._texts[-1][0])):
            self._ignore(*self._texts.pop(), NO_VIDEO)

    def _pair(self, name: _Name) -> None:
        """What longer names have left of the texts that begin with this one."""
        if not self._texts or not self._texts[-1][0].startswith(name.start):
            for waiting in name.videos:
                self._settle(waiting, [])
            return
        sidecars: dict[str, list[Sidecar]] = defaultdict(list)
        owned: list[tuple[str, VideoObject, list[_Waiting]]] = []
        while self._texts and self._texts[-1][0].startswith(name.start):
            key, found = self._texts.pop()
            owned.append((key, found, name.owners_of(key)))
            for owner in owned[-1][2]:
                sidecars[owner.key].append(_sidecar(found))
        for waiting in name.videos:
            self._settle(waiting, sidecars[waiting.key])
        for key, found, owners in owned:
            if not any(owner.is_taken for owner in owners):
                self._ignore(key, found, NOT_WANTED if owners else NO_VIDEO)

    def _settle(self, waiting: _Waiting, sidecars: list[Sidecar]) -> None:
        waiting.is_settled = True
        if sidecars:
            waiting.video = replace(waiting.video, sidecars=tuple(reversed(sidecars)))
        if waiting.is_taken and not self._selection.is_recent(waiting.video):
            waiting.is_taken = False
            self._ignore(waiting.key, waiting.video, None)

    def _settled(self) -> Iterator[VideoObject]:
        while self._queue and self._queue[0].is_settled:
            waiting = self._queue.popleft()
            if waiting.is_taken:
                yield waiting.video

    def _ignore(self, key: str, found: VideoObject, reason: str | None) -> None:
        """Nothing of what is listed for the sake of sidecars alone."""
        if self._selection.has_prefix(key):
            self._tell_ignored(key, found, reason)


def _shortest_start(key: str) -> str:
    """How the keys of all videos begin that could own this sidecar."""
    folder, slash, name = key.rpartition("/")
    return folder + slash + name.partition(".")[0] + "."


def _sidecar(found: VideoObject) -> Sidecar:
    name = found.uri.rpartition("/")[2]
    return Sidecar(name, found.size_bytes, found.modified_ns, found.etag, found.is_archived)


def object_of(video: VideoObject, sidecar: Sidecar) -> VideoObject:
    """The object that a sidecar is. ObjectError: it is too large to be texts."""
    uri = f"{video.uri.rpartition('/')[0]}/{sidecar.name}"
    if sidecar.size_bytes > MAX_SIDECAR_BYTES:
        raise ObjectError(
            f"{uri}: {sidecar.size_bytes / 1e6:.0f} MB are too many for captions",
            f"Captions of at most {MAX_SIDECAR_BYTES >> 20} MiB are read; check what it is, or exclude it.",
        )
    return VideoObject(uri, sidecar.size_bytes, sidecar.modified_ns, sidecar.etag)
