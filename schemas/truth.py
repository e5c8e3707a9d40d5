"""What is true of a video, as a ground-truth file states it: input of the evaluation."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrueSpan(_Stated):
    """A stretch of the video, in seconds, half-open."""

    start_s: float = Field(ge=0)
    end_s: float

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError(f"ends at {self.end_s} s, not after its start at {self.start_s} s")
        return self


class TrueCharacter(_Stated):
    """A character who appears. An indexed one is the same if its label or description has all `words`."""

    words: tuple[str, ...] = Field(min_length=1)


class TrueMoment(TrueSpan):
    """A moment at which something happens, in words a person would search for."""

    text: str


class TrueVideo(_Stated):
    """The facts known of one video; None: not known, so not judged. `uri` may be the ending of one."""

    uri: str
    scenes: tuple[TrueSpan, ...] | None = None
    characters: tuple[TrueCharacter, ...] | None = None
    highlights: tuple[TrueSpan, ...] | None = None
    moments: tuple[TrueMoment, ...] = ()


class Truth(_Stated):
    """A ground-truth file."""

    videos: tuple[TrueVideo, ...] = Field(min_length=1)
