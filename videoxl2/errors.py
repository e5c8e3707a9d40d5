"""What can go wrong with the model, classed by what the caller does next.

ModelError                 every error below; `.hint` says in one sentence what to do
├─ CheckpointError         the weights folder is not usable: stop before anything is spent
├─ ModelInputError         these frames, this prompt or these options cannot be answered: fix the call
├─ NonFiniteError          NaN or infinity in the answer: wrong weights or a dtype that overflows
└─ ModelMemoryError        out of memory at the end of the ladder (smaller vision batch, K/V on the
                           host): try again with fewer frames
"""

from __future__ import annotations


class ModelError(Exception):
    """Base of the model's errors; survives pickling between processes."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class CheckpointError(ModelError):
    """The folder or hub id does not hold a Video-XL-2 checkpoint that can be loaded."""


class ModelInputError(ModelError, ValueError):
    """Frames, prompt or options that the model cannot take."""


class NonFiniteError(ModelError):
    """The network produced NaN or infinity."""

    @classmethod
    def of_logits(cls) -> NonFiniteError:
        """Return the error for a token that would have to be picked among such numbers."""
        return cls(
            "the logits are not finite",
            "Check the weights for NaN; with float16, try bfloat16 or float32.",
        )


class ModelMemoryError(ModelError):
    """Memory ran out and every cheaper way of running was tried."""
