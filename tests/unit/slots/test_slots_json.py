"""JSON values in an answer: valid, on one line and inside their bound, whatever the model wants."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jobs.prompts.answer_text import parse_records
from jobs.prompts.program.programs import program_for, run_program
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.schema.answer_schema import answer_from_schema
from schemas.answers import Layout, Moments, One, Several, Tiles
from videoxl2.constrained.drive import Sampling, fill
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.json_grammar import check_grammar
from videoxl2.constrained.json_schema import json_bound
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import STOP, Got, Json, Literal, Program


def text(max_length: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": max_length, **more}


def whole(low: int, high: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, **more}


def many(items: Any, most: int, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most, **more}


def thing(**properties: Any) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def or_null(schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


CARS = many(
    thing(
        plate=text(12),
        colour={"enum": ["red", 'b"lue', "re", "größe 👩‍🚀"]},
        speed=whole(0, 300),
        share={"enum": [0, 0.1, 0.25, 1]},
        note=or_null(text(40)),
        parts=many(text(5, minLength=1), 4, minItems=2),
    ),
    6,
    minItems=1,
)
SCHEMAS = {
    "cars": CARS,
    "text": text(10),
    "number": whole(-5, 100_000, multipleOf=7),
    "number or null": or_null(whole(1000, 99_999)),
    "options": {"enum": [1, 10, 100, 1.5]},
    "boolean": {"type": "boolean"},
    "lists": many(many(text(3, minLength=1), 2, minItems=2), 3, minItems=3),
    "deep": thing(a=thing(b=or_null(thing(c=many({"type": "boolean"}, 3))))),
}
ENDS = (("\n",), ("\n\n", STOP))
BARRED = {"\x7f", *map(chr, range(0x20)), *map(chr, range(0x80, 0xA0)), "\u2028", "\u2029"}
BARRED |= {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def measured(slot: Json) -> Program[tuple[Got, Got]]:
    yield Literal("Cars:")
    before = yield Literal("")
    return before, (yield slot)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_is_valid_and_ends(name: str, hostile: str, table: TokenTable) -> None:
    """Valid under its schema, one line of legal characters behind one blank, and never over its bound."""
    schema = SCHEMAS[name]
    for seed, max_tokens in enumerate((1, 3, 30, 200)):
        slot = Json(json.dumps(schema), max_tokens, ENDS[seed % 2])
        filling = fill(
            measured(slot), table, HostileModel(hostile, table, seed), [1], Sampling(seed % 2, seed)
        )
        before, got = filling.result
        Draft202012Validator(schema).validate(json.loads(got.text))
        assert filling.text == f"Cars: {got.text}{slot.ends[got.index].removesuffix(STOP)}"
        assert not set(got.text) & BARRED
        end_tokens = max(table.count(end) for end in slot.ends)
        assert got.num_spent - before.num_spent <= json_bound(slot.schema, max_tokens, end_tokens)


def test_the_reserve_is_not_far_off(table: TokenTable) -> None:
    """A value cut off at its worst place takes most of what was set aside to close it."""
    schema = thing(a=or_null(thing(b=text(5, minLength=1))), c=many(whole(100, 999), 4, minItems=4))
    worst = 0
    for hostile in HOSTILE:
        for max_tokens in range(1, 12):
            slot = Json(json.dumps(schema), max_tokens)
            before, got = fill(measured(slot), table, HostileModel(hostile, table, 0), [1]).result
            worst = max(worst, got.num_spent - before.num_spent - max_tokens)
    assert worst > 0.5 * (json_bound(json.dumps(schema), 1, 1) - 1)


def test_the_model_gets_what_it_wants(table: TokenTable, wishing: Any) -> None:
    """A valid value is written in the tokens that the tokenizer gives the whole line, unflagged."""
    value = [
        {"plate": 'AB "12"', "colour": "red", "speed": 120, "share": 0.25, "note": None, "parts": ["a", "b"]}
    ]
    wish = "Cars: " + json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
    filling = fill(measured(Json(json.dumps(CARS), 200)), table, wishing(wish), [1])
    assert filling.text == wish
    assert filling.token_ids == table.encode([wish])[0]
    stats = filling.result[1].stats
    assert (stats.truncated, stats.looped) == (False, False)
    assert 0 < len(stats.decisions) < len(filling.token_ids), "what the schema forces costs no decision"
    assert stats.min_logprob <= stats.mean_logprob < 0
    assert 0.9 < stats.min_allowed_mass <= stats.allowed_mass <= 1.00001


def test_a_value_out_of_tokens_is_closed_and_says_so(table: TokenTable, wishing: Any) -> None:
    """What is open is closed, what is missing is as short as the schema allows."""
    schema = json.dumps(thing(a=text(90), b=or_null(text(9)), c=many(whole(5, 9), 3, minItems=1)))
    filling = fill(measured(Json(schema, 16)), table, wishing('Cars: {"a":"the dog walks and walks and'), [1])
    value = json.loads(filling.result[1].text)
    assert value["a"].startswith("the")
    assert (value["b"], value["c"]) == (None, [5])
    assert filling.result[1].stats.truncated


def test_no_escape_but_of_quotes_and_backslashes(table: TokenTable, wishing: Any) -> None:
    """A model that wants a line break, a surrogate or a letter by its number has to write something else."""
    for wish in ("a\\nb", "\\ud800", "\\u0041", "\\/"):
        filling = fill(measured(Json(json.dumps(text(20)), 30)), table, wishing(f'Cars: "{wish}"\n'), [1])
        assert wish not in filling.result[1].text
        assert "\n" not in json.loads(filling.result[1].text)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": text(3)},
        {"type": "array", "maxItems": 3},
        {**thing(a=text(3)), "additionalProperties": True},
        {**thing(a=text(3)), "required": []},
        {"enum": []},
        {"enum": [None]},
        text(9, minLength=4),
        whole(0, 2**40, multipleOf=1001),
        many(text(3), 2, minItems=3),
        {"anyOf": [text(3), whole(0, 3)]},
        {"oneOf": [text(3)]},
        many({"type": "string"}, 3),
        {"type": "string", "maxLength": 9, "pattern": "a*"},
    ],
    ids=json.dumps,
)
def test_schemas_that_nothing_bounds_are_an_error(schema: Any) -> None:
    """Or that say more than is kept: before any model runs."""
    with pytest.raises(ValueError, match="cannot be asked for"):
        Json(json.dumps(schema), 20)


def test_mistakes_in_a_slot_are_named() -> None:
    """No room, no end, an end that could be a value's, and options that no line can hold."""
    good: dict[str, Any] = {"schema": json.dumps(text(3)), "max_tokens": 5}
    for bad in ({"max_tokens": 0}, {"ends": ()}, {"ends": (";",)}):
        with pytest.raises(ValueError, match=r"JSON value|control character"):
            Json(**good | bad)
    for option in ("a\u2028b", "a\x7fb", "a\u202eb"):
        with pytest.raises(ValueError, match="line separator"):
            check_grammar(json.dumps({"enum": [option]}))
    with pytest.raises(ValueError, match="20,000 are the most"):
        check_grammar(json.dumps({"enum": ["x" * 20_000]}))


RECORD = {
    **thing(
        label=text(40) | {"x-key": True, "x-max-tokens": 9},
        mood={"enum": ["calm", "tense"]},
        night={"type": "boolean"},
        cast=many(text(40), 5) | {"x-from": "characters"},
        kinds=many({"enum": ["car", "bus", "bike", "car park"]}, 3),
        cars=CARS,
        weather=or_null(text(30)),
        share={"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.1},
    )
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(
    "layout", [One(), Several(3), Tiles(6, 8.0, 1.0), Moments(3, 60.0)], ids=lambda x: type(x).__name__
)
def test_hostile_models_answer_a_users_schema(layout: Layout, hostile: str, table: TokenTable) -> None:
    """Every kind of field in one record: parsed, checked by pydantic and jsonschema, inside the bound."""
    answer = answer_from_schema("cars", json.dumps(RECORD), layout)
    context = AnswerContext(60_000, tuple(range(0, 60_000, 500)), ("Ann", "Bob"), None, 900)
    for seed in range(2):
        program = program_for(answer, context, table.count)
        model = HostileModel(hostile, table, seed)
        filled = run_program(program, table, model, [1], Sampling(seed, seed))
        assert tuple(parse_records(answer, filled.text)) == filled.records
        for record in filled.records:
            values = record.model_dump()
            Draft202012Validator(CARS).validate(values["cars"])
            assert set(values["cast"]) <= {"Ann", "Bob"}
            assert len(set(values["kinds"])) == len(values["kinds"]) <= 3
            assert isinstance(values["night"], bool)
        assert len(filled.token_ids) <= filled.num_spent <= filled.token_bound


def test_answers_without_json_load_no_llguidance() -> None:
    """Nor does reading a schema whose fields all fit a line; torch is not needed for either."""
    code = (
        "import json, sys, jobs.prompts.program.programs, jobs.prompts.schema.answer_schema\n"
        "import videoxl2.constrained.fill\n"
        "import schemas.answers as a\n"
        "jobs.prompts.schema.answer_schema.answer_from_schema('x', sys.argv[1], a.One())\n"
        "assert 'llguidance' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(thing(note=text(9)))], check=True)
    loads = (
        "import jobs.prompts.schema.answer_schema, videoxl2.constrained.json_grammar, sys\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", loads], check=True)
