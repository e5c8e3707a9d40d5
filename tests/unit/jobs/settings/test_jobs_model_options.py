"""Options of one family as settings: part of the recipe, counted by plans, refused where not known."""

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from jobs.benchmarks.answers import AnswerSettings, AnswersFile
from jobs.benchmarks.settings import BenchmarkSettings
from jobs.checks.doctor import examine
from jobs.planning.frames import FramesThatFit
from jobs.planning.lines import model_lines
from jobs.planning.preflight import fps_for, weights_of
from jobs.planning.reasons.staleness import compare_recipes
from jobs.prompts.budget import check_context
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.reports.recipe_changes import changes_between
from jobs.settings.config import Settings
from jobs.weights import find_weights
from schemas.failures import UsageError
from schemas.plan import Reason
from videoxl2.network.configs.picture_size import qwen3_pictures
from videoxl2.random_checkpoint import write_random_checkpoint

SUMMARY, *_ = load_packs()
RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, ())
GB = 10**9


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    return write_random_checkpoint(tmp_path_factory.mktemp("llava"), family="LLaVA-Video")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """One whose files name a rate, and whose template lets it think first."""
    folder = write_random_checkpoint(tmp_path_factory.mktemp("qwen"), family="Qwen3-VL")
    (folder / "video_preprocessor_config.json").write_text('{"fps": 2}')
    turn = (
        "<|im_start|>user\n<|vision_start|><|video_pad|><|vision_end|>"
        "{{ messages[-1].content[1].text }}<|im_end|>\n<|im_start|>assistant\n<think>\n"
    )
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": turn + "\n"}))
    return folder


def settings(**values):
    return Settings.of(library="l", index="i", **values)


def test_options_are_part_of_the_recipe():
    """Rows of other values are stale, and a report names the option; without any nothing changes."""
    assert RECIPE.recipe_id == "e60b3861676cd4b4"
    chosen = [(("pool", "average"),), (("pool", "max"),), (("newline", "frame"), ("pool", "max"))]
    plain, *others = (replace(RECIPE, model_options=one, prompts=(SUMMARY,)).record for one in ((), *chosen))
    assert len({one.recipe_id for one in (plain, *others)}) == 4
    for other in others:
        for old, new in ((plain, other), (other, plain)):
            found = compare_recipes(old, new)
            assert found is not None
            assert (found.reason, found.tasks) == (Reason.STALE_MODEL, None)
    assert changes_between(plain, others[0]) == ("option pool – → average",)
    assert changes_between(others[0], plain) == ("option pool average → –",)


def test_what_files_of_a_hub_commit_change_is_part_of_the_recipe(qwen, tmp_path):
    """Though the commit is the same; what the makers' files say anyway leaves rows as they are."""
    folder = tmp_path / "snapshots" / ("a" * 40)
    shutil.copytree(qwen, folder)
    (folder / "chat_template.json").unlink()
    usual = find_weights(str(folder))
    assert usual.revision == "a" * 40
    seen = [usual.pictures_and_chat]
    assert seen == [""]
    published = {"size": {"shortest_edge": 4096, "longest_edge": 25_165_824}}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(published))
    assert find_weights(str(folder)).pictures_and_chat == ""
    for name, said in (
        ("video_preprocessor_config.json", {"size": {"shortest_edge": 4096, "longest_edge": 1_000_000}}),
        ("video_preprocessor_config.json", {"image_mean": [0.4, 0.5, 0.6]}),
        ("chat_template.json", json.loads((qwen / "chat_template.json").read_text())),
    ):
        (folder / name).write_text(json.dumps(said))
        weights = find_weights(str(folder))
        assert weights.revision == usual.revision
        seen.append(weights.pictures_and_chat)
    recipes = [replace(RECIPE, pictures_and_chat=one).record for one in seen]
    assert len({one.recipe_id for one in recipes}) == 4
    assert changes_between(*recipes[:2]) == (f"pictures_and_chat – → {seen[1]}",)
    assert find_weights("small").pictures_and_chat == ""


def test_what_the_checkpoint_has_anyway_is_no_other_recipe(llava):
    """An option that is set to the checkpoint's own value leaves rows as they are."""
    given = ("tell-times=yes", "pool=average", "pool-stride=2")
    weights = weights_of(settings(model=str(llava), model_options=given))
    assert weights is not None
    assert weights.options == (("pool", "average"),)
    assert weights.revision == find_weights(str(llava)).revision


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("pool",), "setting model-option = .*: give it as KEY=VALUE, e.g. pool=average, not as pool"),
        (("=average",), "give it as KEY=VALUE"),
        (("pool=max", "pool=average"), "give one value for pool"),
    ],
)
def test_an_option_is_a_key_and_a_value(given, told):
    with pytest.raises(UsageError, match=told):
        settings(model="m", model_options=given)


def test_an_option_is_refused_where_no_model_has_it(llava):
    """Naming those that there are, before anything is spent."""
    with pytest.raises(UsageError, match="LLaVA-Video has no option keep-ratio") as refused:
        weights_of(settings(model=str(llava), model_options=("keep-ratio=0.8",)))
    assert refused.value.hint == "It has pool, pool-stride, newline, tell-times."
    with pytest.raises(UsageError, match="option pool of a model, and none is named"):
        weights_of(settings(model_options=("pool=max",)))
    with pytest.raises(UsageError, match="Video-XL-2 has no option pool"):
        weights_of(settings(model="small", model_options=("pool=max",)))


def test_plans_count_what_the_options_leave(llava):
    """A context that refuses so many frames takes them with fewer tokens each, and a card holds more."""
    own = find_weights(str(llava))
    own = replace(own, config=replace(own.config, context_tokens=4000))
    fewer = own.with_options({"pool-stride": "4", "newline": "no_token"})
    check_context(fewer, 120, 512)
    with pytest.raises(UsageError, match=r"takes at most \d+ frames at a time, not 120"):
        check_context(own, 120, 512)
    frames = [FramesThatFit(one, "auto", [SUMMARY]).on_gpu(24 * GB) for one in (own, fewer)]
    assert frames[0] < frames[1]


def test_a_system_prompt_takes_room_in_the_context(qwen):
    """A long one leaves no place for frames that fitted without, or for nothing at all."""
    weights = find_weights(str(qwen))
    pictures = qwen3_pictures(16, most=1_000_000)
    config = replace(weights.config, chat_template=None, context_tokens=4000, own_shape=pictures)
    weights = replace(weights, config=config)
    check_context(weights, 64, 512)
    for times, told in (
        (200, r"takes at most \d+ frames at a time, not 64"),
        (2000, "leave no room for a frame"),
    ):
        long = weights.with_options({"system": "You look at films. " * times})
        with pytest.raises(UsageError, match=told):
            check_context(long, 64, 512)


def test_a_rate_that_the_checkpoint_names_is_the_default(qwen, llava):
    """A flag beats it; a model whose files name none is shown one picture a second."""
    named, plain = find_weights(str(qwen)), find_weights(str(llava))
    assert fps_for(settings(model="m"), named) == 2
    assert fps_for(settings(model="m", fps="1/2"), named) == Fraction(1, 2)
    assert fps_for(settings(model="m"), plain) == fps_for(settings(), None) == 1


def test_a_plan_says_what_is_not_as_usual(qwen, llava):
    """Options, the rate of the checkpoint's files, and a thought that is skipped."""
    pooled = find_weights(str(llava)).with_options({"pool": "max", "newline": "frame"})
    assert list(model_lines(pooled, settings(model="m"))) == ["       asked with newline=frame, pool=max"]
    assert list(model_lines(find_weights(str(qwen)), settings(model="m"))) == [
        "       2 pictures a second, as its files say; --fps says otherwise",
        "       it would think first: it is told an empty thought, and answers at once",
    ]
    small = find_weights("small")
    assert [list(model_lines(small, settings(model="m", fps=fps))) for fps in (None, "1", "2", "1/3")] == [
        [],
        [],
        ["       it takes a picture for 1 s: of 2 a second it is shown one picture of 2"],
        ["       it takes a picture for 1 s: of 1/3 a second it is shown each picture 3 times"],
    ]
    assert list(model_lines(None, settings())) == []


def test_doctor_lists_the_options_of_a_checkpoint(llava, qwen):
    """With the values that a run would use, and a thought that is skipped; a wrong one fails the check."""

    def weights_check(**given):
        return next(c for c in examine({"model": str(llava), **given}) if c.name == "weights")

    thinking = weights_check(model=str(qwen)).detail
    assert "options system=as published; it would think first, and is told an empty thought;" in thinking
    found = weights_check(model_options=("newline=frame",))
    assert "options pool=bilinear, pool-stride=2, newline=frame, tell-times=yes" in found.detail
    assert weights_check(model_options=("pool=mean",)).health == "failed"


def test_of_models_that_are_compared_each_gets_its_own(llava):
    """A single one has to have what is given."""
    given = {"benchmark": "mlvu", "questions": Path("q"), "videos": Path("v"), "model_options": ("pool=max",)}
    weights, other = find_weights(str(llava)), find_weights("small")
    compared = BenchmarkSettings.of(**given, models=("a", "b"))
    assert compared.options_for(weights) == {"pool": "max"}
    assert compared.options_for(other) == {}
    alone = BenchmarkSettings.of(**given, models=("small",))
    with pytest.raises(UsageError, match="Video-XL-2 has no option pool"):
        other.with_options(alone.options_for(other))


def test_answers_of_other_options_are_not_mixed(tmp_path):
    """A file of before is one of the checkpoint's own values."""
    own = AnswerSettings(benchmark="mlvu", model="m", revision="r", dtype="auto", fps="1", max_frames=9)
    file = tmp_path / "answers.jsonl"
    AnswersFile(file, own)
    file.write_text(file.read_text().replace(', "model_options": ""', ""))
    AnswersFile(file, own)
    with pytest.raises(UsageError, match="has answers for pictures_and_chat , not ab12"):
        AnswersFile(file, own.model_copy(update={"pictures_and_chat": "ab12"}))
    with pytest.raises(UsageError, match="has answers for model_options , not pool=max"):
        AnswersFile(file, own.model_copy(update={"model_options": "pool=max"}))
