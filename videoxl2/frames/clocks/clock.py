"""The film's one growing clock, made once while probing and put on the packets wherever they are read.

Containers stamp pictures in ways of their own: recordings glued together, counters that wrap, chunk numbers,
no stamps at all. A `Clock` is what it takes to turn the stamps of one file into ticks that grow; it has a few
numbers per piece and never one per packet. `placed` applies it, both to the columns that `probe` collected
and to the packets that a reader takes, so that the two cannot differ.

Legend: a packet's *number* counts from the start of the file. A *piece* is a stretch in which the stamps go
on by themselves. A *reference* is a picture that others are built from; in the codecs that hold back one
picture (MPEG-1, -2, -4) it is shown when the next reference is decoded.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")

_LONGEST_WAIT = 64  # packets held back for the next reference; a sound stream needs a few


@dataclass(frozen=True)
class Piece:
    """The place of a stretch of packets on the film's clock. Ticks are those of the stream."""

    first: int  # number of its first packet
    stamp: int  # what that packet says: its pts, else its dts
    tick: int  # when that is on the film's clock
    shown_from: int | None = None  # pictures before it belong to what is not there
    pace: Fraction | None = None  # ticks from packet to packet; None: as the packets say


@dataclass(frozen=True)
class Order:
    """Pictures without times of their own: the k-th to come out is shown at the (k + delay)-th stamp."""

    delay: int
    period: int  # ticks from picture to picture past the last packet
    by_pts: bool = False  # pts are in stored order, so they are what dts should be
    has_keys: bool = True  # it is known which packets are keys


@dataclass(frozen=True)
class Edit:
    """One entry of an edit list: from `start_s` of the film on, the media from `media` up to `end`."""

    start_s: Fraction
    media: int  # ticks of the stream
    end: int  # ticks; nothing is shown from there on


@dataclass(frozen=True)
class Loss:
    """A stretch of which pictures are missing or built on missing ones, in ticks; at `end` a key is shown."""

    first: int
    end: int


@dataclass(frozen=True)
class Clock:
    """A rule that places a file's packets; without any argument, their own pts are right."""

    pieces: tuple[Piece, ...] = ()
    strays: tuple[int, ...] = ()  # numbers of packets whose stamps lie off the line
    wrap: int = 0  # the stamps count modulo this; 0: they do not wrap
    counts_packets: bool = False  # most packets have no stamp: pieces say where the count stands
    step: int = 0  # ticks that a counted packet lasts which does not say so itself
    missing: Literal["unknown", "decoded", "next_reference"] = "unknown"  # pts, where there is none
    order: Order | None = None
    counts_pictures: bool = False  # no clock at all: a picture's tick is its number
    streams: tuple[int, ...] = ()  # video streams that take turns, when there are several
    edits: tuple[Edit, ...] = ()
    unharmed: tuple[int, ...] = ()  # numbers of packets that FFmpeg calls corrupt and that are not
    pads_with_zeros: bool = False  # packets may end in zeros, and nothing is lost
    losses: tuple[Loss, ...] = ()  # in order

    @property
    def is_plain(self) -> bool:
        """Whether packets are read as they are, with their own pts."""
        has_rules = self.pieces or self.strays or self.unharmed or self.missing != "unknown"
        return not has_rules and self.order is None

    @property
    def can_skip(self) -> bool:
        """Whether every packet's time is known before anything is decoded."""
        return self.order is None and not self.counts_pictures

    def loss_at(self, tick: int) -> Loss | None:
        """The loss that a tick lies in."""
        number = bisect_right(self.losses, tick, key=lambda loss: loss.first)
        loss = self.losses[number - 1] if number else None
        return loss if loss is not None and tick < loss.end else None


PLAIN = Clock()


class Stamps(NamedTuple):
    """A packet's word on its times, in ticks."""

    pts: int | None
    dts: int | None
    duration: int
    is_b: bool | None = None  # its picture is shown as soon as it is decoded; None: it does not say


class _Row(NamedTuple):
    """One packet on the line: when it is decoded, when its picture is shown if that is known already."""

    decoded: int | None
    shown: int | None
    shown_from: int | None
    begins_piece: bool


def is_held_back(stamps: Stamps) -> bool:
    """Whether a picture of a codec that holds back one is a reference: by its own word, else by FFmpeg's."""
    if stamps.is_b is not None:
        return not stamps.is_b
    return stamps.pts is None or stamps.pts != stamps.dts


def centred(difference: int, wrap: int) -> int:
    """A difference of stamps modulo `wrap`, of the two candidates the one nearer to zero."""
    return (difference + wrap // 2) % wrap - wrap // 2 if wrap else difference


def placed(rows: Iterable[tuple[T, Stamps]], clock: Clock) -> Iterator[tuple[T, int | None]]:
    """Each item, numbered from the file's start, with its picture's tick on the film's clock.

    In a clock of `order` the ticks are the stamps to be dealt out. None: the item's picture is not shown.
    """
    line = _counted(rows, clock) if clock.counts_packets else _unwrapped(rows, clock)
    if clock.order is not None:
        last = -clock.order.period
        for item, row in line:
            stamp = row.shown if clock.order.by_pts else row.decoded
            last = last + clock.order.period if stamp is None else stamp
            yield item, last
        return
    if clock.missing == "next_reference":
        line = _with_references(line)
    for item, row in line:
        shown = row.decoded if row.shown is None and clock.missing == "decoded" else row.shown
        is_hidden = shown is not None and row.shown_from is not None and shown < row.shown_from
        yield item, None if is_hidden else shown


def _unwrapped(rows: Iterable[tuple[T, Stamps]], clock: Clock) -> Iterator[tuple[T, _Row]]:
    """Stamps as distances from the one before, from where their piece begins."""
    coming, strays = deque(clock.pieces), frozenset(clock.strays)
    said = at = 0
    shown_from: int | None = None
    last: tuple[int, int] | None = None  # when the packet before was decoded, and how long it lasts
    for number, (item, stamps) in enumerate(rows):
        begins = bool(coming) and coming[0].first == number
        if begins:
            piece = coming.popleft()
            said, at, shown_from, last = piece.stamp, piece.tick, piece.shown_from, None
        if number in strays:
            yield item, _Row(None, None, shown_from, begins)
            continue
        shown = None if stamps.pts is None else at + centred(stamps.pts - said, clock.wrap)
        decoded = None if stamps.dts is None else at + centred(stamps.dts - said, clock.wrap)
        if shown is not None and stamps.pts is not None:
            said, at = stamps.pts, shown
        elif decoded is not None and stamps.dts is not None:
            said, at = stamps.dts, decoded
        if decoded is None and last is not None:
            decoded = last[0] + last[1]
        last = None if decoded is None else (decoded, stamps.duration)
        yield item, _Row(decoded, shown, shown_from, begins)


def _counted(rows: Iterable[tuple[T, Stamps]], clock: Clock) -> Iterator[tuple[T, _Row]]:
    """Program streams: packets follow each other by their durations, or evenly; most have no stamp.

    FFmpeg gives pictures that are shown as they are decoded pts = dts, and references none or another; where
    it hands out a stamp twice, that is not so.
    """
    coming = deque(clock.pieces)
    piece, at, duration = Piece(0, 0, 0), 0, 0
    begun: int | None = None
    for number, (item, stamps) in enumerate(rows):
        begins = False
        if coming and coming[0].first == number:
            piece = coming.popleft()
            at, begins = piece.tick, piece.shown_from != begun
            begun = piece.shown_from
        elif piece.pace is not None:
            at = piece.tick + floor(piece.pace * (number - piece.first))
        else:
            at += duration
        duration = stamps.duration or clock.step
        is_reference = clock.missing == "next_reference" and is_held_back(stamps)
        yield item, _Row(at, None if is_reference else at, piece.shown_from, begins)


def _with_references(line: Iterable[tuple[T, _Row]]) -> Iterator[tuple[T, _Row]]:
    """The same, references shown when the next one is decoded, the last of a piece after everything else."""
    waiting: list[tuple[T, _Row]] = []  # begins with a reference whose time is not known yet
    decoded: list[int] = []  # of the piece's last two packets
    for item, row in line:
        if waiting and (row.begins_piece or len(waiting) > _LONGEST_WAIT):
            yield from _resolved(waiting, _after(waiting, decoded))
            waiting = []
        if row.begins_piece:
            decoded = []
        if waiting and row.decoded is not None and row.shown != row.decoded:
            yield from _resolved(waiting, row.decoded)
            waiting = []
        if row.decoded is not None:
            decoded = [*decoded[-1:], row.decoded]
        if waiting or (row.shown is None and row.decoded is not None):
            waiting.append((item, row))
        else:
            yield item, row
    if waiting:
        yield from _resolved(waiting, _after(waiting, decoded))


def _resolved(waiting: list[tuple[T, _Row]], shown: int) -> Iterator[tuple[T, _Row]]:
    (item, reference), *others = waiting
    yield item, reference._replace(shown=shown)
    yield from others


def _after(waiting: list[tuple[T, _Row]], decoded: list[int]) -> int:
    """When a reference is shown that no other follows: one step after all else that is held back."""
    last = max(tick for _, row in waiting for tick in (row.decoded, row.shown) if tick is not None)
    return last + (decoded[-1] - decoded[0] if len(decoded) > 1 else 1)
