"""Which settings were given: by flag, or in the settings file. `config` checks them."""

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.settings.file import SETTINGS_FILE
from schemas.failures import UsageError

NO_MODEL = (
    "Name a checkpoint, e.g. --model BAAI/Video-XL-2 or a folder. --model small comes with media-index and "
    "understands drawn films only: others are set aside for it."
)


def load_settings(flags: Mapping[str, Any], needs: Iterable[str]) -> dict[str, Any]:
    """The flags that have a value. UsageError: one of `needs` has none."""
    values = {name: value for name, value in flags.items() if value is not None and value != ()}
    for name in needs:
        if name not in values:
            hint = f'Add --{name} …, or {name} = "…" to {SETTINGS_FILE}.'
            raise UsageError(f"no {name} given", hint)
    return values


def index_place(flags: dict[str, Any]) -> tuple[str, str | None]:
    """The index's place, and the S3 server if it is not AWS. UsageError: neither flags nor file say it."""
    settings = load_settings(flags, needs=("index",))
    return settings["index"], settings.get("endpoint_url")
