"""Boxes that stand close to each other in one row are one line, however many they were found as."""

from collections.abc import Iterable

from videoxl2.screen_text.records import Outline, Seen

_GAP = 0.6  # of their height, between two boxes of one line; columns stand further apart
_OFF = 0.2  # of the height, that tops and bottoms of one line may differ: some letters reach up or down


def in_rows(seen: Iterable[Seen], aspect: float) -> list[Seen]:
    """The same with those joined; `aspect` is the picture's width over its height."""
    rows: list[Seen] = []
    for one in sorted(seen, key=lambda one: one.outline.left):
        before = next((row for row in rows if _goes_on(row.outline, one.outline, aspect)), None)
        if before is None:
            rows.append(one)
        else:
            rows[rows.index(before)] = _joined(before, one)
    return sorted(rows, key=lambda row: (row.outline.top, row.outline.left))


def _goes_on(a: Outline, b: Outline, aspect: float) -> bool:
    height = min(a.bottom - a.top, b.bottom - b.top)
    is_level = max(abs(a.top - b.top), abs(a.bottom - b.bottom)) <= _OFF * height
    gap = (b.left - a.right) * aspect
    return is_level and -_GAP * height < gap < _GAP * height


def _joined(a: Seen, b: Seen) -> Seen:
    letters = max(1, len(a.text)), max(1, len(b.text))
    confidence = (a.confidence * letters[0] + b.confidence * letters[1]) / sum(letters)
    outline = Outline(
        min(a.outline.left, b.outline.left),
        min(a.outline.top, b.outline.top),
        max(a.outline.right, b.outline.right),
        max(a.outline.bottom, b.outline.bottom),
    )
    return Seen(f"{a.text} {b.text}", confidence, outline)
