"""Parameters of a Qwen-VL tower, and bytes of a batch in it. Loads no torch."""

from __future__ import annotations

from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR
from videoxl2.network.configs.qwen_config import MERGED, QwenVision

USUAL_AREA = 384**2  # pixels of the frames that the usual vision batch is meant for


def tower_parameters(v: QwenVision) -> int:
    """Count the numbers of a tower, with what makes tokens of patches."""
    c, joined = v.hidden_size, v.hidden_size * MERGED**2
    patch = 3 * FRAMES_PER_PAIR * v.patch_size**2 * c
    norm = c if v.is_gated else 2 * c
    attention = 3 * linear_parameters(c, c) + linear_parameters(c, c)
    inner = v.intermediate_size
    linears = (2 if v.is_gated else 1) * linear_parameters(c, inner) + linear_parameters(inner, c)
    merger = linear_parameters(joined, joined) + linear_parameters(joined, v.out_size)
    taps = len(v.tapped_layers) * (merger + 2 * joined)
    learned = 0 if v.is_gated else c + v.grid_side**2 * c
    return patch + learned + v.num_layers * (attention + linears + 2 * norm) + merger + norm + taps


def linear_parameters(inputs: int, outputs: int) -> int:
    """Count the numbers of a linear layer with a bias."""
    return inputs * outputs + outputs


def frames_of_batch(usual: int, area: int) -> int:
    """Return the frames of `area` pixels each that are as much work as the `usual` number of usual ones."""
    return max(FRAMES_PER_PAIR, usual * USUAL_AREA // area)


def batch_bytes(v: QwenVision, tokens: int, usual_frames: int, itemsize: int) -> int:
    """Return what a batch of frames takes in feed-forward layers, for pairs of `tokens` tokens."""
    area = tokens * v.unit**2
    frames = frames_of_batch(usual_frames, area)
    patches = -(-frames // FRAMES_PER_PAIR) * tokens * MERGED**2
    pixels = 3 * frames * area * (1 + 4 + itemsize)  # as they came and as float32, too
    return pixels + patches * (8 * v.hidden_size + 3 * v.intermediate_size) * itemsize
