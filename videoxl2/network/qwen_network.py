"""Qwen2.5-VL and Qwen3-VL in one module tree.

vision     a tower that keeps the pictures' shape    pairs of frames → language tokens
language   Qwen2 or Qwen3                            tokens → text

Shapes: F frames, H W pixels, G pairs of frames, L what a token is made of, M tokens of a pair, D language
width.
"""

from __future__ import annotations

from torch import Tensor, nn

from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.vision.qwen_tower import QwenTower


class QwenNetwork(nn.Module):
    """All weights of a Qwen-VL checkpoint."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        assert config.qwen_vision is not None
        self.config = config
        self.vision = QwenTower(config.qwen_vision)
        self.language = LanguageModel(config.language)

    def visual_tokens(self, pixels_FCHW: Tensor, clock: StageClock) -> Tensor:
        """Return each pair's tokens `[G, L, M, D]`; an odd last frame is a pair with itself."""
        with clock.stage("vision"):
            tokens: Tensor = self.vision(pixels_FCHW)
            return tokens
