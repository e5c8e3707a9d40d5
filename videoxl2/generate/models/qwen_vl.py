"""Qwen2.5-VL and Qwen3-VL: pairs of frames in the video's own shape, all attention causal.

Qwen2.5-VL  prefix | start pair pair … | end | prompt               times are positions
Qwen3-VL    prefix | time start pair | end time start pair … | end | prompt

Positions are always counted here, and none is kept on the model: sessions do not know of each other.

Shapes: G pairs of frames, L what a token is made of, M tokens of a pair, D language width.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from videoxl2.errors import CheckpointError, ModelInputError
from videoxl2.generate.models.positions import GridPositions, StampedPositions, TimedPositions
from videoxl2.generate.models.video_model import VideoModel
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.generate.prefill.stream import FrameBatch, FrameSpan, frame_batches
from videoxl2.generate.session import Session
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR
from videoxl2.network.configs.qwen_config import QwenVision
from videoxl2.network.encoder import DEFAULT_BATCH
from videoxl2.network.language.tokens import VISION_END, VISION_START
from videoxl2.network.qwen_footprint import frames_of_batch
from videoxl2.network.qwen_network import QwenNetwork
from videoxl2.network.vision.qwen_pictures import checked_size

_CHUNK_TOKENS = 640  # about; a pass of prefill takes two chunks


class QwenVL(VideoModel):
    """A Qwen-VL model. Frames come in a size of whole tokens; all of a video have the same."""

    network: QwenNetwork

    @property
    def vision(self) -> QwenVision:
        """Return the sizes of the tower."""
        assert self.config.qwen_vision is not None
        return self.config.qwen_vision

    @property
    def image_size(self) -> int:
        """Raise `ModelInputError`: there is no square."""
        raise ModelInputError(
            f"{self.family} takes pictures in their own shape, not squares", "Ask `model.picture_size`."
        )

    @abstractmethod
    def positions(self, rows: int, columns: int) -> GridPositions:
        """Return the counter of positions for pairs of so many tokens."""

    @abstractmethod
    def before_pair(self, number: int, times_ms: Sequence[int]) -> list[int]:
        """Return the tokens before the pair of this number, whose frames, one or two, have these times."""

    def before_group(self, pts_ms: int) -> list[int]:
        """Return the tokens before a pair that comes first and whose frames are shown at one time."""
        return self.before_pair(0, [pts_ms])

    @torch.inference_mode()
    def prefill(
        self,
        spans: Iterable[FrameSpan],
        *,
        prefill: PrefillOptions | None = None,
        prefix_ids: Sequence[int] | None = None,
    ) -> Session:
        """Read spans as they come and leave the video's keys and values in a session.

        Chunks are shortened to some hundred tokens. Raises as `VideoModel.prefill`, and `ModelInputError`
        for frames that are no whole tokens or that leave a question no room.
        """
        (height, width), spans = self._size_of(spans)
        tokens = self.vision.tokens(height, width)
        options = self._options(prefill or PrefillOptions(), tokens, height * width)
        encoder = self.encoder(options)
        if options.expected_frames:
            expected = -(-options.expected_frames // FRAMES_PER_PAIR) * tokens
            self.check_context(f"{options.expected_frames} frames of {width}x{height}", expected)
        running = self._start(options, prefix_ids, tokens, encoder.clock)
        counted = self.positions(height // self.vision.unit, width // self.vision.unit)
        counted.text(running.layout.prefix_tokens)
        frame_times: list[int] = []
        for batch in self._batches(spans, encoder.wanted_batch, (height, width)):
            stamps, positions_3T = self._beside(batch.pts_ms, len(frame_times) // FRAMES_PER_PAIR, counted)
            frame_times += batch.pts_ms
            self._check_room(frame_times, running.layout.end + positions_3T.shape[1], counted.next)
            tokens_GLMD = encoder.encode(batch.frames)
            added_GLMD = tokens_GLMD[:, 1:] if tokens_GLMD.shape[1] > 1 else None
            running.add_groups(stamps, tokens_GLMD[:, 0], added_GLMD, positions_3T)
        running.finish(self.network.language.embed([self._end_id]), counted.next)
        return self._session(running, encoder, frame_times, options)

    def _beside(
        self, times_ms: Sequence[int], first: int, counted: GridPositions
    ) -> tuple[list[list[int]], Tensor]:
        """Return the tokens before each pair, from number `first` on, and the positions `[3, T]` of both."""
        pairs = [times_ms[at : at + FRAMES_PER_PAIR] for at in range(0, len(times_ms), FRAMES_PER_PAIR)]
        stamps = [self.before_pair(first + number, times) for number, times in enumerate(pairs)]
        places = [
            part
            for stamp, times in zip(stamps, pairs, strict=True)
            for part in (counted.text(len(stamp)), counted.pair(times[0]))
        ]
        return stamps, torch.cat(places, dim=1)

    def _size_of(self, spans: Iterable[FrameSpan]) -> tuple[tuple[int, int], Iterable[FrameSpan]]:
        """Return the size of the first frames, and all spans. Raises `ModelInputError` without frames."""
        iterator = iter(spans)
        for span in iterator:
            if len(span.frames):
                return checked_size(span.frames, self.vision.unit), chain([span], iterator)
        raise ModelInputError("no frames", "Give at least one frame; check that the reader found any.")

    def _options(self, options: PrefillOptions, tokens: int, area: int) -> PrefillOptions:
        """Return the settings for pairs of so many tokens: the one mode, and work of about the usual size."""
        usual = DEFAULT_BATCH.get(self.device.type, 8)
        return replace(
            options,
            mode="full",
            chunk_groups=min(options.chunk_groups, max(1, _CHUNK_TOKENS // tokens)),
            vision_batch=options.vision_batch or frames_of_batch(usual, area),
        )

    def _batches(self, spans: Iterable[FrameSpan], batch: int, size: tuple[int, int]) -> Iterator[FrameBatch]:
        return frame_batches((self._checked(span, size) for span in spans), batch, None)

    def _checked(self, span: FrameSpan, size: tuple[int, int]) -> FrameSpan:
        if len(span.frames) and (found := checked_size(span.frames, self.vision.unit)) != size:
            raise ModelInputError(
                f"frames of {found[1]}x{found[0]} pixels follow frames of {size[1]}x{size[0]}",
                "Read all frames of a video at one size.",
            )
        return span

    def _check_room(self, frame_times_ms: Sequence[int], num_tokens: int, next_position: int) -> None:
        """Raise `ModelInputError` where no row, or no position, is left for a question."""
        self.check_context(f"{len(frame_times_ms)} frames", num_tokens)
        until = f"a video until {frame_times_ms[-1] / 1000:.0f} s"
        self.check_context(until, next_position, "Times are positions here: take a model that reads stamps.")

    @property
    def _start_id(self) -> int:
        return self._control_id(VISION_START, self.vision.vision_start_id)

    @property
    def _end_id(self) -> int:
        return self._control_id(VISION_END, self.vision.vision_end_id)

    def _control_id(self, text: str, configured: int) -> int:
        tokenizer = self.vocabulary.tokenizer
        found = configured if tokenizer is None else tokenizer.token_to_id(text)
        if found is None or found >= self.config.language.vocab_size:
            raise CheckpointError(
                f"the vocabulary has no {text}", "Use tokenizer and config.json of the same release."
            )
        return found


class Qwen25VL(QwenVL):
    """Qwen2.5-VL: the time of a pair is a position, and no text tells it."""

    family = Family.QWEN2_5_VL

    def positions(self, rows: int, columns: int) -> GridPositions:
        """Return the counter of positions, whose times are those of the frames."""
        return TimedPositions(rows, columns, self.vision.tokens_per_second)

    def before_pair(self, number: int, times_ms: Sequence[int]) -> list[int]:
        """Return the start of the video before its first pair, and nothing before others."""
        return [self._start_id] if number == 0 else []


class Qwen3VL(QwenVL):
    """Qwen3-VL: a stamp of text before each pair tells the mean time of its frames."""

    family = Family.QWEN3_VL

    def positions(self, rows: int, columns: int) -> GridPositions:
        """Return the counter of positions."""
        return StampedPositions(rows, columns)

    def before_pair(self, number: int, times_ms: Sequence[int]) -> list[int]:
        """Return the end of the pair before, if there is one, the stamp and the start of this one."""
        stamp = self.vocabulary.encode(pair_stamp(times_ms))
        return [*([self._end_id] if number else []), *stamp, self._start_id]


def pair_stamp(times_ms: Sequence[int]) -> str:
    """Write the mean time of a pair of frames, of which an odd last one has one frame only."""
    return f"<{(times_ms[0] + times_ms[-1]) / 2000:.1f} seconds>"
