"""Whether a line is one that `media-index` takes: verb, options and their values. Nothing is done."""

from collections.abc import Sequence
from pathlib import Path

import click

from schemas.failures import MediaIndexError


def is_taken(words: Sequence[str], settings: Path) -> bool:
    """False where the verb or an option is not known, or a value is none of its kind.

    `settings` is read in place of the file that `--config` names, which is somewhere else.
    """
    from jobs.cli.main import cli

    program, *rest = words
    if "--config" in rest:
        rest[rest.index("--config") + 1] = str(settings)
    try:
        with cli.make_context(program, list(rest)) as group:
            name, verb, arguments = cli.resolve_command(group, [*group._protected_args, *group.args])
            assert name is not None
            assert verb is not None
            verb.make_context(name, arguments, parent=group)
    except (click.ClickException, MediaIndexError):
        return False
    return program == "media-index"
