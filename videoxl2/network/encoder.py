"""Frames to visual tokens, a batch at a time; nothing but the pooled tokens is kept.

Shapes: F frames, H W pixels, S image size, C vision width, R grid side, G frame groups,
N visual tokens a group, D language width. LLaVA-Video's groups are single frames; Qwen-VL's are pairs, whose
tokens `[G, L, N, D]` come with what goes to later layers.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from videoxl2.errors import ModelMemoryError
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.llava_video import LlavaVideoNetwork
from videoxl2.network.memory import is_out_of_memory, release_unused
from videoxl2.network.network import Network
from videoxl2.network.qwen_network import QwenNetwork
from videoxl2.network.vision.dts import group_frames
from videoxl2.network.vision.images import pixel_values, squash_frames
from videoxl2.network.vision.qwen_pictures import qwen_pixels
from videoxl2.network.vision.siglip import resample_to_grid

AnyNetwork = Network | LlavaVideoNetwork | QwenNetwork
_log = logging.getLogger(__name__)
DEFAULT_BATCH = {"cuda": 32, "cpu": 8}  # frames; a CPU gains nothing from more, its caches lose


class FrameEncoder:
    """Encoder of frames into visual tokens; its batch size shrinks for good when memory runs out."""

    def __init__(
        self, network: AnyNetwork, device: torch.device, batch: int | None, clock: StageClock
    ) -> None:
        self.network = network
        self._group = network.config.frames_per_group
        self.device = device
        self.dtype = network.language.embed_tokens.weight.dtype
        wanted = batch or DEFAULT_BATCH.get(device.type, 8)
        self.wanted_batch = max(self._group, wanted // self._group * self._group)
        self.batch = self.wanted_batch
        self.clock = clock
        self.all_finite = torch.ones((), dtype=torch.bool, device=device)

    def encode(self, frames_FHWC: NDArray[np.uint8]) -> Tensor:
        """Encode frames as `[G, N, D]`; only the last call may end with a short group."""
        frames_FSSC = self._fitted(frames_FHWC)
        pieces: list[Tensor] = []
        done = 0
        while done < len(frames_FSSC):
            tokens_GND = self._try_batch(frames_FSSC[done : done + self.batch])
            if tokens_GND is None:
                self.batch = max(self._group, self.batch // 2 // self._group * self._group)
                _log.warning("out of memory: the vision batch is %d now", self.batch)
                release_unused(self.device)
                continue
            pieces.append(tokens_GND)
            done += self.batch
        return torch.cat(pieces)

    def _fitted(self, frames_FHWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return frames of the size that the tower takes; a Qwen-VL tower takes them as they are."""
        if isinstance(self.network, QwenNetwork):
            return frames_FHWC
        return squash_frames(frames_FHWC, self.network.config.vision.image_size)

    def _pixels(self, frames_FHWC: NDArray[np.uint8]) -> Tensor:
        if isinstance(self.network, QwenNetwork):
            vision = self.network.vision.config
            return qwen_pixels(frames_FHWC, self.device, vision.mean, vision.spread)
        return pixel_values(frames_FHWC, self.device)

    def _try_batch(self, frames_FSSC: NDArray[np.uint8]) -> Tensor | None:
        """Encode one batch, or return None if memory ran out and a smaller batch may fit."""
        try:
            return self._encode_batch(frames_FSSC)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if self.batch > self._group:
                return None
            raise ModelMemoryError(
                f"out of memory encoding {self._group} frames, the smallest vision batch",
                "Prefill fewer frames, so that the cache leaves more of the device free.",
            ) from error

    def _encode_batch(self, frames_FSSC: NDArray[np.uint8]) -> Tensor:
        with self.clock.stage("vision"):
            pixels_FCSS = self._pixels(frames_FSSC).to(self.dtype)
        tokens_GND = self.network.visual_tokens(pixels_FCSS, self.clock)
        self.all_finite &= tokens_GND.isfinite().all()
        return tokens_GND

    def encode_tiles(self, frames_FHWC: NDArray[np.uint8]) -> Tensor:
        """Encode still images as `[tokens, D]` (reference §3.6): one image, or its tiles after the first.

        A tile is repeated to fill a group. One tile keeps the whole grid; of several, the first (the whole
        picture, small) is dropped and the others are pooled like video.
        """
        assert isinstance(self.network, Network)
        frames_FSSC = squash_frames(frames_FHWC, self.network.config.vision.image_size)
        tiles_FSSC = frames_FSSC[1:] if len(frames_FSSC) > 1 else frames_FSSC
        pixels_FCSS = pixel_values(tiles_FSSC, self.device).to(self.dtype)
        features_FNC = self.network.vision(pixels_FCSS)
        grid_FCRR = resample_to_grid(features_FNC, self.network.config.grid_side)
        merged_GCRR = self.network.dts(group_frames(grid_FCRR.repeat_interleave(GROUP_FRAMES, dim=0)))
        projector = self.network.projector
        tokens_GND = projector.unpooled(merged_GCRR) if len(frames_FSSC) == 1 else projector(merged_GCRR)
        self.all_finite &= tokens_GND.isfinite().all()
        return tokens_GND.flatten(0, 1)
