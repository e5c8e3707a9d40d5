"""Linear layers over one input as one product: the same numbers, and nothing a checkpoint would notice."""

from __future__ import annotations

import torch
from counting import Operations
from torch import Tensor, nn

from videoxl2.network.layers.joined import JoinedLinear


def layers() -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    torch.manual_seed(0)
    return nn.Linear(6, 4), nn.Linear(6, 2), nn.Linear(6, 3)


def apart(x: Tensor, *parts: nn.Linear) -> Tensor:
    return torch.cat([part(x) for part in parts], dim=-1)


@torch.no_grad()
def test_one_product_gives_what_the_layers_give() -> None:
    """In their order, with and without biases; the layers keep their weights, as views."""
    parts, x = layers(), torch.randn(5, 6)
    want, before = apart(x, *parts), [part.weight.clone() for part in parts]
    joined = JoinedLinear(*parts)
    joined(x)
    with Operations() as operations:
        found = joined(x)
    assert len(operations.named("addmm")) == 1
    assert torch.allclose(found, want, atol=1e-6)
    assert all(torch.equal(part.weight, kept) for part, kept in zip(parts, before, strict=True))
    assert len({part.weight.untyped_storage().data_ptr() for part in parts}) == 1
    plain = nn.Linear(6, 4, bias=False)
    assert torch.allclose(JoinedLinear(plain, plain)(x), apart(x, plain, plain), atol=1e-6)


@torch.no_grad()
def test_weights_that_change_are_seen() -> None:
    """Written to in place, replaced, or moved to other numbers: never the old ones."""
    parts, x = layers(), torch.randn(5, 6)
    joined = JoinedLinear(*parts)
    joined(x)
    parts[1].weight.zero_()
    assert torch.allclose(joined(x), apart(x, *parts), atol=1e-6)
    parts[2].weight = nn.Parameter(torch.randn(3, 6))
    assert torch.allclose(joined(x), apart(x, *parts), atol=1e-6)
    for part in parts:
        part.double()
    assert torch.allclose(joined(x.double()), apart(x.double(), *parts), atol=1e-12)


@torch.no_grad()
def test_a_bias_that_changes_is_seen() -> None:
    """It is joined apart from the weights."""
    parts, x = layers(), torch.randn(5, 6)
    joined = JoinedLinear(*parts)
    joined(x)
    parts[0].bias = nn.Parameter(torch.full((4,), 7.0))
    assert torch.allclose(joined(x), apart(x, *parts), atol=1e-6)


def test_layers_joined_learn_as_they_do_alone() -> None:
    """Gradients reach each layer, and what an optimizer changed is seen by the next product."""
    first, second = nn.Linear(3, 2), nn.Linear(3, 4)
    joined = JoinedLinear(first, second)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = joined(x)
    optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.1)
    for layer in (first, second):
        layer.weight.requires_grad_(True)
    joined(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in (*first.parameters(), *second.parameters()))
    optimizer.step()
    with torch.inference_mode():
        after = joined(x)
    assert torch.allclose(after, torch.cat([first(x), second(x)], dim=-1), atol=1e-6)
    assert not torch.allclose(after, before, atol=1e-3)
