"""Tensors that a reference gave, and how near ours have to be."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor


def compare(
    golden: Mapping[str, Tensor],
    case: str,
    found: Mapping[str, Tensor],
    tolerance: Mapping[str, float],
    otherwise: float,
) -> int:
    """Compare a case's golden tensors of these names with what was found; how many there were.

    A golden tensor is named `case.tensor@slice`; the slice, as NumPy writes it, is what was kept of it. Each
    may be off by its `tolerance`, or by `otherwise`.
    """
    num_checked = 0
    for key, expected in golden.items():
        tensor, _, cut = key.removeprefix(f"{case}.").partition("@")
        if not key.startswith(f"{case}.") or tensor not in found:
            continue
        x = found[tensor].numpy()
        x = eval(f"x[{cut}]", {"x": x}) if cut else x
        assert x.shape == tuple(expected.shape), key
        assert np.abs(x - expected.numpy()).max() <= tolerance.get(tensor, otherwise), key
        num_checked += 1
    return num_checked
