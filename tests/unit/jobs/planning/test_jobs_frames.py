"""What `plan` and `doctor` say of frames that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.checks.check import Health
from jobs.checks.machine import look_at_frames, too_large
from jobs.checks.weights_once import WeightsOnce
from jobs.planning.frames import FramesThatFit, frames_lines
from jobs.prompts.budget import check_context
from jobs.prompts.pack import load_packs
from jobs.settings.config import Settings
from jobs.weights import Weights, find_weights
from schemas.failures import UsageError
from videoxl2.network.configs.config import LanguageConfig, ModelConfig
from videoxl2.network.configs.picture_size import PixelBudget
from videoxl2.network.footprint import GB
from videoxl2.random_checkpoint import write_random_checkpoint

FULL = ModelConfig()


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    """A config of the published sizes, without weights."""
    return Weights("BAAI/Video-XL-2", tmp_path, "r", FULL)


def test_a_plan_says_what_a_gpu_holds(weights: Weights) -> None:
    """At once, dense and bi-level, on common cards; nothing where no model runs."""
    [line] = frames_lines(weights, "auto", load_packs(["default"]), 2048)
    assert line.strip() == (
        "at most 2,048 frames of a video at once; a GPU holds none on 16 GB (takes --gpus-per-model 2), "
        "1,536 (1,176 bi-level) on 24 GB, "
        "12,336 (9,464 bi-level) on 48 GB, 26,736 (20,516 bi-level) on 80 GB, "
        "54,188 (41,580 bi-level) on 141 GB"
    )
    assert not list(frames_lines(None, "auto", (), 2048))


def test_wider_numbers_leave_room_for_fewer(weights: Weights) -> None:
    """float32 doubles all of it: nothing fits 24 GB."""
    fitting = FramesThatFit(weights, "float32", ())
    assert "none on 24 GB (takes --gpus-per-model 2), " in fitting.cards()
    assert fitting.on_cpu(80 * 10**9) == FramesThatFit(weights, "auto", ()).on_cpu(80 * 10**9)


def test_a_model_over_several_gpus_has_room_on_each(tmp_path: Path) -> None:
    """72B fits four cards of 48 GB and not two; the plan says what would do, before anything is spent."""
    config = ModelConfig(language=LanguageConfig(8192, 29_568, num_layers=80, num_heads=64, num_kv_heads=8))
    large = Weights("lmms-lab/72B", tmp_path, "r", config)
    [one] = frames_lines(large, "auto", load_packs(["default"]), 64)
    assert ", none on 24 GB (takes --gpus-per-model 8), none on 48 GB (takes --gpus-per-model 4)" in one
    [four] = frames_lines(large, "auto", load_packs(["default"]), 64, gpus_per_model=4)
    assert ", none on 24 GB each (takes --gpus-per-model 8), 1,768 (1,356 bi-level) on 48" in four
    why = too_large(config, "auto", [48 * GB] * 2)
    assert why is not None
    assert "--gpus-per-model 4" in why.hint
    assert too_large(config, "auto", [48 * GB] * 4) is None


def test_a_context_with_an_end_holds_what_a_run_would_take(tmp_path: Path) -> None:
    """However large the card is: one frame more is refused."""
    llava = find_weights(str(write_random_checkpoint(tmp_path, family="LLaVA-Video")))
    most = FramesThatFit(llava, "float32", ()).on_cpu(10**15)
    check_context(llava, most, 512)
    with pytest.raises(UsageError, match=f"takes at most {most} frames at a time"):
        check_context(llava, most + 1, 512)


def test_doctor_knows_a_context_too_small_wherever_the_gpus_are(tmp_path: Path) -> None:
    """Of a model over several GPUs that this machine has not."""
    llava = str(write_random_checkpoint(tmp_path, family="LLaVA-Video"))
    where = {"library": "l", "index": "i", "model": llava, "gpus_per_model": 4}
    settings = Settings.of(**where)
    check = look_at_frames(settings, WeightsOnce(settings))
    assert (check.health, "--split" in (check.hint or "")) == (Health.WARNING, True)
    assert "4 GPUs hold" in check.detail
    fewer = Settings.of(**where, max_frames=64)
    assert look_at_frames(fewer, WeightsOnce(fewer)).health is Health.OK


@pytest.fixture(scope="module")
def shaped(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """A model that takes pictures in their own shape."""
    folder = tmp_path_factory.mktemp("weights") / "shaped"
    return find_weights(str(write_random_checkpoint(folder, family="Qwen3-VL")))


def test_a_plan_says_in_which_size_a_usual_video_is_shown(shaped: Weights) -> None:
    """By the frames at once and the budget; nothing where every picture is the same square."""
    _, said = frames_lines(shaped, "auto", (), 64)
    assert said.strip() == ("64 pictures of 1920x1080 at once are shown in 832x448, 364 tokens for each two")
    _, said = frames_lines(shaped, "auto", (), 64, PixelBudget(per_frame=100_000))
    assert "are shown in 416x224, 91 tokens" in said


def test_a_plan_advises_where_many_frames_leave_little_to_see(shaped: Weights) -> None:
    """As many frames as leave 128 tokens for two; nothing where each was to be small."""
    *_, said = frames_lines(shaped, "auto", (), 2048)
    assert said.strip() == (
        "that is little to see. Take --max-frames 170 with --split, or more pixels with --max-pixels-at-once."
    )
    assert FramesThatFit(shaped, "auto", ()).advice(170) is None
    assert FramesThatFit(shaped, "auto", ()).advice(171)
    assert FramesThatFit(shaped, "auto", (), PixelBudget(per_frame=50_000)).advice(2048) is None


def test_smaller_pictures_make_room_for_more_in_a_context(shaped: Weights) -> None:
    """What is refused by the context says that smaller pictures would do, and they do."""
    language = replace(shaped.config.language, max_position_embeddings=12_000)
    shaped = replace(shaped, config=replace(shaped.config, language=language, context_tokens=12_000))
    with pytest.raises(UsageError, match="Qwen3-VL takes at most 0 frames at a time, not 200") as refused:
        check_context(shaped, 200, 512)
    assert refused.value.hint == "Show smaller pictures, with --max-pixels-at-once."
    budget = PixelBudget(at_once=12_000_000)
    check_context(shaped, 200, 512, budget)
    with pytest.raises(UsageError, match="Qwen3-VL takes at most") as refused:
        check_context(shaped, 2000, 512, budget)
    assert "--max-frames" in refused.value.hint
    assert refused.value.hint.endswith("Or show smaller pictures, with --max-pixels-at-once.")
