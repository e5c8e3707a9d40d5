"""What a device would be asked to do, counted at the published sizes on tensors without memory."""

from __future__ import annotations

import pytest
import torch
from counting import Operations
from torch import Tensor, nn

from videoxl2.network.config import GROUP_FRAMES, ModelConfig
from videoxl2.network.dts import DynamicTokenSynthesis
from videoxl2.network.projector import Projector
from videoxl2.network.vision import VisionTower

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
