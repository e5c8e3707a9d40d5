"""Sizes that no golden set has: our decoder and tower wrapper against transformers' own models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, SiglipVisionConfig, SiglipVisionModel

from videoxl2 import BiLevelOptions, PrefillOptions, VideoXL2
from videoxl2.network.checkpoint import reference_name
from videoxl2.network.configs.config import LanguageConfig, ModelConfig, VisionConfig
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.random_checkpoint import random_network

LANGUAGES = [
    LanguageConfig(48, 80, 2, num_heads=3, num_kv_heads=1, head_dim=16, vocab_size=333, rope_theta=1e4),
    LanguageConfig(64, 32, 1, num_heads=8, num_kv_heads=8, head_dim=8, vocab_size=101),
    LanguageConfig(32, 64, 5, num_heads=6, num_kv_heads=2, head_dim=12, vocab_size=64, rms_norm_eps=1e-5),
]
VISIONS = [
    VisionConfig(32, 40, 1, 2, image_size=30, patch_size=10),
    VisionConfig(96, 64, 4, 3, image_size=59, patch_size=7, layer_norm_eps=1e-5),
]


@pytest.mark.parametrize("sizes", LANGUAGES)
@torch.inference_mode()
def test_decoder_equals_transformers_qwen2(sizes: LanguageConfig) -> None:
    """Grouped, single and per-head keys: the same logits in one pass and in pieces."""
    ours = random_network(ModelConfig(vision=VISIONS[0], language=sizes, dtype="float32"), seed=1).language
    config = Qwen2Config(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.intermediate_size,
        num_hidden_layers=sizes.num_layers,
        num_attention_heads=sizes.num_heads,
        num_key_value_heads=sizes.num_kv_heads,
        head_dim=sizes.head_dim,  # type: ignore[call-arg]
        rms_norm_eps=sizes.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_theta},
        tie_word_embeddings=False,
    )
    theirs = Qwen2ForCausalLM(config).eval()
    weights = {reference_name(f"language.{name}"): x for name, x in ours.named_parameters()}
    theirs.load_state_dict(weights, strict=True)
    ids = torch.randint(sizes.vocab_size, (40,), generator=torch.Generator().manual_seed(3)).tolist()
    want = theirs(input_ids=torch.tensor([ids])).logits[0]
    cache = KVCache(ours.cache_shape, torch.device("cpu"))
    pieces = [
        ours.logits(ours.extend(ours.embed(ids[a:b]), cache))
        for a, b in ((0, 1), (1, 30), (30, 31), (31, 40))
    ]
    assert torch.allclose(torch.cat(pieces), want, atol=1e-4)


@pytest.mark.parametrize("sizes", VISIONS)
@torch.inference_mode()
def test_features_equal_transformers_hidden_state_before_the_last_norm(sizes: VisionConfig) -> None:
    """The tower's raw output for other patch grids, not the normalised one."""
    language = LANGUAGES[0]
    ours = random_network(ModelConfig(vision=sizes, language=language, dtype="float32"), seed=2).vision
    theirs = SiglipVisionModel(
        SiglipVisionConfig(
            hidden_size=sizes.hidden_size,
            intermediate_size=sizes.intermediate_size,
            num_hidden_layers=sizes.num_layers,
            num_attention_heads=sizes.num_heads,
            image_size=sizes.image_size,
            patch_size=sizes.patch_size,
            layer_norm_eps=sizes.layer_norm_eps,
            vision_use_head=False,
        )
    ).eval()
    theirs.load_state_dict(dict(ours.named_parameters()), strict=True)
    pixels = torch.randn(3, 3, sizes.image_size, sizes.image_size)
    out = theirs(pixel_values=pixels, output_hidden_states=True)
    features = ours(pixels)
    assert torch.allclose(features, out.hidden_states[-1], atol=1e-5)
    assert not torch.allclose(features, out.last_hidden_state, atol=0.1)


def test_ten_thousand_and_one_frames(noise: Any) -> None:
    """A very long video with an odd last group: every frame counts, and the cache holds what it should."""
    config = ModelConfig(
        VisionConfig(32, 32, 1, 2, image_size=8, patch_size=4), LANGUAGES[1], grid_side=2, dtype="float32"
    )
    model = VideoXL2(random_network(config, seed=0), Vocabulary(None), "test")
    model.vocabulary.stamp_ids = lambda pts_ms: [2, 9]  # type: ignore[method-assign]
    spans = noise(10_001, span=1000, size=8)
    session = model.prefill(spans, prefill=PrefillOptions(vision_batch=256), prefix_ids=[3])
    assert session.num_frames == 10_001
    assert session.num_tokens == 1 + 2501 * 3
    assert session.kv_bytes == session.num_tokens * session.cache.shape.bytes_per_token
    assert session.generate([5, 6], max_new_tokens=2).num_prompt_tokens == 2


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("grid_side", "pool_stride"), [(24, 2), (6, 3)])
def test_any_sizes_run_end_to_end(
    noise: Any, vision: VisionConfig, language: LanguageConfig, grid_side: int, pool_stride: int
) -> None:
    """Nothing depends on a size: video in, tokens out, bi-level too, without a tokenizer."""
    config = ModelConfig(vision, language, grid_side, pool_stride, dtype="float32", eos_ids=(1,))
    model = VideoXL2(random_network(replace(config), seed=0), Vocabulary(None), "test")
    model.vocabulary.stamp_ids = lambda pts_ms: [2 + pts_ms % 5, 9, 9]  # type: ignore[method-assign]
    spans = noise(14, size=40)
    session = model.prefill(spans, prefill=PrefillOptions("streaming", 1, 1), prefix_ids=[3, 4, 5])
    assert session.num_tokens == 3 + 4 * (3 + (grid_side // pool_stride) ** 2)
    bilevel = BiLevelOptions(chunk_groups=1, top_chunks=1, compression=2)
    for options in (None, bilevel):
        answer = session.generate([7, 8, 9], max_new_tokens=3, bilevel=options)
        assert np.isfinite(answer.mean_logprob)
