"""How many frames fit a model whose context has an end: frames, sentence, question and answer share it.

Loads no torch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.language.tokens import Vocabulary, times_text

LONGEST_MS = 864_000_000  # ten days: the longest times to write


def ids_after_video(
    config: ModelConfig, vocabulary: Vocabulary, frame_times_ms: Sequence[int], duration_ms: int
) -> list[int]:
    """Return the tokens of the sentence that tells the frames' times; none where a model is not told."""
    if config.frame_tokens is None or not config.frame_tokens.tells_times:
        return []
    return vocabulary.encode(f"\n{times_text(frame_times_ms, duration_ms)}\n")


def video_tokens(config: ModelConfig, num_frames: int, num_after: int) -> int:
    """Return the tokens of up to `num_frames` frames, at most, and of what stands after them."""
    once = config.frame_tokens is not None and config.frame_tokens.newline == "one_token"
    groups = -(-num_frames // config.frames_per_group)
    return config.most_tokens(num_frames) + groups * config.stamp_tokens + num_after + once


def most_frames(config: ModelConfig, vocabulary: Vocabulary, prompt_tokens: int) -> int | None:
    """Return the frames that fit beside a prompt and its answer of `prompt_tokens`; None: any number.

    -1: not even prompt and answer do.
    """
    if config.context_tokens is None:
        return None
    room = config.context_tokens - len(vocabulary.prefix_ids()) - prompt_tokens

    def taken(num_frames: int) -> int:
        after = ids_after_video(config, vocabulary, [LONGEST_MS] * num_frames, LONGEST_MS)
        return video_tokens(config, num_frames, len(after))

    too_many = 1
    while taken(too_many) <= room:
        too_many *= 2
    return bisect_right(range(too_many), room, key=taken) - 1
