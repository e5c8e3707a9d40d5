"""Settings enter once: the settings file, then flags. Below this module there are only arguments."""

import difflib
import tomllib
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from jobs.settings.limits import CostLimitSetting, DeadlineSetting, FailureLimitSetting
from jobs.settings.since import parse_since
from schemas.failures import UsageError

SETTINGS_FILE = Path("media-index.toml")
DEFAULT_PACK = "default"
NO_MODEL = (
    "Name a checkpoint, e.g. --model BAAI/Video-XL-2 or a folder. --model small comes with media-index and "
    "understands drawn films only: what it says about other videos is made up."
)


def _to_fraction(value: object) -> object:
    """Exact: "1/2", "29.97", 0.5 and 2 all name the rational a person means by them."""
    if not isinstance(value, int | float | str):
        return value
    try:
        return Fraction(str(value))
    except ZeroDivisionError:
        raise ValueError("division by zero") from None


def _check_since(text: str) -> str:
    parse_since(text, datetime.now(UTC))
    return text


Rate = Annotated[Fraction, BeforeValidator(_to_fraction), PlainSerializer(str), Field(gt=0, le=240)]


class Settings(BaseModel):
    """Everything a run can be told, under the same names in the file and (with dashes) as flags."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    library: str
    index: str
    endpoint_url: str | None = None
    model: str
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    fps: Rate = Fraction(1)
    max_frames: int = Field(default=2048, ge=1, le=10_000)
    split: bool = False
    packs: tuple[str, ...] = Field(default=(DEFAULT_PACK,), min_length=1)
    extensions: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    since: Annotated[str, AfterValidator(_check_since)] | None = None
    inventory: str | None = None
    follow_links: bool = False
    plan: Path | None = None
    where: str | None = None
    sample: int | None = Field(default=None, ge=1)
    limit: int | None = Field(default=None, ge=1)
    mass_deletion: bool = False
    num_actors: int | None = Field(default=None, ge=1)
    ray_address: str = "local"
    scratch: Path | None = None
    usd_per_gpu_hour: float | None = Field(default=None, ge=0)
    max_cost_per_video: CostLimitSetting | None = None
    max_failures: FailureLimitSetting | None = None
    deadline: DeadlineSetting | None = None
    build: bool = False
    log_format: Literal["text", "json"] = "text"


def load_settings(file: Path | None, flags: dict[str, Any], needs: tuple[str, ...]) -> dict[str, Any]:
    """The settings file's values overridden by the flags given; `needs` must be among them.

    Without `file`, `media-index.toml` in the current folder is read where it exists.
    """
    values = _read_file(file or SETTINGS_FILE, must_exist=file is not None)
    values |= {name: value for name, value in flags.items() if value is not None and value != ()}
    for name, value in values.items():
        if name in ("library", "index", "endpoint_url") and not isinstance(value, str):
            raise UsageError(f"setting {name} = {value!r} is no text", f'write {name} = "…"')
    for name in needs:
        if name not in values:
            flag = name.replace("_", "-")
            hint = f'Add --{flag} …, or {name} = "…" to {file or SETTINGS_FILE}.'
            raise UsageError(f"no {name} given", NO_MODEL if name == "model" else hint)
    return values


def resolve(values: dict[str, Any]) -> Settings:
    """Checked settings; the first problem is a `UsageError`."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in problem["loc"][:1])
        raise UsageError(
            f"setting {name} = {problem['input']!r}: {problem['msg'].lower()}",
            "see media-index run --help for what it takes",
        ) from None


def _read_file(file: Path, must_exist: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise UsageError(f"settings file {file} does not exist", "check --config") from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {file} is not TOML: {error}", "correct that line") from None
    except OSError as error:
        raise UsageError(f"settings file {file}: {error.strerror}", "check --config") from None
    for name in values:
        if name not in Settings.model_fields:
            close = difflib.get_close_matches(name, Settings.model_fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(Settings.model_fields)}"
            raise UsageError(f"unknown setting {name} in {file}", hint)
    return values
