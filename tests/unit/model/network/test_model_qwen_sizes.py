"""Qwen-VL models of other sizes than the small checkpoint's, against transformers' classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from qwen_reference import prompt_ids, reference_logits, span_of, transformers_model

from videoxl2 import load_model
from videoxl2.generate.models.qwen_vl import QwenVL
from videoxl2.network.configs.config_file import qwen_config
from videoxl2.network.configs.families import Family
from videoxl2.random_checkpoint import (
    QWEN_TOKENS,
    build_tokenizer,
    qwen_fields,
    write_random_checkpoint,
)

OLDER: dict[str, Any] = {
    "hidden_size": 96,
    "num_attention_heads": 6,
    "num_hidden_layers": 2,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
}
NEWER: dict[str, Any] = {
    "hidden_size": 96,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 24,
    "num_hidden_layers": 3,
    "rope_scaling": {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True},
}
TOWER: dict[str, Any] = {"out_hidden_size": 96, "hidden_size": 48, "num_heads": 3, "depth": 4}
SIZES = {
    "small windows alone": (
        Family.QWEN2_5_VL,
        OLDER,
        TOWER | {"fullatt_block_indexes": [], "window_size": 64, "tokens_per_second": 25},
    ),
    "few frequencies, taps in no order": (
        Family.QWEN3_VL,
        NEWER,
        TOWER | {"deepstack_visual_indexes": [3, 0, 2], "num_position_embeddings": 2304},
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_other_sizes_are_theirs(name: str, tmp_path: Path) -> None:
    family, text, tower = SIZES[name]
    fields: dict[str, Any] = qwen_fields(family, build_tokenizer(QWEN_TOKENS))
    fields.get("text_config", fields).update(text)
    fields["vision_config"] |= tower
    config = qwen_config(tmp_path, fields, family)
    model = load_model(write_random_checkpoint(tmp_path, seed=5, config=config, family=family))
    assert isinstance(model, QwenVL)
    theirs = transformers_model(family, tmp_path)
    ids = [*prompt_ids(model), 300, 301]
    for video in ("long", "odd"):
        with model.prefill([span_of(model, video)]).start() as continuation:
            logits = continuation.push_all(ids)
        assert torch.allclose(logits, reference_logits(theirs, model, video, ids), atol=1e-4)
