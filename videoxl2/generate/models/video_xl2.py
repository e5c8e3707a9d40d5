"""Video-XL-2: load it, prefill a video, ask it any number of things.

model = VideoXL2.from_pretrained("BAAI/Video-XL-2", device="cuda")
session = model.prefill(spans)
print(session.generate("What happens in this video?").text)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from videoxl2.errors import ModelInputError
from videoxl2.generate.models.video_model import VideoModel
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.generate.session import Session
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.families import Family
from videoxl2.network.encoder import FrameEncoder
from videoxl2.network.network import Network


class VideoXL2(VideoModel):
    """Video-XL-2: four frames become one group of visual tokens behind a stamp of their time."""

    family = Family.VIDEO_XL_2
    network: Network

    def before_group(self, pts_ms: int) -> list[int]:
        """Return the stamp of a group whose first frame is shown at `pts_ms`."""
        return self.vocabulary.stamp_ids(pts_ms)

    @torch.inference_mode()
    def prefill_images(
        self, frames: NDArray[np.uint8], *, prefix_ids: Sequence[int] | None = None
    ) -> Session:
        """Read a still image `[1, H, W, 3]`, or its tiles with the whole picture first, without times.

        ModelInputError: there is no image.
        """
        if len(frames) == 0:
            raise ModelInputError("no image", "Give at least one image.")
        clock = StageClock(self.device)
        encoder = FrameEncoder(self.network, self.device, None, clock)
        tokens_ND = encoder.encode_tiles(frames)
        options = PrefillOptions(mode="full")
        running = self._start(options, prefix_ids, len(tokens_ND), clock)
        running.add_groups([[]], tokens_ND[None])
        running.finish()
        return self._session(running, encoder, [0], options)
