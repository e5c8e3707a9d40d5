"""Settings enter once: the settings file, then flags. Below this module there are only arguments."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
)

from jobs.settings.limits import (
    CostLimitSetting,
    DeadlineSetting,
    Duration,
    DurationSetting,
    FailureLimitSetting,
)
from jobs.settings.model import ModelSettings, wrong_setting
from jobs.settings.signal_names import DEFAULT_SIGNALS
from jobs.settings.times import parse_since
from schemas.failures import ExitCode
from videoxl2.network.footprint import MOST_DEVICES

DEFAULT_PACK = "default"
MAY_BE_OK = (ExitCode.DONE_WITH_FAILURES, ExitCode.LEASE_HELD, ExitCode.DEADLINE, ExitCode.NO_MACHINES)


def _check_since(text: str) -> str:
    now = datetime.now(UTC)
    if parse_since(text, now) > now:
        raise ValueError("Give a date that is over (UTC where it says no offset).")
    return text


def _check_extension(text: str) -> str:
    if not re.fullmatch(r"\.?[0-9A-Za-z_]+", text):
        raise ValueError("Give the end of a name, e.g. mp4; --include takes patterns.")
    return text


def _check_divides(each: int, said: ValidationInfo) -> int:
    asked = said.data.get("num_gpus") or 0
    if asked % each:
        fitting = [n for n in (asked // each * each, (asked // each + 1) * each) if n]
        raise ValueError(f"Ask for {' or '.join(map(str, fitting))} with --num-gpus, not for {asked}.")
    return each


def _check_ok(code: int) -> int:
    if code not in MAY_BE_OK:
        may_be = ", ".join(str(int(one)) for one in MAY_BE_OK)
        raise ValueError(f"Give one of {may_be}: after the others somebody has to look.")
    return code


class Settings(ModelSettings):
    """Settings of a run, under the same names in the file and (with dashes) as flags."""

    library: str
    index: str
    endpoint_url: str | None = None
    model: str | None = None
    max_frames: int = Field(default=2048, ge=1, le=10_000)
    split: bool = False
    packs: tuple[str, ...] = Field(default=(DEFAULT_PACK,), min_length=1)
    signals: tuple[str, ...] = Field(default=DEFAULT_SIGNALS, min_length=1)
    shots: Literal["exact", "draft"] = "exact"
    speech: str | None = None
    speech_languages: tuple[str, ...] = ()
    speech_missing: bool = False
    text: bool = False
    extensions: tuple[Annotated[str, AfterValidator(_check_extension)], ...] = ()
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
    allow_mass_deletion: bool = False
    num_actors: int | None = Field(default=None, ge=1)
    device: Literal["auto", "cuda", "cpu"] = "auto"
    num_gpus: int | None = Field(default=None, ge=1)
    gpus_per_model: Annotated[int, Field(ge=1, le=MOST_DEVICES), AfterValidator(_check_divides)] = 1
    wait_for_gpus: DurationSetting = Duration.parse("30m")
    ray_address: str | None = None
    scratch: Path | None = None
    max_streams: int = Field(default=1000, ge=1, le=100_000)
    max_duration: DurationSetting = Duration.parse("7d")
    max_pixels: int = Field(default=40_000_000, ge=1, le=1_000_000_000)
    usd_per_gpu_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    usd_per_cpu_hour: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_cost_per_video: CostLimitSetting | None = None
    max_failures: FailureLimitSetting | None = None
    deadline: DeadlineSetting | None = None
    compact_at: int = Field(default=100, ge=0)
    build: bool = False
    ok: tuple[Annotated[int, AfterValidator(_check_ok)], ...] = ()
    log_format: Literal["text", "json"] = "text"
    log_dir: Path | None = None
    metrics_file: Path | None = None

    @property
    def num_models(self) -> int | None:
        """The count of models asked for; None: as many as there is room for."""
        return self.num_actors if self.num_gpus is None else self.num_gpus // self.gpus_per_model

    @property
    def usd_per_actor_hour(self) -> float | None:
        """The price of an hour of all GPUs of one model; None: no price is set."""
        return None if self.usd_per_gpu_hour is None else self.usd_per_gpu_hour * self.gpus_per_model

    @classmethod
    def of(cls, **values: Any) -> "Settings":
        """Return checked settings under the names above; texts do, as in the file: `fps="1/2"`,
        `deadline="6h"`.

        UsageError: the first one that is wrong.
        """
        return resolve(values)


def resolve(values: dict[str, Any]) -> Settings:
    """Return checked settings. UsageError: the first one that is wrong."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        hint = "Correct it on the command line or in the settings file. See `media-index run --help`."
        raise wrong_setting(error, hint) from None
