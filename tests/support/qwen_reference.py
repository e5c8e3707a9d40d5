"""Videos for Qwen-VL models, and what transformers' classes make of them at the published positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from videoxl2 import VideoModel
from videoxl2.generate.models.qwen_vl import QwenVL

FolderOf = Callable[[str], Path]  # of a family
Theirs = Callable[[VideoModel], Any]

FAMILIES = ("Qwen2.5-VL", "Qwen3-VL")
PROMPT = "What happens in the room?"
# Frames, rows and columns of tokens, frames a second. In the first the times run far past rows and columns.
VIDEOS = {"long": (24, 2, 3, 1.0), "wide": (4, 2, 9, 1.0), "odd": (7, 5, 6, 0.7), "one": (1, 1, 1, 1.0)}


def transformers_model(family: str, folder: Path) -> Any:
    """Load transformers' class of a family in float32."""
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen3VLForConditionalGeneration

    older, newer = Qwen2_5_VLForConditionalGeneration, Qwen3VLForConditionalGeneration
    kind: Any = older if family == "Qwen2.5-VL" else newer
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


def frames_of(model: QwenVL, count: int, rows: int, columns: int, seed: int = 0) -> np.ndarray[Any, Any]:
    unit = model.vision.unit
    shape = (count, rows * unit, columns * unit, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def span_of(model: QwenVL, name: str) -> SimpleNamespace:
    count, rows, columns, fps = VIDEOS[name]
    times_ms = np.round(np.arange(count) * 1000 / fps).astype(np.int64)
    return SimpleNamespace(frames=frames_of(model, count, rows, columns), pts_ms=times_ms)


def published_pixels(model: QwenVL, frames: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
    """Cut patch by patch what transformers takes, with the sizes of the grid."""
    size, is_clip = model.vision.patch_size, model.family == "Qwen2.5-VL"
    mean = [0.48145466, 0.4578275, 0.40821073] if is_clip else [0.5] * 3
    spread = [0.26862954, 0.26130258, 0.27577711] if is_clip else [0.5] * 3
    if len(frames) % 2:
        frames = np.concatenate([frames, frames[-1:]])
    x = (torch.from_numpy(frames).float() - torch.tensor(mean) * 255) / (torch.tensor(spread) * 255)
    t, h, w = len(frames) // 2, frames.shape[1] // size, frames.shape[2] // size
    rows = [
        x[2 * pair : 2 * pair + 2, y * size : (y + 1) * size, z * size : (z + 1) * size]
        .permute(3, 0, 1, 2)
        .flatten()
        for pair in range(t)
        for top in range(0, h, 2)
        for left in range(0, w, 2)
        for y in (top, top + 1)
        for z in (left, left + 1)
    ]
    return torch.stack(rows), torch.tensor([[t, h, w]])


class Sequenced:
    """Ids and positions of a whole sequence, counted token by token as the makers publish it."""

    def __init__(self, model: QwenVL, name: str, prompt_ids: Sequence[int]) -> None:
        count, self._rows, self._columns, fps = VIDEOS[name]
        self._step = 2 / fps
        self._pairs = -(-count // 2)
        self._model = model
        self._encode = model.vocabulary.encode
        tokenizer = model.vocabulary.tokenizer
        assert tokenizer is not None
        self.pad: int = tokenizer.token_to_id("<|video_pad|>")  # type: ignore[assignment]
        self.ids: list[int] = []
        self.positions: list[tuple[int, int, int]] = []
        self._next = 0
        if model.family == "Qwen2.5-VL":
            self._as_older()
        else:
            self._as_newer(span_of(model, name).pts_ms)
        self.num_video = len(self.ids)
        self._text(prompt_ids)

    def _text(self, ids: Sequence[int]) -> None:
        for one in ids:
            self.ids.append(one)
            self.positions.append((self._next,) * 3)
            self._next += 1

    def _block(self, times: Sequence[int]) -> None:
        start = self._next
        for time in times:
            for y in range(self._rows):
                for x in range(self._columns):
                    self.ids.append(self.pad)
                    self.positions.append((start + time, start + y, start + x))
        self._next = 1 + max(max(place) for place in self.positions)

    def _as_older(self) -> None:
        system = (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>"
        )
        self._text(self._encode(system))
        step = torch.tensor(self._model.vision.tokens_per_second * self._step)
        self._block((torch.arange(self._pairs) * step).long().tolist())
        self._text(self._encode("<|vision_end|>"))

    def _as_newer(self, times_ms: Sequence[int]) -> None:
        self._text(self._encode("<|im_start|>user\n"))
        for pair in range(self._pairs):
            both = times_ms[2 * pair : 2 * pair + 2]
            self._text(self._encode(f"<{(both[0] + both[-1]) / 2 / 1000:.1f} seconds><|vision_start|>"))
            self._block([0])
            self._text(self._encode("<|vision_end|>"))


@torch.inference_mode()
def reference_logits(their_model: Any, model: QwenVL, name: str, after_ids: Sequence[int]) -> Tensor:
    """Return logits behind each of the tokens after the video, of one pass over everything."""
    whole = Sequenced(model, name, after_ids)
    pixels, grid = published_pixels(model, span_of(model, name).frames)
    assert int(grid.prod()) // 4 == whole.ids.count(whole.pad)
    out = their_model(
        input_ids=torch.tensor([whole.ids]),
        position_ids=torch.tensor(whole.positions).t()[:, None],
        pixel_values_videos=pixels,
        video_grid_thw=grid,
        use_cache=False,
    )
    logits: Tensor = out.logits[0, whole.num_video :]
    return logits


def prompt_ids(model: VideoModel, prompt: str = PROMPT) -> list[int]:
    return model.vocabulary.suffix_ids(prompt)
