"""Every verb explains itself."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jobs.cli.main import cli

VERBS = sorted(cli.commands)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_an_example_and_options_that_explain_themselves(verb):
    """`--help` says what the verb does, shows an example, and documents each option."""
    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"Example:\n  media-index {verb}" in shown.output
    command = cli.commands[verb]
    assert command.help
    assert all(p.help for p in command.params if isinstance(p, click.Option))


def test_every_verb_is_in_the_readme():
    """The README shows each verb in use."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if not re.search(rf"\$ media-index {verb}\b", readme)] == []
