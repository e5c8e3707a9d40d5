"""Prompt files and the recipe made of them."""

from dataclasses import replace
from fractions import Fraction

import pytest

from jobs.prompts.pack import load_packs
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.recipe import Recipe
from schemas.failures import UsageError


def recipe(**changes) -> Recipe:
    return replace(Recipe("folder", "rev", "auto", Fraction(1), 100, load_packs()), **changes)


def test_the_default_pack_asks_characters_before_scenes():
    """Scenes choose from the roster, so it must be known by then."""
    assert [prompt.prompt_id for prompt in load_packs()] == [
        "summary@1",
        "characters@1",
        "scenes@1",
        "highlights@1",
    ]


def test_filled_prompts_show_format_duration_and_roster():
    """No placeholder is left, and times are in seconds with one decimal."""
    context = AnswerContext(700_000, (), ("man in red", "dog"), window_ms=(240_000, 480_000))
    scenes = load_packs()[2].fill(context)
    assert "from 240.0 to 480.0 seconds" in scenes
    assert "man in red; dog" in scenes
    assert "Time of day: day | night | dawn | dusk | unknown" in scenes
    assert "{" not in scenes


def test_a_changed_comma_is_a_new_recipe():
    """Model revision, sampling and every prompt's text are part of the identity; the folder's name is not."""
    prompts = load_packs()
    comma = (replace(prompts[0], text=prompts[0].text + ","), *prompts[1:])
    ids = {
        recipe().recipe_id,
        recipe(prompts=comma).recipe_id,
        recipe(model_revision="other").recipe_id,
        recipe(fps=Fraction(2)).recipe_id,
        recipe(max_frames=99).recipe_id,
        recipe(dtype="float16").recipe_id,
    }
    assert len(ids) == 6
    assert recipe(model_id="elsewhere").recipe_id == recipe().recipe_id


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no front matter", "bad front matter"),
        ('+++\nid = "scenes"\n+++\nhi', "bad front matter"),
        ('+++\nid = "poem"\nversion = 1\nmax_new_tokens = 9\n+++\nhi', "no answer type 'poem'"),
        ('+++\nid = "scenes"\nversion = 1\nmax_new_tokens = 9\n+++\n{who}', "unknown placeholder"),
        ('+++\nid = "scenes"\nversion = 1\nmax_new_tokens = 9\n+++\n{', "Single"),
        ('+++\nid = "scenes"\nversion = 1\nmax_new_tokens = 9\n+++\n', "has no text"),
        ('+++\nid = "scenes"\nversion = 1\nmax_new_tokens = 9\nwindow_s = 2\n+++\nhi', "window under 10 s"),
        ('+++\nid = "scenes"\nversion = 1\nmax_new_tokens = 9\nwindows = 2\n+++\nhi', "unknown windows"),
    ],
)
def test_a_broken_prompt_file_is_named(tmp_path, text, complaint):
    """Found before any GPU time is spent."""
    (tmp_path / "p.md").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_packs([str(tmp_path)])


def test_an_empty_pack_is_an_error(tmp_path):
    """A folder without prompts is a mistake, not an empty pack."""
    with pytest.raises(UsageError, match="no prompt files"):
        load_packs([str(tmp_path)])
