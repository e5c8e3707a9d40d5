"""Which keys and values of a video its prompts are decoded on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.failures import UsageError

if TYPE_CHECKING:
    from videoxl2.generate.kv.selection import BiLevelOptions  # loads torch

DENSE = "dense"


@dataclass(frozen=True)
class BiLevelKv:
    """Bi-level decoding: what a prompt is about stays dense, of other chunks the visual tokens are pooled.

    `compression` tokens become one. A prompt about a window keeps the window's chunks, another one the
    `dense_chunks` that its own attention finds; first and last chunk stay in any case.
    """

    compression: int = 4
    dense_chunks: int = 6
    chunk_groups: int = 6  # of 4 frames

    def __str__(self) -> str:
        return f"bilevel {self.compression}x, {self.dense_chunks} chunks of {4 * self.chunk_groups} frames"

    @property
    def options(self) -> "BiLevelOptions":
        """The same as the model takes it."""
        from videoxl2.generate.kv.selection import BiLevelOptions

        return BiLevelOptions(self.chunk_groups, self.compression, self.dense_chunks)


def kv_of(kv: str, compression: int | None, dense_chunks: int | None) -> BiLevelKv | None:
    """The settings of these names. UsageError: something is said of pooling, and nothing is pooled."""
    given = {"compression": compression, "dense_chunks": dense_chunks}
    chosen = {name: number for name, number in given.items() if number is not None}
    if kv == DENSE:
        for name in chosen:
            flag = name.replace("_", "-")
            raise UsageError(
                f"--kv-{flag} without --kv bilevel", f"Add --kv bilevel, or leave out --kv-{flag}."
            )
        return None
    return BiLevelKv(**chosen)


def kv_text(kv: BiLevelKv | None) -> str:
    """The way of decoding as rows and recipes name it."""
    return DENSE if kv is None else str(kv)
