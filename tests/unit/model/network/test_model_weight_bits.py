"""Weights of 8 and 4 bits: what is computed is what the quantised weights would give in full."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
import torch
from torch import Tensor

from videoxl2 import CheckpointError, ModelInputError, ModelMemoryError, VideoModel, load_model
from videoxl2.generate.decoding.decode_step import StepRecorder
from videoxl2.network import checkpoint
from videoxl2.network.checkpoint import empty_network
from videoxl2.network.configs import weight_bits as weight_bits_module
from videoxl2.network.configs.config import LanguageConfig, ModelConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.weight_bits import quantised
from videoxl2.network.footprint import GB, fewest_devices, most_frames_in, share_bytes, shares
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers import quantised as quantised_module
from videoxl2.network.layers.quantised import quantised_linear
from videoxl2.network.spread import check_room
from videoxl2.random_checkpoint import write_random_checkpoint

QWEN_72B = ModelConfig(language=LanguageConfig(8192, 29_568, num_layers=80, num_heads=64, num_kv_heads=8))
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PROMPTS = ("What?", "Who is in the room, and when?", "Why?")
BITS = pytest.mark.parametrize("bits", [8, 4])


def nf4() -> Tensor:
    """Sixteen numbers for normally distributed weights: quantiles of both halves, and an exact zero."""
    quantile, outermost = NormalDist().inv_cdf, 0.9677083
    below = [-quantile(float(p)) for p in torch.linspace(outermost, 0.5, 8, dtype=torch.float64)[:-1]]
    above = [quantile(float(p)) for p in torch.linspace(outermost, 0.5, 9, dtype=torch.float64)[:-1]]
    code = torch.tensor([*below, 0.0, *above], dtype=torch.float64).sort().values
    return (code / code.max()).float()


def rounded_by_hand(weight_OI: Tensor, bits: int) -> Tensor:
    """Return the weights as they are after quantising: by rows, or by blocks of 64."""
    if bits == 8:
        weight_OI = weight_OI.half().float()  # as the library takes them
        largest = weight_OI.abs().amax(1, keepdim=True)
        return (weight_OI * (127 / largest)).round() * (largest / 127)
    blocks = weight_OI.reshape(-1, 64)
    largest = blocks.abs().amax(1, keepdim=True)
    code = nf4()
    nearest = (blocks / largest)[..., None].sub(code).abs().argmin(-1)
    return (code[nearest] * largest).view_as(weight_OI)


def in_full(folder: Path, bits: int) -> VideoModel:
    """A model whose layers have the quantised weights in full."""
    model = load_model(folder)
    for name, weight in model.network.language.named_parameters():
        if name.startswith("layers.") and name.split(".")[-2] in LINEAR and name.endswith("weight"):
            weight.data.copy_(rounded_by_hand(weight.data, bits))
    return model


def told(model: VideoModel, video: Any) -> tuple[Tensor, list[str]]:
    """Logits behind two prompts, and greedy answers to three on one prefill."""
    session = model.prefill(video)
    with session.start(session.select(PROMPTS[1], None)) as continuation:
        logits = [continuation.push([1, 2, 3]), continuation.push([4])]
    answers = session.generate_many(PROMPTS, max_new_tokens=6)
    return torch.stack(logits), [answer.text for answer in answers]


@pytest.fixture(scope="module", params=list(Family))
def folder(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("bits"), family=request.param)


@BITS
def test_logits_are_those_of_the_rounded_weights_in_full(folder: Path, noise: Any, bits: int) -> None:
    """Within 1e-4 in every family, greedy answers the same; and not those of the weights as they were."""
    model = load_model(folder, weight_bits=bits)
    height, _ = model.config.picture_rule.size(112, 112, 20)
    video = noise(20, size=height)
    logits, answers = told(model, video)
    wanted, wanted_answers = told(in_full(folder, bits), video)
    assert torch.allclose(logits, wanted, atol=1e-4)
    assert answers == wanted_answers
    assert (logits - told(load_model(folder), video)[0]).abs().max() > 1e-3


@BITS
def test_rows_are_what_they_are_alone(small_folder: Path, noise: Any, bits: int) -> None:
    """Three together, as steps that a GPU would record, and one prefill for each."""
    model = load_model(small_folder, weight_bits=bits)
    session = model.prefill(noise(20))
    recorded = replace(session, recorder=StepRecorder(torch.device("cpu"), plain_first=0))
    for one in (session, recorded):
        with one.start_rows(3) as rows:
            rows.push([[1, 2], [3], [4, 5, 6]])
            logits = rows.push([[7], [8], [9]])
        for row, ids in enumerate(([1, 2, 7], [3, 8], [4, 5, 6, 9])):
            with session.start() as continuation:
                assert torch.allclose(logits[row], continuation.push(ids), atol=1e-4)
    together = [answer.text for answer in session.generate_many(PROMPTS, max_new_tokens=6)]
    assert together == [
        model.prefill(noise(20)).generate(prompt, max_new_tokens=6).text for prompt in PROMPTS
    ]


@BITS
@pytest.mark.parametrize("width", [128, 72])
def test_a_gpus_way_to_multiply_gives_the_same(
    bits: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, by the library where it can, as by pieces; also where blocks go over the ends of rows."""
    torch.manual_seed(0)
    layers = [torch.nn.Linear(width, outputs) for outputs in (192, 64)]
    right = torch.cat([rounded_by_hand(layer.weight.data, bits) for layer in layers])
    bias = torch.cat([layer.bias.data for layer in layers])
    product = quantised_linear(layers, bits)
    monkeypatch.setattr(quantised_module, "_CACHED", 1 << 13)
    x = torch.randn(5, width)
    for one in (product(x), product._at_once(x)):
        assert torch.allclose(one, x @ right.T + bias, atol=1e-5)


@BITS
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_are_in_the_numbers_of_the_model(
    small_folder: Path, noise: Any, bits: int, dtype: str
) -> None:
    """Whatever these are: near those in float32."""
    wanted, _ = told(load_model(small_folder, weight_bits=bits), noise(8))
    model = load_model(small_folder, weight_bits=bits, dtype=dtype)
    logits, _ = told(model, noise(8))
    assert model.network.language.cache_shape.dtype == getattr(torch, dtype)
    assert (logits - wanted).square().mean().sqrt() < 0.1 * wanted.std()


@BITS
def test_bytes_are_those_of_the_formula(folder: Path, bits: int) -> None:
    """To the last one: whole numbers, scales, and what stays in full."""
    model = load_model(folder, weight_bits=bits)
    (share,) = shares(model.config, 1)
    held = [*model.network.parameters(), *quantised_buffers(model.network.language)]
    expected = share_bytes(model.config, share, 4) + not_counted(model)
    assert sum(x.nbytes for x in held) == expected


def quantised_buffers(language: LanguageModel) -> Iterator[Tensor]:
    for name, buffer in language.named_buffers():
        if name.startswith("layers."):
            yield buffer


def not_counted(model: VideoModel) -> int:
    """Bytes of Video-XL-Pro's selector, which the formula leaves out."""
    network = empty_network(model.config)
    counted = share_bytes(model.config.with_weight_bits(16), shares(model.config, 1)[0], 4)
    return sum(x.numel() * 4 for x in network.parameters()) - counted


@BITS
def test_layers_are_rounded_as_they_come(
    small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    """Though files hold a layer in parts: never more than two are there in full at a time."""
    monkeypatch.setattr(checkpoint, "SHARD_BYTES", 200_000)
    load_model(small_folder).save_pretrained(tmp_path)
    assert len([*tmp_path.glob("*.safetensors")]) > 8
    most = 0
    quantise_layer = LanguageModel.quantise_layer

    def counted(language: LanguageModel, index: int, weight_bits: int) -> None:
        nonlocal most
        begun = [name for name, x in language.named_parameters() if "_proj.weight" in name and not x.is_meta]
        most = max(most, len({name.split(".")[1] for name in begun}))
        quantise_layer(language, index, weight_bits)

    monkeypatch.setattr(LanguageModel, "quantise_layer", counted)
    language = load_model(tmp_path, weight_bits=bits).network.language
    assert 1 <= most <= 2
    assert not [name for name, _ in language.named_parameters() if "_proj.weight" in name]


def test_nothing_is_loaded_for_weights_in_full(small_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the library nor whether it is there is asked for."""
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setattr(weight_bits_module, "find_spec", lambda name: None)
    assert load_model(small_folder).config.weight_bits == 16
    with pytest.raises(CheckpointError, match="need bitsandbytes, not installed here") as refused:
        load_model(small_folder, weight_bits=8)
    assert "media-index[quantized]" in refused.value.hint


def test_what_cannot_be_is_refused(small_folder: Path, tmp_path: Path) -> None:
    """Other numbers of bits, layers that have no whole blocks, and saving what is left as the checkpoint."""
    with pytest.raises(CheckpointError, match="weights of 5 bits are not supported"):
        load_model(small_folder, weight_bits=5)
    odd = ModelConfig(language=LanguageConfig(42, 72, 1, 1, 1, 24))
    with pytest.raises(CheckpointError, match="blocks of 64") as refused:
        quantised(odd, 4)
    assert refused.value.hint == "Use 8 bits."
    assert quantised(odd, 8).weight_bits == 8
    with pytest.raises(ModelInputError, match="are not what the checkpoint holds"):
        load_model(small_folder, weight_bits=8).save_pretrained(tmp_path)


def test_what_fewer_bits_buy() -> None:
    """A thousand frames of 8B on 16 GB with 4 bits; 72B on two cards of 80 GB with 8, on one with 4."""
    config = ModelConfig()
    on_16 = [most_frames_in(16 * GB, config.with_weight_bits(bits)) for bits in (16, 8, 4)]
    assert on_16[0] == 0 < on_16[1] < 1000 < on_16[2]
    assert [fewest_devices(80 * GB, QWEN_72B.with_weight_bits(bits)) for bits in (16, 8, 4)] == [3, 2, 1]
    check_room(QWEN_72B.with_weight_bits(8), 2, [80 * GB] * 2)
    with pytest.raises(ModelMemoryError) as refused:
        check_room(QWEN_72B, 2, [80 * GB])
    assert refused.value.hint.endswith("Or quantise them: --weight-bits 4, or weight_bits=4 in Python.")
    with pytest.raises(ModelMemoryError, match="GB in 8 bits; 1 GPU has 48"):
        check_room(QWEN_72B.with_weight_bits(8), 2, [48 * GB])
