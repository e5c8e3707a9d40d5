"""What `plan` and `doctor` say of frames that fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.checks.machine import too_large
from jobs.planning.frames import FramesThatFit, frames_lines
from jobs.prompts.budget import check_context
from jobs.prompts.pack import load_packs
from jobs.weights import Weights, find_weights
from schemas.failures import UsageError
from videoxl2.network.config import LanguageConfig, ModelConfig
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
        "at most 2,048 frames of a video at once; a GPU holds 1,544 (1,188 bi-level) on 24 GB, "
        "12,416 (9,560 bi-level) on 48 GB, 26,912 (20,720 bi-level) on 80 GB, "
        "54,540 (41,996 bi-level) on 141 GB"
    )
    assert not list(frames_lines(None, "auto", (), 2048))


def test_wider_numbers_leave_room_for_fewer(weights: Weights) -> None:
    """float32 doubles all of it: nothing fits 24 GB."""
    fitting = FramesThatFit(weights, "float32", ())
    assert fitting.cards().startswith("a GPU holds none on 24 GB (takes --gpus-per-model 2), ")
    assert fitting.on_cpu(80 * 10**9) == FramesThatFit(weights, "auto", ()).on_cpu(80 * 10**9)


def test_a_model_over_several_gpus_has_room_on_each(tmp_path: Path) -> None:
    """72B fits four cards of 48 GB and not two; the plan says what would do, before anything is spent."""
    config = ModelConfig(language=LanguageConfig(8192, 29_568, num_layers=80, num_heads=64, num_kv_heads=8))
    large = Weights("lmms-lab/72B", tmp_path, "r", config)
    [one] = frames_lines(large, "auto", load_packs(["default"]), 64)
    assert (
        "a GPU holds none on 24 GB (takes --gpus-per-model 8), none on 48 GB (takes --gpus-per-model 4)"
        in one
    )
    [four] = frames_lines(large, "auto", load_packs(["default"]), 64, gpus_per_model=4)
    assert "; 4 GPUs hold none on 24 GB each (takes --gpus-per-model 8), 1,780 (1,368 bi-level) on 48" in four
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
