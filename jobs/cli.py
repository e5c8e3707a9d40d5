"""The console script `media-index`."""

import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from jobs.cli_ask import build, search, sql
from jobs.cli_eval import evaluate
from jobs.cli_export import export
from jobs.cli_report import explain, report, status
from jobs.cli_serve import serve
from jobs.cli_verb import Verb, index_options
from jobs.config import Settings, load_settings, resolve
from jobs.exit_codes import exit_code_help, meaning_of, next_after
from jobs.next_command import Place
from jobs.terminal import show_error, show_json
from schemas.failures import ExitCode, MediaIndexError
from schemas.tables import Run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="media-index", prog_name="media-index")
def cli() -> None:
    """Turn a library of videos into an index that answers SQL and search."""


@cli.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index run --library s3://films --index s3://catalog "
    "--model BAAI/Video-XL-2\n\n" + exit_code_help(),
)
@click.option("--library", metavar="DIR|s3://…", help="Where the videos are.")
@index_options
@click.option(
    "--model", metavar="DIR|HUB_ID", help="Weights, e.g. BAAI/Video-XL-2. [small: built in, untrained]"
)
@click.option("--dtype", metavar="TYPE", help="auto, float32, bfloat16 or float16. [auto]")
@click.option("--fps", metavar="RATE", help="Pictures per second the model sees, e.g. 1, 1/2 or 2. [1]")
@click.option("--max-frames", type=int, help="Longer videos are sampled more thinly to fit. [2048]")
@click.option("--split", is_flag=True, default=None, help="Take longer videos in sections instead.")
@click.option(
    "--pack",
    "packs",
    multiple=True,
    metavar="NAME|DIR",
    help="What to ask: default, surveillance, livestream or a folder of prompts; repeatable. [default]",
)
@click.option(
    "--extension", "extensions", multiple=True, metavar="EXT", help="Only these; repeatable. [all video]"
)
@click.option("--include", multiple=True, metavar="GLOB", help="Only keys that match; repeatable.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Not keys that match; repeatable.")
@click.option("--num-actors", type=int, help="Models at work at once. [one per GPU; one without GPUs]")
@click.option(
    "--ray-address", metavar="ADDRESS", help="Join this Ray cluster. [a private one on this machine]"
)
@click.option(
    "--scratch", type=click.Path(path_type=Path), help="Folder for copies of S3 objects. [temporary]"
)
def run(config: Path | None, as_json: bool, **flags: Any) -> int:
    """Index every video that is new or changed. Repeat it to resume or refresh."""
    settings = resolve(load_settings(config, flags, needs=("library", "index")))
    from jobs.progress import Progress  # what reads the index need not wait for Ray to load
    from jobs.run import run as run_library

    row = run_library(settings, Progress(Console(stderr=True)))
    if as_json:
        show_json(row.model_dump(mode="json"))
    else:
        _show_run(row, settings)
    return row.exit_code


def _show_run(row: Run, settings: Settings) -> None:
    if not row.num_planned:
        click.echo(f"nothing to do: {row.num_listed} videos listed, none new or changed, no model loaded")
        if not row.num_listed:
            click.echo("hint: is this the right --library, and do the filters let any through?", err=True)
        return
    click.echo(
        f"run {row.run_id}: {row.num_indexed} indexed, {row.num_partial} partial, "
        f"{row.num_quarantined} set aside, {row.num_unfinished} left to the next run "
        f"({row.video_ms / 60_000:.1f} min of video, {row.num_frames} frames)"
    )
    if row.exit_code:
        place = Place(settings.index, settings.endpoint_url)
        again = place.again(row.settings_json, row.library)
        click.echo(f"exit {row.exit_code}: {meaning_of(row.exit_code)}", err=True)
        if command := next_after(row.exit_code, place, again, row.run_id):
            click.echo(f"next: {command}", err=True)


for verb in (sql, search, build, status, report, explain, evaluate, export, serve):
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
