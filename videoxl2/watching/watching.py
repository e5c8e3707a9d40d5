"""The pass: pictures and sound of one film to all that watch it."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from videoxl2.captions.placing import Placing
from videoxl2.frames.errors import UndecodableVideo
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage, read_packets
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.all_pictures import Shown, shown_by_edits, shown_pictures
from videoxl2.frames.reading.film import FilePath, open_film
from videoxl2.frames.reading.frame_span import FrameSpan
from videoxl2.frames.reading.small_pictures import SmallPictureMaker
from videoxl2.frames.reading.stills.keyframes import Keyframe
from videoxl2.speech.listening import clock_of, sample_clock
from videoxl2.speech.sound.tracks import choose_track
from videoxl2.watching.ear import Ear
from videoxl2.watching.frames import FramesWanted, FrameTaker
from videoxl2.watching.watcher import PictureWatcher, SmallPictureWatcher, SoundBlock, SoundWatcher, Watcher

T = TypeVar("T")


@dataclass(frozen=True)
class Watched:
    """The result of a pass."""

    sound: Placing | None  # when its sound is heard in the film; None: none that can be read, or not wanted
    failures: Mapping[int, Exception] = field(default_factory=dict)  # by place among the watchers
    warnings: tuple[str, ...] = ()  # of damage, as `FrameSpan` has them
    stills: Mapping[int, Keyframe] = field(default_factory=dict)  # of some of a model's frames, by their ms


def watch(
    path: FilePath,
    info: MediaInfo,
    watchers: Sequence[Watcher],
    limits: Limits = DEFAULT_LIMITS,
    is_draft: bool = False,
) -> Watched:
    """Show a film to the watchers; `info` is what `probe` said of it.

    A draft leaves out pictures that no other refers to, but for those before a sudden change: two fifths of a
    film, and about as much time. What it shows is not smoothed.

    A watcher that raises is shown no more, and the others go on. Raises `UndecodableVideo` where not one
    picture can be shown, another `MediaError` when the file cannot be opened, `OSError` when there is none.
    """
    audience, damage = _Audience(watchers), Damage()
    with freed_at_once():
        if info.clock.edits:
            placing = _listen(path, info, audience, damage, limits)
            _run(_show(shown_by_edits(path, info, limits, damage, is_draft), audience))
        else:
            with open_film(path, info.clock, limits) as film:
                ear, placing = _ear(path, film.video, info, audience, damage)
                _run(_show(shown_pictures(film, info, limits, damage, ear, is_draft), audience))
                if ear is not None:
                    ear.finish()
    return Watched(placing, audience.failures, damage.warnings())


def watch_with_frames(
    path: FilePath,
    info: MediaInfo,
    watchers: Sequence[Watcher],
    wanted: FramesWanted,
    limits: Limits = DEFAULT_LIMITS,
) -> Generator[FrameSpan, None, Watched]:
    """Show a film that `can_take_frames` to the watchers, and give a model's frames meanwhile, span by span.

    Returns and raises what `watch` does, and `MediaError` as `read_span` does.
    """
    audience, damage = _Audience(watchers), Damage()
    with freed_at_once(), open_film(path, info.clock, limits) as film:
        heard = Damage()  # broken sound leaves frames alone
        taker = FrameTaker(path, info, wanted, film.video.time_base, limits, damage)
        ear, placing = _ear(path, film.video, info, audience, heard)
        shown = shown_pictures(film, info, limits, damage, ear, note=taker.take)
        yield from _show(shown, audience, taker)
        if ear is not None:
            ear.finish()
    warnings = tuple(dict.fromkeys((*damage.warnings(), *heard.warnings())))
    return Watched(placing, audience.failures, warnings, taker.stills)


def _run(steps: Iterator[FrameSpan]) -> None:
    for _ in steps:
        raise AssertionError("nobody asked for frames")


def _show(
    shown: Iterator[Shown], audience: "_Audience", taker: FrameTaker | None = None
) -> Iterator[FrameSpan]:
    has_any = False
    for picture, at_ms in shown:
        has_any = True
        audience.show(picture, at_ms)
        if taker is not None:
            yield from taker.ready()
        elif audience.is_empty:
            return
    if not has_any:
        raise UndecodableVideo("not one picture can be shown")
    if taker is not None:
        taker.finish()
        yield from taker.ready()
    audience.end()


def _listen(
    path: FilePath, info: MediaInfo, audience: "_Audience", damage: Damage, limits: Limits
) -> Placing | None:
    """Hear the sound of a film whose media are not read once from the start."""
    with open_video(path, limits) as video:
        ear, placing = _ear(path, video, info, audience, damage)
        if ear is not None:
            for packet in read_packets(video, damage, *ear.streams):
                ear.note(packet)
            ear.finish()
    return placing


def _ear(
    path: FilePath, video: OpenVideo, info: MediaInfo, audience: "_Audience", damage: Damage
) -> tuple[Ear, Placing] | tuple[None, None]:
    track = choose_track(video.container, ()) if audience.hears else None
    if track is None:
        return None, None
    clock = sample_clock(info.clock, video.time_base)
    placing = clock_of(path, video, info).of_track(track.stream.id)
    return Ear(track.stream, clock, damage, audience.hear), placing


class _Audience:
    """The watchers that have not failed, by what they want."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers
        self.failures: dict[int, Exception] = {}
        self._maker = SmallPictureMaker()
        self._sort()

    def _sort(self) -> None:
        left = [(n, one) for n, one in enumerate(self._watchers) if n not in self.failures]
        self._viewers = [(n, one.picture) for n, one in left if isinstance(one, PictureWatcher)]
        self._small_viewers = [(n, one.small) for n, one in left if isinstance(one, SmallPictureWatcher)]
        self._hearers = [(n, one.sound) for n, one in left if isinstance(one, SoundWatcher)]
        self.is_empty = not left

    @property
    def hears(self) -> bool:
        """Whether anybody wants sound."""
        return bool(self._hearers)

    def show(self, picture: Picture, at_ms: int) -> None:
        """The next picture."""
        for number, see in self._viewers:
            try:
                see(picture, at_ms)
            except Exception as error:
                self._drop(number, error)
        if self._small_viewers and (full := self._maker.add(picture.frame, at_ms)) is not None:
            self._tell(self._small_viewers, full)

    def hear(self, block: SoundBlock) -> None:
        """The next second of sound."""
        self._tell(self._hearers, block)

    def end(self) -> None:
        """The last picture was shown."""
        if self._small_viewers and len(rest := self._maker.rest()):
            self._tell(self._small_viewers, rest)

    def _tell(self, told: Sequence[tuple[int, Callable[[T], None]]], what: T) -> None:
        for number, tell in told:
            try:
                tell(what)
            except Exception as error:
                self._drop(number, error)

    def _drop(self, number: int, error: Exception) -> None:
        self.failures[number] = error
        self._sort()
