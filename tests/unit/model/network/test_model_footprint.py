"""Bytes by formula against tensors that are made, and frames that fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from counting import LiveBytes

from videoxl2 import PrefillOptions
from videoxl2.generate.prefill.chunked import Prefill
from videoxl2.network.checkpoint import empty_network
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import (
    FrameTokens,
    LanguageConfig,
    ModelConfig,
    VisionConfig,
    num_kept,
)
from videoxl2.network.configs.families import Family
from videoxl2.network.footprint import (
    CARDS,
    Answers,
    footprint,
    most_frames_in,
    num_parameters,
    token_bytes,
)
from videoxl2.network.layers.query_aware import QuerySelector

FULL = ModelConfig()
ODD = ModelConfig(
    vision=VisionConfig(96, 100, 3, 4, image_size=59, patch_size=7),
    language=LanguageConfig(48, 80, 2, 3, 1, 16, 333, tie_word_embeddings=True),
    grid_side=6,
)


@pytest.mark.parametrize(
    "config",
    [
        FULL,
        ODD,
        replace(ODD, family=Family.LLAVA_VIDEO, frame_tokens=FrameTokens()),
        replace(ODD, family=Family.VIDEO_XL_PRO),
        replace(ODD, language=replace(ODD.language, qkv_bias=False, head_norms=True)),
    ],
)
def test_every_parameter_is_counted(config: ModelConfig) -> None:
    """To the last one, in all families of squares; a head that is the embedding counts once."""
    network = empty_network(config)
    if config.language.tie_word_embeddings:
        network.language.lm_head.weight = network.language.embed_tokens.weight
    assert num_parameters(config) == sum(x.numel() for x in network.parameters())


@pytest.mark.parametrize("num_frames", [1, 100, 2048])
def test_the_cache_is_what_prefill_reserves(num_frames: int) -> None:
    """Up to the block that a cache is rounded to."""
    language = empty_network(FULL).to(torch.bfloat16).language
    options = PrefillOptions(expected_frames=num_frames)
    stamps, meta = FULL.stamp_tokens, torch.device("meta")
    cache = Prefill(language, [], FULL.tokens_per_group, options, meta, stamp_tokens=stamps).cache
    reserved = cache.capacity * cache.shape.bytes_per_token
    block = 256 * cache.shape.bytes_per_token
    assert abs(reserved - footprint(FULL, num_frames).cache) <= block


def test_a_vision_batch_takes_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors alive at a time in 32 frames at full size; attention leaves no scores behind, as fused."""
    monkeypatch.setattr(
        torch.nn.functional, "scaled_dot_product_attention", lambda q, *_, **__: torch.empty_like(q)
    )
    network = empty_network(FULL).to(torch.bfloat16)
    size = FULL.vision.image_size
    with torch.no_grad(), LiveBytes() as live:
        bytes_FCSS = torch.empty(32, 3, size, size, dtype=torch.uint8, device="meta")
        network.visual_tokens(bytes_FCSS.to(torch.bfloat16), StageClock(torch.device("meta")))
    said = footprint(FULL, 1).batch
    assert 0.95 * said <= live.peak <= said


@pytest.mark.parametrize("itemsize", [2, 4])
@torch.inference_mode()
def test_a_selector_takes_what_is_said(itemsize: int) -> None:
    """Video-XL-Pro: rows that all prompts share, as they are made and afterwards; a cache for each prompt."""
    language = LanguageConfig(128, 64, 2, 2, 1, 64, 100)
    pro = replace(ODD, family=Family.VIDEO_XL_PRO, grid_side=24, language=language)
    groups, dtype = 60, torch.bfloat16 if itemsize == 2 else torch.float32
    size = pro.tokens_per_group + 10
    selector = QuerySelector(language.hidden_size).to(dtype)
    is_visual_T = torch.ones(groups * size, dtype=torch.bool)
    is_visual_T.view(groups, size)[:, :10] = False
    with LiveBytes() as live:
        pieces = torch.zeros(groups * size, language.hidden_size, dtype=dtype)
        video = selector.prepare(pieces.clone(), is_visual_T, pro.tokens_per_group)
        del pieces
    none, said = (footprint(pro, frames, itemsize=itemsize) for frames in (0, 4 * groups))
    assert 0.8 * said.batch <= live.peak <= said.batch
    caches = 8 * token_bytes(pro, itemsize) * (11 * groups + num_kept(groups * pro.tokens_per_group, 0.99))
    shared = said.cache - none.cache - caches
    assert live.now <= shared <= 1.02 * live.now
    assert video.rotated.dtype == dtype


def test_frames_that_fit_are_the_most() -> None:
    """One group more is too many; bi-level decoding and more rows leave room for fewer."""
    for card in CARDS[1:]:
        most = most_frames_in(card, FULL)
        assert footprint(FULL, most).total <= card < footprint(FULL, most + 4).total
        assert most_frames_in(card, FULL, compression=4) < most
        assert most_frames_in(card, FULL, answers=Answers(rows=16)) < most
    assert most_frames_in(10**10, FULL) == 0


def test_what_fits_which_card() -> None:
    """The published model in 16 bits: a thousand frames on 24 GB, ten thousand from 48 GB on; none on 16."""
    found = {card // 10**9: most_frames_in(card, FULL) for card in CARDS}
    assert found == {16: 0, 24: 1536, 48: 12_336, 80: 26_736, 141: 54_188}
