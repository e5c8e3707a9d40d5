"""Answer types out of users' JSON Schema files: one file describes one record.

What fits a labelled line is asked for as the built-in answers are; other bounded values are written as JSON
on their line. Every property is required and every value bounded, so that a record's tokens are known before.
"""

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import BeforeValidator, Field, StringConstraints, create_model
from pydantic_core import to_jsonable_python

from jobs.prompts.answer_text import NOTHING
from jobs.prompts.schema.parts import (
    CHARS_PER_TOKEN,
    ListPart,
    Part,
    TextPart,
    WholePart,
    WordPart,
    YesNoPart,
    plain,
    python_type,
    usual_tokens,
)
from jobs.prompts.schema.place import SchemaPlace, load_schema
from jobs.prompts.schema.reading import MARKERS, SchemaReader, read_names
from schemas.answer_tables import RESERVED_COLUMNS
from schemas.answers import (
    Answer,
    AsJson,
    FromRoster,
    InSteps,
    Key,
    Layout,
    MaxTokens,
    Moments,
    Tiles,
    TimedAnswer,
)

_MAX_CHOICES = 200  # whole numbers that are offered one by one
_ROSTERS = ("characters",)


@lru_cache(maxsize=64)
def answer_from_schema(name: str, schema_text: str, layout: Layout) -> type[Answer]:
    """The answer type of a schema file, timed if its layout is; the same one for the same arguments.

    Raises `UsageError` for a schema that does not bound what it describes, naming the JSON pointer.
    """
    schema = load_schema(name, schema_text)
    whole = SchemaPlace(name, schema, schema)
    if schema.get("type") != "object":
        whole.refuse("not an object", 'The schema of a record is {"type": "object", "properties": …}.')
    reader = SchemaReader()
    fields = {
        key: _field(whole.inside("properties", key), f"{name}.{key}", reader)
        for key in read_names(whole, RESERVED_COLUMNS)
    }
    is_timed = isinstance(layout, Tiles | Moments)
    keys = [key for key, part in schema["properties"].items() if isinstance(part, dict) and "x-key" in part]
    if len(keys) > 1:
        whole.inside("properties", keys[-1]).refuse("a second `x-key`", "A record has one name at most.")
    answer: type[Answer] = create_model(
        name, __base__=TimedAnswer if is_timed else Answer, __doc__=whole.description(), **fields
    )
    answer.layout = layout
    return answer


def _field(place: SchemaPlace, name: str, reader: SchemaReader) -> Any:
    """Annotation and description of a property."""
    told = place.description()
    if not isinstance(place.schema, dict):
        reader.read(place)
    markers = {key: place.schema[key] for key in (*MARKERS, "uniqueItems") if key in place.schema}
    rest = replace(place, schema={k: v for k, v in place.schema.items() if k not in markers})
    return (_Property(place, name, reader.read(rest), markers).annotation(), Field(description=told))


class _Property:
    """One property of the record: which field it becomes, and whether its markers fit that."""

    def __init__(self, place: SchemaPlace, name: str, part: Part, markers: Mapping[str, Any]) -> None:
        self._place, self._name, self._part = place, name, part
        self._left = dict(markers)  # those that no field has taken yet

    def annotation(self) -> Any:
        match self._part:
            case TextPart(_, high):
                key = [Key()] if self._take("x-key", "true", lambda value: value is True) else []
                found = annotated(
                    line_type(high), MaxTokens(self._max_tokens(-(-high // CHARS_PER_TOKEN))), *key
                )
            case WholePart(step=step) as whole if whole.num_values <= _MAX_CHOICES:
                found = annotated(python_type(whole, self._name), *([InSteps(step)] if step > 1 else []))
            case WordPart() | YesNoPart():
                found = python_type(self._part, self._name)
            case ListPart(WordPart(options), 0, high):
                found = self._picks(options, high)
            case ListPart(TextPart(_, item_chars), 0, high):
                found = self._phrases(item_chars, high)
            case _:
                found = self._json()
        for keyword in self._left:
            self._place.refuse(f"`{keyword}` does not fit this value", "Docs/answers.md says what it marks.")
        return found

    def _picks(self, options: tuple[str, ...], max_items: int) -> Any:
        self._take("uniqueItems", "true or false", lambda value: True)
        for option in options:
            if ";" in option or option.casefold() == NOTHING:
                hint = f"`;` parts items, and `{NOTHING}` is an empty list."
                self._place.refuse(f"option {option!r} in a list", hint)
        most = Field(max_length=min(max_items, len(options)))
        return annotated(list[Literal[options]], most)  # type: ignore[valid-type]

    def _phrases(self, item_chars: int, max_items: int) -> Any:
        self._take("uniqueItems", "true or false", lambda value: True)
        roster = self._take("x-from", " or ".join(_ROSTERS), lambda value: value in _ROSTERS)
        tokens = [MaxTokens(self._max_tokens(0))] if "x-max-tokens" in self._left else []
        rest = (Field(max_length=max_items), *tokens, *([FromRoster()] if roster else []))
        return annotated(list[line_type(item_chars)], *rest)  # type: ignore[misc]

    def _json(self) -> Any:
        from videoxl2.constrained.json_grammar import (
            check_grammar,  # loads llguidance, which few schemas need
        )

        rules = plain(self._part)
        schema = json.dumps(rules, ensure_ascii=False, separators=(",", ":"))
        try:
            check_grammar(schema)
        except ValueError as error:
            self._place.refuse(f"cannot be written as JSON: {error}", "Bound it tighter.")
        tokens = MaxTokens(self._max_tokens(usual_tokens(self._part)))
        kind = python_type(self._part, self._name)
        return annotated(kind, BeforeValidator(_checked_by(rules)), AsJson(schema), tokens)

    def _max_tokens(self, usual: int) -> int:
        most = self._take("x-max-tokens", "1 or more", lambda value: type(value) is int and value >= 1)
        return int(most or usual)

    def _take(self, keyword: str, expected: str, is_valid: Callable[[Any], bool]) -> Any:
        """A marker's value, None where it is not given."""
        if keyword not in self._left:
            return None
        value = self._left.pop(keyword)
        if not is_valid(value):
            self._place.refuse(f"`{keyword}` of {json.dumps(value)}", f"Write {expected}.")
        return value


def line_type(max_chars: int) -> Any:
    """A text on a line of its own, or one among others there."""
    return Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=max_chars)]


def annotated(kind: Any, *markers: object) -> Any:
    """Return the type annotated with markers, or the type itself where there are none."""
    return operator.getitem(Annotated, (kind, *markers)) if markers else kind


def _checked_by(rules: Mapping[str, Any]) -> Callable[[Any], Any]:
    validator = Draft202012Validator(rules)

    def check(value: Any) -> Any:
        if problem := best_match(validator.iter_errors(to_jsonable_python(value))):
            raise ValueError(f"{problem.json_path}: {problem.message}")
        return value

    return check
