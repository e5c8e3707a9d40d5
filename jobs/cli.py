"""The console script `media-index`."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from jobs.cli_ask import build, search, sql
from jobs.cli_eval import evaluate
from jobs.cli_export import export
from jobs.cli_serve import serve
from jobs.cli_verb import Verb, index_options
from jobs.config import Settings, load_settings, resolve
from jobs.status import read_status
from jobs.terminal import as_records, show_error, show_json, show_rows
from schemas.failures import ExitCode, MediaIndexError
from schemas.tables import Run
from storage.catalog import open_catalog

EXIT_CODES = """\b
Exit codes:
  0    done, or nothing to do
  1    stopped by an error on the way: what is committed stays
  2    usage or settings
  3    done, but this run left videos out or without an answer: see the failures table
  8    preflight failed, nothing was spent
  130  interrupted, what was committed stays"""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="media-index", prog_name="media-index")
def cli() -> None:
    """Turn a library of videos into an index that answers SQL and search."""


@cli.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index run --library s3://films --index s3://catalog "
    "--model BAAI/Video-XL-2\n\n" + EXIT_CODES,
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
@click.option(
    "--prefix", "prefixes", multiple=True, metavar="PREFIX", help="List only keys that start so; repeatable."
)
@click.option("--since", metavar="DATE|AGO", help="Only what was modified since, e.g. 2026-11-01 or 7d.")
@click.option(
    "--inventory",
    metavar="MANIFEST",
    help="List from this S3 Inventory, s3://…/manifest.json or a local copy.",
)
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
    if row.exit_code == ExitCode.INTERRUPTED:
        click.echo("interrupted; repeat the command to go on", err=True)
    elif row.exit_code:
        command = ["media-index", "sql", "--index", settings.index]
        command += ["--endpoint-url", settings.endpoint_url] if settings.endpoint_url else []
        click.echo(
            f"see why: {shlex.join([*command, 'select uri, code, message, hint from failures'])}", err=True
        )


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


for verb in (sql, search, build, evaluate, export, serve):
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
