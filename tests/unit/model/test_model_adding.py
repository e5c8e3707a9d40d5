"""The page about adding a model leads to what is there, and every family is in all places."""

from __future__ import annotations

import re

from click import Choice
from places import ROOT

from videoxl2.generate.models import loading
from videoxl2.network import checkpoint
from videoxl2.network.configs.families import Family
from videoxl2.random_checkpoint import main

PAGE = ROOT / "docs" / "adding-a-model.md"
_FILE = re.compile(r"`([\w./-]+\.(?:py|md|json))`(?:: ((?:`\w+`(?:, | and )?)+))?")


def test_files_and_names_on_the_page_are_there() -> None:
    """A file stands where it says, and what is named behind it stands in the file."""
    found = _FILE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 15
    for path, names in found:
        if "/" in path:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert all(re.search(rf"\b{name}\b", text) for name in re.findall(r"`(\w+)`", names)), path


def test_every_family_can_be_loaded_and_drawn() -> None:
    """It has a class, a network and a random checkpoint, and a column on the page of models."""
    every = set(Family)
    assert {model.family for model in loading._MODELS} == every
    assert set(checkpoint._NETWORKS) == every
    choice = next(param.type for param in main.params if param.name == "family")
    assert isinstance(choice, Choice)
    assert set(choice.choices) == every
    models = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    assert all(f"| {family} " in models or f" {family} |" in models for family in every)
