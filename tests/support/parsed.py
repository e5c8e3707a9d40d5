"""The shipped code, parsed."""

import ast
import gc
from collections.abc import Sequence

from places import ROOT

PACKAGES = ("jobs", "schemas", "storage", "videoxl2")


def parsed(packages: Sequence[str] = PACKAGES) -> dict[str, ast.Module]:
    """Parse every module of the packages; keys are paths from the root.

    Nothing of a tree is garbage while it grows, and looking for some would take as long as parsing does.
    """
    files = [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return {
            file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files
        }
    finally:
        if was_enabled:
            gc.enable()
