"""What the lock pins: each installed package that the project or its extras below ask for.

    .venv/bin/python infra/locked.py

A line `NAME==VERSION` for each. What else is in the environment is left out, such as Ray's own extra. So are
torch, whose build depends on the machine, and setuptools, which the environment brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "media-index[dev,iceberg,quantized,semantic,speech,text]"
NOT_LOCKED = {"media-index", "setuptools", "torch"}


def asked_for(wanted: Requirement) -> Iterator[Requirement]:
    """Requirements of a distribution and its extras on this Python; none where it is not installed."""
    try:
        lines = distribution(wanted.name).requires or []
    except PackageNotFoundError:
        return
    extras = wanted.extras or {""}
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


def reached(first: Requirement) -> dict[str, Requirement]:
    """Return what `first` leads to, itself included, by canonical name and extras."""
    found: dict[str, Requirement] = {}
    waiting = [first]
    while waiting:
        wanted = waiting.pop()
        key = f"{canonicalize_name(wanted.name)}[{','.join(sorted(wanted.extras))}]"
        if key not in found:
            found[key] = wanted
            waiting += asked_for(wanted)
    return found


def versions() -> dict[str, str]:
    """Return name and version of all that is to be locked."""
    names = {canonicalize_name(wanted.name) for wanted in reached(Requirement(PROJECT)).values()}
    found: dict[str, str] = {}
    for name in sorted(names - NOT_LOCKED):
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:
            continue  # sentence-transformers, which the weights ask for and we do not use
    return found


if __name__ == "__main__":
    print(*(f"{name}=={version}" for name, version in versions().items()), sep="\n")
