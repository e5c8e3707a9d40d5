"""Numbers that are none: noticed before a token is picked among them."""

from __future__ import annotations

from torch import Tensor

from videoxl2.errors import NonFiniteError


def finite(logits: Tensor) -> Tensor:
    """Return the logits, or raise `NonFiniteError` if one is NaN or infinite; waits for the device."""
    if not logits.isfinite().all().item():
        raise NonFiniteError.of_logits()
    return logits
