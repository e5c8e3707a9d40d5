"""What is imported is declared: an installation has it, whatever other packages bring or stop bringing."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec

import pytest
from parsed import parsed
from places import ROOT

OURS = {"jobs", "schemas", "storage", "videoxl2"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Distributions that the project asks for, and that these extras add."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {normal(found[0]) for line in lines if (found := NAME.match(line))}


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Top-level names; what is only for the type checker is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]
        else:
            yield from imports_of(node)


def test_every_import_of_the_packages_is_declared():
    """By the project itself, or by an extra whose imports may fail."""
    names = {name for tree in parsed(sorted(OURS)).values() for name in imports_of(tree)}
    brought = packages_distributions()
    undeclared = {
        name
        for name in names - OURS - set(sys.stdlib_module_names)
        if not {normal(each) for each in brought.get(name, [name])}
        & declared("flash", "iceberg", "quantized", "speech", "text")
    }
    assert undeclared == set()


@pytest.mark.skipif(find_spec("torch") is None, reason="what torch asks for is not installed")
def test_the_lock_has_what_we_ask_for_and_nothing_else():
    """At the installed versions; what an extra brought since then is in no lock."""
    listed = subprocess.run([sys.executable, ROOT / "infra/locked.py"], stdout=subprocess.PIPE, check=True)
    locked = re.findall(r"^\S+==\S+", (ROOT / "infra/requirements.lock").read_text("utf-8"), re.MULTILINE)
    assert sorted(locked) == sorted(listed.stdout.decode().split())
