"""Every verb explains itself."""

import errno
import re

import click
import pytest
from click.testing import CliRunner
from places import ROOT

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
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if not re.search(rf"\$ media-index {verb}\b", readme)] == []


def test_a_broken_pipe_to_something_else_than_the_reader_is_said(monkeypatch, tmp_path, capsys):
    """click takes any for that of `media-index … | head` and ends with 1 and no word."""

    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("jobs.driver.run.run", broken)
    monkeypatch.setattr("sys.argv", ["media-index", "run", "--library", "x"])
    monkeypatch.chdir(tmp_path)
    words = ["run", "--library", "x", "--index", "y", "--model", "small"]
    assert cli.main(words, standalone_mode=False) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["error", "hint", "next"]
    assert said[-1] == "next: media-index run --library x"
