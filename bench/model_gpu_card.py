"""Limits of a card, and operations, bytes and goals of the stages of bench/model_gpu.py."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch

from videoxl2.generate.session import Session
from videoxl2.network.configs.config import GROUP_FRAMES, ModelConfig

GOALS = {  # at least, or at most, of what stands beside it
    "MFU of vision": 0.5,
    "MFU of DTS": 0.4,
    "MFU of the language model": 0.5,
    "end to end over its floor": 2.0,
    "peak over what footprint.py says": 1.0,
    "a step of 8 rows over its floor": 1.5,
    "a bi-level step over a dense one": 0.7,
    "three prompts together over one": 1.25,
}


@dataclass
class Card:
    """One device, what it does at most, and how far what was measured is from the goals."""

    device: torch.device
    new_tokens: int
    flops: float = 0.0  # per second
    bytes: float = 0.0  # per second, read
    reached: dict[str, list[tuple[str, float]]] = field(default_factory=dict)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def compare(self, goal: str, where: str, value: float) -> None:
        self.reached.setdefault(goal, []).append((where, value))

    def print_goals(self) -> None:
        print("\n| goal | wanted | measured |\n|---|---|---|")
        for goal, wanted in GOALS.items():
            bound = "≥" if goal.startswith("MFU") else "≤"
            found = ", ".join(f"{where}: {value:.2f}" for where, value in self.reached.get(goal, ()))
            print(f"| {goal} | {bound} {wanted} | {found or 'not run'} |")


def measure_card(card: Card) -> None:
    """Measure square products in bfloat16 on this card, and how fast it reads."""
    side, repeats = (8192, 50) if card.device.type == "cuda" else (512, 2)
    a, b = (torch.randn(side, side, device=card.device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        a @ b
    card.wait()
    started = time.perf_counter()
    for _ in range(repeats):
        a @ b
    card.wait()
    card.flops = repeats * 2 * side**3 / (time.perf_counter() - started)
    card.wait()
    started = time.perf_counter()
    for _ in range(repeats):
        b.copy_(a)
    card.wait()
    card.bytes = repeats * 2 * a.nbytes / (time.perf_counter() - started)
    print(f"measured: {card.flops / 1e12:.1f} TFLOP/s, {card.bytes / 1e12:.2f} TB/s\n", flush=True)


def stage_flops(config: ModelConfig, session: Session, previous_groups: int | None) -> dict[str, float]:
    """Multiply-adds as two operations; attention of the language model counted per visible pair."""
    v, d, groups = config.vision, config.language, session.layout.num_groups
    frames, patches, width = groups * GROUP_FRAMES, v.patches_per_side**2, v.hidden_size
    per_layer = patches * 2 * (4 * width**2 + 2 * width * v.intermediate_size) + 4 * patches**2 * width
    vision = frames * (v.num_layers * per_layer + 2 * patches * 3 * v.patch_size**2 * width)
    pixels, r2 = config.grid_side**2, config.tokens_per_group
    spatial = sum(t * (8 * pixels * width**2 + 4 * pixels**2 * width) for t in (4, 2))
    temporal = sum(t * 8 * pixels * width**2 for t in (4, 2))
    convolution = sum(t * pixels * 54 * width**2 for t in (2, 1))
    projector = 2 * pixels * width * d.hidden_size + 2 * r2 * d.hidden_size**2
    attention_width, kv_width = d.num_heads * d.head_dim, d.num_kv_heads * d.head_dim
    linear = 2 * attention_width * d.hidden_size + 2 * kv_width * d.hidden_size
    linear += 3 * d.hidden_size * d.intermediate_size
    group_tokens = (session.num_tokens - session.layout.prefix_tokens) / groups
    window = [g if previous_groups is None else min(g, previous_groups) for g in range(groups)]
    stamps = sum(
        (g - w) * n for g, w, n in zip(range(groups), window, session.layout.stamp_tokens, strict=True)
    )
    pairs = (sum(window) + 0.5 * groups) * group_tokens**2 + stamps * group_tokens
    language = session.num_tokens * 2 * linear * d.num_layers + pairs * 4 * attention_width * d.num_layers
    return {
        "vision": vision,
        "dts": groups * (spatial + temporal + convolution + projector),
        "prefill": language,
    }
