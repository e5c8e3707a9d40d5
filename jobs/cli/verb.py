"""What all verbs of the command line have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from jobs.cli.settings import Setting, check_keys, defaults_for, find_settings, flag_of
from jobs.settings.file import SETTINGS_FILE, read_settings_file
from jobs.ui.terminal import see_help
from schemas.failures import UsageError

F = TypeVar("F", bound=Callable[..., Any])


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    expose_value=False,  # `Verb` has read it when the verb begins
    help=f"Settings file. [{SETTINGS_FILE}, here or above]",
)


class Verb(click.Command):
    """Takes from the settings file what its flags do not say; keeps the lines of its epilog, which are
    commands to copy."""

    checks_keys = True  # before it begins

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments after the settings file, whose values are the options' defaults."""
        if not (ctx.resilient_parsing or {"-h", "--help"} & set(args)):
            said, _, _ = self.make_parser(ctx).parse_args(list(args))
            named = said.get("config")
            file = read_settings_file(Path(named) if named else None)
            if self.checks_keys and file.values:
                check_keys(file, known_settings())
            ctx.obj = file
            ctx.default_map = defaults_for(self, file)
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            raise _of_file(error, ctx) or error from None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog line by line, as it stands."""
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.replace("\b\n", "").splitlines():
                formatter.write(f"{line}\n")


def verb(
    *examples: str, more: str = "", name: str | None = None, cls: type[Verb] = Verb
) -> Callable[[Callable[..., Any]], click.Command]:
    """A verb whose help ends with examples, which are lines to type after `media-index`, and with `more`."""
    lines = ["\b", "Example:", *(f"  media-index {example}" for example in examples)]
    return click.command(name, cls=cls, epilog="\n".join([*lines, "", more] if more else lines))


def known_settings() -> dict[str, Setting]:
    """Return the settings of all verbs, by key."""
    from jobs.cli.main import cli  # which imports the verbs

    return find_settings(cli.commands)


def _of_file(error: click.BadParameter, ctx: click.Context) -> UsageError | None:
    """The same about a value that nobody typed."""
    param, file = error.param, ctx.obj
    name = param.name if param else None
    if param is None or name is None or ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
        return None
    flag = flag_of(param)
    problem = f"setting {flag} = {file.values[flag]!r} in {file.path}: {error.message}"
    return UsageError(problem.rstrip("."), f"Correct it. {see_help(ctx.command_path)}")


def with_options(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Decorate a verb with these options, in this order."""

    def decorate(verb: F) -> F:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return decorate


# Where the index is, for every verb.
index_options = with_options(
    click.option("--index", metavar="DIR|s3://…", help="Where the index is."),
    click.option("--endpoint-url", metavar="URL", help="S3 server, where it is not AWS."),
    config_option,
    click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout."),
)
