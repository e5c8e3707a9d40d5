"""The console script `media-index`."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from jobs.cli_ask import build, search, sql
from jobs.cli_doctor import doctor
from jobs.cli_eval import evaluate
from jobs.cli_export import export
from jobs.cli_maintain import compact, forget, vacuum
from jobs.cli_run import backfill, plan, retry, run
from jobs.cli_serve import serve
from jobs.cli_verb import Verb, index_options
from jobs.config import load_settings
from jobs.status import read_status
from jobs.terminal import as_records, show_error, show_json, show_rows
from schemas.failures import ExitCode, MediaIndexError
from storage.catalog import open_catalog


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="media-index", prog_name="media-index")
def cli() -> None:
    """Turn a library of videos into an index that answers SQL and search."""


@cli.command(cls=Verb, epilog="\b\nExample:\n  media-index status --index catalog")
@index_options
def status(config: Path | None, as_json: bool, **flags: Any) -> None:
    """What is in the index, the latest runs, and failures by reason."""

    settings = load_settings(config, flags, needs=("index",))
    with open_catalog(settings["index"], settings.get("endpoint_url")) as catalog:
        sections = read_status(catalog)
    if as_json:
        show_json({name: as_records(r.columns, r.rows) for name, r in sections.items()})
        return
    for name, result in sections.items():
        click.echo(f"\n{name}")
        show_rows(result.columns, result.rows)


for verb in (
    plan,
    run,
    backfill,
    retry,
    sql,
    search,
    build,
    evaluate,
    export,
    serve,
    compact,
    vacuum,
    forget,
    doctor,
):
    cli.add_command(verb)


def main() -> None:
    """Run the command line and exit with its code; only our own bugs show a traceback."""
    try:
        code = cli.main(standalone_mode=False)
    except MediaIndexError as error:
        show_error(error)
        code = error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("error: interrupted\nhint: repeat the command; what is committed stays", err=True)
        code = ExitCode.INTERRUPTED
    except click.ClickException as error:
        message = " ".join(error.format_message().split())  # click lists choices on lines of their own
        click.echo(f"error: {message}\nhint: media-index --help", err=True)
        code = ExitCode.USAGE
    except UnicodeEncodeError as error:
        click.echo(
            f"error: this terminal cannot show {error.object[error.start]!a}\nhint: set PYTHONUTF8=1",
            err=True,
        )
        code = ExitCode.USAGE
    except BrokenPipeError:  # `media-index sql … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be flushed to it
        code = ExitCode.DONE
    except OSError as error:
        click.echo(f"error: {error}\nhint: check the disk, the folders and their permissions", err=True)
        code = ExitCode.INTERNAL
    sys.exit(int(code or 0))
