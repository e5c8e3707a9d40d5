"""Sizes of the network; every default is the published 8B model's. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from videoxl2.network.configs.chat import CHATML, ChatFrame
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.pace import REAL_TIME, Pace
from videoxl2.network.configs.picture_size import (
    FRAMES_PER_PAIR,
    USUAL_PICTURE,
    OwnShape,
    PictureRule,
    PixelBudget,
    Squares,
)
from videoxl2.network.configs.qwen_config import QwenVision

GROUP_FRAMES = 4  # frames encoded together; fixed by the DTS parameters
KEEP_RATIO = 0.99  # of visual tokens; the reference draws one between 0.7 and 0.99 at every call
_KEPT_IN_STEPS_OF = 16

Pool = Literal["bilinear", "average", "max"]
Newline = Literal["grid", "frame", "one_token", "no_token"]

VISION_ACTIVATIONS = ("gelu_pytorch_tanh", "gelu", "relu", "silu")  # as transformers names them


@dataclass(frozen=True)
class VisionConfig:
    """SigLIP tower; `num_layers` counts the layers that run, one fewer than SigLIP's own config."""

    hidden_size: int = 1152
    intermediate_size: int = 4304
    num_layers: int = 26
    num_heads: int = 16
    image_size: int = 384  # pixels
    patch_size: int = 14  # pixels
    layer_norm_eps: float = 1e-6
    hidden_act: str = "gelu_pytorch_tanh"

    @property
    def patches_per_side(self) -> int:
        """Return the number of patches along a side of a picture."""
        return self.image_size // self.patch_size  # 384 // 14 = 27: the last 6 pixels are never seen


@dataclass(frozen=True)
class LanguageConfig:
    """Qwen2 or Qwen3 decoder."""

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_layers: int = 28
    num_heads: int = 28
    num_kv_heads: int = 4
    head_dim: int = 128
    vocab_size: int = 152064
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False
    max_position_embeddings: int = 32768
    qkv_bias: bool = True
    head_norms: bool = False  # queries and keys are normalised head by head
    # Of each frequency: 0 time, 1 row, 2 column; empty: positions are one number.
    rope_axes: tuple[int, ...] = ()


@dataclass(frozen=True)
class FrameTokens:
    """LLaVA-Video's way from a frame's patches to tokens: `stride` by `stride` become one, newlines between.

    `newline` says where the learned newline stands: after each row (`grid`), after each frame, once after the
    whole video, or nowhere. With `tells_times` a sentence after the video says when each frame was shown.
    """

    pool: Pool = "bilinear"
    newline: Newline = "one_token"
    tells_times: bool = False
    stride: int = 2

    def side(self, patches_per_side: int) -> int:
        """Return the rows that are left of so many rows of patches."""
        is_rounded_up = self.pool == "bilinear"
        return -(-patches_per_side // self.stride) if is_rounded_up else patches_per_side // self.stride

    def num_tokens(self, patches_per_side: int) -> int:
        """Return the tokens of one frame."""
        side = self.side(patches_per_side)
        return side * side + {"grid": side, "frame": 1}.get(self.newline, 0)


@dataclass(frozen=True)
class ModelConfig:
    """All sizes, plus the two files as they were read (`raw`, `raw_vision`), for saving."""

    vision: VisionConfig = field(default_factory=VisionConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    grid_side: int = 24  # the tower's patches are resampled to this grid, whatever the image size
    pool_stride: int = 2
    family: Family = Family.VIDEO_XL_2
    frame_tokens: FrameTokens | None = None  # None: four frames are read as one group
    own_shape: OwnShape | None = None  # None: every picture becomes a square
    qwen_vision: QwenVision | None = None  # of a Qwen-VL model, whose `vision` means nothing
    keep_ratio: float = KEEP_RATIO  # share of visual tokens that a prompt of Video-XL-Pro keeps
    chat: ChatFrame = CHATML
    chat_template: str | None = None  # in the folder of a Qwen-VL model
    system: str | None = None  # a system prompt in place of the published one
    fps: Fraction | None = None  # pictures a second that its files name for videos
    context_tokens: int | None = None  # video, question and answer together; None: any number
    frame_s: Fraction | None = (
        None  # seconds that its stamps count from a frame to the next; None: as many as pass
    )
    dtype: str = "bfloat16"  # of the weights on disk
    weight_bits: int = 16  # of the language model's layers; fewer: they are quantised as they are loaded
    eos_ids: tuple[int, ...] = (151645,)
    vision_found: bool = True  # False: no vision config on disk, sizes are read off the weights
    raw: dict[str, Any] = field(default_factory=dict)
    raw_vision: dict[str, Any] = field(default_factory=dict)

    @property
    def trained_frames(self) -> int | None:
        """Return the frames that its makers show it of a video; None: any number."""
        return {Family.LLAVA_VIDEO: 64, Family.VIDEO_XL_PRO: 128}.get(self.family)

    def pace(self, step_s: Fraction | None) -> Pace:
        """Return how fast time goes for it where frames are `step_s` seconds apart; None: as it is told."""
        if self.frame_s is None or step_s is None:
            return REAL_TIME
        return Pace.counting(self.frame_s, step_s)

    @property
    def frames_per_group(self) -> int:
        """Return how many frames are encoded together."""
        if self.own_shape:
            return FRAMES_PER_PAIR
        return GROUP_FRAMES if self.frame_tokens is None else 1

    @property
    def picture_rule(self) -> PictureRule:
        """Return what size pictures are shown in."""
        return self.own_shape or Squares(self.vision.image_size, self.tokens_per_group)

    def within(self, pixels: PixelBudget) -> ModelConfig:
        """Return the config of a model that is shown no more than these pixels; squares stay as they are."""
        return replace(self, own_shape=self.own_shape.within(pixels)) if self.own_shape else self

    def with_weight_bits(self, weight_bits: int) -> ModelConfig:
        """Return the config of the same model whose layers have weights of so many bits."""
        return replace(self, weight_bits=weight_bits)

    def most_tokens(self, num_frames: int) -> int:
        """Return the tokens of up to `num_frames` frames, stamps not counted, whatever their shape."""
        if self.own_shape:
            return self.own_shape.most_tokens(num_frames)
        tokens = -(-num_frames // self.frames_per_group) * self.tokens_per_group
        return num_kept(tokens, self.keep_ratio) if self.family is Family.VIDEO_XL_PRO else tokens

    @property
    def chat_frame(self) -> ChatFrame:
        """Return the text around a video; a sentence about times has the newline before a prompt."""
        tells_times = self.frame_tokens is not None and self.frame_tokens.tells_times
        return replace(self.chat, before_prompt="") if tells_times else self.chat

    @property
    def stamp_tokens(self) -> int:
        """Return the tokens that stand beside those of a group, at most: where times have six digits."""
        if self.family is Family.QWEN3_VL:
            return 13  # with the marks of where pictures begin and end
        return 11 if self.frames_per_group == GROUP_FRAMES else 0

    @property
    def tokens_per_group(self) -> int:
        """Return the number of visual tokens of a frame group."""
        if self.own_shape is not None:  # of a wide picture
            return self.own_shape.tokens(self.own_shape.size(*USUAL_PICTURE, 1))
        if self.frame_tokens is not None:
            return self.frame_tokens.num_tokens(self.vision.patches_per_side)
        return (self.grid_side // self.pool_stride) ** 2


def num_kept(num_tokens: int, keep_ratio: float) -> int:
    """Return how many of so many visual tokens a prompt of Video-XL-Pro keeps: a multiple of 16.

    Of a video that is shown some are always kept: the first step of 16, or all of fewer.
    """
    kept = int(keep_ratio * num_tokens) // _KEPT_IN_STEPS_OF * _KEPT_IN_STEPS_OF
    return max(kept, min(_KEPT_IN_STEPS_OF, num_tokens))
