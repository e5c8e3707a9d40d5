"""What a JSON Schema is made of once it is read: parts that bound what they describe."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, create_model


@dataclass(frozen=True)
class TextPart:
    """A text of so many characters."""

    min_chars: int
    max_chars: int


@dataclass(frozen=True)
class WordPart:
    """One of these texts."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class NumberPart:
    """One of these numbers; whole ones are `int` where all are."""

    options: tuple[float, ...]


@dataclass(frozen=True)
class WholePart:
    """A whole number: `low`, `low + step`, … up to `high`."""

    low: int
    high: int
    step: int

    @property
    def num_values(self) -> int:
        """The count of whole numbers that are allowed."""
        return (self.high - self.low) // self.step + 1


@dataclass(frozen=True)
class YesNoPart:
    """A boolean."""


@dataclass(frozen=True)
class ListPart:
    """A list of so many items of one kind."""

    items: "Part"
    min_items: int
    max_items: int


@dataclass(frozen=True)
class ObjectPart:
    """Properties in writing order, each with its description."""

    properties: tuple[tuple[str, str | None, "Part"], ...]


@dataclass(frozen=True)
class NullablePart:
    """A part, or null."""

    part: "Part"


Part = TextPart | WordPart | NumberPart | WholePart | YesNoPart | ListPart | ObjectPart | NullablePart

CHARS_PER_TOKEN = 4

_STRICT = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def plain(part: Part) -> dict[str, Any]:
    """The part as JSON Schema again, without prose, references and other spellings of the same."""
    match part:
        case TextPart(low, high):
            return {"type": "string", "maxLength": high} | ({"minLength": low} if low else {})
        case WordPart(options) | NumberPart(options):
            return {"enum": list(options)}
        case WholePart(low, high, step):
            several = {"multipleOf": step} if step > 1 else {}
            return {"type": "integer", "minimum": low, "maximum": high, **several}
        case YesNoPart():
            return {"type": "boolean"}
        case ListPart(items, low, high):
            least = {"minItems": low} if low else {}
            return {"type": "array", "items": plain(items), "maxItems": high, **least}
        case NullablePart(inner):
            return {"anyOf": [plain(inner), {"type": "null"}]}
        case ObjectPart(properties):
            parts = {name: plain(inner) for name, _, inner in properties}
            return {
                "type": "object",
                "properties": parts,
                "required": list(parts),
                "additionalProperties": False,
            }


def usual_tokens(part: Part) -> int:
    """Tokens that the longest value takes as JSON, a text one for four characters, a digit one."""
    match part:
        case TextPart(_, high):
            return 2 + -(-high // CHARS_PER_TOKEN)
        case WordPart(options):
            return 2 + max(len(option) for option in options)
        case NumberPart(options):
            return max(len(repr(option)) for option in options)
        case WholePart(low, high):
            return max(len(str(low)), len(str(high)))
        case YesNoPart():
            return 1
        case NullablePart(inner):
            return usual_tokens(inner)
        case ListPart(items, _, high):
            return 2 + high * (usual_tokens(items) + 1)
        case ObjectPart(properties):
            keys = sum(3 + -(-len(name) // CHARS_PER_TOKEN) for name, _, _ in properties)
            return 2 + keys + sum(usual_tokens(inner) for _, _, inner in properties)


def python_type(part: Part, name: str) -> Any:
    """The type that pydantic checks and columns derive from; `name` is for the models of its objects."""
    match part:
        case TextPart(low, high):
            return Annotated[str, StringConstraints(min_length=low or None, max_length=high)]
        case WordPart(options):
            return Literal[options]
        case NumberPart(options):
            return int if all(isinstance(option, int) for option in options) else float
        case WholePart(low, high):
            return Annotated[int, Field(ge=low, le=high)]
        case YesNoPart():
            return bool
        case ListPart(items, low, high):
            return Annotated[list[python_type(items, name)], Field(min_length=low or None, max_length=high)]  # type: ignore[misc]
        case NullablePart(inner):
            return python_type(inner, name) | None
        case ObjectPart(properties):
            fields: dict[str, Any] = {
                key: (python_type(inner, f"{name}.{key}"), Field(description=told))
                for key, told, inner in properties
            }
            return create_model(name, __config__=_STRICT, **fields)
