"""Checkpoints of Qwen-VL models: how they are spelled, and which are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from qwen_reference import (
    FAMILIES,
    FolderOf,
    Theirs,
    frames_of,
)
from safetensors.torch import load_file, save_file

from videoxl2 import CheckpointError, ModelInputError, PrefillOptions, load_model
from videoxl2.generate.models.qwen_vl import QwenVL
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.footprint import num_parameters, token_bytes
from videoxl2.network.language.context import LONGEST_MS


def test_every_number_of_the_checkpoint_is_counted(qwen_model: QwenVL) -> None:
    assert num_parameters(qwen_model.config) == sum(x.numel() for x in qwen_model.network.parameters())


VISION_7B = {
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "out_hidden_size": 3584,
    "depth": 32,
    "num_heads": 16,
    "tokens_per_second": 2,
}
LANGUAGE_7B = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "max_position_embeddings": 128000,
}
LANGUAGE_8B = {
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 262144,
}


@pytest.mark.parametrize(
    ("raw", "billions", "bytes_per_token"),
    [
        ({"model_type": "qwen2_5_vl", "vision_config": VISION_7B, **LANGUAGE_7B}, 8.292, 57344),
        (
            {
                "model_type": "qwen3_vl",
                "vision_config": {"out_hidden_size": 4096},
                "text_config": LANGUAGE_8B,
            },
            8.767,
            147456,
        ),
    ],
)
def test_published_sizes_are_read(
    tmp_path: Path, raw: dict[str, Any], billions: float, bytes_per_token: int
) -> None:
    """The 7B and the 8B have the parameters that their pages name, and caches of what follows from them."""
    (tmp_path / "config.json").write_text(json.dumps(raw))
    config = read_config(tmp_path)
    assert num_parameters(config) / 1e9 == pytest.approx(billions, abs=5e-4)
    assert token_bytes(config, 2) == bytes_per_token
    assert len(config.language.rope_axes) == config.language.head_dim // 2 == 64


def test_no_more_stands_beside_a_pair_than_is_reckoned_with(qwen_model: QwenVL) -> None:
    """So that as many frames as fit a context by reckoning do fit it, until the tenth day."""
    beside = qwen_model.before_pair(1, [LONGEST_MS - 200, LONGEST_MS])
    assert len(beside) == qwen_model.config.stamp_tokens


SPELLINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "Qwen2.5-VL": (("visual.", "model.visual."), ("model.", "model.language_model.")),
    "Qwen3-VL": (("model.visual.", "visual."), ("model.language_model.", "model.")),
}


def test_either_spelling_and_either_config_is_read(
    qwen_model: QwenVL, qwen_folder: FolderOf, tmp_path: Path
) -> None:
    """Weights named as newer files name them, or as older ones; a config in two halves, or a flat one."""
    source, spellings = qwen_folder(str(qwen_model.family)), SPELLINGS[str(qwen_model.family)]
    weights = {}
    for name, tensor in load_file(source / "model.safetensors").items():
        spelled = (new + name[len(old) :] for old, new in spellings if name.startswith(old))
        weights[next(spelled, name)] = tensor
    save_file(weights, tmp_path / "model.safetensors")
    raw = json.loads((source / "config.json").read_text())
    outer = {"model_type", "vision_config", "text_config", "vision_start_token_id", "vision_end_token_id"}
    inner = raw.get("text_config", raw)
    text = {key: value for key, value in inner.items() if key not in outer}
    kept = {key: value for key, value in raw.items() if key in outer - {"text_config"}}
    other = kept | (text if "text_config" in raw else {"text_config": text})
    (tmp_path / "config.json").write_text(json.dumps(other))
    found = load_model(tmp_path)
    assert found.family is qwen_model.family
    assert found.config.language == qwen_model.config.language
    assert found.config.qwen_vision == qwen_model.config.qwen_vision
    for ours, theirs in zip(found.network.parameters(), qwen_model.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_what_transformers_writes_is_read(qwen_model: QwenVL, theirs: Theirs, tmp_path: Path) -> None:
    """With tied embeddings, and without what its classes take anyway."""
    theirs(qwen_model).save_pretrained(tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    config = read_config(tmp_path)
    assert (config.language, config.qwen_vision) == (
        qwen_model.config.language,
        qwen_model.config.qwen_vision,
    )
    weights = load_file(tmp_path / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps(raw | {"tie_word_embeddings": True}))
    tied = load_model(tmp_path)
    language = tied.network.language
    assert tied.family is qwen_model.family
    assert language.lm_head.weight is language.embed_tokens.weight
    assert torch.equal(language.embed_tokens.weight, qwen_model.network.language.embed_tokens.weight)
    tied.save_pretrained(tmp_path / "again")
    again = load_model(tmp_path / "again").network
    assert all(map(torch.equal, tied.network.parameters(), again.parameters()))


REFUSED = [
    ({"rope_scaling": {"rope_type": "yarn", "mrope_section": [4, 6, 6]}}, "rope_type 'yarn'"),
    ({"use_sliding_window": True}, "use_sliding_window"),
    ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
    ({"attention_bias": True}, "attention_bias is True"),
    ({"out_hidden_size": 64}, "out_hidden_size 64 is not hidden_size 128"),
    ({"temporal_patch_size": 1}, "temporal_patch_size is 1"),
]


@pytest.mark.parametrize(("changed", "said"), REFUSED)
@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_that_are_not_run_are_named(
    qwen_folder: FolderOf, tmp_path: Path, family: str, changed: dict[str, Any], said: str
) -> None:
    raw = json.loads((qwen_folder(family) / "config.json").read_text())
    half = "vision_config" if {"out_hidden_size", "temporal_patch_size"} & changed.keys() else "text_config"
    raw |= {half: raw[half] | changed} if half in raw else changed
    (tmp_path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(CheckpointError, match=said):
        read_config(tmp_path)


def test_others_of_the_family_are_refused(qwen_folder: FolderOf, tmp_path: Path) -> None:
    """The first Qwen2-VL, whose tower is not gated, and models of experts."""
    (tmp_path / "config.json").write_text((qwen_folder("Qwen3-VL") / "config.json").read_text())
    for names in (
        ("visual.blocks.0.mlp.fc1.weight", "model.layers.0.self_attn.q_proj.weight"),
        (
            "model.visual.pos_embed.weight",
            "model.language_model.layers.0.self_attn.q_norm.weight",
            "model.language_model.layers.0.mlp.experts.down_proj",
        ),
    ):
        save_file({name: torch.zeros(1) for name in names}, tmp_path / "model.safetensors")
        with pytest.raises(CheckpointError, match="Qwen-VL family that media-index cannot run"):
            load_model(tmp_path)


def test_more_than_the_context_holds_is_refused(qwen_folder: FolderOf, tmp_path: Path) -> None:
    """Before the first frame where their number is known, else when they are too many; times count, too."""
    shutil.copytree(qwen_folder("Qwen2.5-VL"), tmp_path, dirs_exist_ok=True)
    raw = json.loads((tmp_path / "config.json").read_text()) | {"max_position_embeddings": 200}
    (tmp_path / "config.json").write_text(json.dumps(raw))
    model = load_model(tmp_path)
    assert isinstance(model, QwenVL)
    frames = frames_of(model, 4, 3, 5)
    span = SimpleNamespace(frames=frames, pts_ms=np.arange(4) * 1000)
    model.prefill([span])
    many = [SimpleNamespace(frames=frames, pts_ms=np.arange(4) * 1000 + 4000 * n) for n in range(6)]
    with pytest.raises(ModelInputError, match=r"\d+ frames and a question .* the context holds 200"):
        model.prefill(many)
    with pytest.raises(ModelInputError, match=r"24 frames of 140x84 and a question"):
        model.prefill(iter([span]), prefill=PrefillOptions(expected_frames=24))
    late = SimpleNamespace(frames=frames, pts_ms=np.arange(4) * 1000 + 100_000)
    with pytest.raises(ModelInputError, match="a video until 103 s and a question"):
        model.prefill([late])
