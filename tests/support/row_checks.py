"""What must hold for the rows of one video, looked at from outside: plain values, as a reader gets them.

Nothing here is imported from the code that makes rows.
"""

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from jsonschema import Draft202012Validator

Values = Mapping[str, Any]
Tables = Mapping[str, Sequence[Values]]

TIMES_OF_DAY = {"day", "night", "dawn", "dusk", "unknown"}
MOST_CHARS = {"title": 120, "label": 120, "setting": 120, "mood": 120, "summary": 600, "description": 600}
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that show nothing


def problems_of(
    tables: Tables, duration_ms: int, seen_ms: Sequence[int], schemas: Mapping[str, str]
) -> Iterator[str]:
    """Everything wrong. `schemas` are those of the packs' own tables."""
    for table, rows in tables.items():
        for number, row in enumerate(rows):
            found = [*_values(row), *(_span(row, duration_ms, set(seen_ms)) if "end_ms" in row else ())]
            yield from (f"{table} {number}: {problem}" for problem in found)
    if tables.get("scenes"):
        yield from _scenes(tables["scenes"], duration_ms)
    yield from _characters(tables)
    yield from _highlights(tables, seen_ms)
    for table, schema in schemas.items():
        yield from _own(table, tables.get(table, ()), json.loads(schema))


def _values(row: Values) -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{name} is {value}"
        yield from (f"{name}: {problem}" for text in _texts(value) for problem in _text(text))
    if "confidence" in row and not (0 <= row["confidence"] <= 1 and math.isfinite(row["video_gain"])):
        yield f"confidence {row['confidence']}, gain {row['video_gain']}"
    for name, most in MOST_CHARS.items() if "uri" not in row else ():  # a summary is of all sections
        if isinstance(text := row.get(name), str) and not 1 <= len(text) <= most:
            yield f"{name} of {len(text)} characters"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _texts(item))


def _text(text: str) -> Iterator[str]:
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in OVERRIDES}
    if bad:
        yield f"{text!r} holds {bad}"


def _is_shown(text: str) -> bool:
    return any(unicodedata.category(c)[0] in "LNPS" and c not in UNSEEN for c in text)


def _line(name: str, text: str) -> Iterator[str]:
    if text != text.strip() or not _is_shown(text):
        yield f"{name} {text!r} is blank, or has blanks around it"


def _span(row: Values, duration_ms: int, seen_ms: set[int]) -> Iterator[str]:
    names = [name for name in row if name.endswith(("start_ms", "end_ms"))]
    if any(type(row[name]) is not int for name in names):
        yield f"times that are no whole ms: {[row[name] for name in names]}"
    spans = [("start_ms", "end_ms"), ("model_start_ms", "model_end_ms")]
    for start, end in spans:
        if start in row and not 0 <= row[start] < row[end] <= duration_ms:
            yield f"{start} - {end} of {row[start]} - {row[end]} in a video of {duration_ms}"
    evidence = row["evidence_ms"]
    if evidence != sorted(set(evidence)) or not set(evidence) <= seen_ms or len(evidence) > 16:
        yield f"evidence {evidence}"
    if not all(row["start_ms"] <= ms < row["end_ms"] for ms in evidence):
        yield f"evidence {evidence} outside {row['start_ms']} - {row['end_ms']}"
    if row["is_grounded"] != any(row["start_ms"] <= ms < row["end_ms"] for ms in seen_ms):
        yield f"is_grounded is {row['is_grounded']}"


def _scenes(scenes: Sequence[Values], duration_ms: int) -> Iterator[str]:
    for names in (("start_ms", "end_ms"), ("model_start_ms", "model_end_ms")):
        spans = [tuple(row[name] for name in names) for row in scenes]
        if spans[0][0] != 0 or spans[-1][1] != duration_ms or any(a[1] != b[0] for a, b in pairwise(spans)):
            yield f"scenes {spans} do not tile {duration_ms}"
    for number, row in enumerate(scenes):
        if row["scene_index"] != number or row["time_of_day"] not in TIMES_OF_DAY:
            yield f"scene {number}: {row['scene_index']}, {row['time_of_day']}"
        for name in ("title", "summary", "setting", "mood"):
            yield from _line(name, row[name])
        for name in ("actions", "objects", "tags"):
            yield from _items(name, row[name])


def _items(name: str, items: Sequence[str]) -> Iterator[str]:
    for item in items:
        yield from _line(name, item)
    folded = [item.casefold() for item in items]
    if len(set(folded)) < len(folded) or "none" in folded or any(";" in item for item in items):
        yield f"{name} {items}"
    if len(items) > 12 or any(len(item) > 120 for item in items):
        yield f"{name} too long"


def _characters(tables: Tables) -> Iterator[str]:
    characters, appearances = tables.get("characters", ()), tables.get("appearances", ())
    ids = [row["character_id"] for row in characters]
    labels = [row["label"].casefold() for row in characters]
    if ids != [f"C{n}" for n in range(1, len(ids) + 1)] or len(set(labels)) < len(labels):
        yield f"characters {ids} {labels}"
    for row in characters:
        yield from _line("label", row["label"])
        yield from _line("description", row["description"])
        mine = [a for a in appearances if a["character_id"] == row["character_id"] and a["is_grounded"]]
        first = min((a["start_ms"] for a in mine), default=None)
        last = max((a["end_ms"] for a in mine), default=None)
        if (seen := (row["first_seen_ms"], row["last_seen_ms"])) != (first, last):
            yield f"{row['character_id']} seen {seen}, not {first} - {last}"
    named = [(row["scene_index"], one) for row in tables.get("scenes", ()) for one in row["character_ids"]]
    if len(set(named)) < len(named) or not {one for _, one in named} <= set(ids):
        yield f"scenes name {named} of {ids}"
    if sorted((a["scene_index"], a["character_id"]) for a in appearances) != sorted(named):
        yield "appearances are not those of the scenes"


def _highlights(tables: Tables, seen_ms: Sequence[int]) -> Iterator[str]:
    rows, scenes = tables.get("highlights", ()), tables.get("scenes", ())
    if [row["rank"] for row in rows] != list(range(1, len(rows) + 1)):
        yield f"ranks {[row['rank'] for row in rows]}"
    for row in rows:
        yield from _line("title", row["title"])
        yield from _line("reason", row["reason"])
        middle = (row["start_ms"] + row["end_ms"]) // 2
        home = [s["scene_index"] for s in scenes if s["start_ms"] <= middle < s["end_ms"]]
        if [row["scene_index"]] != (home or [None]):
            yield f"highlight in scene {row['scene_index']}, not {home}"
        start_ms, end_ms = row["model_start_ms"], row["model_end_ms"]
        could_end = [ms for ms in seen_ms if start_ms + 100 < ms <= start_ms + 60_000]
        if row["score"] not in range(0, 101, 5) or (end_ms - start_ms > 60_000 and could_end):
            yield f"highlight of {row['score']}, {start_ms} - {end_ms}"


def _own(table: str, rows: Sequence[Values], schema: Values) -> Iterator[str]:
    validator = Draft202012Validator(schema)
    if [row["record_index"] for row in rows] != list(range(len(rows))):
        yield f"{table}: {[row['record_index'] for row in rows]}"
    keys = [name for name, part in schema["properties"].items() if part.get("x-key")]
    for row in rows:
        record = {name: row[name] for name in schema["properties"]}
        yield from (f"{table} {e.json_path}: {e.message}" for e in validator.iter_errors(record))
        for name, part in schema["properties"].items():
            if part.get("type") == "string":
                yield from _line(f"{table}.{name}", record[name])
    for key in keys:
        folded = [row[key].casefold() for row in rows]
        if "start_ms" not in (rows[0] if rows else ()) and len(set(folded)) < len(folded):
            yield f"{table}: {key} twice in {folded}"
