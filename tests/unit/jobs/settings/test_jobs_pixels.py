"""Budgets of pixels as settings: part of the recipe, for models that take pictures in their own shape."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from jobs.benchmarks.answers import AnswerSettings, AnswersFile
from jobs.benchmarks.settings import BenchmarkSettings
from jobs.planning.reasons.staleness import compare_recipes
from jobs.prompts.budget import check_pixels
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.settings.config import Settings
from jobs.weights import find_weights
from jobs.workers.hanging import BASE_S, FRAME_S, allowed_seconds
from schemas.failures import UsageError
from schemas.plan import Reason
from videoxl2.network.configs.picture_size import (
    OWN_PIXELS,
    PixelBudget,
    Squares,
    qwen2_5_pictures,
    qwen3_pictures,
)

SUMMARY, *_ = load_packs()
RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, ())


def test_a_budget_of_pixels_is_part_of_the_recipe():
    """Each is a recipe of its own, for which rows of others are stale; without one nothing changes."""
    assert RECIPE.recipe_id == "e60b3861676cd4b4"
    budgets = [PixelBudget(1000, None), PixelBudget(None, 1000), PixelBudget(1000, 1000)]
    others = [replace(RECIPE, pixels=budget) for budget in budgets]
    assert len({one.recipe_id for one in (RECIPE, *others)}) == 4
    old, *new = [replace(one, prompts=(SUMMARY,)).record for one in (RECIPE, *others)]
    for record in new:
        found = compare_recipes(old, record)
        assert found is not None
        assert (found.reason, found.tasks) == (Reason.STALE_SAMPLING, None)
    assert new[2].settings["max_pixels_per_frame"] == new[2].settings["max_pixels_at_once"] == "1000"
    assert "max_pixels_at_once" not in old.settings


def test_settings_say_the_budget():
    """Under the names of their flags."""
    settings = Settings.of(library="l", index="i", max_pixels_per_frame=100_000, max_pixels_at_once="5000000")
    assert settings.pixels == PixelBudget(100_000, 5_000_000)
    assert Settings.of(library="l", index="i").pixels == OWN_PIXELS


@pytest.mark.parametrize(
    ("given", "flag"),
    [(PixelBudget(100_000), "--max-pixels-per-frame"), (PixelBudget(at_once=9), "--max-pixels-at-once")],
)
def test_a_budget_is_refused_for_a_model_of_squares(given, flag):
    """It would change nothing, and make rows stale for it."""
    with pytest.raises(UsageError, match=f"{flag} for a model that takes squares of 384 pixels") as refused:
        check_pixels(given, Squares(384, 144), 2048)
    assert refused.value.hint == "Leave it out: it is for models that take pictures in their own shape."
    check_pixels(OWN_PIXELS, Squares(384, 144), 2048)


@pytest.mark.parametrize(
    ("rule", "given", "told"),
    [
        (qwen2_5_pictures(14), PixelBudget(per_frame=783), "Give at least 784."),
        (qwen3_pictures(16), PixelBudget(per_frame=1000), "Give at least 1024."),
        (
            qwen3_pictures(16),
            PixelBudget(at_once=102_399),
            "Give at least 102400, or name fewer --max-frames.",
        ),
    ],
)
def test_a_budget_that_holds_no_picture_is_refused(rule, given, told):
    """The smallest picture is one token."""
    with pytest.raises(UsageError, match="is too little") as refused:
        check_pixels(given, rule, 100)
    assert refused.value.hint == told
    check_pixels(PixelBudget(1024, 102_400), rule, 100)


def test_a_benchmark_refuses_a_budget_for_squares_too():
    """Before any weight is loaded."""
    weights = find_weights("small")
    settings = BenchmarkSettings.of(
        benchmark="mlvu",
        questions=Path("q"),
        videos=Path("v"),
        models=("small",),
        max_frames=8,
        max_pixels_at_once=1_000_000,
    )
    with pytest.raises(UsageError, match="--max-pixels-at-once for a model that takes squares of 96 pixels"):
        settings.sampling_for(weights)


def test_of_models_that_are_compared_a_budget_is_for_those_it_means_something_to():
    """A model of squares is asked beside them as it always is."""
    compared = BenchmarkSettings.of(
        benchmark="mlvu",
        questions=Path("q"),
        videos=Path("v"),
        models=("small", "shaped"),
        max_frames=8,
        max_pixels_per_frame=100_000,
    )
    weights = find_weights("small")
    assert compared.sampling_for(weights).pixels == OWN_PIXELS
    shaped = replace(weights, config=replace(weights.config, own_shape=qwen3_pictures(16)))
    assert compared.sampling_for(shaped).pixels == PixelBudget(per_frame=100_000)


def test_answers_to_a_benchmark_of_other_pixels_are_not_mixed(tmp_path):
    """A file of before is one of the model's own pixels."""
    own = AnswerSettings(benchmark="mlvu", model="m", revision="r", dtype="auto", fps="1", max_frames=9)
    file = tmp_path / "answers.jsonl"
    AnswersFile(file, own)
    text = file.read_text()
    file.write_text(text.replace(', "max_pixels_per_frame": null, "max_pixels_at_once": null', ""))
    assert file.read_text() != text
    AnswersFile(file, own)
    with pytest.raises(UsageError, match="max_pixels_at_once None, not 1000"):
        AnswersFile(file, own.model_copy(update={"max_pixels_at_once": 1000}))


def test_larger_pictures_may_take_the_model_longer():
    """Before a call counts as hung; small ones count as one of 384 by 384."""
    assert (
        allowed_seconds("cuda", 100, 0) == allowed_seconds("cuda", 100, 0, 96 * 96) == BASE_S + 100 * FRAME_S
    )
    assert allowed_seconds("cuda", 100, 0, 4 * 384 * 384) == BASE_S + 400 * FRAME_S
