"""Bytes that a model and a video take on a device, and the frames that fit. Loads no torch.

All of it is counted from a config's sizes. What no formula knows, such as workspaces of convolutions and the
driver's own memory, is `RESERVED`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields

from videoxl2.network.config import ModelConfig

GB = 10**9
CARDS = (24 * GB, 48 * GB, 80 * GB, 141 * GB)  # that people have
RESERVED = 3 * GB // 2
STAMP_TOKENS = 10  # of a group, at most: 10,000 s have as many
SPARE_TOKENS = 1024  # reserved behind the video for a prompt and the start of its answer

_BATCH_FRAMES = {2: 32, 4: 8}  # of the vision tower on a GPU and on a CPU, by bytes a number
_PREFIX_TOKENS = 14
_PASS_TOKENS = 1300  # two chunks of 16 frames
_DISTANCES = 129  # rows of the tables of relative positions
_MOST_FRAMES = 1 << 24


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers need besides the video: rows that decode together and the tokens each may take."""

    rows: int = 8
    tokens: int = 4608  # a prompt, and the longest answer of the default pack


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes by what they are for."""

    weights: int
    cache: int  # keys and values of the video
    pooled: int  # the same once more, pooled, where prompts see parts of it so
    batch: int  # the larger of a vision batch and a pass of prefill
    answers: int
    reserved: int = RESERVED

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


def footprint(
    config: ModelConfig,
    num_frames: int,
    *,
    itemsize: int = 2,
    compression: int | None = None,
    answers: Answers = Answers(),
) -> Footprint:
    """Return what `num_frames` frames at a time take in numbers of `itemsize` bytes.

    With `compression` prompts decode bi-level: the video is there pooled as well.
    """
    token = token_bytes(config, itemsize)
    groups = -(-num_frames // config.frames_per_group)
    visual = config.tokens_per_group // compression if compression else 0
    pooled = groups * (visual + STAMP_TOKENS) if compression else 0
    logits = answers.rows * config.language.vocab_size * 4
    return Footprint(
        weights=num_parameters(config) * itemsize,
        cache=reserved_tokens(_PREFIX_TOKENS, groups, config.tokens_per_group) * token,
        pooled=pooled * token,
        batch=max(_vision_bytes(config, itemsize), _pass_bytes(config, itemsize)),
        answers=answers.rows * answers.tokens * token + logits,
    )


def most_frames_in(
    num_bytes: int,
    config: ModelConfig,
    *,
    itemsize: int = 2,
    compression: int | None = None,
    answers: Answers = Answers(),
) -> int:
    """Return the frames that fit so many bytes, in whole groups; 0 where not even the weights do."""

    def total(groups: int) -> int:
        frames = groups * config.frames_per_group
        return footprint(config, frames, itemsize=itemsize, compression=compression, answers=answers).total

    fitting = bisect_right(range(_MOST_FRAMES // config.frames_per_group), num_bytes, key=total)
    return max(0, fitting - 1) * config.frames_per_group


def token_bytes(config: ModelConfig, itemsize: int) -> int:
    """Return the bytes of keys and values of one token in all layers."""
    language = config.language
    return 2 * language.num_layers * language.num_kv_heads * language.head_dim * itemsize


def reserved_tokens(prefix_tokens: int, num_groups: int, tokens_per_group: int) -> int:
    """Return the rows that prefill reserves for a video of so many groups."""
    return prefix_tokens + num_groups * (tokens_per_group + STAMP_TOKENS) + SPARE_TOKENS


def num_parameters(config: ModelConfig) -> int:
    """Count the numbers of a checkpoint."""
    width = config.language.hidden_size
    c = config.vision.hidden_size
    projector = _linear(c, width) + _linear(width, width)
    between = width if config.frame_tokens else _dts_parameters(c)  # LLaVA-Video has a newline there
    return _tower_parameters(config) + between + projector + _language_parameters(config)


def _linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def _tower_parameters(config: ModelConfig) -> int:
    v, c = config.vision, config.vision.hidden_size
    embeddings = _linear(3 * v.patch_size**2, c) + v.patches_per_side**2 * c
    feed_forward = _linear(c, v.intermediate_size) + _linear(v.intermediate_size, c)
    return embeddings + v.num_layers * (4 * _linear(c, c) + feed_forward + 4 * c) + 2 * c


def _dts_parameters(c: int) -> int:
    spatial = 2 * c + 4 * _linear(c, c)
    temporal = 2 * c + _linear(c, 3 * c) + _linear(c, c) + 2 * _DISTANCES * c
    return 4 * c + 2 * (spatial + temporal + _linear(27 * c, c))


def _language_parameters(config: ModelConfig) -> int:
    d = config.language
    width, queries, keys = d.hidden_size, d.num_heads * d.head_dim, d.num_kv_heads * d.head_dim
    attention = _linear(width, queries) + 2 * _linear(width, keys) + queries * width
    layer = attention + 3 * width * d.intermediate_size + 2 * width
    vocabulary = d.vocab_size * width * (1 if d.tie_word_embeddings else 2)
    return vocabulary + d.num_layers * layer + width


def _vision_bytes(config: ModelConfig, itemsize: int) -> int:
    """A batch in the tower's feed-forward layers, or in Dynamic Token Synthesis, whichever is more."""
    v, frames = config.vision, _BATCH_FRAMES[itemsize]
    patches = v.patches_per_side**2
    pixels = 3 * v.image_size**2 * (itemsize + 1)  # as they came, too
    tower = patches * (4 * v.hidden_size + 2 * v.intermediate_size) * itemsize
    merged = 0 if config.frame_tokens else 10 * config.grid_side**2 * v.hidden_size * itemsize
    return frames * max(pixels + tower, merged)


def _pass_bytes(config: ModelConfig, itemsize: int) -> int:
    d = config.language
    return _PASS_TOKENS * (4 * d.intermediate_size + 8 * d.hidden_size) * itemsize
