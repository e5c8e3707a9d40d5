"""What a `Json` slot may be asked for, and how many tokens it takes to close such a value at any point.

The part of JSON Schema that bounds a value; whoever asks for more gets an error:

    {"type": "string", "maxLength": 9}              "minLength" 0 or 1
    {"type": "integer", "minimum": 0, "maximum": 9} "multipleOf" up to 1000
    {"enum": ["a", "b"]}                            texts or numbers
    {"type": "boolean"}
    {"type": "array", "items": …, "maxItems": 3}    "minItems"
    {"type": "object", "properties": {"a": …}, "required": ["a"], "additionalProperties": false}
    {"anyOf": [X, {"type": "null"}]}

Tokens are counted as bytes, as none is shorter than one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MAX_STEP = 1000  # llguidance runs out of its own limits somewhere over 10,000
MAX_CHARS = 20_000  # of a schema; the grammar is made anew for each value, this one in up to 0.5 s
_UTF8_REST = 3  # bytes that may be missing to the character a string was left in

# By type: keywords that are needed, and those that are possible.
KEYWORDS: dict[str, tuple[set[str], set[str]]] = {
    "string": ({"maxLength"}, {"minLength"}),
    "integer": ({"minimum", "maximum"}, {"multipleOf"}),
    "boolean": (set(), set()),
    "array": ({"items", "maxItems"}, {"minItems"}),
    "object": ({"properties", "required", "additionalProperties"}, set()),
}


@lru_cache(maxsize=256)
def rules_of(schema: str) -> Mapping[str, Any]:
    """A schema's text, parsed once."""
    rules: Mapping[str, Any] = json.loads(schema)
    return rules


def json_bound(schema: str, max_tokens: int, end_tokens: int) -> int:
    """Return the most tokens that a `Json` of this schema can take if its longest end takes `end_tokens`.

    Closing a value in the midst takes what is still required of it, so the reserve depends on the schema.
    """
    return max_tokens + closing_bytes(schema) + end_tokens


@lru_cache(maxsize=256)
def closing_bytes(schema: str) -> int:
    """Return the bytes that suffice to end a value wherever it stands, with the blank before it.

    Raises `ValueError` for a schema outside the part above, or too large.
    """
    if len(schema) > MAX_CHARS:
        raise ValueError(f"a schema of {len(schema):,} characters, and {MAX_CHARS:,} are the most")
    return 1 + _left(rules_of(schema))


def _whole(schema: Mapping[str, Any]) -> int:
    """Return the bytes that `slot_json` writes for a value that has not begun when it closes."""
    match _kind(schema):
        case "enum":
            return max(_size(option) for option in schema["enum"])
        case "anyOf":
            return len("null")
        case "string":
            return 2 + _min_length(schema)
        case "integer":
            return max(_size(schema["minimum"]), _size(schema["maximum"]))
        case "boolean":
            return len("false")
        case "array":
            return 2 + _least(schema) * (_whole(schema["items"]) + 1)
        case _:
            return 1 + sum(_pair(key, part) for key, part in schema["properties"].items())


def _left(schema: Mapping[str, Any]) -> int:
    """Return the most bytes still to come of a value that has begun."""
    match _kind(schema):
        case "string":
            return max(_whole(schema), _UTF8_REST + 1)
        case "anyOf":
            return max(_whole(schema), _left(schema["anyOf"][0]))
        case "array":
            rest = max(_least(schema) - 1, 0) * (_whole(schema["items"]) + 1)
            return max(_whole(schema), 1 + _left(schema["items"]) + rest + 1)  # a comma may have been last
        case "object":
            left = most = 1
            for key, part in reversed(schema["properties"].items()):
                most = max(most, _left(part) + left)
                left += _pair(key, part)
            return max(most, left)
        case _:
            return _whole(schema)


def _kind(schema: Mapping[str, Any]) -> str:
    given = set(schema)
    if given == {"enum"} and schema["enum"] and all(type(o) in (str, int, float) for o in schema["enum"]):
        return "enum"
    if given == {"anyOf"} and schema["anyOf"][1:] == [{"type": "null"}]:
        return "anyOf"
    kind = schema.get("type")
    needed, possible = KEYWORDS.get(kind, (set(), set())) if isinstance(kind, str) else (set(), set())
    if kind not in KEYWORDS or not needed <= given - {"type"} <= needed | possible or not _is_sound(schema):
        raise ValueError(f"a JSON value cannot be asked for by {json.dumps(schema)[:80]}")
    return str(kind)


def _is_sound(schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "object":
        return list(schema["properties"]) == schema["required"] and schema["additionalProperties"] is False
    if schema.get("multipleOf", 1) > MAX_STEP:
        return False
    return _min_length(schema) <= 1 and _least(schema) <= int(schema.get("maxItems", 0))


def _min_length(schema: Mapping[str, Any]) -> int:
    return int(schema.get("minLength", 0))


def _least(schema: Mapping[str, Any]) -> int:
    return int(schema.get("minItems", 0))


def _pair(key: str, part: Mapping[str, Any]) -> int:
    return _size(key) + 1 + _whole(part) + 1


def _size(value: str | float) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8"))
