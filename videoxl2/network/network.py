"""The four parts of Video-XL-2 in one module tree.

vision     SigLIP without its last layer      frames → patch features
dts        Dynamic Token Synthesis            4 frames of features → 1
projector  two linear layers, 2x2 pooling     features → language tokens
language   Qwen2                              tokens → text
"""

from __future__ import annotations

from torch import nn

from videoxl2.network.config import ModelConfig
from videoxl2.network.dts import DynamicTokenSynthesis
from videoxl2.network.language import LanguageModel
from videoxl2.network.projector import Projector
from videoxl2.network.vision import VisionTower


class Network(nn.Module):
    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionTower(config.vision)
        self.dts = DynamicTokenSynthesis(config.vision.hidden_size)
        self.projector = Projector(config.vision.hidden_size, config.language.hidden_size, config.pool_stride)
        self.language = LanguageModel(config.language)
