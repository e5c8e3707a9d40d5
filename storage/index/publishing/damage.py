"""A part that a snapshot lists and that cannot be read: the error, and what mends it."""

import shlex

from schemas.failures import PreflightError


class DamagedPart(PreflightError):  # noqa: N818 - the name says what happened
    """A listed file is missing, or its bytes are not those that were written. Remedy: a repair."""


def damaged_part(url: str, key: str, problem: str) -> DamagedPart:
    """Return the error for a damaged part; `problem` completes "the file is …"."""
    return DamagedPart(f"{url}/{key} is {problem}", f"{repair_command(url)} makes it anew from the bundles.")


def repair_command(url: str) -> str:
    """The command that repairs an index, to be typed as it is, but for --endpoint-url."""
    return f"`media-index compact --index {shlex.quote(url)} --repair`"
