"""Bytes that a model and a video take on each of its devices, and the frames that fit. Loads no torch.

All of it is counted from a config's sizes. What no formula knows, such as workspaces of convolutions and the
driver's own memory, is `RESERVED`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.layer_footprint import layer_bytes, layer_parameters, unpacked_bytes
from videoxl2.network.qwen_footprint import batch_bytes, linear_parameters, tower_parameters

GB = 10**9
CARDS = (16 * GB, 24 * GB, 48 * GB, 80 * GB, 141 * GB)  # that people have
RESERVED = 3 * GB // 2
MOST_DEVICES = 16  # that one machine has
SPARE_TOKENS = 1024  # reserved behind the video for a prompt and the start of its answer

_BATCH_FRAMES = {2: 32, 4: 8}  # of the vision tower on a GPU and on a CPU, by bytes a number
_PREFIX_TOKENS = 14
_PASS_TOKENS = 1300  # two chunks of 16 frames
_ROTATING_BYTES = 18  # a number that is turned by its row's place, in float32
_DISTANCES = 129  # rows of the tables of relative positions
_MOST_FRAMES = 1 << 24


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a model on one of its devices: some layers, and what stands before or after them all."""

    num_layers: int
    has_input: bool = True  # vision, what makes tokens of its features, embedding
    has_output: bool = True  # norm and head


@dataclass(frozen=True, slots=True)
class Answers:
    """The needs of answers besides the video: rows that decode together and the tokens each may take."""

    rows: int = 8
    tokens: int = 4608  # a prompt, and the longest answer of the default pack


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes by what they are for."""

    weights: int
    cache: int  # keys and values of the video; with Video-XL-Pro for each prompt, and what all share
    pooled: int  # the same once more, pooled, where prompts see parts of it so
    batch: int  # the largest of a vision batch, a pass of prefill and what a selector is made of
    answers: int
    unpacked: int = 0  # the largest product's quantised weights in full: in a pass, and in recorded steps
    reserved: int = RESERVED

    @property
    def total(self) -> int:
        """The sum of all parts, in bytes."""
        return sum(getattr(self, field.name) for field in fields(self))


def footprint(
    config: ModelConfig,
    num_frames: int,
    *,
    itemsize: int = 2,
    compression: int | None = None,
    answers: Answers = Answers(),
    share: Share | None = None,
) -> Footprint:
    """Return what `num_frames` frames at a time take on a device, in numbers of `itemsize` bytes.

    `share` is what of the model lies there, None: all. With `compression` prompts decode bi-level: the
    video is there pooled as well.
    """
    share = share or Share(config.language.num_layers)
    token = token_bytes(config, itemsize) // config.language.num_layers * share.num_layers
    groups = -(-num_frames // config.frames_per_group)
    beside = reserved_tokens(_PREFIX_TOKENS, groups, config.stamp_tokens)
    pooled = groups * (config.tokens_per_group // compression + config.stamp_tokens) if compression else 0
    is_prompted = config.family is Family.VIDEO_XL_PRO  # keys and values are a prompt's own
    caches = answers.rows if is_prompted else 1
    kept, making = _selector_bytes(config, groups, itemsize) if is_prompted and share.has_input else (0, 0)
    logits = answers.rows * config.language.vocab_size * 4 * (share.has_input or share.has_output)
    vision = _vision_bytes(config, itemsize) if share.has_input else 0
    return Footprint(
        weights=share_bytes(config, share, itemsize),
        cache=(beside + config.most_tokens(num_frames)) * token * caches + kept,
        pooled=pooled * token,
        batch=max(vision, _pass_bytes(config, itemsize), making),
        answers=answers.rows * answers.tokens * token + logits,
        unpacked=2 * unpacked_bytes(config.language, itemsize, config.weight_bits),
    )


def most_frames_in(
    num_bytes: int,
    config: ModelConfig,
    *,
    itemsize: int = 2,
    compression: int | None = None,
    answers: Answers = Answers(),
    num_devices: int = 1,
) -> int:
    """Return the frames that fit so many bytes on each device, in whole groups; 0: not even weights do."""
    if num_devices > config.language.num_layers:
        return 0
    parts = shares(config, num_devices, itemsize=itemsize)

    def total(groups: int) -> int:
        how: Any = {"itemsize": itemsize, "compression": compression, "answers": answers}
        return max(
            footprint(config, groups * config.frames_per_group, share=share, **how).total for share in parts
        )

    fitting = bisect_right(range(_MOST_FRAMES // config.frames_per_group), num_bytes, key=total)
    return max(0, fitting - 1) * config.frames_per_group


def fewest_devices(
    num_bytes: int, config: ModelConfig, *, itemsize: int = 2, answers: Answers = Answers()
) -> int | None:
    """Return the devices of so many bytes that hold the model and one group of frames; None: 16 do not."""
    some = range(1, MOST_DEVICES + 1)
    fit = (most_frames_in(num_bytes, config, itemsize=itemsize, answers=answers, num_devices=n) for n in some)
    return next((n for n, frames in zip(some, fit, strict=True) if frames), None)


def token_bytes(config: ModelConfig, itemsize: int) -> int:
    """Return the bytes of keys and values of one token in all layers."""
    language = config.language
    return 2 * language.num_layers * language.num_kv_heads * language.head_dim * itemsize


def reserved_tokens(prefix_tokens: int, num_groups: int, tokens_per_group: int) -> int:
    """Return the rows that prefill reserves for a video of so many groups, each with its stamp."""
    return prefix_tokens + num_groups * tokens_per_group + SPARE_TOKENS


def num_parameters(config: ModelConfig) -> int:
    """Count the numbers of a checkpoint."""
    return share_parameters(config, Share(config.language.num_layers))


def share_parameters(config: ModelConfig, share: Share) -> int:
    """Count the numbers of a share; a head that is the embedding counts as such."""
    before, after = _input_parameters(config), _output_parameters(config)
    layers = share.num_layers * layer_parameters(config.language)
    return layers + before * share.has_input + after * share.has_output


def share_bytes(config: ModelConfig, share: Share, itemsize: int) -> int:
    """Return the bytes of a share's weights, in numbers of `itemsize` bytes where they are not quantised."""
    beside = share_parameters(config, replace(share, num_layers=0)) * itemsize
    return beside + share.num_layers * layer_bytes(config.language, itemsize, config.weight_bits)


def shares(
    config: ModelConfig, num_devices: int, *, itemsize: int = 2, free_bytes: Sequence[int] = ()
) -> tuple[Share, ...]:
    """Spread a model over devices, at most one for each layer, so that the fullest is as empty as can be.

    `free_bytes` of each device; none: all have the same. What stands after the layers is on the last device;
    a head that is the embedding stays on the first.
    """
    last = 0 if config.language.tie_word_embeddings else num_devices - 1
    counts = [0] * num_devices
    room = list(free_bytes) or [0] * num_devices
    room[0] -= _input_parameters(config) * itemsize
    room[last] -= _output_parameters(config) * itemsize
    for _ in range(config.language.num_layers):
        widest = max(range(num_devices), key=room.__getitem__)
        counts[widest] += 1
        room[widest] -= layer_bytes(config.language, itemsize, config.weight_bits)
    return tuple(Share(count, at == 0, at == last) for at, count in enumerate(counts))


def _input_parameters(config: ModelConfig) -> int:
    vocabulary = config.language.vocab_size * config.language.hidden_size
    if config.qwen_vision is not None:
        return tower_parameters(config.qwen_vision) + vocabulary
    width = config.language.hidden_size
    c = config.vision.hidden_size
    projector = linear_parameters(c, width) + linear_parameters(width, width)
    between = width if config.frame_tokens else _dts_parameters(c)  # LLaVA-Video has a newline there
    selector = 5 * linear_parameters(width, width) if config.family is Family.VIDEO_XL_PRO else 0
    return _tower_parameters(config) + between + projector + vocabulary + selector


def _output_parameters(config: ModelConfig) -> int:
    d = config.language
    return d.hidden_size * (1 if d.tie_word_embeddings else 1 + d.vocab_size)


def _tower_parameters(config: ModelConfig) -> int:
    v, c = config.vision, config.vision.hidden_size
    embeddings = linear_parameters(3 * v.patch_size**2, c) + v.patches_per_side**2 * c
    feed_forward = linear_parameters(c, v.intermediate_size) + linear_parameters(v.intermediate_size, c)
    return embeddings + v.num_layers * (4 * linear_parameters(c, c) + feed_forward + 4 * c) + 2 * c


def _dts_parameters(c: int) -> int:
    spatial = 2 * c + 4 * linear_parameters(c, c)
    temporal = 2 * c + linear_parameters(c, 3 * c) + linear_parameters(c, c) + 2 * _DISTANCES * c
    return 4 * c + 2 * (spatial + temporal + linear_parameters(27 * c, c))


def _vision_bytes(config: ModelConfig, itemsize: int) -> int:
    """A batch in the tower's feed-forward layers, or in Dynamic Token Synthesis, whichever is more."""
    if config.qwen_vision is not None:
        return batch_bytes(config.qwen_vision, config.tokens_per_group, _BATCH_FRAMES[itemsize], itemsize)
    v, frames = config.vision, _BATCH_FRAMES[itemsize]
    patches = v.patches_per_side**2
    pixels = 3 * v.image_size**2 * (itemsize + 1)  # as they came, too
    tower = patches * (4 * v.hidden_size + 2 * v.intermediate_size) * itemsize
    merged = 0 if config.frame_tokens else 10 * config.grid_side**2 * v.hidden_size * itemsize
    return frames * max(pixels + tower, merged)


def _selector_bytes(config: ModelConfig, groups: int, itemsize: int) -> tuple[int, int]:
    """Return what Video-XL-Pro keeps of a video for all prompts, and what that takes while it is made."""
    visual = groups * config.tokens_per_group
    rows, width = visual + groups * config.stamp_tokens, config.language.hidden_size
    return (rows + visual) * width * itemsize, rows * width * (_ROTATING_BYTES + 3 * itemsize)


def _pass_bytes(config: ModelConfig, itemsize: int) -> int:
    d = config.language
    return _PASS_TOKENS * (4 * d.intermediate_size + 8 * d.hidden_size) * itemsize
