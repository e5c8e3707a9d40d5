"""How many frames of a video fit at once, said in words. Loads no torch."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from copy import copy

from jobs.prompts.pack import Prompt
from jobs.weights import Weights
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.families import Family
from videoxl2.network.configs.picture_size import OWN_PIXELS, USUAL_PICTURE, OwnShape, PixelBudget
from videoxl2.network.configs.weight_bits import FULL_BITS
from videoxl2.network.footprint import CARDS, GB, Answers, fewest_devices, most_frames_in
from videoxl2.network.language.context import most_frames

_PROMPT_TOKENS = 512
_COMPRESSION = 4
_LEAST_TOKENS = 128  # for two frames: the makers of Qwen2.5-VL show no less


class FramesThatFit:
    """Frames at a time for one checkpoint, in the numbers it is run with, beside answers of these prompts."""

    def __init__(
        self,
        weights: Weights,
        dtype: str,
        prompts: Sequence[Prompt],
        pixels: PixelBudget = OWN_PIXELS,
        gpus_per_model: int = 1,
        weight_bits: int = FULL_BITS,
    ) -> None:
        self._config = weights.config.within(pixels).with_weight_bits(weight_bits)
        self._dtype = dtype
        self._gpus_per_model = gpus_per_model
        longest = max((prompt.max_new_tokens for prompt in prompts), default=0)
        self._answers = Answers(tokens=longest + _PROMPT_TOKENS)
        self._in_context: int | None = None  # any number
        if self._config.context_tokens is not None:
            self._in_context = most_frames(self._config, weights.vocabulary, self._answers.tokens)

    def with_weight_bits(self, weight_bits: int) -> "FramesThatFit":
        """Return the same with weights of so many bits. What its context holds stays as it is."""
        other = copy(self)
        other._config = self._config.with_weight_bits(weight_bits)
        return other

    def size(self, num_frames: int) -> str | None:
        """Say in which size so many frames at once are shown; None: in the same square whatever they are."""
        rule = self._config.own_shape
        if rule is None:
            return None
        width, height = USUAL_PICTURE
        size = rule.size(width, height, num_frames)
        return (
            f"{num_frames:,} pictures of {width}x{height} at once are shown in {size}, "
            f"{rule.tokens(size):,} tokens for each two"
        )

    def advice(self, num_frames: int) -> str | None:
        """Say what would do where a budget of all frames leaves little to see of each; None: it does not."""
        rule = self._config.own_shape
        if rule is None or _shows_enough(rule, num_frames):
            return None
        most = bisect_left(range(1, num_frames), True, key=lambda n: not _shows_enough(rule, n))
        if not most:  # a frame alone has no more, as was wanted
            return None
        return f"Take --max-frames {most} with --split, or more pixels with --max-pixels-at-once."

    def on_gpu(self, num_bytes: int, compression: int | None = None) -> int:
        """Return the frames that fit so many bytes of each GPU of a model, 0: not even the weights do."""
        return self._most(
            num_bytes, itemsize_of(self._config, self._dtype), compression, self._gpus_per_model
        )

    def on_cpu(self, num_bytes: int) -> int:
        """Return the frames that fit so many bytes of this machine's memory."""
        return self._most(num_bytes, _itemsize("float32" if self._dtype == "auto" else self._dtype), None)

    def _most(self, num_bytes: int, itemsize: int, compression: int | None, num_devices: int = 1) -> int:
        most = most_frames_in(
            num_bytes,
            self._config,
            itemsize=itemsize,
            compression=compression,
            answers=self._answers,
            num_devices=num_devices,
        )
        return most if self._in_context is None else max(0, min(most, self._in_context))

    def cards(self) -> str:
        """Say it of common sizes: `a GPU holds 1,536 (1,176 bi-level) on 24 GB, …`."""
        several = self._gpus_per_model > 1
        who, each = (f"{self._gpus_per_model} GPUs hold", " each") if several else ("a GPU holds", "")
        said = (self._on_card(card, each) for card in CARDS)
        return f"{who} {', '.join(said)}"

    def on_cards(self) -> str:
        """Say the dense frames alone, in the order of sizes: `0 / 1,536 / 12,336 / 26,736 / 54,188`."""
        return " / ".join(f"{self.on_gpu(card):,}" for card in CARDS)

    def _on_card(self, card: int, each: str) -> str:
        dense, place = self.on_gpu(card), f"on {card // GB} GB{each}"
        if not dense:
            return f"none {place}{self._would_do(card)}"
        if self._config.family is not Family.VIDEO_XL_2:
            return f"{dense:,} {place}"
        return f"{dense:,} ({self.on_gpu(card, _COMPRESSION):,} bi-level) {place}"

    def _would_do(self, card: int) -> str:
        itemsize = itemsize_of(self._config, self._dtype)
        wanted = fewest_devices(card, self._config, itemsize=itemsize, answers=self._answers)
        return f" (takes --gpus-per-model {wanted})" if wanted else ""


def _shows_enough(rule: OwnShape, num_frames: int) -> bool:
    return rule.tokens(rule.size(*USUAL_PICTURE, num_frames)) >= _LEAST_TOKENS


def itemsize_of(config: ModelConfig, dtype: str) -> int:
    """Return the bytes of a number on a GPU."""
    return _itemsize(config.dtype if dtype == "auto" else dtype)


def _itemsize(dtype: str) -> int:
    return 4 if dtype in ("float32", "fp32") else 2


def frames_lines(
    weights: Weights | None,
    dtype: str,
    prompts: Sequence[Prompt],
    max_frames: int,
    pixels: PixelBudget = OWN_PIXELS,
    gpus_per_model: int = 1,
    weight_bits: int = FULL_BITS,
) -> Iterator[str]:
    """Say how many frames fit a GPU at once, and in which size where it varies; nothing without a model."""
    if weights is not None:
        fitting = FramesThatFit(weights, dtype, prompts, pixels, gpus_per_model, weight_bits)
        yield f"       at most {max_frames:,} frames of a video at once; {fitting.cards()}"
        if size := fitting.size(max_frames):
            yield f"       {size}"
        if advice := fitting.advice(max_frames):
            yield f"       that is little to see. {advice}"
