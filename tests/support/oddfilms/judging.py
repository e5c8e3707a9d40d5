"""What the reader says of a film, from every entry point, against what the film shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from random import Random

import numpy as np
from PIL import Image

from oddfilms.barcode import read_number
from oddfilms.film import Film, Shown
from oddfilms.pace import EVEN
from videoxl2.frames import (
    DEFAULT_LIMITS,
    FrameFlag,
    FrameSpan,
    MediaError,
    MediaInfo,
    SamplingGrid,
    Span,
    plan_sampling,
    probe,
    read_frames,
    read_span,
    read_spans,
)
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.reading.all_pictures import shown_by_edits, shown_pictures
from videoxl2.frames.reading.cuts import cuts_near
from videoxl2.frames.reading.film import open_film
from videoxl2.frames.reading.stills.keyframes import read_keyframes
from videoxl2.frames.reading.stills.thumbnail import read_thumbnail
from videoxl2.watching import FramesWanted, can_take_frames, watch_with_frames

_SIZE = 64
_MAX_TARGETS = 80
_HOLD_S = 60  # a picture is repeated no longer: `Limits.max_hold_s`
_BLINK_S = Fraction(1, 1000)  # a picture shown no longer may be left out
_LOST_BY_CUT_S = Fraction(3, 10)
# A row with one of these does not claim to be right.
_DAMAGED = FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE
_DOUBTFUL = FrameFlag.ESTIMATED | _DAMAGED
# Nor does a film with one of these. `clock_joined` and `read_in_order` are no excuse: they claim exactness.
_DOUBTS = frozenset({"timestamps_estimated", "timestamp_discontinuity", "streams_unread"})
_DAMAGE = frozenset({"corrupt_packets"})  # an excuse where bytes are missing
# Of a sound film these are untrue.
_FALSE_ALARMS = frozenset({"truncated", "timestamp_discontinuity", "corrupt_packets"})


@dataclass(frozen=True)
class Judgement:
    """One word, and why: `right`; `alarm`, right but for a false warning; `flagged`, wrong and said so;
    `refused`, a named error; `silent`, wrong without a word."""

    verdict: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Problem:
    text: str
    is_said: bool  # whether the reader's own flags or warnings cover it


def judge(film: Film) -> Judgement:
    """Read the film from every entry point. What is read apart is drawn from the recipe's seed."""
    try:
        info = probe(film.path)
        problems = list(_problems(film, info))
    except MediaError as error:
        return Judgement("refused", (f"{type(error).__name__}: {error}",))
    except Exception as error:  # a fault of the reader, which is what is looked for
        return Judgement("silent", (f"raised {error!r}",))
    texts = tuple(problem.text for problem in problems)
    if any(not problem.is_said for problem in problems):
        return Judgement("silent", texts)
    if problems:
        return Judgement("flagged", texts)
    is_whole = not film.recipe.cut_at and not film.recipe.hole_at
    alarms = sorted(_FALSE_ALARMS & set(info.warnings)) if is_whole else []
    return Judgement("alarm", tuple(alarms)) if alarms else Judgement("right")


def _problems(film: Film, info: MediaInfo) -> Iterator[_Problem]:
    random = Random(film.recipe.seed)
    yield from _facts(film, info)
    grid = plan_sampling(info, film.recipe.fps, _MAX_TARGETS)
    whole = list(read_frames(film.path, grid, _SIZE, info=info))
    for asked, span in zip(grid.spans(128), whole, strict=True):
        yield from _rows(film, info, grid, asked, span, "whole")
    yield from _apart(film, info, grid, whole, random)
    yield from _passed(film, info, grid)
    yield from _stills(film, info, random)
    yield from _cuts(film, info, random)
    yield from _every_picture(film, info)


def _facts(film: Film, info: MediaInfo) -> Iterator[_Problem]:
    is_said = _is_doubtful(film, info)
    off_s = Fraction(info.duration_ms, 1000) - film.end_s
    if film.recipe.hole_at:
        return
    if film.recipe.cut_at:
        if off_s > film.end_slack_s or "truncated" not in info.warnings:
            yield _Problem(f"lasts {info.duration_ms} ms, {info.warnings}, and its end is missing", is_said)
        return
    if abs(off_s) > film.end_slack_s:
        yield _Problem(f"lasts {info.duration_ms} ms, not {float(film.end_s * 1000):.0f}", is_said)
    paces = {piece.pace for piece in film.recipe.pieces}
    if film.recipe.edits:
        return
    if info.num_frames != film.num_pictures:
        yield _Problem(f"{info.num_frames} pictures, not {film.num_pictures}", is_said)
    if len(paces) == 1 and paces <= EVEN.keys() and info.is_vfr:
        yield _Problem(f"called uneven, is {paces}", is_said)


def _apart(
    film: Film, info: MediaInfo, grid: SamplingGrid, whole: list[FrameSpan], random: Random
) -> Iterator[_Problem]:
    """Spans by themselves and with gaps between them: right, and the same as the whole."""
    rows = {int(target): (span, row) for span in whole for row, target in enumerate(span.target_index)}
    spans = grid.spans(random.choice([1, 3, 10]))
    chosen = sorted(random.sample(spans, min(3, len(spans))), key=lambda span: span.first)
    read = [read_span(film.path, info, grid, span, _SIZE) for span in chosen]
    for name, found in (("apart", read), ("gaps", list(read_spans(film.path, info, grid, chosen, _SIZE)))):
        for asked, span in zip(chosen, found, strict=True):
            yield from _rows(film, info, grid, asked, span, name)
            expected = [target for target in rows if asked.first <= target < asked.stop]
            if span.target_index.tolist() != expected:
                yield _Problem(f"{name} [{asked.first}, {asked.stop}): other targets than the whole", False)
                continue
            for row, target in enumerate(expected):
                if not _is_same(span, row, *rows[target]):
                    yield _Problem(f"{name} target {target}: not as in the whole", False)


def _passed(film: Film, info: MediaInfo, grid: SamplingGrid) -> Iterator[_Problem]:
    """Spans taken from a pass over all pictures: the same as by themselves."""
    spans = tuple(grid.spans((3, 16, 40)[film.recipe.seed % 3]))
    if not can_take_frames(info):
        return
    passed = watch_with_frames(film.path, info, [], FramesWanted(grid, spans, _SIZE))
    for span, got in zip(spans, passed, strict=True):
        alone = read_span(film.path, info, grid, span, _SIZE)
        told = [(one.target_index.tolist(), one.pts_ms.tolist(), one.flags.tolist()) for one in (got, alone)]
        if told[0] != told[1] or not all(_is_same(got, row, alone, row) for row in range(len(got.frames))):
            yield _Problem(f"passed [{span.first}, {span.stop}): not as by itself", False)


def _is_same(span: FrameSpan, row: int, whole: FrameSpan, at: int) -> bool:
    if span.flags[row] & _DAMAGED and whole.flags[at] & _DAMAGED:
        return True  # what a decoder patches damage with, or gives at all, is not defined
    is_same_picture = np.array_equal(span.frames[row], whole.frames[at])
    return bool(
        is_same_picture and span.pts_ms[row] == whole.pts_ms[at] and span.flags[row] == whole.flags[at]
    )


def _rows(
    film: Film, info: MediaInfo, grid: SamplingGrid, asked: Span, span: FrameSpan, name: str
) -> Iterator[_Problem]:
    is_doubtful = _has_doubtful_times(info, span.warnings)
    end_s = _told_s(film, info)
    for target in sorted({*range(asked.first, asked.stop)} - {*span.target_index.tolist()}):
        at_s = grid.target_s(target)
        if at_s < end_s and not all(at_s - shown.start_s > _HOLD_S for shown in film.on_screen(at_s)):
            yield _Problem(
                f"{name} {float(at_s):.3f} s: no picture", is_doubtful or "missing_frames" in span.warnings
            )
    for row, target in enumerate(span.target_index):
        at_s = grid.target_s(int(target))
        number = read_number(span.frames[row])
        pts_s = Fraction(int(span.pts_ms[row]), 1000)
        if at_s < end_s and not any(_fits(film, shown, number, pts_s) for shown in film.on_screen(at_s)):
            due = [(shown.number, round(float(shown.start_s), 3)) for shown in film.on_screen(at_s)]
            text = f"{name} {float(at_s):.3f} s: picture {number} from {float(pts_s):.3f} s, due {due}"
            yield _Problem(text, is_doubtful or bool(span.flags[row] & _DOUBTFUL))


def _told_s(film: Film, info: MediaInfo) -> Fraction:
    """Up to where pictures can be held against a reader: a cut takes some that come late in stored order."""
    duration_s = Fraction(info.duration_ms, 1000)
    return duration_s - _LOST_BY_CUT_S if film.recipe.cut_at else duration_s


def _fits(film: Film, shown: Shown, number: int | None, pts_s: Fraction) -> bool:
    return shown.number == number and abs(shown.start_s - pts_s) <= film.slack_s


def _stills(film: Film, info: MediaInfo, random: Random) -> Iterator[_Problem]:
    """Keyframes and a thumbnail at drawn instants."""
    instants = [random.randrange(max(1, int(_told_s(film, info) * 1000))) for _ in range(3)]
    is_doubtful = _is_doubtful(film, info)
    is_lost = bool(film.recipe.cut_at or film.recipe.hole_at)  # none is better than a neighbour
    stills = {
        ms: (still.image, still.is_damaged) for ms, still in read_keyframes(film.path, info, instants).items()
    }
    if missing := sorted(set(instants) - set(stills)):
        yield _Problem(f"no keyframe at {missing} ms", is_doubtful or is_lost)
    for ms, (image, is_damaged) in stills.items():
        yield from _still(film, ms, image, "keyframe", is_doubtful or is_damaged)
    thumbnail = read_thumbnail(film.path, instants[0], info.start_ms)
    yield from _still(film, instants[0], thumbnail, "thumbnail", is_doubtful or is_lost)


def _still(film: Film, ms: int, image: bytes, name: str, is_said: bool) -> Iterator[_Problem]:
    number = read_number(np.asarray(Image.open(BytesIO(image)).convert("RGB")))
    due = [shown.number for shown in film.on_screen(Fraction(ms, 1000))]
    if number not in due:
        yield _Problem(f"{name} {ms / 1000:.3f} s: picture {number}, due {due}", is_said)


def _cuts(film: Film, info: MediaInfo, random: Random) -> Iterator[_Problem]:
    """Any two pictures of these films differ: what is called a cut is where a picture begins."""
    if film.end_s > _HOLD_S:
        return
    for cut in cuts_near(film.path, info, [random.randrange(info.duration_ms)]).values():
        at_s = Fraction(cut.at_ms, 1000)
        if all(abs(shown.start_s - at_s) > film.slack_s for shown in film.shown):
            yield _Problem(f"cut at {cut.at_ms} ms, where no picture begins", _is_doubtful(film, info))


def _every_picture(film: Film, info: MediaInfo) -> Iterator[_Problem]:
    """One pass shows each picture once, at its time, and no other."""
    damage = Damage()
    read = [
        (read_number(_rgb(picture)), at_ms, picture.is_damaged)
        for picture, at_ms in _shown(film, info, damage)
    ]
    is_said = _has_doubtful_times(info, damage.warnings()) or _is_doubtful(film, info)
    for number, at_ms, is_damaged in read:
        at_s = Fraction(at_ms, 1000)
        due = film.on_screen(at_s)
        if at_s < _told_s(film, info) and not any(_fits(film, shown, number, at_s) for shown in due):
            text = (
                f"pass: picture {number} from {at_ms} ms, due {[(s.number, float(s.start_s)) for s in due]}"
            )
            yield _Problem(text, is_said or is_damaged)
    starts_s = [*(shown.start_s for shown in film.shown), film.end_s]
    lasting = [s for s, end_s in zip(film.shown, starts_s[1:], strict=True) if end_s - s.start_s > _BLINK_S]
    numbers = {number for number, _, _ in read}
    missing = [s.number for s in lasting if s.start_s < _told_s(film, info) and s.number not in numbers]
    if film.recipe.kind == "size" and film.recipe.codec == "mpeg2":
        missing = []  # the decoder drops the picture that it holds back where the size changes
    if missing or any(b <= a for (_, a, _), (_, b, _) in pairwise(read)):
        is_said |= any(is_damaged for _, _, is_damaged in read)
        yield _Problem(f"pass: {missing} missing, or times that do not grow", is_said)


def _shown(film: Film, info: MediaInfo, damage: Damage) -> Iterator[tuple[Picture, int]]:
    if info.clock.edits:
        yield from shown_by_edits(film.path, info, DEFAULT_LIMITS, damage)
        return
    with open_film(film.path, info.clock, DEFAULT_LIMITS) as opened:
        yield from shown_pictures(opened, info, DEFAULT_LIMITS, damage)


def _rgb(picture: Picture) -> np.ndarray:
    return picture.frame.to_ndarray(format="rgb24")


def _is_doubtful(film: Film, info: MediaInfo) -> bool:
    """Whether anything read of the film may be wrong by its own word."""
    is_damaged = bool(film.recipe.cut_at or film.recipe.hole_at) and bool(_DAMAGE & {*info.warnings})
    return _has_doubtful_times(info) or is_damaged


def _has_doubtful_times(info: MediaInfo, warnings: tuple[str, ...] = ()) -> bool:
    """The same of rows, which say one by one where they are damaged."""
    return info.timestamps == "estimated" or bool(_DOUBTS & {*info.warnings, *warnings})
