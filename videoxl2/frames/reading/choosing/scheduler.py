"""Choose the pictures of a stream's targets while decoding as little as possible.

`pick_by_gop` plans one GOP at a time. A target's picture is the one on screen at that instant, known from
the packets' pts before anything is decoded; so GOPs without a target are skipped, a GOP is fed no further
than its last wanted packet, and pictures that nothing refers to are dropped unless wanted.

`pick_in_order` looks at every picture it is given and at the clock. It is the plain meaning of "the picture
on screen at t", and what remains wherever a plan does not come true.

Both answer every target they are asked for exactly once, in order.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from av.video.frame import PictureType

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Decoder, Picture
from videoxl2.frames.files.packets import (
    Damage,
    Gop,
    VideoPacket,
    group_into_gops,
    is_shown,
    with_following,
)
from videoxl2.frames.reading.choosing.targets import Answer, Due, FrameFlag, Miss, Pick, Targets

Timed = tuple[int, Picture]  # with its tick

# Their pictures can be made whole bit by bit, or have a field that is built on the other one.
_MENDED = frozenset({"h264", "hevc", "vc1", "wmv3"})


class CannotEnter(Exception):  # noqa: N818  # a turn in the road, not an error
    """The codec gives no picture for a packet that calls itself a key: read in order from the file's start.

    Intra-refresh streams do this: a "key" there only begins a wave of repairs.
    """


@dataclass(frozen=True)
class Planned:
    """A target and the tick of the picture due then; None when that picture has been held too long."""

    due: Due
    tick: int | None


def pick_by_gop(
    packets: Iterator[VideoPacket], targets: Targets, decoder: Decoder, limits: Limits
) -> Iterator[Answer]:
    """Answer the targets from packets that begin no later than the first target's GOP.

    Raises `CannotEnter` between two answers.
    """
    gop = None
    for gop, following in with_following(group_into_gops(packets, limits)):
        if not gop.is_whole:
            pictures = _entered(gop, timed(decoder.pictures(chain(gop.trailing, packets)), decoder.damage))
            yield from pick_in_order(pictures, targets.before(None), targets)
            return
        dues = list(targets.before(following.start if following else None))
        if dues:
            yield from _pick_in_gop(gop, following, dues, targets, decoder)
        if targets.are_answered:
            return
    if gop is None:
        raise CannotEnter


def pick_in_order(pictures: Iterable[Timed], dues: Iterable[Due], targets: Targets) -> Iterator[Answer]:
    """Answer each target with the last picture that began at or before it, or the first where none did."""
    coming = iter(pictures)
    shown = ahead = next(coming, None)
    for due in dues:
        while ahead is not None and ahead[0] <= due.tick:
            if shown is None or ahead[0] > shown[0]:  # a screen's clock never runs backwards
                shown = ahead
            ahead = next(coming, None)
        yield Miss(due.target, "missing_frames") if shown is None else targets.answer(due, *shown)


def timed(pictures: Iterable[Picture], damage: Damage) -> Iterator[Timed]:
    """Pictures with their ticks; those without one cannot be placed."""
    last: int | None = None
    for picture in pictures:
        tick = picture.frame.pts
        if tick is None:
            continue
        if last is not None and tick < last:
            damage.times_contradicted = True
        last = tick
        yield tick, picture


def _pick_in_gop(
    gop: Gop, following: Gop | None, dues: list[Due], targets: Targets, decoder: Decoder
) -> Iterator[Answer]:
    packets = gop.trailing + ([following.key, *following.leading] if following else [])
    ticks = _ticks(packets, gop.start, following.start if following else None)
    if not ticks:  # an edit list hides all of it
        yield from (Miss(due.target, "missing_frames") for due in dues)
        return
    plan = [_plan(due, ticks, targets) for due in dues]
    wanted = {planned.tick for planned in plan if planned.tick is not None}
    last = max((i for i, packet in enumerate(packets) if packet.pts in wanted), default=-1)
    num_refused = decoder.num_refused
    num_answers = 0
    for answer in _as_planned(
        plan, gop, timed(decoder.pictures(packets[: last + 1], wanted), decoder.damage), targets
    ):
        yield answer
        num_answers += 1
    if num_answers < len(plan):
        was_refused = decoder.num_refused > num_refused
        yield from _without_plan(plan[num_answers:], gop, packets, targets, decoder, was_refused)


def _ticks(packets: list[VideoPacket], start: int, end: int | None) -> list[int]:
    """When the pictures shown from `start` up to `end` begin, in order."""
    return sorted(
        packet.pts
        for packet in packets
        if packet.pts is not None
        and start <= packet.pts
        and (end is None or packet.pts < end)
        and is_shown(packet)
    )


def _plan(due: Due, ticks: list[int], targets: Targets) -> Planned:
    """The picture on screen at a target; the first one where an edit list hides the key."""
    tick = ticks[max(0, bisect_right(ticks, due.tick) - 1)]
    return Planned(due, None if targets.holds_too_long(due, tick) else tick)


def _as_planned(
    plan: list[Planned], gop: Gop, pictures: Iterator[Timed], targets: Targets
) -> Iterator[Answer]:
    """Answers for as long as the plan comes true."""
    shown: Timed | None = None
    for planned in plan:
        if planned.tick is None:
            yield Miss(planned.due.target, "long_hold")
            continue
        if shown is None:
            shown = next(pictures, None)
            if shown is None or not _begins(gop, shown):
                return
        while shown is not None and shown[0] < planned.tick:
            shown = next(pictures, None)
        if shown is None or shown[0] != planned.tick:
            return
        yield targets.answer(planned.due, *shown)


def _without_plan(
    plan: list[Planned],
    gop: Gop,
    packets: list[VideoPacket],
    targets: Targets,
    decoder: Decoder,
    was_refused: bool,
) -> Iterator[Answer]:
    """Answers from whatever pictures this GOP gives when nothing is skipped.

    In sound data, a packet without a picture of its own (a second field, a hidden frame) was planned for.
    In damaged data a picture is lost, and its neighbour in the GOP is its marked substitute.
    """
    num_refused = decoder.num_refused
    pictures = timed(decoder.pictures(packets), decoder.damage)
    first = next(pictures, None)
    is_damaged = (
        was_refused or decoder.num_refused > num_refused or any(packet.is_corrupt for packet in packets)
    )
    if not is_damaged and (first is None or not _begins(gop, first)):
        raise CannotEnter
    pictures = chain([first], pictures) if first else pictures
    dues = [planned.due for planned in plan]
    for planned, answer in zip(plan, pick_in_order(pictures, dues, targets), strict=True):
        if is_damaged and isinstance(answer, Pick) and answer.tick != planned.tick:
            yield replace(answer, flags=answer.flags | FrameFlag.SUBSTITUTE)
        else:
            yield answer


def _entered(gop: Gop, pictures: Iterator[Timed]) -> Iterator[Timed]:
    first = next(pictures, None)
    if first is None or not _begins(gop, first):
        raise CannotEnter
    yield first
    yield from pictures


def _begins(gop: Gop, first: Timed) -> bool:
    """Whether the first picture that came out is the key itself, as it must be where decoding can start."""
    tick, picture = first
    return (tick == gop.start or not is_shown(gop.key)) and not _is_built_on_others(gop, picture)


def _is_built_on_others(gop: Gop, picture: Picture) -> bool:
    """Whether the decoder made a picture from ones that it was not given."""
    codec = codec_of(gop.key.stream.codec_context)
    return codec not in _MENDED and picture.frame.pict_type in (PictureType.P, PictureType.B)
