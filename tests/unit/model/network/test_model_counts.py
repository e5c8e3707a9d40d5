"""What a device would be asked to do, counted at the published sizes on tensors without memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from counting import Operations
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from videoxl2 import PrefillOptions, VideoXL2
from videoxl2.constrained.fill import Ask
from videoxl2.constrained.flags import FlagsOnDevice
from videoxl2.constrained.picking import pick
from videoxl2.generate.decoding import decode_step as step_module
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.generate.kv.prefix import WholePrefix
from videoxl2.network.checkpoint import empty_network
from videoxl2.network.configs.config import GROUP_FRAMES, ModelConfig
from videoxl2.network.language import transformer as language_module
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.network import Network
from videoxl2.network.vision import images as images_module
from videoxl2.network.vision.dts import DynamicTokenSynthesis
from videoxl2.network.vision.projector import Projector
from videoxl2.network.vision.siglip import VisionTower

CONFIG = ModelConfig()
WIDTH, SIDE, GROUPS = CONFIG.vision.hidden_size, CONFIG.grid_side, 2
PIXELS = GROUPS * SIDE**2


def counted(build: type[nn.Module], *sizes: object, x: Tensor) -> Operations:
    """Run a part of the network over `x` in bfloat16 and record what it does."""
    with torch.device("meta"):
        part = build(*sizes).to(torch.bfloat16).requires_grad_(False).eval()
    with torch.no_grad(), Operations() as operations:
        part(x)
    return operations


def meta(*shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.bfloat16, device="meta")


@pytest.fixture(scope="module")
def network() -> Network:
    """All of the published model, without memory."""
    network = empty_network(CONFIG).to(torch.bfloat16)
    assert isinstance(network, Network)
    return network


@pytest.fixture(scope="module")
def dts() -> Operations:
    return counted(DynamicTokenSynthesis, WIDTH, x=meta(GROUPS, WIDTH, GROUP_FRAMES, SIDE, SIDE))


def rows_of_products(operations: Operations) -> list[int]:
    """Rows of each product with a weight."""
    return [one.inputs[1].shape[0] for one in operations.named("addmm")]


def test_each_linear_layer_of_dts_is_one_product(dts: Operations) -> None:
    """Queries, keys and values of all pixels and times at once, not a small product for each pixel."""
    spatial = [PIXELS * steps for steps in (4, 4, 4, 4, 2, 2, 2, 2)]
    temporal = [PIXELS * steps for steps in (4, 4, 2, 2)]
    assert rows_of_products(dts) == [*spatial[:4], *temporal[:2], *spatial[4:], *temporal[2:]]
    weights = [one for one in dts.named("bmm") if 0 in one.inputs[1].stride()]
    assert not weights


def test_dts_multiplies_in_16_bits(dts: Operations) -> None:
    """Attention with a head of 1,152 channels, too, which no fused kernel takes; its scores are float32."""
    products = dts.named("bmm", "addmm", "mm", "baddbmm", "convolution")
    assert {x.dtype for one in products for x in one.inputs} == {torch.bfloat16}
    scores = [one for one in dts.named("bmm") if one.outputs[0].shape[1:] == (SIDE**2, SIDE**2)]
    assert [one.outputs[0].dtype for one in scores] == [torch.float32] * 2


def test_each_linear_layer_of_the_projector_is_one_product() -> None:
    """The first over all pixels, the second over what pooling leaves."""
    operations = counted(Projector, WIDTH, CONFIG.language.hidden_size, 2, x=meta(GROUPS, WIDTH, SIDE, SIDE))
    assert rows_of_products(operations) == [PIXELS, PIXELS // 4]
    assert not operations.named("bmm")


def test_hidden_states_of_the_vision_tower_lie_in_order() -> None:
    """A transposed picture would be put in order again by every layer norm."""
    size = CONFIG.vision.image_size
    operations = counted(VisionTower, CONFIG.vision, x=meta(4, 3, size, size))
    norms = operations.named("native_layer_norm")
    assert len(norms) == 2 * CONFIG.vision.num_layers
    assert all(one.inputs[0].is_contiguous() for one in norms)


def test_a_chunk_brings_one_tensor_to_the_device(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels of two chunks come in one copy, their stamps in another; which rows they see is told there."""
    monkeypatch.setattr(language_module, "attention", lambda q, *_: q)
    monkeypatch.setattr(images_module, "_pixel_values_on", lambda device: torch.empty(256, device=device))
    size, chunks = CONFIG.vision.image_size, 4
    frames = np.zeros((16 * chunks, size, size, 3), np.uint8)
    span = SimpleNamespace(frames=frames, pts_ms=np.arange(len(frames)) * 1000)
    model = VideoXL2(network, Vocabulary(None), "none")
    options = PrefillOptions(previous_chunks=1, vision_batch=32, expected_frames=len(frames))
    with Operations() as operations, pytest.raises(RuntimeError, match="meta tensors"):
        model.prefill([span], prefill=options)  # up to the one look at the result
    uploads = [one for one in operations.done if one.is_upload]
    assert len(uploads) == chunks + 1  # and the system prompt
    assert len([one for one in uploads if one.inputs[0].dtype == torch.uint8]) == chunks // 2


def test_a_step_of_eight_rows_is_one_launch(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of what a GPU replays: the rows' numbers in one copy, and logits that nobody overwrites.

    Inside, a layer has four products with weights.
    """
    place = torch.device("meta")
    cache = KVCache(network.language.cache_shape, place, capacity=10_000)
    cache.advance(10_000)
    inside = Operations()

    def replay(recorded: Any) -> None:
        with _disable_current_modes(), inside:
            plain_replay(recorded)

    plain_replay = step_module._Recorded.replay
    monkeypatch.setattr(step_module._Recorded, "replay", replay)
    recorder = step_module.StepRecorder(place, plain_first=0)
    with Rows(network.language, WholePrefix(cache), cache.shape, 8, room=512, recorder=recorder) as rows:
        rows.push([[5]] * 8)
        inside.done.clear()
        with Operations() as outside:
            rows.push([[6]] * 8)
    assert outside.kernels == {"copy_": 1, "clone": 1}
    assert inside.kernels["linear"] == 4 * CONFIG.language.num_layers + 1


def test_a_step_of_one_row_on_a_cpu_is_few_operations(small_model: VideoXL2) -> None:
    """A layer has 20, of which four are products and one is attention; a token picked among some adds 15."""
    language = small_model.network.language
    cache = KVCache(language.cache_shape, small_model.device, capacity=100)
    row = OneRow(language, cache, room=20)
    unrecorded_push, unrecorded_pick = OneRow.push.__wrapped__, pick.__wrapped__  # type: ignore[attr-defined]
    with torch.no_grad():
        unrecorded_push(row, [[5, 6]])
        with Operations() as step:
            logits_1V = unrecorded_push(row, [[7]])
        with Operations() as picking:
            unrecorded_pick(logits_1V, [Ask(0, (), (5, 6))], [torch.Generator()])
    layers = language.config.num_layers
    assert step.computed["mm"] + step.computed["addmm"] == 4 * layers + 1
    assert step.computed["_scaled_dot_product_flash_attention_for_cpu"] == layers
    assert step.computed.total() <= 20 * layers + 11, step.computed
    assert picking.computed.total() <= 15, picking.computed


def test_a_mask_crosses_once() -> None:
    """Equal ones are the same tensor; of many the oldest are forgotten."""
    kept = FlagsOnDevice(torch.device("meta"))
    with Operations() as operations:
        for number in [1, 2, 1, 1, 2, *range(3, 260), 1]:
            kept(np.unpackbits(np.frombuffer(number.to_bytes(2, "big"), np.uint8)).astype(bool))
    assert len([one for one in operations.done if one.is_upload]) == 2 + 257 + 1
