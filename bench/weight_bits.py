"""Costs of weights of 8 and 4 bits: the error of a product, CPU time and bytes of a layer of the 8B model.

    python bench/weight_bits.py [--repeats 3]

Errors are root mean squares over those of the product in float32: weights drawn normally and with heavy
tails (Student's t, 4 degrees of freedom), inputs drawn normally, and with one channel of 64 that is twenty
times as large. A layer has the published sizes, in float32 and one thread; seconds are CPU time of this
process, the least of the repeats. Prints Markdown. `kv_quality.py --weight-bits` has what becomes of answers.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.configs.weight_bits import BITS, FULL_BITS
from videoxl2.network.layer_footprint import layer_bytes
from videoxl2.network.layers.decoder_layer import DecoderLayer
from videoxl2.network.layers.quantised import quantised_linear

INPUTS, OUTPUTS, TOKENS = 3584, 1024, 64
ROWS = (1, 8, 256)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"load {os.getloadavg()[0]:.0f}, torch {torch.__version__}\n")
    show_errors()
    show_layer(given.repeats)


def show_errors() -> None:
    print("| weights | inputs | bfloat16 | 8 bits | 4 bits |\n|---|---|---|---|---|")
    tails = torch.distributions.StudentT(4.0)
    for weights, weight in (
        ("normal", torch.randn(OUTPUTS, INPUTS)),
        ("heavy tails", tails.sample((OUTPUTS, INPUTS))),
    ):
        for inputs, scale in (("normal", 1.0), ("a channel of 64 is 20 times as large", 20.0)):
            x_TI = torch.randn(TOKENS, INPUTS)
            x_TI[:, ::64] *= scale
            print(f"| {weights} | {inputs} | {' | '.join(f'{e:.2%}' for e in errors(weight, x_TI))} |")


def errors(weight_OI: Tensor, x_TI: Tensor) -> list[float]:
    """Return the relative error of bfloat16, and of 8 and of 4 bits."""
    right = x_TI @ weight_OI.T
    found = [(x_TI.bfloat16() @ weight_OI.bfloat16().T).float()]
    for bits in BITS[1:]:
        layer = nn.Linear(INPUTS, OUTPUTS, bias=False)
        layer.weight = nn.Parameter(weight_OI.clone(), requires_grad=False)
        found.append(quantised_linear([layer], bits)(x_TI))
    return [((one - right).square().mean() / right.square().mean()).sqrt().item() for one in found]


def show_layer(repeats: int) -> None:
    sizes = LanguageConfig()
    print(f"\n| a layer | MB | by formula | {' | '.join(f'{n} tokens: ms' for n in ROWS)} | of 16 bits |")
    print(f"|---|---|---|{'---|' * len(ROWS)}---|")
    full: list[float] = []
    for bits in BITS:
        layer = DecoderLayer(sizes).requires_grad_(False)
        if bits == FULL_BITS:
            layer.join_weights()
        else:
            layer.quantise_weights(bits)
        held = sum(x.nbytes for x in (*layer.parameters(), *layer.buffers()))
        ms = [1000 * step_seconds(layer, num_tokens, repeats) for num_tokens in ROWS]
        full = full or ms
        ratios = " / ".join(f"{one / other:.2f}" for one, other in zip(ms, full, strict=True))
        cells = [
            f"{held / 1e6:,.1f}",
            f"{layer_bytes(sizes, 4, bits) / 1e6:,.1f}",
            *(f"{x:,.1f}" for x in ms),
        ]
        print(f"| {bits} bits | {' | '.join(cells)} | {ratios} |", flush=True)


def step_seconds(layer: DecoderLayer, num_tokens: int, repeats: int) -> float:
    """Return the CPU seconds of all products of a layer; attention in between is left out."""
    sizes = LanguageConfig()
    x_TD = torch.randn(num_tokens, sizes.hidden_size)
    angles_TE = torch.ones(num_tokens, sizes.head_dim)

    def step() -> None:
        q_HTE, _, _ = layer.project(x_TD, angles_TE, angles_TE)
        layer.forward(x_TD, q_HTE)

    return min(seconds_of(step) for _ in range(repeats))


def seconds_of(step: Callable[[], None]) -> float:
    started = time.process_time()
    step()
    return time.process_time() - started


if __name__ == "__main__":
    main()
