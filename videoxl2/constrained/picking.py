"""A token of each row, picked among those that are legal there: the best one, or one drawn.

Shapes: B rows, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from videoxl2.constrained.fill import Ask, Picked
from videoxl2.network.transfer import to_device


@torch.inference_mode()
def pick(
    logits_BV: Tensor, asked: Sequence[Ask], generators: Sequence[torch.Generator], temperature: float = 0.0
) -> list[Picked | None]:
    """Pick one legal token per row, in one transfer from the device; None where logits are not all finite.

    Nothing is drawn among such numbers, as that ends a process on a GPU.
    """
    num_rows = len(asked)
    legal_BV = logits_BV.masked_fill(~_allowed(asked, logits_BV), -torch.inf)
    both_2BV = torch.cat([logits_BV, legal_BV])
    best_2B, at_2B = both_2BV.max(-1)
    least_B = logits_BV.amin(-1)
    if temperature == 0.0:
        token_B = at_2B[num_rows:]
    else:
        is_sound_B = least_B.isfinite() & best_2B.view(2, num_rows).isfinite().all(0)
        token_B = _drawn(legal_BV.masked_fill(~is_sound_B[:, None], 0.0), generators, temperature)
    share_2B = both_2BV.log_softmax(-1).gather(-1, at_2B[:, None])[:, 0]
    logit_B = logits_BV.gather(-1, token_B[:, None])[:, 0]
    figures = [logit_B, least_B, *best_2B.view(2, num_rows), *share_2B.view(2, num_rows)]
    rows = torch.stack([*figures, token_B.to(logit_B.dtype)], -1).tolist()
    return [_picked(*row) for row in rows]


def _drawn(legal_BV: Tensor, generators: Sequence[torch.Generator], temperature: float) -> Tensor:
    """Draw a token of each row among finite numbers and those that are minus infinity."""
    legal_BV = legal_BV.float()
    # Divided only below the largest, so that no quotient overflows.
    chances_BV = ((legal_BV - legal_BV.amax(-1, keepdim=True)) / temperature).softmax(-1)
    rows = zip(chances_BV, generators, strict=True)
    drawn_B = torch.cat([torch.multinomial(row, 1, generator=g) for row, g in rows])
    is_legal_B = legal_BV.gather(-1, drawn_B[:, None])[:, 0] > -torch.inf  # rounding can draw a zero
    return torch.where(is_legal_B, drawn_B, legal_BV.argmax(-1))


def _picked(
    logit: float, least: float, best: float, best_legal: float, share: float, legal_share: float, token: float
) -> Picked | None:
    """Return a row's token with its probabilities, or None where not all logits are finite.

    The shares are log-probabilities of the best token: among all, and of the best legal one among those.
    """
    if not (math.isfinite(least) and math.isfinite(best)):
        return None
    if best_legal == -math.inf:
        raise ValueError("no token is legal here")
    total, legal_total = best - share, best_legal - legal_share
    return Picked(int(token), logit - total, logit - legal_total, math.exp(legal_total - total))


def _allowed(asked: Sequence[Ask], logits_BV: Tensor) -> Tensor:
    """Build the legal tokens `[B, V]`; the ids of all choices cross to the device together."""
    pairs = [(n, i) for n, a in enumerate(asked) if not isinstance(a.allowed, Tensor) for i in a.allowed]
    none_V = torch.zeros(logits_BV.shape[-1] if pairs else 0, dtype=torch.bool, device=logits_BV.device)
    allowed_BV = torch.stack([a.allowed if isinstance(a.allowed, Tensor) else none_V for a in asked])
    if pairs:
        rows, ids = to_device(torch.tensor(pairs), logits_BV.device).unbind(1)
        allowed_BV[rows, ids] = True
    return allowed_BV
