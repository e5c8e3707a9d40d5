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
