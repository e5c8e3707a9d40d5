"""A part that a snapshot lists and that cannot be read: the error, and what mends it."""

import shlex

from schemas.failures import PreflightError


def damaged_part(url: str, key: str, problem: str) -> PreflightError:
    """`problem` completes "the file is …"."""
    return PreflightError(
        f"{url}/{key} is {problem}", f"{repair_command(url)} makes it anew from the bundles."
    )


def repair_command(url: str) -> str:
    """To be typed as it is, but for --endpoint-url."""
    return f"`media-index compact --index {shlex.quote(url)} --repair`"
