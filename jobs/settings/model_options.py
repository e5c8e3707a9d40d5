"""Options of one family of models, as they are typed: `KEY=VALUE`."""

from typing import Annotated

from pydantic import AfterValidator


def options_in(texts: tuple[str, ...]) -> dict[str, str]:
    """The values by their key. Raises `ValueError` for something else, or for two values of one key."""
    found: dict[str, str] = {}
    for text in texts:
        key, is_given, value = text.partition("=")
        if not key or not is_given:
            raise ValueError(f"Give it as KEY=VALUE, e.g. pool=average, not as {text}.")
        if key in found:
            raise ValueError(f"Give one value for {key}.")
        found[key] = value
    return found


def _check(texts: tuple[str, ...]) -> tuple[str, ...]:
    options_in(texts)
    return texts


ModelOptionsSetting = Annotated[tuple[str, ...], AfterValidator(_check)]
