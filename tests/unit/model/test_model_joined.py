"""Linear layers that are one product: equal to themselves, whether they are used, moved or learned."""

import torch
from torch import nn

from videoxl2.network.joined import JoinedLinear


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
