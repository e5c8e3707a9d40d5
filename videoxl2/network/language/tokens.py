"""Text on both sides of the language model: ChatML pieces, timestamps, and ids back to text.

The sequence is  prefix | stamp 144 visual tokens | stamp 144 … | suffix.  Each piece is tokenised on its own,
as in the reference, which concatenates strings; what stands around video and prompt is a `ChatFrame`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from videoxl2.errors import CheckpointError, ModelInputError
from videoxl2.network.configs.chat import CHATML, PREFIX_TEXT, USER_TEXT, ChatFrame

END_OF_TURN = "<|im_end|>"
VISION_PAD = "<|vision_pad|>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
CONTROL_TEXTS = (
    "<|im_start|>",
    END_OF_TURN,
    "<|endoftext|>",
    VISION_PAD,
    VISION_START,
    VISION_END,
    "<|video_pad|>",
    "<|image_pad|>",
)

# Ids of the Qwen2.5 vocabulary, used when a checkpoint comes without a tokenizer.
QWEN_PREFIX_IDS = (151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198, 151644, 872, 198)
QWEN_VISION_PAD_ID = 151654
_QWEN_STAMP = {"Time": 1462, " ": 220, ".": 13, "s": 82, ":": 25} | {str(d): 15 + d for d in range(10)}


def stamp_text(pts_ms: int, padded: bool = False) -> str:
    """Write the time of a group's first frame as `Time 4.0s:` (the published code; the paper differs).

    Video-XL-Pro's are `padded` to `Time 0004.0s:`.
    """
    seconds = round(pts_ms / 1000, 1)
    return f"Time {seconds:06.1f}s:" if padded else f"Time {seconds}s:"


def times_text(frame_times_ms: Sequence[int], duration_ms: int) -> str:
    """Write the sentence that tells how long the video is and when each frame was shown.

    There is no space before "Please": the models were trained without one.
    """
    stamps = ",".join(f"{ms / 1000:.2f}s" for ms in frame_times_ms)
    return (
        f"The video lasts for {duration_ms / 1000:.2f} seconds, and {len(frame_times_ms)} frames are "
        f"uniformly sampled from it. These frames are located at {stamps}."
        "Please answer the following questions related to this video."
    )


class Vocabulary:
    """A tokenizer, or Qwen2.5's fixed ids where only ids are needed and no tokenizer is there."""

    def __init__(self, tokenizer: Tokenizer | None, chat: ChatFrame = CHATML) -> None:
        self.tokenizer = tokenizer
        self.chat = chat
        if tokenizer is not None:  # a published tokenizer.json may carry its training's settings
            tokenizer.no_truncation()
            tokenizer.no_padding()
        pad = None if tokenizer is None else tokenizer.token_to_id(VISION_PAD)
        self.vision_pad_id: int = QWEN_VISION_PAD_ID if pad is None else pad

    @property
    def end_of_turn_id(self) -> int | None:
        """Return the token that ends an answer, or None if the tokenizer has none."""
        return None if self.tokenizer is None else self.tokenizer.token_to_id(END_OF_TURN)

    @classmethod
    def from_folder(cls, folder: Path, chat: ChatFrame = CHATML) -> Vocabulary:
        """Read `tokenizer.json`, or build a tokenizer from `vocab.json` and `merges.txt`, or go without.

        CheckpointError: a file cannot be read.
        """
        try:
            if (folder / "tokenizer.json").is_file():
                return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), chat)
            if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
                from transformers import Qwen2Tokenizer

                tokenizer = Qwen2Tokenizer.from_pretrained(str(folder)).backend_tokenizer
                return cls(tokenizer, chat)
        except Exception as error:  # tokenizers raises bare Exception
            raise CheckpointError(
                f"the tokenizer in {folder} cannot be read: {error}",
                "Restore tokenizer.json from its source.",
            ) from error
        return cls(None, chat)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text. ModelInputError: the checkpoint has no tokenizer."""
        if self.tokenizer is None:
            raise ModelInputError(
                "this checkpoint has no tokenizer, so it takes token ids, not text",
                "Put tokenizer.json beside config.json, or pass prompt and prefix as token ids.",
            )
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def count(self, text: str) -> int:
        """Count a text's tokens in a constrained answer: one per byte if its own do not spell it."""
        ids = self.encode(text)
        added = set() if self.tokenizer is None else self.tokenizer.get_added_tokens_decoder().keys()
        is_exact = self.decode(ids) == text and not any(i in added for i in ids)
        return len(ids) if is_exact else len(text.encode("utf-8"))

    def decode(self, token_ids: Sequence[int]) -> str:
        """Decode to valid UTF-8, with U+FFFD for bytes that are no character; empty without a tokenizer."""
        if self.tokenizer is None:
            return ""
        text: str = self.tokenizer.decode(list(token_ids), skip_special_tokens=True)
        return text

    def stamp_ids(self, pts_ms: int) -> list[int]:
        """Return the stamp of a group that is first shown at `pts_ms`."""
        return self._stamp_ids(stamp_text(pts_ms))

    def padded_stamp_ids(self, pts_ms: int) -> list[int]:
        """Return the same with four digits before the point."""
        return self._stamp_ids(stamp_text(pts_ms, padded=True))

    def _stamp_ids(self, text: str) -> list[int]:
        if self.tokenizer is not None:
            return self.encode(text)
        # Qwen's BPE splits a stamp into exactly these pieces for every one-decimal time.
        return [_QWEN_STAMP["Time"], *(_QWEN_STAMP[character] for character in text[4:])]

    def prefix_ids(self) -> list[int]:
        """Return the tokens before the video. Raises `ModelInputError` for a text without a tokenizer."""
        text = self.chat.before_video
        if self.tokenizer is not None or text not in (PREFIX_TEXT, USER_TEXT):
            return self.encode(text)
        return list(QWEN_PREFIX_IDS if text == PREFIX_TEXT else QWEN_PREFIX_IDS[-3:])

    def suffix_ids(self, prompt: str) -> list[int]:
        """Tokenize what follows the video: the prompt, and the opening of the assistant's turn.
        ModelInputError: the prompt holds a control text."""
        found = [control for control in CONTROL_TEXTS if control in prompt]
        if found:
            raise ModelInputError(
                f"the prompt contains the control text {found[0]}",
                "Remove it; the chat frame is added for you.",
            )
        return self.encode(f"{self.chat.before_prompt}{prompt}{self.chat.after_prompt}")
