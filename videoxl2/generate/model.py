"""Video-XL-2: load it, prefill a video, ask it any number of things.

model = VideoXL2.from_pretrained("BAAI/Video-XL-2", device="cuda")
session = model.prefill(spans)
print(session.generate("What happens in this video?").text)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from videoxl2.errors import ModelInputError, ModelMemoryError, NonFiniteError
from videoxl2.generate.decode_step import DecodeStep
from videoxl2.generate.prefill import Prefill, PrefillOptions
from videoxl2.generate.session import Session
from videoxl2.generate.stream import FrameSpan, frame_batches
from videoxl2.network.checkpoint import load_network, save_checkpoint
from videoxl2.network.clock import StageClock
from videoxl2.network.config import GROUP_FRAMES, ModelConfig, read_config
from videoxl2.network.encoder import FrameEncoder
from videoxl2.network.memory import is_out_of_memory
from videoxl2.network.network import Network
from videoxl2.network.source import find_folder, revision_of
from videoxl2.network.tokens import Vocabulary

_DTYPES = {
    "float32": torch.float32,
    "fp32": torch.float32,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
}


class VideoXL2:
    """The network with its tokenizer. Safe to share for prefills one after another, not at the same time."""

    def __init__(
        self, network: Network, vocabulary: Vocabulary, revision: str, folder: Path | None = None
    ) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.revision = revision
        self._folder = folder
        self._step: DecodeStep | None = None

    @classmethod
    def from_pretrained(
        cls,
        folder_or_hub_id: str | Path,
        *,
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "auto",
        revision: str | None = None,
    ) -> VideoXL2:
        """Load a local folder or a hub repository such as `BAAI/Video-XL-2`; no remote code is executed.

        `device="auto"` is the GPU where there is one. `dtype="auto"` is the checkpoint's own on a GPU and
        float32 on a CPU. Raises `CheckpointError`, and `ModelMemoryError` when the weights do not fit.
        """
        folder = find_folder(folder_or_hub_id, revision)
        config = read_config(folder)
        target = _device(device)
        wanted = _dtype(dtype, config, target)
        try:
            network = load_network(folder, config, target, wanted)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise ModelMemoryError(
                f"the weights of {folder} do not fit on {target} as {wanted}",
                "Use a device with more free memory, or a 16-bit dtype.",
            ) from error
        return cls(network, Vocabulary.from_folder(folder), revision_of(folder), folder)

    @property
    def config(self) -> ModelConfig:
        return self.network.config

    @property
    def image_size(self) -> int:
        """Return the side, in pixels, of the square frames that the vision tower takes."""
        return self.config.vision.image_size

    @property
    def dtype(self) -> torch.dtype:
        return self.network.language.embed_tokens.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.network.language.embed_tokens.weight.device

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the checkpoint under the published key names, in the dtype it was loaded in."""
        save_checkpoint(self.network, Path(folder), self._folder)

    @torch.inference_mode()
    def prefill(
        self,
        spans: Iterable[FrameSpan],
        *,
        prefill: PrefillOptions | None = None,
        prefix_ids: Sequence[int] | None = None,
    ) -> Session:
        """Read spans as they come and leave the video's keys and values in a session.

        The first chunk is prefilled while later spans are still being read; frames and features are dropped
        on the way. `prefix_ids` replace the system prompt's tokens. Raises `ModelInputError` for no or
        impossible frames, `ModelMemoryError` at the end of the ladder, `NonFiniteError` for NaN weights.
        """
        options = prefill or PrefillOptions()
        clock = StageClock(self.device)
        encoder = FrameEncoder(self.network, self.device, options.vision_batch, clock)
        wanted_batch = encoder.batch
        running = self._start(options, prefix_ids, self.config.tokens_per_group, clock)
        frame_times: list[int] = []
        for batch in frame_batches(spans, wanted_batch, self.image_size):
            tokens_GND = encoder.encode(batch.frames)
            for visual_ND, pts_ms in zip(tokens_GND, batch.pts_ms[::GROUP_FRAMES], strict=True):
                running.add_group(self.vocabulary.stamp_ids(pts_ms), visual_ND)
            frame_times += batch.pts_ms
        if not frame_times:
            raise ModelInputError("no frames", "Give at least one frame; check that the reader found any.")
        running.finish()
        degraded = []
        if encoder.batch < wanted_batch:
            degraded.append(f"vision batch {wanted_batch} -> {encoder.batch}")
        if running.cache.on_host and not options.offload:
            degraded.append("cache offloaded to the host")
        return self._session(running, encoder, frame_times, tuple(degraded))

    @torch.inference_mode()
    def prefill_images(
        self, frames: NDArray[np.uint8], *, prefix_ids: Sequence[int] | None = None
    ) -> Session:
        """Read a still image `[1, H, W, 3]`, or its tiles with the whole picture first, without times."""
        if len(frames) == 0:
            raise ModelInputError("no image", "Give at least one image.")
        clock = StageClock(self.device)
        encoder = FrameEncoder(self.network, self.device, None, clock)
        tokens_ND = encoder.encode_tiles(frames)
        running = self._start(PrefillOptions(mode="full"), prefix_ids, len(tokens_ND), clock)
        running.add_group([], tokens_ND)
        running.finish()
        return self._session(running, encoder, [0], ())

    def _start(
        self,
        options: PrefillOptions,
        prefix_ids: Sequence[int] | None,
        tokens_per_group: int,
        clock: StageClock,
    ) -> Prefill:
        prefix = self.vocabulary.prefix_ids() if prefix_ids is None else list(prefix_ids)
        if prefix and max(prefix) >= self.config.language.vocab_size:
            raise ModelInputError(
                "the prefix has ids outside the vocabulary",
                "This checkpoint has no tokenizer of its own: pass prefix_ids.",
            )
        language = self.network.language
        return Prefill(language, prefix, tokens_per_group, options, self.device, clock)

    def _session(
        self, running: Prefill, encoder: FrameEncoder, frame_times_ms: list[int], degraded: tuple[str, ...]
    ) -> Session:
        if not encoder.all_finite.item():
            raise NonFiniteError(
                "the vision side produced NaN or infinity",
                "Check the weights; with float16, try bfloat16 or float32.",
            )
        stops = set(self.config.eos_ids)
        turn_end = self.vocabulary.end_of_turn_id
        stops |= {turn_end} if turn_end is not None else set()
        return Session(
            language=self.network.language,
            vocabulary=self.vocabulary,
            layout=running.layout,
            cache=running.cache,
            stop_ids=frozenset(stops),
            frame_times_ms=tuple(frame_times_ms),
            group_times_ms=tuple(frame_times_ms[::GROUP_FRAMES]),
            degraded=degraded,
            clock=encoder.clock,
            step=self._decode_step(),
        )

    def _decode_step(self) -> DecodeStep | None:
        """Return the recorded decode step, made once a session leaves room for it; on a CPU None."""
        if self._step is None and self.device.type == "cuda":
            try:
                self._step = DecodeStep(self.network.language)
            except torch.OutOfMemoryError:
                return None  # this session decodes the plain, slower way
        return self._step


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    target = torch.device(device)
    if target.type == "cuda" and not torch.cuda.is_available():
        raise ModelInputError("no CUDA device is available", "Use device='cpu', or run where a GPU is.")
    if target.type == "cuda" and target.index is not None:
        torch.cuda.set_device(target)  # kernels, events and graphs all go to the current device
    if target.type not in ("cpu", "cuda"):
        raise ModelInputError(f"device {target} is not supported", "Use cpu or cuda.")
    return target


def _dtype(dtype: str | torch.dtype, config: ModelConfig, device: torch.device) -> torch.dtype:
    if dtype == "auto":
        dtype = config.dtype if device.type == "cuda" else "float32"
    found = _DTYPES.get(dtype.removeprefix("torch.")) if isinstance(dtype, str) else dtype
    if found is None or found not in _DTYPES.values():
        raise ModelInputError(f"dtype {dtype} is not supported", "Use float32, bfloat16, float16 or auto.")
    return found
