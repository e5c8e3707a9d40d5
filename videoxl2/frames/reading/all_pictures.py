"""Every picture that a film shows, decoded once and in order, at its time on the film's clock.

A picture begins at the millisecond that `read_span` says of it. One that comes out of turn is left out: a
screen's clock never runs backwards.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import lcm

from videoxl2.frames.clocks.clock import Clock, Edit
from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Decoder, Picture
from videoxl2.frames.files.packets import Damage, Tap, VideoPacket
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.drafting import Draft
from videoxl2.frames.reading.choosing.in_order import all_by_order
from videoxl2.frames.reading.choosing.scheduler import Timed, timed
from videoxl2.frames.reading.entry import packets_before
from videoxl2.frames.reading.film import FilePath, Film, open_film

Shown = tuple[Picture, int]  # with the millisecond at which it begins to be shown
Note = Callable[[int, Picture], None]  # takes a tick and the picture that has it

_NO_END = 1 << 62  # ticks


def shown_pictures(
    film: Film,
    info: MediaInfo,
    limits: Limits,
    damage: Damage,
    tap: Tap | None = None,
    is_draft: bool = False,
    note: Note | None = None,
) -> Iterator[Shown]:
    """All pictures of a film without edits, at times that grow; `tap` is given what else passes, `note` is
    told of each picture as it comes out of the decoder.

    A draft may leave out pictures that no other refers to, but for those before a sudden change, and its
    pictures are not smoothed; where the clock needs every picture it has them all.
    """
    pictures = _all(film, info, limits, damage, tap, is_draft)
    if note is not None:
        pictures = _noted(pictures, note)
    part = Edit(Fraction(0), 0 if info.clock.counts_pictures else info.first_pts, _NO_END)
    return _last_of_each(_on_film(pictures, [part], film, info))


def shown_by_edits(
    path: FilePath,
    info: MediaInfo,
    limits: Limits,
    damage: Damage,
    is_draft: bool = False,
) -> Iterator[Shown]:
    """All pictures of a film with edits. Its media are read once for each time that they go back."""
    return _last_of_each(_by_edits(path, info, limits, damage, is_draft))


def _by_edits(
    path: FilePath, info: MediaInfo, limits: Limits, damage: Damage, is_draft: bool
) -> Iterator[Shown]:
    for run in _runs(info.clock.edits):
        pictures = None
        if info.clock.can_skip:
            with open_film(path, info.clock, limits) as film:
                pictures = _from_key(film, info.clock, run[0].media, damage, is_draft)
                if pictures is not None:
                    yield from _on_film(pictures, run, film, info)
        if pictures is None:
            with open_film(path, info.clock, limits) as film:
                yield from _on_film(_all(film, info, limits, damage, None, is_draft), run, film, info)


def _all(
    film: Film,
    info: MediaInfo,
    limits: Limits,
    damage: Damage,
    tap: Tap | None,
    is_draft: bool,
) -> Iterator[Timed]:
    clock = info.clock
    decoder = Decoder(film.video, damage, clock.pads_with_zeros)
    packets = film.stamped(damage, tap)
    if clock.order is not None:
        return all_by_order(packets, decoder, clock.order, limits)
    if clock.counts_pictures:
        return enumerate(decoder.pictures(packet for packet, _ in packets))
    return timed(_decoded((packet for packet, _ in packets), decoder, film, is_draft), damage)


def _noted(pictures: Iterable[Timed], note: Note) -> Iterator[Timed]:
    for tick, picture in pictures:
        note(tick, picture)
        yield tick, picture


def _decoded(
    packets: Iterable[VideoPacket], decoder: Decoder, film: Film, is_draft: bool
) -> Iterator[Picture]:
    if not is_draft:
        return decoder.pictures(packets)
    for turn in film.turns:
        turn.stream.codec_context.options |= {"skip_loop_filter": "all"}  # taken up when it opens
    draft = Draft()
    return decoder.pictures(draft.told(packets), draft)


def _from_key(film: Film, clock: Clock, tick: int, damage: Damage, is_draft: bool) -> Iterator[Timed] | None:
    """Pictures from a key before `tick`; None: the file is to be opened again and read from its start."""
    packets = packets_before(film, tick, 0, damage)
    landing = next(packets, None) if packets is not None else None
    if packets is None or landing is None:
        return None
    begins = landing.pts
    decoder = Decoder(film.video, damage, clock.pads_with_zeros)
    pictures = timed(_decoded(chain([landing], packets), decoder, film, is_draft), damage)
    first = next(pictures, None)
    return None if first is None or first[0] != begins else chain([first], pictures)


def _runs(edits: Sequence[Edit]) -> list[list[Edit]]:
    """Parts that one pass over the media can show, each beginning where or after the one before ends."""
    runs: list[list[Edit]] = []
    for edit in edits:
        if runs and edit.media >= runs[-1][-1].end:
            runs[-1].append(edit)
        else:
            runs.append([edit])
    return runs


@dataclass(frozen=True)
class _Milliseconds:
    """From ticks of a part of the media to the nearest millisecond of the film, in whole numbers."""

    media: int
    factor: int
    offset: int
    divisor: int

    @classmethod
    def of(cls, part: Edit, time_base: Fraction) -> "_Milliseconds":
        whole = lcm(part.start_s.denominator, time_base.denominator)
        factor = 2000 * time_base.numerator * (whole // time_base.denominator)
        offset = 2000 * part.start_s.numerator * (whole // part.start_s.denominator) + whole
        return cls(part.media, factor, offset, 2 * whole)

    def at(self, tick: int) -> int:
        """Of a picture of the part."""
        return (self.factor * (tick - self.media) + self.offset) // self.divisor


def _on_film(
    pictures: Iterable[Timed], parts: Sequence[Edit], film: Film, info: MediaInfo
) -> Iterator[Shown]:
    """What the parts show of the media, up to the film's end."""
    time_base = 1 / info.fps if info.clock.counts_pictures else film.video.time_base
    for picture, tick, clock in _in_parts(pictures, [_Part(part, time_base) for part in parts]):
        at_ms = clock.at(tick)
        if at_ms >= info.duration_ms:
            continue
        if info.clock.losses and info.clock.loss_at(tick) and not picture.is_damaged:
            picture = Picture(picture.frame, True)
        yield picture, at_ms


def _last_of_each(shown: Iterable[Shown]) -> Iterator[Shown]:
    """Without pictures that another follows within the same millisecond."""
    held: Shown | None = None
    for one in shown:
        if held is not None and held[1] < one[1]:
            yield held
        held = one
    if held is not None:
        yield held


class _Part:
    """A part of the media, and its clock."""

    def __init__(self, part: Edit, time_base: Fraction) -> None:
        self.media, self.end = part.media, part.end
        self.clock = _Milliseconds.of(part, time_base)


def _in_parts(
    pictures: Iterable[Timed], parts: Sequence[_Part]
) -> Iterator[tuple[Picture, int, _Milliseconds]]:
    """Pictures with their ticks and the clock of their part, which begins with what is on screen by then."""
    coming = iter(parts)
    part = next(coming)
    has_begun = False
    last: Timed | None = None
    for tick, picture in pictures:
        if last is not None and tick <= last[0]:
            continue
        while tick >= part.end:
            if not has_begun and last is not None:
                yield last[1], part.media, part.clock
            following = next(coming, None)
            if following is None:
                return
            part, has_begun = following, False
        if tick > part.media:
            if not has_begun and last is not None:
                yield last[1], part.media, part.clock
            has_begun = True
            yield picture, tick, part.clock
        last = tick, picture
    for left in chain(() if has_begun else (part,), coming):
        if last is not None:
            yield last[1], left.media, left.clock
