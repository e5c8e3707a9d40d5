"""The four parts of Video-XL-2 in one module tree.

vision     SigLIP without its last layer      frames → patch features
dts        Dynamic Token Synthesis            4 frames of features → 1
projector  two linear layers, 2x2 pooling     features → language tokens
language   Qwen2                              tokens → text

Shapes: F frames, S image size, C vision width, R grid side, G = ceil(F / 4) frame groups, N visual tokens a
group, D language width.
"""

from __future__ import annotations

from torch import Tensor, nn

from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import GROUP_FRAMES, ModelConfig
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers.query_aware import QuerySelector
from videoxl2.network.vision.dts import DynamicTokenSynthesis, group_frames
from videoxl2.network.vision.projector import Projector
from videoxl2.network.vision.siglip import VisionTower, pad_to_groups, resample_to_grid


class Network(nn.Module):
    """Parts of Video-XL-2 in one tree: vision tower, dynamic token synthesis, projector, language model."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionTower(config.vision)
        self.dts = DynamicTokenSynthesis(config.vision.hidden_size)
        self.projector = Projector(config.vision.hidden_size, config.language.hidden_size, config.pool_stride)
        self.language = LanguageModel(config.language)

    def visual_tokens(self, pixels_FCSS: Tensor, clock: StageClock) -> Tensor:
        """Return each group's tokens `[G, N, D]`; a short last group repeats its last frame's features."""
        with clock.stage("vision"):
            features_FNC = self.vision(pixels_FCSS)
            grid_FCRR = resample_to_grid(features_FNC, self.config.grid_side)
        with clock.stage("dts"):
            merged_GCRR = self.dts(group_frames(pad_to_groups(grid_FCRR, GROUP_FRAMES)))
            tokens_GND: Tensor = self.projector(merged_GCRR)
        return tokens_GND


class VideoXLProNetwork(Network):
    """Video-XL-Pro: the same four parts, and a selector of the visual tokens that a prompt keeps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.selector = QuerySelector(config.language.hidden_size)
