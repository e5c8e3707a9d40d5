"""A model that can be asked about videos: weights, tokenizer, and what every family does alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from videoxl2.errors import CheckpointError, ModelInputError, ModelMemoryError, NonFiniteError
from videoxl2.generate.decoding.decode_step import ALL_PLAIN, StepRecorder
from videoxl2.generate.models.placing import device_of, dtype_of, spread_over
from videoxl2.generate.prefill.chunked import Prefill, PrefillOptions
from videoxl2.generate.prefill.stream import FrameSpan, frame_batches, shown
from videoxl2.generate.session import Session
from videoxl2.network.checkpoint import load_network, save_checkpoint
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.model_options import with_options
from videoxl2.network.configs.pace import Pace
from videoxl2.network.configs.picture_size import PictureSize
from videoxl2.network.configs.source import find_folder, revision_of
from videoxl2.network.configs.weight_bits import FULL_BITS, quantised
from videoxl2.network.encoder import AnyNetwork, FrameEncoder
from videoxl2.network.language.tokens import Vocabulary
from videoxl2.network.memory import is_out_of_memory

_MIN_PROMPT_TOKENS = 64  # of a context that stay for the shortest question and answer


class VideoModel(ABC):
    """The network with its tokenizer. Safe to share for prefills one after another, not at the same time."""

    family: Family
    network: AnyNetwork

    def __init__(
        self, network: AnyNetwork, vocabulary: Vocabulary, revision: str, folder: Path | None = None
    ) -> None:
        self.network = network
        self.vocabulary = vocabulary
        self.revision = revision
        self._folder = folder
        self._recorder: StepRecorder | None = None

    @classmethod
    def from_pretrained(
        cls,
        folder_or_hub_id: str | Path,
        *,
        device: str | torch.device = "cpu",
        devices: Sequence[str | torch.device] = (),
        dtype: str | torch.dtype = "auto",
        revision: str | None = None,
        options: Mapping[str, str] | None = None,
        weight_bits: int = FULL_BITS,
    ) -> Self:
        """Load a local folder or a hub repository such as `BAAI/Video-XL-2`; no remote code is executed.

        `device="auto"` is the GPU where there is one; with `devices` the layers are spread over these, and
        answers are the same. `dtype="auto"` is the checkpoint's own on a GPU and float32 on a CPU. `options`
        are those of the family, as `{"pool": "average"}`. With 8 or 4 `weight_bits` the language model's
        layers are quantised. Raises `CheckpointError`, `ModelInputError` for an option that the model has
        not, and `ModelMemoryError` when the weights do not fit.
        """
        folder = find_folder(folder_or_hub_id, revision)
        config = quantised(with_options(read_config(folder), options or {}), weight_bits)
        if config.family is not cls.family:
            raise CheckpointError(
                f"{folder} holds {config.family}, not {cls.family}",
                "Load it with videoxl2.load_model, which takes any of them.",
            )
        targets = [device_of(one) for one in devices or (device,)]
        wanted = dtype_of(dtype, config, targets[0])
        try:
            network = load_network(folder, config, spread_over(config, targets, wanted), wanted)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise ModelMemoryError(
                f"the weights of {folder} do not fit on {', '.join(map(str, targets))} as {wanted}",
                "Use a device with more free memory, a 16-bit dtype, or fewer weight_bits.",
            ) from error
        vocabulary = Vocabulary.from_folder(folder, config.chat_frame)
        return cls(network, vocabulary, revision_of(folder), folder)

    @property
    def config(self) -> ModelConfig:
        """Return sizes and settings, as the checkpoint's files say them."""
        return self.network.config

    @property
    def image_size(self) -> int:
        """Return the side, in pixels, of the frames of a model that takes squares."""
        return self.config.vision.image_size

    def picture_size(self, width: int, height: int, num_frames: int) -> PictureSize:
        """Return the size to read frames in of a video shown in `width` by `height`, so many at once."""
        return self.config.picture_rule.size(width, height, num_frames)

    @property
    def dtype(self) -> torch.dtype:
        """Return the number format of what the language model computes."""
        return self.network.language.embed_tokens.weight.dtype

    @property
    def device(self) -> torch.device:
        """Return where pictures and tokens go in and logits come out."""
        return self.network.language.embed_tokens.weight.device

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """Return where the weights lie, `device` first."""
        return self.network.language.devices

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the checkpoint under the published key names, in the dtype it was loaded in.

        Raises `ModelInputError` for quantised weights.
        """
        if self.config.weight_bits != FULL_BITS:
            raise ModelInputError(
                f"weights of {self.config.weight_bits} bits are not what the checkpoint holds",
                "Load the model with weight_bits=16 to save it.",
            )
        save_checkpoint(self.network, Path(folder), self._folder)

    @abstractmethod
    def before_group(self, pts_ms: int) -> list[int]:
        """Return the tokens before a group of frames whose first one is told to be shown at `pts_ms`."""

    def stamps(self, firsts_ms: Sequence[int], number: int, pace: Pace) -> list[list[int]]:
        """Return the tokens before some groups, the first of that number, by times of their first frames."""
        frames = self.config.frames_per_group
        return [self.before_group(pace.told_ms(ms, frames * n)) for n, ms in enumerate(firsts_ms, number)]

    def prefill_options(self, options: PrefillOptions) -> PrefillOptions:
        """Return the settings that this family prefills with."""
        return options

    def after_video(self, frame_times_ms: Sequence[int], duration_ms: int | None) -> Tensor | None:
        """Return what stands between the video and every prompt, `[T, D]`; None: nothing."""
        return None

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
        options = self.prefill_options(prefill or PrefillOptions())
        pace = self.config.pace(options.step_s)
        if options.expected_frames is not None:
            options = replace(options, expected_frames=pace.num_shown(options.expected_frames))
        encoder = self.encoder(options)
        running = self._start(options, prefix_ids, self.config.tokens_per_group, encoder.clock)
        frame_times: list[int] = []
        for firsts_ms, tokens_GND in self.groups(shown(spans, pace.every, pace.held), encoder, frame_times):
            running.add_groups(self.stamps(firsts_ms, running.layout.num_groups, pace), tokens_GND)
        running.finish(self.after_video(frame_times, options.duration_ms))
        return self._session(running, encoder, frame_times, options)

    def encoder(self, options: PrefillOptions) -> FrameEncoder:
        """Return an encoder with a clock of its own."""
        return FrameEncoder(self.network, self.device, options.vision_batch, StageClock(self.device))

    def groups(
        self, spans: Iterable[FrameSpan], encoder: FrameEncoder, frame_times_ms: list[int]
    ) -> Iterator[tuple[Sequence[int], Tensor]]:
        """Yield the first times of some groups and their tokens `[G, N, D]`; note the times of all frames.

        Raises `ModelInputError` for no or impossible frames.
        """
        for batch in frame_batches(spans, encoder.wanted_batch, self.image_size):
            tokens_GND = encoder.encode(batch.frames)
            frame_times_ms += batch.pts_ms
            yield batch.pts_ms[:: self.config.frames_per_group], tokens_GND
        if not frame_times_ms:
            raise ModelInputError("no frames", "Give at least one frame; check that the reader found any.")

    def check_context(self, shown: str, num_tokens: int, hint: str = "Give fewer frames.") -> None:
        """Raise `ModelInputError` where what is `shown`, of so many tokens, leaves a question no room."""
        context, taken = self.config.context_tokens or 0, num_tokens + _MIN_PROMPT_TOKENS
        if taken > context:
            raise ModelInputError(
                f"{shown} and a question take {taken} tokens; the context holds {context}", hint
            )

    def prefix(self, prefix_ids: Sequence[int] | None) -> list[int]:
        """Return the tokens before the video. Raises `ModelInputError` for some outside the vocabulary."""
        prefix = self.vocabulary.prefix_ids() if prefix_ids is None else list(prefix_ids)
        if prefix and max(prefix) >= self.config.language.vocab_size:
            raise ModelInputError(
                "the prefix has ids outside the vocabulary",
                "This checkpoint has no tokenizer of its own: pass prefix_ids.",
            )
        return prefix

    def _start(
        self,
        options: PrefillOptions,
        prefix_ids: Sequence[int] | None,
        tokens_per_group: int,
        clock: StageClock,
    ) -> Prefill:
        language = self.network.language
        return Prefill(
            language,
            self.prefix(prefix_ids),
            tokens_per_group,
            options,
            self.device,
            clock,
            self.config.frames_per_group,
            stamp_tokens=self.config.stamp_tokens,
        )

    def _session(
        self, running: Prefill, encoder: FrameEncoder, frame_times_ms: list[int], options: PrefillOptions
    ) -> Session:
        moved = running.cache.on_host and not options.offload
        steps = ("cache offloaded to the host",) if moved else ()
        fields = self.session_fields(encoder, frame_times_ms, steps, self.config.pace(options.step_s))
        return Session(**fields, layout=running.layout, cache=running.cache)

    def session_fields(
        self, encoder: FrameEncoder, frame_times_ms: Sequence[int], degraded: tuple[str, ...], pace: Pace
    ) -> dict[str, Any]:
        """Return what every session has besides its layout and cache. Raises `NonFiniteError`."""
        if not encoder.all_finite.item():
            raise NonFiniteError(
                "the vision side produced NaN or infinity",
                "Check the weights; with float16, try bfloat16 or float32.",
            )
        if encoder.batch < encoder.wanted_batch:
            degraded = (f"vision batch {encoder.wanted_batch} -> {encoder.batch}", *degraded)
        stops = set(self.config.eos_ids)
        turn_end = self.vocabulary.end_of_turn_id
        stops |= {turn_end} if turn_end is not None else set()
        return {
            "language": self.network.language,
            "vocabulary": self.vocabulary,
            "stop_ids": frozenset(stops),
            "frame_times_ms": tuple(frame_times_ms[:: pace.held]),
            "group_times_ms": tuple(frame_times_ms[:: self.config.frames_per_group]),
            "degraded": degraded,
            "clock": encoder.clock,
            "recorder": self._step_recorder(),
            "pace": pace,
        }

    def _step_recorder(self) -> StepRecorder | None:
        """Return what records decode steps, the same for all sessions; None on a CPU.

        A CUDA graph does not reach over several GPUs: steps are the same there, shapes included, run plainly.
        """
        if self._recorder is None and self.device.type == "cuda":
            is_spread = len(self.devices) > 1
            self._recorder = StepRecorder(self.device, ALL_PLAIN) if is_spread else StepRecorder(self.device)
        return self._recorder
