"""Text around a video and a prompt: a model's chat frame, as its makers publish it or as its template says.

Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from videoxl2.network.configs.families import Family

SYSTEM_PROMPT = "You are a helpful assistant."
USER_TEXT = "<|im_start|>user\n"
BEFORE_PROMPT = "\n"
AFTER_PROMPT = "<|im_end|>\n<|im_start|>assistant\n"
NO_THOUGHT = "<think>\n\n</think>\n\n"


def system_turn(text: str) -> str:
    """Return the turn that tells a model what it is."""
    return f"<|im_start|>system\n{text}<|im_end|>\n"


PREFIX_TEXT = system_turn(SYSTEM_PROMPT) + USER_TEXT


@dataclass(frozen=True)
class ChatFrame:
    """Text before the video, between it and a prompt, and between a prompt and its answer."""

    before_video: str = PREFIX_TEXT
    before_prompt: str = BEFORE_PROMPT
    after_prompt: str = AFTER_PROMPT

    @property
    def skips_thought(self) -> bool:
        """Return whether an empty thought stands before the answer, of a model that would think first."""
        return self.after_prompt.endswith(NO_THOUGHT)


CHATML = ChatFrame()  # of models of squares


def published_frame(family: Family, system: str | None = None) -> ChatFrame:
    """Return the frame of a family's makers; `system` replaces the system prompt of a Qwen-VL model.

    Qwen3-VL has none of its own.
    """
    if not family.is_qwen_vl:
        return CHATML
    default = SYSTEM_PROMPT if family is Family.QWEN2_5_VL else None
    said = default if system is None else system
    return ChatFrame(USER_TEXT if said is None else system_turn(said) + USER_TEXT, "")
