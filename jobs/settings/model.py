"""Settings of a model, which runs and benchmarks share, and what is said of one that is wrong."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from jobs.settings.model_options import ModelOptionsSetting
from schemas.failures import UsageError
from videoxl2.network.configs.picture_size import PixelBudget

# Settings whose flag has another name: those that are repeated.
FLAGS = {
    "model_options": "model-option",
    "packs": "pack",
    "extensions": "extension",
    "prefixes": "prefix",
    "signals": "signal",
    "speech_languages": "speech-language",
}


def _to_fraction(value: object) -> object:
    """Exact: "1/2", "29.97", 0.5 and 2 all name the rational a person means by them."""
    if not isinstance(value, int | float | str):
        return value
    text = str(value)
    try:
        if "e" in text.lower():  # 1e999999999 would take all memory
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError("Give a rate, e.g. 1, 1/2 or 29.97.") from None


Rate = Annotated[Fraction, BeforeValidator(_to_fraction), PlainSerializer(str), Field(gt=0, le=240)]


class ModelSettings(BaseModel):
    """The settings of how a model is loaded, what it is shown, and how it decodes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    model_options: ModelOptionsSetting = ()
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    weight_bits: Literal[16, 8, 4] = 16
    fps: Rate | None = None
    max_frames: int | None = Field(default=None, ge=1, le=10_000)
    max_pixels_per_frame: int | None = Field(default=None, ge=1, le=1_000_000_000)
    max_pixels_at_once: int | None = Field(default=None, ge=1, le=1_000_000_000_000)
    kv: Literal["dense", "bilevel"] = "dense"
    kv_compression: int | None = Field(default=None, ge=2, le=144)
    kv_dense_chunks: int | None = Field(default=None, ge=0, le=10_000)

    @property
    def pixels(self) -> PixelBudget:
        """The pixels that the model is shown, as far as that was said."""
        return PixelBudget(self.max_pixels_per_frame, self.max_pixels_at_once)


def wrong_setting(error: ValidationError, hint: str) -> UsageError:
    """Return the error to raise for the first setting that is wrong, under the name of its flag."""
    problem = error.errors(include_url=False)[0]
    name = str(problem["loc"][0])
    key = FLAGS.get(name, name).replace("_", "-")
    message = str(problem.get("ctx", {}).get("error", problem["msg"])).rstrip(".")
    return UsageError(f"setting {key} = {problem['input']!r}: {message[:1].lower()}{message[1:]}", hint)
