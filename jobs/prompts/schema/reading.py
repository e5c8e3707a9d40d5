"""JSON Schema as people write it, read into parts; what is not bounded is refused where it stands."""

import json
import math
import re
from collections.abc import Collection
from decimal import Decimal
from typing import NoReturn

from jobs.prompts.schema.parts import (
    ListPart,
    NullablePart,
    NumberPart,
    ObjectPart,
    Part,
    TextPart,
    WholePart,
    WordPart,
    YesNoPart,
)
from jobs.prompts.schema.place import SchemaPlace
from schemas.answers import Answer
from videoxl2.constrained.json_schema import KEYWORDS

MARKERS = ("x-max-tokens", "x-key", "x-from")

_KEYWORDS = {kind: {"type", *needed, *possible} for kind, (needed, possible) in KEYWORDS.items()}
_KEYWORDS["number"] = _KEYWORDS["integer"]  # its few values are asked for as an enum
_MAX_DEPTH = 60  # pointers and references on the way to a part
_MAX_PARTS = 1000  # references can make a short schema a vast one
_MAX_NUMBERS = 1000
_MAX_WHOLE = 2**63 - 1  # what a column holds
_NAME = re.compile(r"[a-z]([a-z0-9_]*[a-z0-9])?")
# What no answer may hold: controls, line separators, text directions, halves of characters.
_BARRED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class SchemaReader:
    """A reader of one schema."""

    def __init__(self) -> None:
        self._num_parts = 0

    def read(self, place: SchemaPlace) -> Part:
        """The part at this place. Raises `UsageError`, naming the place, for one that is not bounded."""
        self._num_parts += 1
        if self._num_parts > _MAX_PARTS:
            place.refuse(f"more than {_MAX_PARTS} parts", "Ask for less in one answer.")
        if place.pointer.count("/") + 2 * len(place.references) > _MAX_DEPTH:
            place.refuse("nested too deep", "Ask for less in one answer.")
        schema = place.schema
        if not isinstance(schema, dict):
            place.refuse(f"`{json.dumps(schema)}` allows anything or nothing", "Describe the value.")
        for keyword in schema:
            if keyword.startswith("x-"):
                self._refuse_marker(place, keyword)
        if "$ref" in schema:
            return self._read_reference(place)
        if "anyOf" in schema or isinstance(schema.get("type"), list):
            return self._read_nullable(place)
        if "const" in schema:
            return self.read(place.instead(enum=[schema["const"]], const=None))
        if "enum" in schema:
            return self._read_options(place)
        return self._read_typed(place)

    def _read_typed(self, place: SchemaPlace) -> Part:
        match place.schema.get("type"):
            case "string":
                return self._read_text(place)
            case "integer":
                return self._read_whole(place)
            case "number":
                return self._read_number(place)
            case "boolean":
                place.check_keywords(_KEYWORDS["boolean"])
                return YesNoPart()
            case "array":
                return self._read_list(place)
            case "object":
                return self._read_object(place)
            case "null":
                return place.refuse("null alone says nothing", "Leave the property out.")
        place.check_keywords({"type"})
        return place.refuse("no type", f'Give it a "type": {", ".join(_KEYWORDS)}.')

    def _refuse_marker(self, place: SchemaPlace, keyword: str) -> NoReturn:
        known = ", ".join(MARKERS)
        if keyword in MARKERS:
            place.refuse(f"`{keyword}` inside a value", "Put it on a property of the record.")
        place.refuse(f"unknown keyword `{keyword}`", f"Known: {known}.")

    def _read_reference(self, place: SchemaPlace) -> Part:
        target = place.schema["$ref"]
        place.check_keywords({"$ref"})
        key = target.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
        if not target.startswith("#/$defs/") or key not in place.root.get("$defs", {}):
            place.refuse(f"`$ref` to {target}", 'Refer to a part of "$defs" in the same file: "#/$defs/…".')
        if target in place.references:
            place.refuse(f"`$ref` to {target} runs in a circle, so nothing bounds it", "Unroll it.")
        found = place.root["$defs"][key]
        return self.read(
            SchemaPlace(place.name, place.root, found, f"#/$defs/{key}", (*place.references, target))
        )

    def _read_nullable(self, place: SchemaPlace) -> Part:
        if "anyOf" in place.schema:
            place.check_keywords({"anyOf"})
            members = [place.inside("anyOf", str(n)) for n in range(len(place.schema["anyOf"]))]
            values = [member for member in members if member.schema != {"type": "null"}]
        else:
            members = place.schema["type"]
            values = [place.instead(type=kind) for kind in members if kind != "null"]
        if len(values) != 1 or len(members) > 2:
            place.refuse("a union", "Only a value or null can be asked for.")
        part = self.read(values[0])
        return part if len(members) == 1 or isinstance(part, NullablePart) else NullablePart(part)

    def _read_options(self, place: SchemaPlace) -> Part:
        place.check_keywords({"enum", "type"})
        options, kind = place.schema["enum"], place.schema.get("type")
        if not options or len({json.dumps(option) for option in options}) < len(options):
            place.refuse("an empty enum, or an option twice", "List each option once.")
        if kind in (None, "string") and all(isinstance(option, str) for option in options):
            for option in options:
                if not option or option != option.strip() or _BARRED.search(option):
                    place.refuse(f"option {option!r} is not one plain line", "No blanks around it either.")
            return WordPart(tuple(options))
        if kind in (None, "integer", "number") and all(map(_is_number, options)):
            part = NumberPart(_numbers(place, [Decimal(repr(option)) for option in options]))
            if kind != "integer" or all(isinstance(option, int) for option in part.options):
                return part
        return place.refuse(
            "options of other or mixed types", "Texts alone or numbers alone; allow null by anyOf."
        )

    def _read_text(self, place: SchemaPlace) -> TextPart:
        place.check_keywords(_KEYWORDS["string"])
        most = place.count("maxLength")
        least = int(place.schema.get("minLength", 0))
        if least > 1:
            place.refuse("`minLength` over 1", "A text that is cut off could not keep it; leave it out.")
        return TextPart(least, most)

    def _read_whole(self, place: SchemaPlace) -> WholePart:
        place.check_keywords(_KEYWORDS["integer"])
        low, high, step = (place.decimal(key) for key in ("minimum", "maximum", "multipleOf"))
        if any(n != int(n) for n in (low, high, step)) or max(abs(low), abs(high)) > _MAX_WHOLE:
            place.refuse("bounds that are not whole, or beyond 64 bits", "Give whole numbers.")
        first, last = -(-int(low) // int(step)) * int(step), int(high) // int(step) * int(step)
        if first > last:
            place.refuse("no number fits", "Raise maximum, or lower minimum or multipleOf.")
        return WholePart(first, last, int(step))

    def _read_number(self, place: SchemaPlace) -> NumberPart:
        if "multipleOf" not in place.schema:
            place.refuse(
                "a number without `multipleOf` has no last digit", 'Add "multipleOf": 0.1 or the like.'
            )
        place.check_keywords(_KEYWORDS["number"])
        low, high, step = (place.decimal(key) for key in ("minimum", "maximum", "multipleOf"))
        first, last = math.ceil(low / step), math.floor(high / step)
        if not 0 <= last - first < _MAX_NUMBERS:
            place.refuse(f"{max(last - first + 1, 0)} numbers", f"1 to {_MAX_NUMBERS} can be asked for.")
        return NumberPart(_numbers(place, [n * step for n in range(first, last + 1)]))

    def _read_list(self, place: SchemaPlace) -> ListPart:
        place.check_keywords(_KEYWORDS["array"])
        most = place.count("maxItems")
        least = int(place.schema.get("minItems", 0))
        if least > most:
            place.refuse("`minItems` over `maxItems`", "No list fits.")
        if "items" not in place.schema:
            place.refuse("no `items`", "Describe an item.")
        return ListPart(self.read(place.inside("items")), least, most)

    def _read_object(self, place: SchemaPlace) -> ObjectPart:
        names = read_names(place, reserved=())
        return ObjectPart(
            tuple(
                (
                    name,
                    place.inside("properties", name).description(),
                    self.read(place.inside("properties", name)),
                )
                for name in names
            )
        )


def read_names(place: SchemaPlace, reserved: Collection[str]) -> list[str]:
    """The properties of an object in writing order; all of them required, and no others allowed."""
    place.check_keywords(_KEYWORDS["object"])
    schema = place.schema
    names = list(schema.get("properties", {}))
    if not names:
        place.refuse("no properties", "List what is to be answered.")
    if schema.get("additionalProperties") is not False:
        place.refuse("other properties are allowed, without bound", 'Add "additionalProperties": false.')
    if missing := [name for name in names if name not in schema.get("required", ())]:
        hint = "Everything is required: list it; where a value may be missing, allow null."
        place.refuse(f"{missing[0]!r} is not required", hint)
    if extra := [name for name in schema["required"] if name not in names]:
        place.refuse(f"{extra[0]!r} is required and not described", "Describe it among the properties.")
    for name in names:
        if not _NAME.fullmatch(name):
            hint = "Lower-case letters, digits and _ inside, as for a column: red_cars."
            place.inside("properties", name).refuse(f"the name {name!r}", hint)
        if name in reserved or hasattr(Answer, name):
            place.inside("properties", name).refuse(f"the name {name!r} is taken", "Use another one.")
    return names


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _numbers(place: SchemaPlace, decimals: list[Decimal]) -> tuple[float, ...]:
    """Numbers as JSON writes them, whole ones without a point."""
    numbers = tuple(int(d) if d == int(d) else float(d) for d in decimals)
    if len(set(numbers)) < len(numbers) or any(
        "e" in repr(number) or abs(number) > 1e15 for number in numbers
    ):
        place.refuse("numbers that are equal, tiny or huge", "Use another unit.")
    return numbers
