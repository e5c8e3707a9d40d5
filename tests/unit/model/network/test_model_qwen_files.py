"""What lies beside a Qwen-VL model's config.json: sizes, colours and rates, used as they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from videoxl2 import CheckpointError, load_model
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.config_file import qwen_config
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.picture_size import PictureSize, PixelBudget
from videoxl2.network.configs.source import revision_of
from videoxl2.network.configs.unusual import unusual_files
from videoxl2.network.vision.qwen_pictures import qwen_pixels
from videoxl2.random_checkpoint import QWEN_TOKENS, build_tokenizer, qwen_fields, write_random_checkpoint

OLDER, NEWER = Family.QWEN2_5_VL, Family.QWEN3_VL
VIDEOS, STILLS = "video_preprocessor_config.json", "preprocessor_config.json"
Read = Callable[..., ModelConfig]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a config of a family beside files of these names and contents."""

    def reading(family: Family, **files: dict[str, Any]) -> ModelConfig:
        for name, said in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(said))
        return qwen_config(tmp_path, qwen_fields(family, build_tokenizer(QWEN_TOKENS)), family)

    return reading


def sizes(config: ModelConfig, *given: tuple[int, int, int]) -> list[PictureSize]:
    return [config.picture_rule.size(*one) for one in given]


def test_published_files_change_nothing(read: Read, tmp_path: Path) -> None:
    """What the makers lay beside their weights is what the rules have without them."""
    published: tuple[tuple[Family, int, dict[str, dict[str, Any]]], ...] = (
        (OLDER, 14, {"preprocessor_config": {"min_pixels": 3136, "max_pixels": 12_845_056}}),
        (
            NEWER,
            16,
            {
                "preprocessor_config": {"size": {"longest_edge": 16_777_216, "shortest_edge": 65_536}},
                "video_preprocessor_config": {"size": {"longest_edge": 25_165_824, "shortest_edge": 4096}},
            },
        ),
    )
    for family, patch, told in published:
        own = read(family)
        steps = {
            "patch_size": patch,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "do_resize": True,
            "resample": 3,
        }
        files = {name: said | steps for name, said in told.items()}
        found = read(family, **files)
        shapes = [(1920, 1080, 64), (640, 360, 2), (120, 90, 700), (4000, 120, 9)]
        assert sizes(found, *shapes) == sizes(own, *shapes)
        assert replace(found, own_shape=None) == replace(own, own_shape=None)
        assert unusual_files(found) == unusual_files(own) == ""
        for name in files:
            (tmp_path / f"{name}.json").unlink()


def test_budgets_of_videos_are_the_model_s_and_flags_beat_them(read: Read) -> None:
    """Under either name, in a file of their own or in one of all processors, which comes first."""
    older = read(OLDER, video_preprocessor_config={"min_pixels": 50_176, "max_pixels": 200_704})
    assert sizes(older, (1920, 1080, 4), (100, 60, 4)) == [PictureSize(336, 588), PictureSize(196, 308)]
    wanted = older.within(PixelBudget(per_frame=602_112))
    assert sizes(wanted, (1920, 1080, 4)) == [PictureSize(560, 1008)]
    newer = read(
        NEWER, video_preprocessor_config={"size": {"longest_edge": 1_000_000, "shortest_edge": 8192}}
    )
    assert sizes(newer, (1920, 1080, 64), (64, 32, 2)) == [PictureSize(64, 160), PictureSize(64, 96)]
    nested = {"video_processor": {"size": {"longest_edge": 2_000_000, "shortest_edge": 4096}}}
    newer = read(NEWER, processor_config=nested)
    assert newer.own_shape is not None
    assert newer.own_shape.most == PixelBudget(at_once=2_000_000)


def test_a_context_for_videos_bounds_all_frames_together(read: Read) -> None:
    """As the makers' tools count it: nine tenths of the tokens, two frames each, or so many of a frame."""
    older = read(OLDER, video_preprocessor_config={"max_video_tokens": 32_000})
    assert older.own_shape is not None
    assert older.own_shape.most.at_once == 32_000 * 9 // 10 * 28 * 28 * 2
    assert 3 * older.most_tokens(1000) < read(OLDER, video_preprocessor_config={}).most_tokens(1000)
    uncapped = read(OLDER, video_preprocessor_config={"cap_pixels_per_frame": False})
    assert uncapped.own_shape is not None
    assert uncapped.own_shape.most == PixelBudget(602_112, None)
    newer = read(NEWER, video_preprocessor_config={"cap_pixels_per_frame": True, "max_video_tokens": 100})
    assert newer.own_shape is not None
    assert newer.own_shape.most == PixelBudget(100 * 32 * 32, 25_165_824)


@pytest.mark.parametrize(
    ("family", "tokens"), [(OLDER, 1), (OLDER, 0), (OLDER, -5), (NEWER, 0), (NEWER, 0.5)]
)
def test_a_context_without_room_for_a_pair_is_refused(read: Read, family: Family, tokens: float) -> None:
    """Naming the file; the least that is taken shows any number of frames in the smallest pictures."""
    told = f"{VIDEOS} says max_video_tokens {tokens}: a pair of frames needs"
    with pytest.raises(CheckpointError, match=told):
        read(family, video_preprocessor_config={"max_video_tokens": tokens})
    least = read(family, video_preprocessor_config={"max_video_tokens": 2, "cap_pixels_per_frame": True})
    unit = 28 if family is OLDER else 32
    assert sizes(least, (64, 64, 9000)) == [PictureSize(unit, unit)]
    assert least.most_tokens(9000) >= 4500


def test_no_frame_is_larger_than_a_still_image_may_be(read: Read) -> None:
    """A file of still images alone lowers what a frame may have, and never raises it."""
    bounded = read(OLDER, preprocessor_config={"min_pixels": 3136, "max_pixels": 200_704})
    assert bounded.own_shape is not None
    assert (bounded.own_shape.least, bounded.own_shape.most.per_frame) == (100_352, 200_704)
    raised = read(OLDER, preprocessor_config={"min_pixels": 1_003_520, "max_pixels": 2_007_040})
    assert raised.own_shape is not None
    assert (raised.own_shape.least, raised.own_shape.most.per_frame) == (602_112, 602_112)
    newer = read(NEWER, preprocessor_config={"min_pixels": 65_536, "max_pixels": 262_144})
    assert newer.own_shape is not None
    assert (newer.own_shape.least, newer.own_shape.most) == (4096, PixelBudget(262_144, 25_165_824))


def test_a_rate_that_a_checkpoint_names_is_told(read: Read) -> None:
    """Runs take it where nobody says --fps."""
    assert read(NEWER).fps is None
    assert read(NEWER, video_preprocessor_config={"fps": 2}).fps == 2
    assert read(OLDER, video_preprocessor_config={"fps": 0.5, "num_frames": None}).fps == Fraction(1, 2)


@pytest.mark.parametrize("family", [OLDER, NEWER])
def test_colours_are_normalised_as_a_checkpoint_says(family: Family, tmp_path: Path) -> None:
    """By the file of videos, else by that of still images; a file of neither leaves the makers' own."""
    write_random_checkpoint(tmp_path, family=family)
    mean, spread = [0.1, 0.4, 0.7], [0.2, 0.5, 1.5]
    frames = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    want = (torch.from_numpy(frames).double() / 255 - torch.tensor(mean).double()) / torch.tensor(
        spread
    ).double()
    own = load_model(tmp_path).config.qwen_vision
    assert own is not None
    for name in (STILLS, VIDEOS):
        (tmp_path / name).write_text(json.dumps({"image_mean": mean, "image_std": spread}))
        told = load_model(tmp_path).config.qwen_vision
        assert told is not None
        found = qwen_pixels(frames, torch.device("cpu"), told.mean, told.spread)
        assert torch.allclose(found.double(), want.permute(0, 3, 1, 2), atol=1e-6)
        (tmp_path / name).unlink()
    assert load_model(tmp_path).config.qwen_vision == own


def test_other_files_are_another_revision(tmp_path: Path) -> None:
    """Of a Qwen-VL model, whose answers follow them; of other models they are not read."""
    seen = set()
    for family, expected in (("Qwen3-VL", 3), ("LLaVA-Video", 1)):
        folder = write_random_checkpoint(tmp_path / family, family=family)
        seen = {revision_of(folder)}
        (folder / VIDEOS).write_text('{"size": {"longest_edge": 1000000, "shortest_edge": 4096}}')
        seen.add(revision_of(folder))
        (folder / "chat_template.jinja").write_text("a template")
        seen.add(revision_of(folder))
        assert len(seen) == expected


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"patch_size": 15}, "patch_size 15: only 16 is run"),
        ({"merge_size": 4}, "merge_size 4: only 2 is run"),
        ({"temporal_patch_size": 1}, "temporal_patch_size 1: only 2 is run"),
        ({"do_normalize": False}, "do_normalize False: only True is run"),
        ({"resample": 2}, "resample 2: only 3 is run"),
        ({"rescale_factor": 0.5}, "rescale_factor 0.5: only 1/255 is run"),
        ({"image_mean": [0.5, 0.5]}, "image_mean .*: it must be three numbers"),
        ({"image_std": [0.5, 0.0, 0.5]}, "image_std .*: it must be positive"),
        ({"max_pixels": 5000, "size": {"longest_edge": 6000}}, "max_pixels 5000 and 6000: it must be one"),
        ({"max_pixels": "many"}, "max_pixels many: it must be one number"),
        ({"min_pixels": 9000, "max_pixels": 8000}, "max_pixels 8000: it must be at least 9000"),
        ({"max_pixels": 1000}, "max_pixels 1000: it must be at least 1024"),
        ({"min_pixels": 30_000_000}, "min_pixels 30000000: at most 25165824 are shown"),
        ({"size": {"height": 448, "width": 448}}, "size .*not a fixed size"),
        ({"fps": 0}, "fps 0: it must be positive"),
        ({"fps": 2, "num_frames": 16}, "num_frames 16: fps is 2, and one can hold"),
    ],
)
def test_what_cannot_be_run_is_refused(read: Read, said: dict[str, Any], told: str) -> None:
    """With the file's name and what to do, whatever speaks of it."""
    with pytest.raises(CheckpointError, match=f"{VIDEOS} says {told}") as refused:
        read(NEWER, video_preprocessor_config=said)
    assert refused.value.hint.startswith("Restore the file from its source, or remove it")
