"""LLaVA-Video: every frame on its own, all attention causal, the frames' times in one sentence after them.

The sequence is  prefix | frame frame … | newline, times, newline | prompt.  Source: reference §4, §5, §10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from videoxl2.generate.models.video_model import VideoModel
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.configs.families import Family
from videoxl2.network.language.context import ids_after_video, video_tokens
from videoxl2.network.llava_video import LlavaVideoNetwork


class LlavaVideo(VideoModel):
    """LLaVA-Video. What its context cannot hold is refused; the reference cuts the question off."""

    network: LlavaVideoNetwork

    family = Family.LLAVA_VIDEO

    def before_group(self, pts_ms: int) -> list[int]:
        """Return nothing: a frame's time stands in the sentence after the video."""
        return []

    def prefill_options(self, options: PrefillOptions) -> PrefillOptions:
        """Return the settings with the one mode that this model was trained with."""
        return replace(options, mode="full")

    def after_video(self, frame_times_ms: Sequence[int], duration_ms: int | None) -> Tensor:
        """Return the newline after the last frame, if it stands there, and the sentence about times.

        Raises `ModelInputError` when no room is left for a question.
        """
        duration_ms = frame_times_ms[-1] if duration_ms is None else duration_ms
        ids = ids_after_video(self.config, self.vocabulary, frame_times_ms, duration_ms)
        num_frames = len(frame_times_ms)
        taken = video_tokens(self.config, num_frames, len(ids))
        hint = "Give fewer frames; 64 is what the model was trained with."
        self.check_context(f"{num_frames} frames", taken, hint)
        return torch.cat([self.network.after_video(), self.network.language.embed(ids)])
