"""A JSON Schema file, and the places in it that an error can point to."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from schemas.failures import UsageError

_PROSE = {"title", "description", "$comment", "examples", "default"}
_OF_THE_WHOLE = {"$schema", "$id", "$defs"}


def load_schema(name: str, text: str) -> Mapping[str, Any]:
    """The schema as JSON. Raises `UsageError` where it is none."""

    def refuse(message: str, hint: str) -> NoReturn:
        raise UsageError(f"answer schema {name}: {message}", hint)

    try:
        schema = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(["#", *(str(step) for step in error.absolute_path)])
        refuse(f"{where}: {error.message}", "See json-schema.org, draft 2020-12.")
    except (ValueError, RecursionError) as error:
        refuse(f"not JSON: {error}", "Write one JSON object.")
    if not isinstance(schema, dict):
        refuse("#: not an object", 'Write {"type": "object", "properties": …}.')
    return schema


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a property twice in {', '.join(key for key, _ in pairs)}")
    return found


@dataclass(frozen=True)
class SchemaPlace:
    """A part of the schema, and how one gets there."""

    name: str  # of the whole schema
    root: Mapping[str, Any]
    schema: Any
    pointer: str = "#"
    references: tuple[str, ...] = ()

    def refuse(self, message: str, hint: str) -> NoReturn:
        """Raise a `UsageError` that names the schema and the place."""
        raise UsageError(f"answer schema {self.name}: {self.pointer}: {message}", hint)

    def inside(self, *steps: str) -> "SchemaPlace":
        """Return the place that some steps inside this one lead to."""
        schema = self.schema
        for step in steps:
            schema = schema[int(step)] if isinstance(schema, list) else schema[step]
        escaped = (step.replace("~", "~0").replace("/", "~1") for step in steps)
        return replace(self, schema=schema, pointer="/".join([self.pointer, *escaped]))

    def instead(self, **keywords: Any) -> "SchemaPlace":
        """The same place with other keywords."""
        return replace(self, schema={k: v for k, v in {**self.schema, **keywords}.items() if v is not None})

    def description(self) -> str | None:
        """The schema's description of the value, on one line; None: it has none."""
        told = self.schema.get("description") if isinstance(self.schema, dict) else None
        return None if told is None else " ".join(told.split())

    def check_keywords(self, known: Collection[str]) -> None:
        """Check that there are no others than these, and prose."""
        for keyword in self.schema:
            if keyword not in {*known, *_PROSE, *(_OF_THE_WHOLE if self.pointer == "#" else ())}:
                self.refuse(f"`{keyword}` is not supported here", f"Supported: {', '.join(sorted(known))}.")

    def count(self, keyword: str) -> int:
        """A keyword that has to be there and be 1 or more."""
        found = self.schema.get(keyword)
        if found is None:
            self.refuse(f"no `{keyword}`, so nothing bounds it", f'Add "{keyword}".')
        if found < 1:
            self.refuse(f"`{keyword}` of {found}", "Leave the property out, or make it 1 or more.")
        return int(found)

    def decimal(self, keyword: str) -> Decimal:
        """A keyword that has to be there and be a number."""
        found = self.schema.get(keyword, 1 if keyword == "multipleOf" else None)
        if found is None:
            self.refuse(f"no `{keyword}`, so nothing bounds it", f'Add "{keyword}".')
        if not math.isfinite(found):
            self.refuse(f"`{keyword}` of {found}", "Write a number.")
        return Decimal(repr(found))
