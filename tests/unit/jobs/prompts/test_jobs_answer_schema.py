"""Users' JSON Schema files as answer types: what becomes of each value, and what is refused where."""

import json
import re
from fractions import Fraction

import pytest
from places import ROOT
from pydantic import ValidationError

from jobs.prompts.answer_text import InvalidAnswerError, describe_format, parse_records, write_records
from jobs.prompts.pack import OwnAnswer, Prompt
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.recipe import Recipe
from jobs.prompts.schema.answer_schema import answer_from_schema
from schemas.answer_tables import RESERVED_COLUMNS
from schemas.answers import One, Several, Tiles, TimedAnswer
from schemas.failures import UsageError
from schemas.rows import Lineage

FOUR = Several(4)
PLATE = {"type": "string", "maxLength": 12}


def record(**properties):
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


SCHEMA = record(
    label={"type": "string", "maxLength": 40, "x-key": True, "x-max-tokens": 9, "description": "A name"},
    mood={"enum": ["calm", "tense"]},
    night={"type": "boolean", "description": "Whether it\nis dark"},
    count={"type": "integer", "minimum": 3, "maximum": 99, "multipleOf": 5},
    cast={
        "type": "array",
        "items": {"type": "string", "maxLength": 40},
        "maxItems": 5,
        "x-from": "characters",
    },
    tags={"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 4, "x-max-tokens": 20},
    kinds={"type": "array", "items": {"enum": ["car", "bus"]}, "maxItems": 5, "uniqueItems": True},
    vehicles={"type": "array", "maxItems": 4, "items": {"$ref": "#/$defs/vehicle"}},
    share={"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.1},
    views={"type": "integer", "minimum": 0, "maximum": 10**9},
    weather={"type": ["string", "null"], "maxLength": 30},
    kind={"const": "traffic"},
) | {
    "description": "Cars of a scene.",
    "$defs": {
        "vehicle": record(
            plate={**PLATE, "description": "As seen"},
            speed={"anyOf": [{"type": "integer", "minimum": 0, "maximum": 300}, {"type": "null"}]},
        )
    },
}
FORMAT = """\
Label: <text>
Mood: calm | tense
Night: yes | no
Count: <number from 5 to 95>
Cast: <item>; <item>, or none
Tags: <item>; <item>, or none
Kinds: <any of car | bus, parted by ;>, or none
Vehicles: [{"plate":"<text>","speed":<number from 0 to 300> | null}, …]
Share: <number from 0 to 1>
Views: <number from 0 to 1000000000>
Weather: "<text>" | null
Kind: traffic"""
WRITTEN = """\
Label: a street
Mood: calm
Night: yes
Count: 5
Cast: Ann; Bob
Tags: none
Kinds: bus
Vehicles: [{"plate":"A\\"1; é","speed":null}]
Share: 0.3
Views: 120000
Weather: null
Kind: traffic"""


def answer_of(schema, layout=FOUR):
    return answer_from_schema("cars", json.dumps(schema), layout)


def test_prompts_show_what_may_be_written():
    """Flat values as the built-in answers have them, the others as a sketch of their JSON."""
    assert describe_format(answer_of(SCHEMA)) == FORMAT


def test_what_is_written_is_read_back():
    """Text, booleans, numbers, lists and JSON values; the record holds them typed."""
    [found] = parse_records(answer_of(SCHEMA), WRITTEN)
    assert found.model_dump() == {
        "label": "a street",
        "mood": "calm",
        "night": True,
        "count": 5,
        "cast": ["Ann", "Bob"],
        "tags": [],
        "kinds": ["bus"],
        "vehicles": [{"plate": 'A"1; é', "speed": None}],
        "share": 0.3,
        "views": 120_000,
        "weather": None,
        "kind": "traffic",
    }
    assert write_records([found]) == WRITTEN
    assert parse_records(type(found), write_records([found, found])) == [found, found]


def test_descriptions_document_the_columns():
    """The whole's is the type's, each property's its field's, nested ones included, on one line."""
    answer = answer_of(SCHEMA)
    assert answer.__doc__ == "Cars of a scene."
    assert answer.model_fields["label"].description == "A name"
    assert answer.model_fields["night"].description == "Whether it is dark"
    [vehicle] = answer.model_fields["vehicles"].annotation.__args__
    assert vehicle.model_fields["plate"].description == "As seen"


def test_timed_layouts_make_timed_answers():
    """Tiles and moments open with a span; others have none. Equal arguments give the same type."""
    assert issubclass(answer_of(SCHEMA, Tiles(4, 8.0, 1.0)), TimedAnswer)
    assert not issubclass(answer_of(SCHEMA, One()), TimedAnswer)
    assert answer_of(SCHEMA).layout == Several(4)
    assert answer_of(SCHEMA) is answer_of(SCHEMA)


def test_every_field_has_a_token_bound():
    """Also where no `x-max-tokens` is given; with it the bound falls."""
    context = AnswerContext(60_000, (0, 500), ("Ann",))
    free = record(cars={"type": "array", "items": PLATE, "maxItems": 9, "minItems": 1})
    tight = record(cars=free["properties"]["cars"] | {"x-max-tokens": 12})
    assert program_for(answer_of(SCHEMA), context, len).record_bound < 3000
    assert (
        program_for(answer_of(tight), context, len).token_bound
        < program_for(answer_of(free), context, len).token_bound
    )


@pytest.mark.parametrize(
    ("line", "value", "complaint"),
    [
        ("Vehicles", "[{", "no JSON"),
        ("Vehicles", '[{"plate":"a"}]', "speed"),
        ("Vehicles", '[{"plate":"a","speed":301}]', "301"),
        ("Vehicles", '[{"plate":"a","speed":3,"x":1}]', "x"),
        ("Share", "0.35", "0.35"),
        ("Share", "NaN", "Share"),
        ("Views", "1.5", "Views"),
        ("Weather", "wet", "no JSON"),
        ("Night", "maybe", "Night"),
        ("Kinds", "bus; boat", "Kinds"),
        ("Kind", "other", "Kind"),
    ],
)
def test_an_invalid_value_is_named(line, value, complaint):
    """The record, the field and what is wrong with it."""
    text = "\n".join(
        f"{line}: {value}" if shown.startswith(f"{line}:") else shown for shown in WRITTEN.splitlines()
    )
    with pytest.raises(InvalidAnswerError, match=complaint):
        parse_records(answer_of(SCHEMA), text)


def test_values_are_checked_where_records_are_made():
    """The subschema holds for records built by hand as well."""
    with pytest.raises(ValidationError, match=r"0\.35"):
        answer_of(record(share=SCHEMA["properties"]["share"]))(share=0.35)


def test_bounds_change_the_recipe_and_prose_does_not():
    """What the hash of a recipe sees: every bound, marker, option and layout, and no wording."""

    def seen(schema, layout=FOUR):
        prompt = Prompt("cars", 1, 500, "Cars?", None, OwnAnswer(json.dumps(schema), layout))
        return Recipe("m", "r", "auto", Fraction(1), 9, (prompt,)).recipe_id

    changed = [seen(SCHEMA, Several(5))]
    for path, value in [
        ("label/maxLength", 41),
        ("label/x-max-tokens", 8),
        ("mood/enum", ["calm", "loud"]),
        ("count/maximum", 94),
        ("count/multipleOf", 6),
        ("tags/maxItems", 3),
        ("tags/x-max-tokens", 19),
        ("kinds/items", {"enum": ["bus", "car"]}),
        ("vehicles/x-max-tokens", 50),
        ("vehicles/maxItems", 5),
        ("vehicles/minItems", 1),
        ("share/multipleOf", 0.2),
        ("views/maximum", 10**8),
        ("weather/maxLength", 31),
        ("kind/const", "cars"),
    ]:
        schema = json.loads(json.dumps(SCHEMA))
        name, keyword = path.split("/")
        schema["properties"][name][keyword] = value
        changed.append(seen(schema))
    without_key = json.loads(json.dumps(SCHEMA))
    del without_key["properties"]["label"]["x-key"]
    nested = json.loads(json.dumps(SCHEMA))
    nested["$defs"]["vehicle"]["properties"]["plate"]["maxLength"] = 13
    changed += [seen(without_key), seen(nested)]
    assert len({seen(SCHEMA), *changed}) == 1 + len(changed)

    reworded = json.loads(json.dumps(SCHEMA).replace("As seen", "From behind").replace("A name", "Name"))
    reworded["$comment"] = "2026"
    assert seen(reworded) == seen(SCHEMA)


ALL = {"a": PLATE}
CIRCLE = record(a={"$ref": "#/$defs/x"}) | {"$defs": {"x": record(b={"$ref": "#/$defs/x"})}}
VAST = record(a={"$ref": "#/$defs/x0"}) | {
    "$defs": {f"x{n}": record(**{k: {"$ref": f"#/$defs/x{n + 1}"} for k in "abcd"}) for n in range(9)}
    | {"x9": PLATE}
}


def list_of(items, **more):
    return {"type": "array", "items": items, "maxItems": 3, **more}


def number(kind="integer", **more):
    return {"type": kind, "minimum": 0, "maximum": 9, **more}


@pytest.mark.parametrize(
    ("schema", "where", "complaint"),
    [
        ("{", "", "not JSON"),
        ('{"a": 1, "a": 2}', "", "twice"),
        ('{"maximum": NaN}', "", "NaN"),
        ("[" * 100_000, "", "not JSON"),
        ("[]", "#", "not of type|not an object"),
        ("true", "#", "not an object"),
        ({"type": "objekt"}, "#/type", "not valid"),
        (record(a={"type": "string", "maxLength": -1}), "#/properties/a/maxLength", "minimum"),
        (list_of(PLATE), "#", "not an object"),
        (record(), "#", "no properties"),
        (record(a=True), "#/properties/a", "allows anything"),
        (record(a={}), "#/properties/a", "no type"),
        (record(a={"type": "string"}), "#/properties/a", "no `maxLength`, so nothing bounds it"),
        (record(a={"type": "string", "maxLength": 0}), "#/properties/a", "`maxLength` of 0"),
        (record(a=PLATE | {"minLength": 2}), "#/properties/a", "`minLength` over 1"),
        (record(a={"type": "array", "items": PLATE}), "#/properties/a", "no `maxItems`"),
        (record(a={"type": "array", "maxItems": 3}), "#/properties/a", "no `items`"),
        (record(a=list_of({"type": "string"})), "#/properties/a/items", "no `maxLength`"),
        (record(a=list_of(PLATE, minItems=4)), "#/properties/a", "`minItems` over"),
        (
            record(a=list_of(record(b=PLATE), uniqueItems=True)),
            "#/properties/a",
            "`uniqueItems` does not fit",
        ),
        (record(a=list_of({"enum": ["x;y"]})), "#/properties/a", "'x;y'"),
        (record(a=list_of({"enum": ["None"]})), "#/properties/a", "'None'"),
        (record(a={"type": "integer", "minimum": 0}), "#/properties/a", "no `maximum`"),
        (record(a={"type": "integer", "maximum": 0}), "#/properties/a", "no `minimum`"),
        (record(a=number(maximum=2**63)), "#/properties/a", "64 bits"),
        (record(a=number(minimum=0.5)), "#/properties/a", "not whole"),
        (record(a=number(maximum=-1)), "#/properties/a", "no number fits"),
        (record(a=number(maximum=10**9, multipleOf=1001)), "#/properties/a", "as JSON"),
        (record(a=number("number")), "#/properties/a", "no last digit"),
        (record(a=number("number", multipleOf=0.001)), "#/properties/a", "9001 numbers"),
        (record(a={"type": "number", "multipleOf": 0.1}), "#/properties/a", "no `minimum`"),
        (record(a={"type": "number", "multipleOf": 1e-9, "minimum": 0, "maximum": 1e-8}), "#/", "tiny"),
        (record(a=number(exclusiveMaximum=7)), "#/properties/a", "`exclusiveMaximum` is not supported"),
        (record(a={"type": "null"}), "#/properties/a", "null"),
        (record(a={"type": ["string", "integer"]}), "#/properties/a", "a union"),
        (record(a={"anyOf": [PLATE, {"type": "boolean"}]}), "#/properties/a", "a union"),
        (record(a={"enum": []}), "#/properties/a", "empty enum"),
        (record(a={"enum": ["x", "x"]}), "#/properties/a", "twice"),
        (record(a={"enum": ["x", 1]}), "#/properties/a", "mixed types"),
        (record(a={"enum": ["x", None]}), "#/properties/a", "mixed types"),
        (record(a={"const": True}), "#/properties/a", "mixed types"),
        (record(a={"enum": ["x\ny"]}), "#/properties/a", "not one plain line"),
        (record(a={"enum": [" x"]}), "#/properties/a", "not one plain line"),
        (json.dumps(record(a={"enum": [1.5]})).replace("1.5", "1e400"), "#/properties/a", "types"),
        (record(a=PLATE | {"pattern": "x*"}), "#/properties/a", "`pattern` is not supported"),
        (record(a={"oneOf": [PLATE]}), "#/properties/a", "`oneOf` is not supported"),
        (record(a=record(b=PLATE) | {"patternProperties": {}}), "#/properties/a", "`patternProperties`"),
        (record(a=PLATE) | {"additionalProperties": True}, "#", "other properties"),
        (record(a=record(b=PLATE) | {"additionalProperties": {}}), "#/properties/a", "other properties"),
        ({"type": "object", "properties": ALL, "required": ["a"]}, "#", "other properties"),
        (record(a=PLATE) | {"required": []}, "#", "'a' is not required"),
        (record(a=PLATE) | {"required": ["a", "b"]}, "#", "'b' is required and not described"),
        (record(a={"$ref": "other.json"}), "#/properties/a", "`\\$ref` to other.json"),
        (record(a={"$ref": "#/$defs/none"}), "#/properties/a", "`\\$ref` to"),
        (CIRCLE, "#/$defs/x/properties/b", "circle"),
        (VAST, "#/", "more than 1000 parts"),
        (
            record(a={"enum": ["x" * 30_000]}, b=list_of(list_of({"enum": ["y" * 30_000]}))),
            "#/properties/b",
            "20,000",
        ),
        (record(Plate=PLATE), "#/properties/Plate", "the name"),
        (record(red_=PLATE), "#/properties/red_", "the name"),
        (
            record(a=list_of(record(**{"red car": PLATE}))),
            "#/properties/a/items/properties/red car",
            "the name",
        ),
        (record(start_ms=PLATE), "#/properties/start_ms", "is taken"),
        (record(video_id=PLATE), "#/properties/video_id", "is taken"),
        (record(confidence=PLATE), "#/properties/confidence", "is taken"),
        (record(layout=PLATE), "#/properties/layout", "is taken"),
        (record(a=record(json=PLATE)), "#/properties/a/properties/json", "is taken"),
        (record(a=PLATE | {"x-colour": 1}), "#/properties/a", "unknown keyword `x-colour`"),
        (record(a=PLATE) | {"x-colour": 1}, "#", "`x-colour`"),
        (record(a=list_of(PLATE | {"x-key": True})), "#/properties/a/items", "`x-key` inside a value"),
        (record(a=PLATE | {"x-max-tokens": 0}), "#/properties/a", "`x-max-tokens` of 0"),
        (record(a=PLATE | {"x-max-tokens": "9"}), "#/properties/a", "`x-max-tokens` of"),
        (record(a={"type": "boolean", "x-max-tokens": 9}), "#/properties/a", "`x-max-tokens` does not fit"),
        (record(a=list_of({"enum": ["x"]}, **{"x-max-tokens": 9})), "#/properties/a", "does not fit"),
        (record(a=number() | {"x-key": True}), "#/properties/a", "`x-key` does not fit"),
        (record(a=PLATE | {"x-key": "yes"}), "#/properties/a", "`x-key` of"),
        (record(a=PLATE | {"x-key": True}, b=PLATE | {"x-key": True}), "#/properties/b", "a second `x-key`"),
        (record(a=list_of(PLATE) | {"x-from": "scenes"}), "#/properties/a", "`x-from` of"),
        (record(a=PLATE | {"x-from": "characters"}), "#/properties/a", "`x-from` does not fit"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)
def test_what_cannot_be_asked_for_is_refused_where_it_stands(schema, where, complaint):
    """With the place as a JSON pointer and a hint, before any model runs."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    with pytest.raises(UsageError, match=complaint) as raised:
        answer_from_schema("cars", text, One())
    assert raised.value.message.startswith(f"answer schema cars: {where}")
    assert raised.value.hint


def test_lineage_columns_are_reserved():
    """No answer can write over what says where a row comes from."""
    assert set(Lineage.model_fields) <= RESERVED_COLUMNS


def test_the_documented_example_is_what_it_says():
    """The schema in docs/answers.md makes the lines shown below it, and the answer shown is read."""
    page = (ROOT / "docs" / "answers.md").read_text(encoding="utf-8")
    block, _, rest = page.partition("```json\n")[2].partition("```\n")
    answer = answer_from_schema("street", block, FOUR)
    shown = [re.split(r"   +", line.strip()) for line in rest.splitlines() if line.startswith("    ")][:4]
    for line, (prompt, _) in zip(describe_format(answer).splitlines(), shown, strict=True):
        assert line.startswith(prompt.removesuffix(" …"))
    written = "\n".join(value for _, value in shown)
    assert write_records(parse_records(answer, written)) == written
