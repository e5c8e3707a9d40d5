"""Bits of weights as a setting: part of the recipe, rows that say it, refused where they cannot be."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from beside_film import FILM

from jobs.answers.analysis import Analysis
from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.benchmarks.answers import AnswerSettings, AnswersFile
from jobs.checks.check import Health
from jobs.checks.doctor import examine
from jobs.checks.machine import look_at_frames
from jobs.checks.weights_once import WeightsOnce
from jobs.planning.frames import frames_lines
from jobs.planning.preflight import check_plan
from jobs.planning.reasons.staleness import compare_recipes
from jobs.prompts.budget import check_weight_bits
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.settings.config import Settings
from jobs.weights import Weights
from schemas.failures import ExitCode, PreflightError, UsageError
from schemas.identity import VideoObject
from schemas.plan import Reason
from videoxl2.frames import SamplingGrid
from videoxl2.network.configs import weight_bits as weight_bits_module
from videoxl2.network.configs.config import LanguageConfig, ModelConfig

SUMMARY, *_ = load_packs()
RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, ())


def test_recipes_in_full_are_what_they_were():
    """Rows of before stay current; other bits are other numbers of the same model, and make answers stale."""
    assert replace(RECIPE, weight_bits=16).recipe_id == RECIPE.recipe_id == "e60b3861676cd4b4"
    asked = [replace(RECIPE, weight_bits=bits, prompts=(SUMMARY,)).record for bits in (16, 8, 4)]
    assert len({one.recipe_id for one in asked}) == 3
    for old, new in ((asked[0], asked[1]), (asked[2], asked[1]), (asked[1], asked[0])):
        found = compare_recipes(old, new)
        assert found is not None
        assert (found.reason, found.tasks) == (Reason.STALE_MODEL, None)
    assert asked[1].settings["weight_bits"] == "8"
    assert "weight_bits" not in asked[0].settings


def test_rows_say_the_bits():
    """What no model made says nothing."""
    work = Work(VideoObject("/a.mp4", 1, 1), "key", Reason.NEW, max_frames=2048)

    def bits(recipe):
        builder = RowBuilder(work, recipe, "run", datetime.now(UTC))
        analysis = Analysis(FILM, SamplingGrid(Fraction(1), 1), (0,), (), ())
        (video,) = builder.bundle(analysis, builder.answer_rows(analysis, {})).videos
        return video.weight_bits

    assert (bits(RECIPE), bits(replace(RECIPE, weight_bits=4))) == (16, 4)
    assert bits(replace(RECIPE, model_id=None, model_revision=None)) is None


def test_answers_of_other_bits_are_never_mixed(tmp_path):
    """A benchmark's file says which it has; one of before has those in full."""
    settings = AnswerSettings(
        benchmark="mlvu", model="m", revision="r", dtype="auto", fps="1", max_frames=8, weight_bits=8
    )
    AnswersFile(tmp_path / "answers.jsonl", settings)
    AnswersFile(tmp_path / "answers.jsonl", settings)
    with pytest.raises(UsageError, match="has answers for weight_bits 8, not 16"):
        AnswersFile(tmp_path / "answers.jsonl", settings.model_copy(update={"weight_bits": 16}))


@pytest.mark.parametrize("bits", [5, "eight", 0])
def test_other_numbers_are_refused(bits):
    """By the name of the flag."""
    with pytest.raises(UsageError, match="setting weight-bits = "):
        Settings.of(library="l", index="i", weight_bits=bits)


def test_without_the_library_a_run_is_refused_before_it_begins(tmp_path, monkeypatch):
    """With the extra to install; plan, run and doctor alike; in full nobody asks for it."""
    (tmp_path / "films").mkdir()
    where = {"library": str(tmp_path / "films"), "index": str(tmp_path / "index"), "model": "small"}
    monkeypatch.setattr(weight_bits_module, "find_spec", lambda name: None)
    check_plan(Settings.of(**where))
    with pytest.raises(PreflightError, match="need bitsandbytes, not installed here") as refused:
        check_plan(Settings.of(**where, weight_bits=8))
    assert "media-index[quantized]" in refused.value.hint
    assert refused.value.exit_code is ExitCode.PREFLIGHT
    checks = {check.name: check for check in examine({**where, "weight_bits": 4, "device": "cpu"})}
    assert checks["weights"].health is Health.FAILED
    assert not (tmp_path / "index").exists()


def test_layers_without_whole_blocks_are_refused(tmp_path):
    """Of a model that could be quantised to 8."""
    odd = Weights("odd", tmp_path, "r", ModelConfig(language=LanguageConfig(42, 72, 1, 1, 1, 24)))
    check_weight_bits(8, odd)
    with pytest.raises(UsageError, match="--weight-bits 4: the layers do not divide") as refused:
        check_weight_bits(4, odd)
    assert refused.value.hint == "Use 8 bits."


def test_a_plan_counts_with_the_chosen_bits(tmp_path):
    """Frames that fit grow with what quantising leaves free."""
    weights = Weights("BAAI/Video-XL-2", tmp_path, "r", ModelConfig())
    [full] = frames_lines(weights, "auto", load_packs(["default"]), 2048)
    [four] = frames_lines(weights, "auto", load_packs(["default"]), 2048, weight_bits=4)
    assert "a GPU holds none on 16 GB (takes --gpus-per-model 2)" in full
    assert "a GPU holds 1," in four


def test_doctor_says_what_other_bits_would_hold():
    """The chosen ones first."""
    settings = Settings.of(library="l", index="i", model="small", weight_bits=8)
    said = look_at_frames(settings, WeightsOnce(settings)).detail
    chosen, full, four = said.split("; ")[-3:]
    rows = {16: full, 4: four}
    assert chosen.startswith("a GPU holds ")
    held = {bits: [int(n) for n in re.findall(r"\d+", said.replace(",", ""))] for bits, said in rows.items()}
    assert all(len(some) == 6 for some in held.values())
    assert [some.pop() for some in held.values()] == [16, 4]
    assert held[16] < held[4], "frames on each of five cards"
