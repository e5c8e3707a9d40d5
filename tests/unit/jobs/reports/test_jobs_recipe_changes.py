"""What is other in a newer recipe, in words."""

import pytest

from jobs.reports.recipe_changes import changes_between
from schemas.recipe import RecipeRecord


def recipe(**parts: object) -> RecipeRecord:
    told: dict[str, object] = {"model": "m1", "tasks": {"scenes": "1"}, "prompts": {"scenes": "What?"}}
    told |= {"recipe_id": "r", "model_id": "small", "sampling": "", "settings": {"fps": "1"}}
    return RecipeRecord.model_validate(told | parts)


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (recipe(), ()),
        (recipe(model_id="small-copy"), ()),  # the same weights elsewhere
        (recipe(model_id="large", model="m2"), ("model small → large",)),
        (recipe(model_id=None, model=""), ("model small → none",)),
        (recipe(settings={"fps": "2", "split": "yes"}), ("fps 1 → 2", "split – → yes")),
        (recipe(tasks={"scenes": "2"}, prompts={"scenes": "Who?"}), ("prompt scenes changed",)),
        (recipe(tasks={"scenes": "2"}), ("prompt scenes is told or checked otherwise",)),
        (recipe(tasks={"cars": "1"}), ("prompt cars added", "prompt scenes left out")),
        (recipe(signals={"captions": "1"}), ("signal captions added",)),
    ],
)
def test_every_part_that_differs_is_named(after, changes):
    """And none that does not."""
    assert changes_between(recipe(), after) == changes


def test_a_signal_that_went_is_named():
    """As one that came."""
    assert changes_between(recipe(signals={"cuts": "1"}), recipe()) == ("signal cuts left out",)


def test_what_nobody_declared_cannot_be_compared():
    """On either side."""
    for pair in ((None, recipe()), (recipe(), None)):
        assert changes_between(*pair) == ("not declared, so what differs is not known",)
