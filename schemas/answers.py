"""What the model is asked to say: one record type per prompt.

Seconds are the model's own unit (it reads `Time 12.0s:` stamps); rows hold milliseconds. The field
order is the order in which the answer is written, and the field names make its labels (`time_of_day`
is written `Time of day: night`), so prompt, parser and schema cannot drift apart.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Phrases = Annotated[list[Phrase], Field(max_length=12)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]

TimeOfDay = Literal["day", "night", "dawn", "dusk", "unknown"]
CharacterKind = Literal["person", "animal", "other"]
HighlightKind = Literal["action", "emotion", "plot", "funny", "visual", "other"]


class Answer(BaseModel):
    """One record of an answer; unknown or missing fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimedAnswer(Answer):
    """A record that opens with its own span of the video, `12.0 - 34.5 seconds`."""

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "TimedAnswer":
        if self.end_s <= self.start_s:
            raise ValueError(f"ends at {self.end_s} s, not after its start at {self.start_s} s")
        return self


class SummaryAnswer(Answer):
    """The whole video in a sentence or two."""

    summary: Sentence


class CharacterAnswer(Answer):
    """Somebody who appears in the video; `label` is a short unique description or a name."""

    label: Phrase
    kind: CharacterKind
    description: Sentence


class SceneAnswer(TimedAnswer):
    """A story unit of one or more shots."""

    title: Phrase
    summary: Sentence
    setting: Phrase
    time_of_day: TimeOfDay
    mood: Phrase
    actions: Phrases
    objects: Phrases
    tags: Phrases
    characters: Phrases  # labels out of the characters answer


class HighlightAnswer(TimedAnswer):
    """A moment worth showing by itself; `score` runs from 0 to 100 and orders the highlights."""

    title: Phrase
    kind: HighlightKind
    reason: Sentence
    score: Annotated[int, Field(ge=0, le=100)]


ANSWERS: dict[str, type[Answer]] = {
    "summary": SummaryAnswer,
    "characters": CharacterAnswer,
    "scenes": SceneAnswer,
    "highlights": HighlightAnswer,
}
