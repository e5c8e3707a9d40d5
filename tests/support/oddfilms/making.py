"""Recipes to files: pieces written by PyAV at their own times, joined as bytes where a clock jumps."""

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random

import av
from av.packet import Packet, PacketSideData
from av.video.stream import VideoStream
from scheduling import same_scheduling

from oddfilms.coding import RATE, TICK, add_video, encode, options, retime
from oddfilms.edits import shown_by_edits, with_edits
from oddfilms.film import Film, Shown
from oddfilms.headers import with_repeated_fields, without_repeats
from oddfilms.pace import EVEN, SOFT, stays
from oddfilms.recipe import BARE, COUNTED_CLOCK, JOINABLE, Piece, Recipe
from oddfilms.spoiling import spoil
from oddfilms.tracks import add_tracks, add_videos, fill

_FORMATS = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg", "m2v": "mpeg2video", "m1v": "mpeg1video"}
_SLACK_S = Fraction(2, 1000)  # a muxer's millisecond, of the picture and of the first one
_JOINT_SLACK_S = Fraction(1, 1000)  # and of the last one before a joint
_UNKNOWN_STAY_S = Fraction(5, 100)  # what may be made up where nothing is known
_NEW_EXTRADATA = 1  # FFmpeg's number for it as side data
_FLV_HEADER_BYTES = 13
_FIRST_S = Fraction(14, 10)  # MPEG clocks begin no earlier: decoding runs ahead of showing


@same_scheduling()
def make(folder: Path, recipe: Recipe) -> Film:
    """The film of a recipe, in a file named after it."""
    path = folder / f"{recipe.kind}-{recipe.seed}.{recipe.container}"
    random = Random(recipe.seed)
    lasting = [stays(piece.pace, piece.num_pictures, random) for piece in recipe.pieces]
    starts = list(accumulate((stay for piece in lasting for stay in piece), initial=Fraction(0)))
    if _is_joined(recipe):
        _write_joined(path, recipe, lasting, random)
        shown, end_s = list(enumerate(starts[:-1])), starts[-1]
    else:
        media_s = _write(path, recipe, recipe.pieces, lasting, _start(recipe))
        shown, end_s = list(enumerate(starts[:-1])), starts[-1]
        if recipe.edits:
            path.write_bytes(with_edits(path.read_bytes(), recipe.edits))
            shown, end_s = shown_by_edits(recipe.edits, [media_s + start for start in starts])
    spoil(path, recipe)
    truth = tuple(Shown(number, start_s) for number, start_s in shown)
    is_even = recipe.pieces[-1].pace in (*EVEN, SOFT) and len(starts) > 2
    slack_s = _SLACK_S + len(recipe.joins) * _JOINT_SLACK_S
    end_slack_s = slack_s if is_even else slack_s + max(_UNKNOWN_STAY_S, *lasting[-1][-4:])
    num_pictures = None if recipe.cut_at or recipe.hole_at else len(starts) - 1
    return Film(path, recipe, truth, end_s, slack_s, end_slack_s, num_pictures)


def next_clock(join: str, end_s: Fraction, stay_s: Fraction, random: Random) -> Fraction:
    """Where the next piece's clock begins. `stay_s` is the longest stay near the join.

    A step forward that a still picture could explain, or one back that is shorter than the last picture
    stays, is no jump that anybody could know: none is drawn.
    """
    if join == "on":
        return end_s
    if join == "forward":
        return end_s + max(Fraction(random.choice([40, 300, 36000])), 20 * stay_s)
    if join == "overlap":
        back = end_s - random.choice([1, 3]) - 2 * stay_s
    elif join == "back":
        back = end_s - random.choice([20, 100, 5000])
    elif join == "restart":
        back = _FIRST_S if end_s > _FIRST_S + 3 * stay_s + 2 else Fraction(0)
    else:
        raise ValueError(join)
    return back if back >= _FIRST_S else end_s + 36000


def _is_joined(recipe: Recipe) -> bool:
    """FLV's muxer writes new parameter sets itself; MPEG pieces are written apart."""
    return (
        bool(recipe.joins)
        and recipe.container in JOINABLE
        and (recipe.container, recipe.kind) != ("flv", "size")
    )


def _start(recipe: Recipe) -> Fraction:
    if recipe.container in (*COUNTED_CLOCK, *BARE, "gif") or recipe.edits:
        return Fraction(recipe.sound_before_s)
    at_s = recipe.start_s + recipe.sound_before_s
    if recipe.container not in JOINABLE:
        return at_s
    # Decoding runs ahead of showing; a muxer that would have to begin before zero moves all of a piece, and
    # the next one would no longer go on where it ends.
    waits_s = recipe.num_b if recipe.joins and recipe.pieces[0].pace == "a second" else 0
    return max(at_s, _FIRST_S + recipe.sound_before_s + waits_s)


def _write_joined(path: Path, recipe: Recipe, lasting: Sequence[Sequence[Fraction]], random: Random) -> None:
    content = b""
    clock_s, number = _start(recipe), 0
    for part, (piece, stay) in enumerate(zip(recipe.pieces, lasting, strict=True)):
        if part:
            before = lasting[part - 1]
            longest = max(*before[-8:], *stay[:8])
            clock_s = next_clock(recipe.joins[part - 1], clock_s + sum(before), longest, random)
        _write(path, recipe, [piece], [stay], clock_s, number, part)
        written = path.read_bytes()
        content += written[_FLV_HEADER_BYTES:] if part and recipe.container == "flv" else written
        number += piece.num_pictures
    path.write_bytes(content)


def _write(
    path: Path,
    recipe: Recipe,
    pieces: Sequence[Piece],
    lasting: Sequence[Sequence[Fraction]],
    clock_s: Fraction,
    number: int = 0,
    part: int = 0,
) -> Fraction:
    """One file by one muxer. Returns how long after the first packet's decoding its picture is shown."""
    stay_s = [stay for piece in lasting for stay in piece]
    edges = [round(edge / TICK) for edge in accumulate(stay_s, initial=clock_s)]
    rate = _rate(recipe, pieces[0])
    with av.open(str(path), "w", format=_format(recipe), options=_muxer(recipe, part)) as out:
        tracks = add_tracks(out, recipe) if recipe.is_video_last else []
        stream = add_video(out, recipe.codec, _encoder(recipe), pieces[0].size, rate)
        tracks += [] if recipe.is_video_last else add_tracks(out, recipe)
        tracks += add_videos(out, recipe)
        packets = _encode(stream, recipe, pieces[0], number)
        for piece in pieces[1:]:
            packets += _later(recipe, piece, number + len(packets), len(packets))
        first_dts = retime(packets, edges[:-1], [b - a for a, b in pairwise(edges)])
        if recipe.edits:  # lists count from the first packet's decoding: let that be zero
            for packet in packets:
                packet.pts, packet.dts = packet.pts - first_dts, packet.dts - first_dts
        for packet in packets:
            packet.stream = stream
        others = fill(
            *(tracks, edges[0] * TICK - recipe.sound_before_s, edges[-1] * TICK + recipe.sound_after_s)
        )
        for packet in sorted([*packets, *others], key=lambda packet: packet.dts * packet.time_base):
            out.mux(packet)
    return (edges[0] - first_dts) * TICK


def _encode(stream: VideoStream, recipe: Recipe, piece: Piece, number: int) -> list[Packet]:
    numbers = range(number, number + piece.num_pictures)
    packets = encode(stream, recipe.codec, numbers, piece.size)
    if piece.pace == SOFT:
        return with_repeated_fields(packets)
    return packets if recipe.repeats_headers else without_repeats(packets, recipe.codec)


def _later(recipe: Recipe, piece: Piece, number: int, place: int) -> list[Packet]:
    """A piece of another size in the same file: its first packet brings the decoder's new settings."""
    with av.open(BytesIO(), "w", format=_format(recipe)) as out:
        stream = add_video(out, recipe.codec, _encoder(recipe), piece.size, _rate(recipe, piece))
        packets = _encode(stream, recipe, piece, number)
        extradata = stream.codec_context.extradata
        out.mux(packets[:1])  # a muxer without a packet cannot be closed
    for packet in packets:
        packet.pts += place
    if extradata and recipe.container in ("mp4", "mov", "flv"):
        told = PacketSideData(_NEW_EXTRADATA, len(extradata))  # type: ignore[call-arg]
        told.update(extradata)
        packets[0].set_sidedata(told)
    return packets


def _encoder(recipe: Recipe) -> dict[str, str]:
    return options(recipe.codec, recipe.gop, recipe.num_b, recipe.has_open_gops)


def _rate(recipe: Recipe, piece: Piece) -> Fraction:
    """What the encoder is told: the pace's own, where it is even and the codec knows the rate."""
    if piece.pace == "12.5" and recipe.codec in ("mpeg1", "mpeg2"):
        return Fraction(RATE)
    return EVEN["29.97"] if piece.pace == SOFT else EVEN.get(piece.pace, Fraction(RATE))


def _format(recipe: Recipe) -> str:
    return _FORMATS.get(recipe.container, recipe.container)


def _muxer(recipe: Recipe, part: int) -> dict[str, str]:
    if recipe.container in ("mp4", "mov"):
        own = {"use_editlist": "0"} if recipe.edits else {}
        if recipe.is_fragmented:
            own = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        if recipe.cut_at:
            own = {"movflags": "faststart"}
        return {"video_track_timescale": str(TICK.denominator), **own}
    if recipe.container == "ts":
        pid = {"mpegts_start_pid": str(0x100 + 0x20 * part)} if recipe.has_own_pid else {}
        m2ts = {"mpegts_m2ts_mode": "1"} if recipe.is_m2ts else {}
        return {"mpegts_copyts": "1", **pid, **m2ts}
    return {}
