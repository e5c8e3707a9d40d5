"""Places of scenes, highlights and characters on a video's timeline, in percent of its length."""

from dataclasses import dataclass

from jobs.ui.words import clock
from jobs.web.videos import Record, VideoRows

_MAX_LANES = 16  # characters shown; the lists below the timeline have all
_MAX_TICKS = 8
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MEASURED = ("chapters", "shots", "cues", "screen_text")
_SAYS = ("title", "label", "text", "kind")  # columns that tell what a bar is, the best first
_OF_ALL = ("loudness", "loudness_range", "peak")  # cues that say something of the film as a whole
_NAMES = {"screen_text": "On screen"}
_LEAST_WIDTH = 0.35  # percent, so that a short moment can be seen and hit


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch; `x` and `width` in percent."""

    x: float
    width: float
    start_ms: int
    label: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Bars under one name; `tint` picks one of the colours of app.css."""

    name: str
    tint: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class VideoTimeline:
    """All lanes, and the ticks of the ruler as (percent, text)."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]


def lay_out(rows: VideoRows) -> VideoTimeline:
    """Lay out what the model says, what packs brought, what was measured, and a lane for each character."""
    duration_ms = max(1, rows.video["duration_ms"])
    lanes = []
    for table in ("scenes", "highlights", *_own_timed(rows), *_MEASURED):
        records = rows.tables.get(table, [])
        if table == "cues":
            records = [row for row in records if row["kind"] not in _OF_ALL]
        lanes.append(_lane(_name_of(table), table, records, duration_ms))
    lanes += _character_lanes(rows, duration_ms)
    return VideoTimeline(tuple(lane for lane in lanes if lane.bars), _ticks(duration_ms))


def _name_of(table: str) -> str:
    return _NAMES.get(table) or table.replace("_", " ").capitalize()


def _own_timed(rows: VideoRows) -> list[str]:
    ours = ("scenes", "characters", "appearances", "highlights", "failures", *_MEASURED)
    return [
        name for name, found in rows.tables.items() if name not in ours and found and "start_ms" in found[0]
    ]


def _character_lanes(rows: VideoRows, duration_ms: int) -> list[Lane]:
    lanes = []
    for number, character in enumerate(rows.tables["characters"][:_MAX_LANES]):
        seen = [a for a in rows.tables["appearances"] if a["character_id"] == character["character_id"]]
        lanes.append(_lane(character["label"], f"hue{number % 8}", seen, duration_ms))
    return lanes


def _lane(name: str, tint: str, records: list[Record], duration_ms: int) -> Lane:
    return Lane(name, tint, tuple(_bar(record, name, duration_ms) for record in records))


def _bar(record: Record, name: str, duration_ms: int) -> Bar:
    start_ms = min(max(0, record["start_ms"]), duration_ms)
    end_ms = min(max(start_ms, record["end_ms"]), duration_ms)
    width = max(_LEAST_WIDTH, 100 * (end_ms - start_ms) / duration_ms)
    x = min(100 * start_ms / duration_ms, 100 - _LEAST_WIDTH)
    said = next((str(record[column]) for column in _SAYS if record.get(column)), name)
    label = f"{clock(start_ms)}–{clock(end_ms)}  {said[:120]}"
    return Bar(round(x, 3), round(min(width, 100 - x), 3), start_ms, label)


def _ticks(duration_ms: int) -> tuple[tuple[float, str], ...]:
    seconds = duration_ms / 1000
    step = next((s for s in _STEPS_S if seconds / s <= _MAX_TICKS), _STEPS_S[-1])
    return tuple((round(100 * at / seconds, 3), clock(at * 1000)) for at in range(0, int(seconds) + 1, step))
