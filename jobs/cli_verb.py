"""What all verbs of the command line have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Verb(click.Command):
    """Keeps the lines of its epilog, which are commands to copy."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.replace("\b\n", "").splitlines():
                formatter.write(f"{line}\n")


def index_options(verb: F) -> F:
    """Where the index is, for every verb."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout."),
        click.option("--config", type=click.Path(path_type=Path), help="Settings file. [media-index.toml]"),
        click.option("--endpoint-url", metavar="URL", help="S3 server, where it is not AWS."),
        click.option("--index", metavar="DIR|s3://…", help="Where the index is."),
    ):
        verb = option(verb)
    return verb


def limit_options(verb: F) -> F:
    """When a run ends before its plan does, and how it talks meanwhile."""
    for option in (
        click.option("--log-format", metavar="text|json", help="What is said on stderr. [text]"),
        click.option(
            "--deadline",
            metavar="6h|90m|07:00",
            help="No video begins after this long, or this time of day; those under way finish.",
        ),
        click.option(
            "--max-failures",
            metavar="N|P%",
            help="No video begins once more than N, or P% of the planned ones, have failed. [no limit]",
        ),
    ):
        verb = option(verb)
    return verb
