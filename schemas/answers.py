"""What the model is asked to say: one record type per prompt.

Times are milliseconds, as in rows; only the text of an answer speaks of seconds (`12.0 - 34.5 seconds`), like
the stamps that the model reads. The field
order is the order in which the answer is written, and the field names make its labels (`time_of_day`
is written `Time of day: night`), so prompt, parser and schema cannot drift apart. What the model may write is
derived from the same fields: markers bound its tokens, and `layout` says how records follow each other.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema


class Marker:
    """Says how a field is asked for; part of the JSON schema, so a change of it is a change of recipe."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), type(self).__name__: vars(self)}


@dataclass(frozen=True)
class MaxTokens(Marker):
    """The tokens that a text may take, or all items of a list together."""

    tokens: int


@dataclass(frozen=True)
class InSteps(Marker):
    """The model picks a number among the lowest, lowest + `step`, … up to the highest."""

    step: int


@dataclass(frozen=True)
class Key(Marker):
    """A text by which later answers name the record: unique in its answer, whatever its case."""


@dataclass(frozen=True)
class FromRoster(Marker):
    """The items of a list are picked from keys of an earlier answer."""


@dataclass(frozen=True)
class AsJson(Marker):
    """The value is written as compact JSON that is valid under this JSON Schema."""

    json_schema: str


RecordCount = Annotated[int, Field(ge=1, le=200)]
Duration = Annotated[float, Field(gt=0, le=86_400)]  # seconds


@dataclass(frozen=True)
class One:
    """The answer is one record."""


@dataclass(frozen=True)
class Several:
    """The model decides how many records there are, none included."""

    at_most: RecordCount


@dataclass(frozen=True)
class Tiles:
    """Timed records that cover the window without gap or overlap, one per `usual_s` or a few at most."""

    at_most: RecordCount
    usual_s: Duration
    shortest_s: Duration


@dataclass(frozen=True)
class Moments:
    """Timed records anywhere in the window, no two with the same start; the model decides how many."""

    at_most: RecordCount
    longest_s: Duration


Layout = One | Several | Tiles | Moments

Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Phrases = Annotated[list[Phrase], Field(max_length=12)]
Milliseconds = Annotated[int, Field(ge=0, strict=True)]

TimeOfDay = Literal["day", "night", "dawn", "dusk", "unknown"]
CharacterKind = Literal["person", "animal", "other"]
HighlightKind = Literal["action", "emotion", "plot", "funny", "visual", "other"]


class Answer(BaseModel):
    """One record of an answer; unknown or missing fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: ClassVar[Layout] = One()

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "layout": repr(cls.layout)}


class TimedAnswer(Answer):
    """A record that opens with its own span of the video, `12.0 - 34.5 seconds`."""

    start_ms: Milliseconds
    end_ms: Milliseconds

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "TimedAnswer":
        if self.end_ms <= self.start_ms:
            raise ValueError(f"ends at {self.end_ms} ms, not after its start at {self.start_ms} ms")
        return self


class SummaryAnswer(Answer):
    """The whole video in a sentence or two."""

    summary: Annotated[Sentence, MaxTokens(120)]


class CharacterText(BaseModel):
    """The description of a character, in the answer and in its row alike."""

    label: Annotated[Phrase, MaxTokens(16), Key()] = Field(description="A name or a short unique description")
    kind: CharacterKind = Field(description="person, animal or other")
    description: Annotated[Sentence, MaxTokens(60)] = Field(description="What they look like")


class CharacterAnswer(CharacterText, Answer):
    """A character who appears in the video."""

    layout = Several(at_most=12)


class SceneText(BaseModel):
    """The description of a scene, in the answer and in its row alike."""

    title: Annotated[Phrase, MaxTokens(20)] = Field(description="A few words")
    summary: Annotated[Sentence, MaxTokens(80)] = Field(description="One or two sentences")
    setting: Annotated[Phrase, MaxTokens(16)] = Field(description="Where it plays")
    time_of_day: TimeOfDay = Field(description="day, night, dawn, dusk or unknown")
    mood: Annotated[Phrase, MaxTokens(10)] = Field(description="One or two words")
    actions: Annotated[Phrases, MaxTokens(36)] = Field(description="What is done")
    objects: Annotated[Phrases, MaxTokens(36)] = Field(description="Things that matter in the picture")
    tags: Annotated[Phrases, MaxTokens(36)] = Field(description="Search words")


class SceneAnswer(SceneText, TimedAnswer):
    """A story unit of one or more shots."""

    layout = Tiles(at_most=40, usual_s=8.0, shortest_s=1.0)

    characters: Annotated[Phrases, MaxTokens(60), FromRoster()]  # labels out of the characters answer


class HighlightText(BaseModel):
    """The description of a highlight, in the answer and in its row alike."""

    title: Annotated[Phrase, MaxTokens(20)] = Field(description="A few words")
    kind: HighlightKind = Field(description="action, emotion, plot, funny, visual or other")
    reason: Annotated[Sentence, MaxTokens(60)] = Field(description="Why it stands out")
    score: Annotated[int, InSteps(5)] = Field(ge=0, le=100, description="0 to 100, the model's own")


class HighlightAnswer(HighlightText, TimedAnswer):
    """A moment worth showing by itself; `score` orders the highlights."""

    layout = Moments(at_most=5, longest_s=60.0)


ANSWERS: dict[str, type[Answer]] = {
    "summary": SummaryAnswer,
    "characters": CharacterAnswer,
    "scenes": SceneAnswer,
    "highlights": HighlightAnswer,
}
