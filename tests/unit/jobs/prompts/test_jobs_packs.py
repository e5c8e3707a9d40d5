"""Packs of prompts: ours, and folders of users' with answer schemas and tables of their own."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from places import DATA

from jobs.prompts.budget import check_budgets
from jobs.prompts.pack import PACKS, load_packs, own_tables
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.recipe import Recipe
from jobs.weights import find_weights
from schemas.failures import UsageError
from storage.index.tables.columns import columns_of
from videoxl2.random_checkpoint import write_random_checkpoint

PARROT = DATA / "parrot"
SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "maxLength": 40},
        "plates": {
            "type": "array",
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string", "maxLength": 12}, "is_sure": {"type": "boolean"}},
                "required": ["text", "is_sure"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["colour", "plates"],
    "additionalProperties": False,
}
FRONT = """+++
id = "vehicles"
version = 2
answer = "vehicles.json"
records = { layout = "moments", at_most = 5, longest_s = 30 }
max_new_tokens = 2000
+++
Which vehicles pass between {start} and {end} seconds?

{format}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder with one prompt about vehicles."""
    (tmp_path / "vehicles.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "1-vehicles.md").write_text(FRONT)
    return tmp_path


@pytest.mark.parametrize("name", sorted(folder.name for folder in PACKS.iterdir()))
def test_our_packs_can_be_asked(name):
    """Every prompt shows its format, fits its budget, and its answers end within a known number of tokens."""
    prompts = load_packs([name])
    check_budgets(prompts, find_weights(str(PARROT)))
    context = AnswerContext(600_000, tuple(range(0, 600_000, 1000)))
    for prompt in prompts:
        assert "{format}" in prompt.text
        program = program_for(prompt.answer, context, lambda text: len(text.encode()))
        assert program.max_records >= 1


def test_a_folder_is_a_pack_with_its_own_table(pack):
    """Columns come from the schema: flat ones, nested ones, and those that every answer has."""
    (prompt,) = load_packs([str(pack)])
    assert (prompt.prompt_id, prompt.window_ms) == ("vehicles@2", None)
    (table,) = own_tables([prompt]).items()
    columns = {column.name: column.sql_type for column in columns_of(table[1])}
    assert table[0] == "vehicles"
    assert columns["colour"] == "VARCHAR"
    assert columns["plates"] == 'STRUCT("text" VARCHAR, "is_sure" BOOLEAN)[]'
    assert {"start_ms", "evidence_ms", "confidence", "record_index", "run_id"} < columns.keys()


def test_packs_add_up(pack):
    """In the order given; one name twice is an error."""
    names = [prompt.name for prompt in load_packs(["default", str(pack)])]
    assert names == ["summary", "characters", "scenes", "highlights", "vehicles"]
    with pytest.raises(UsageError, match="two prompts are called vehicles"):
        load_packs([str(pack), str(pack)])
    with pytest.raises(UsageError, match="there is no prompt pack nowhere"):
        load_packs(["nowhere"])


def test_whatever_a_pack_says_is_in_the_recipe(pack):
    """Text, bounds and layout; the wording of a description is not."""

    def recipe_id(front: str = FRONT, schema: object = SCHEMA) -> str:
        (pack / "1-vehicles.md").write_text(front)
        (pack / "vehicles.json").write_text(json.dumps(schema))
        return Recipe("m", "r", "auto", Fraction(1), 9, load_packs([str(pack)])).recipe_id

    longer = json.loads(json.dumps(SCHEMA).replace("40", "41"))
    told = {**SCHEMA, "description": "A vehicle"}
    ids = [
        recipe_id(),
        recipe_id(FRONT.replace("at_most = 5", "at_most = 6")),
        recipe_id(FRONT.replace("Which", "What")),
        recipe_id(schema=longer),
    ]
    assert len(set(ids)) == 4
    assert recipe_id(schema=told) == ids[0]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"vehicles"', '"videos"', "'videos' cannot be a table"),
        ('"vehicles"', '"Big Cars"', "'Big Cars' cannot be a table"),
        ('"vehicles"', '"failures"', "cannot be a table"),
        ('"vehicles"', '"scenes_all"', "cannot be a table"),
        ('"vehicles"', '"véhicules"', "cannot be a table"),
        ("vehicles.json", "other.json", "other.json: No such file"),
        ('"moments"', '"moment"', "no layout of records"),
        ("records", "#records", "no layout of records"),
        ("{start}", "{start:.1f}", "unknown placeholder .'start'"),
        ("{start}", "{start!q}", "unknown placeholder .'start'"),
        ("{start}", "{start:{x}}", "unknown placeholder .'start'"),
        ("max_new", "window_s = inf\nmax_new", "bad front matter"),
        ("at_most = 5", "at_most = 0", "records.at_most: .*greater than or equal to 1"),
        ("at_most = 5", 'at_most = "x"', "records.at_most: .*integer"),
        ("at_most = 5, ", "", "records.at_most: .*required"),
        ("at_most = 5", "at_most = 5, least = 1", "unknown records.least"),
        ('answer = "vehicles.json"', "", "no answer type 'vehicles'"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_named(pack, old, new, complaint):
    """With what is wrong with it."""
    (pack / "1-vehicles.md").write_text(FRONT.replace(old, new))
    with pytest.raises(UsageError, match=complaint):
        load_packs([str(pack)])


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ("{", "vehicles"),
        ('{"type": "string"}', "not an object"),
        (json.dumps(SCHEMA).replace('"maxLength": 40', '"minLength": 1'), "colour: no `maxLength`"),
        (json.dumps(SCHEMA).replace('"maxItems": 3', '"minItems": 1'), "plates"),
        (json.dumps(SCHEMA).replace('"maxLength": 40', '"maxLength": "many"'), "colour"),
        (json.dumps(SCHEMA).replace('"colour"', '"run_id"'), "run_id"),
    ],
)
def test_a_schema_that_bounds_nothing_is_named(pack, schema, complaint):
    """Broken or without bounds: found before any GPU time, with the place in the schema."""
    (pack / "vehicles.json").write_text(schema)
    with pytest.raises(UsageError, match=complaint):
        load_packs([str(pack)])


def test_frames_that_leave_no_room_for_a_question_are_refused(tmp_path):
    """Before anything is spent, with the number that fits; a model without an end takes any number."""
    llava = find_weights(str(write_random_checkpoint(tmp_path, family="LLaVA-Video")))
    prompts = load_packs()
    with pytest.raises(UsageError, match=r"LLaVA-Video takes at most .* not 2048") as caught:
        check_budgets(prompts, llava, 2048)
    assert "--max-frames 64; with --split" in caught.value.hint
    limit = int(caught.value.message.split("at most ")[1].split()[0])
    check_budgets(prompts, llava, limit)
    with pytest.raises(UsageError, match="at most"):
        check_budgets(prompts, llava, limit + 1)
    check_budgets(prompts, find_weights(str(PARROT)), 10_000)


def test_what_a_prompt_may_tell_of_what_is_said_counts(pack, tmp_path_factory):
    """Up to its bound; a video without a word would fit, and one full of talk must, too."""
    folder = tmp_path_factory.mktemp("llava")
    llava = find_weights(str(write_random_checkpoint(folder, family="LLaVA-Video")))

    def most(front: str) -> int:
        (pack / "1-vehicles.md").write_text(front)
        with pytest.raises(UsageError) as caught:
            check_budgets(load_packs([str(pack)]), llava, 10_000)
        return int(caught.value.message.split("at most ")[1].split()[0])

    per_frame = llava.config.tokens_per_group
    told = FRONT.replace("Which", "Said: {said}\nWhich")
    some, more = (
        told.replace("max_new", f"said_tokens = {n}\nmax_new", 1) for n in (500, 500 + 100 * per_frame)
    )
    assert most(FRONT) - most(some) >= 400 // (per_frame + 12), "a frame's time is told, too"
    assert 50 <= most(some) - most(more) <= 100


def test_a_budget_too_small_for_a_record_is_found_before_the_model_loads(pack):
    """With the model's own tokenizer, as is a prompt that would break the chat's frame."""
    weights = find_weights(str(PARROT))
    (pack / "1-vehicles.md").write_text(FRONT.replace("2000", "20"))
    with pytest.raises(UsageError, match=r"vehicles@2: .*20 tokens allowed, and one record can take"):
        check_budgets(load_packs([str(pack)]), weights)
    (pack / "1-vehicles.md").write_text(FRONT.replace("Which", "<|im_end|>"))
    with pytest.raises(UsageError, match="vehicles@2: the prompt contains the control text"):
        check_budgets(load_packs([str(pack)]), weights)
