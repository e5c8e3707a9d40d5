"""Which picture stands for a row, and the rows of the table `keyframes`."""

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.answers.answer_rows import AnswerRows
from schemas.answer_tables import RECORD_INDEX
from schemas.rows import Lineage
from schemas.tables import Keyframe, Timed
from videoxl2.frames.reading.stills.keyframes import Keyframe as Picture

MAX_CANDIDATES = 3
# After a cut, pictures can still hold what was before: converted frame rates and interlacing blend the two,
# and encoders spend few bits on the first ones.
SETTLED_MS = 100


@dataclass(frozen=True)
class Wanted:
    """A row, and the instants whose pictures could stand for it, best first."""

    table_name: str
    row_index: int
    row: Timed
    candidates_ms: tuple[int, ...]


def wanted_keyframes(rows: AnswerRows, at_hand_ms: Container[int] = ()) -> list[Wanted]:
    """One for every scene, highlight and timed row of a pack's table that the model saw a picture of.

    `at_hand_ms` are pictures that need not be read, and stand for rows that have any of them.
    """
    timed = [one for one in _timed(rows) if one[2].is_grounded]
    borders_ms = sorted({ms for _, _, row in timed for ms in (row.start_ms, row.end_ms)})
    return [Wanted(*one, _candidates(one[2], borders_ms, at_hand_ms)) for one in timed]


def keyframe_rows(wanted: Iterable[Wanted], pictures: Mapping[int, Picture]) -> Iterator[Keyframe]:
    """The best picture for each that has any: undamaged, and of the most detail.

    Detail is what makes a JPEG large: black, a fade or a blank wall gives the smallest file.
    """
    for one in wanted:
        found = [(ms, pictures[ms]) for ms in one.candidates_ms if ms in pictures]
        if found:
            at_ms, best = max(found, key=lambda item: (not item[1].is_damaged, len(item[1].image)))
            yield Keyframe(
                **one.row.model_dump(include=set(Lineage.model_fields)),
                table_name=one.table_name,
                row_index=one.row_index,
                at_ms=at_ms,
                width=best.width,
                height=best.height,
                media_type="image/jpeg",
                image=best.image,
            )


def _timed(rows: AnswerRows) -> Iterator[tuple[str, int, Timed]]:
    for scene in rows.scenes:
        yield "scenes", scene.scene_index, scene
    for highlight in rows.highlights:
        yield "highlights", highlight.rank, highlight
    for table, own in rows.own.items():
        for row in own:
            if isinstance(row, Timed):
                yield table, getattr(row, RECORD_INDEX), row


def _candidates(row: Timed, borders_ms: Sequence[int], at_hand_ms: Container[int]) -> tuple[int, ...]:
    """Pictures that the model saw, nearest the middle; the middle where a cut moved past all."""
    middle_ms = (row.start_ms + row.end_ms) // 2
    inside = [ms for ms in row.evidence_ms if row.start_ms <= ms < row.end_ms] or [middle_ms]
    settled = [ms for ms in inside if ms - _last_before(ms, borders_ms) >= SETTLED_MS]
    usable = settled or inside
    chosen = [ms for ms in usable if ms in at_hand_ms] or usable
    return tuple(sorted(chosen, key=lambda ms: abs(ms - middle_ms))[:MAX_CANDIDATES])


def _last_before(ms: int, borders_ms: Sequence[int]) -> int:
    """The last border at or before an instant inside a row: its own start, if no later one."""
    return borders_ms[bisect_right(borders_ms, ms) - 1]
