"""How many frames of a video fit at once, said in words. Loads no torch."""

from collections.abc import Iterator, Sequence

from jobs.prompts.pack import Prompt
from jobs.weights import Weights
from videoxl2.network.config import read_config
from videoxl2.network.context import most_frames
from videoxl2.network.families import Family
from videoxl2.network.footprint import CARDS, GB, Answers, most_frames_in
from videoxl2.network.picture_size import OWN_PIXELS, PixelBudget
from videoxl2.network.tokens import Vocabulary

_PROMPT_TOKENS = 512
_COMPRESSION = 4


class FramesThatFit:
    """Frames at a time for one checkpoint, in the numbers it is run with, beside answers of these prompts."""

    def __init__(
        self, weights: Weights, dtype: str, prompts: Sequence[Prompt], pixels: PixelBudget = OWN_PIXELS
    ) -> None:
        self._config = read_config(weights.folder).within(pixels)
        self._dtype = dtype
        longest = max((prompt.max_new_tokens for prompt in prompts), default=0)
        self._answers = Answers(tokens=longest + _PROMPT_TOKENS)
        self._in_context: int | None = None  # any number
        if self._config.context_tokens is not None:
            vocabulary = Vocabulary.from_folder(weights.folder)
            self._in_context = most_frames(self._config, vocabulary, self._answers.tokens)

    def on_gpu(self, num_bytes: int, compression: int | None = None) -> int:
        """Return the frames that fit so many bytes of a GPU, 0 where not even the weights do."""
        dtype = self._config.dtype if self._dtype == "auto" else self._dtype
        return self._most(num_bytes, _itemsize(dtype), compression)

    def on_cpu(self, num_bytes: int) -> int:
        """Return the frames that fit so many bytes of this machine's memory."""
        return self._most(num_bytes, _itemsize("float32" if self._dtype == "auto" else self._dtype), None)

    def _most(self, num_bytes: int, itemsize: int, compression: int | None) -> int:
        config = self._config
        most = most_frames_in(
            num_bytes, config, itemsize=itemsize, compression=compression, answers=self._answers
        )
        return most if self._in_context is None else min(most, self._in_context)

    def cards(self) -> str:
        """Say it of common sizes: `1,544 (1,188 bi-level) on 24 GB, …`."""
        return ", ".join(f"{self._both(card)} on {card // GB} GB" for card in CARDS)

    def _both(self, card: int) -> str:
        dense, pooled = self.on_gpu(card), self.on_gpu(card, _COMPRESSION)
        return f"{dense:,} ({pooled:,} bi-level)" if dense else "none"


def _itemsize(dtype: str) -> int:
    return 4 if dtype in ("float32", "fp32") else 2


def is_known_for(weights: Weights) -> bool:
    """Whether a video stays in the cache; Video-XL-Pro shows each prompt a part of it."""
    return read_config(weights.folder).family is not Family.VIDEO_XL_PRO


def frames_lines(
    weights: Weights | None,
    dtype: str,
    prompts: Sequence[Prompt],
    max_frames: int,
    pixels: PixelBudget = OWN_PIXELS,
) -> Iterator[str]:
    """Say how many frames fit a GPU at once; nothing without a model."""
    if weights is not None and is_known_for(weights):
        cards = FramesThatFit(weights, dtype, prompts, pixels).cards()
        yield f"       at most {max_frames:,} frames of a video at once; a GPU holds {cards}"
