"""All verbs, and how a command ends."""

import os
import sys
import traceback
from collections.abc import Callable

import click

from jobs.cli.ask import build, search, sql
from jobs.cli.config import config
from jobs.cli.doctor import doctor
from jobs.cli.eval import evaluate
from jobs.cli.export import export
from jobs.cli.maintain import compact, forget, vacuum
from jobs.cli.plan import plan, retry
from jobs.cli.problems import show_crash, show_end, show_problem
from jobs.cli.report import explain, report, status
from jobs.cli.run import backfill, run
from jobs.cli.serve import serve
from jobs.ui.leaving import leave, sigterm_as_interrupt
from jobs.ui.terminal import see_help
from schemas.failures import ExitCode, MediaIndexError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="media-index", prog_name="media-index")
def cli() -> None:
    """Turn a library of videos into an index that answers SQL and search."""


for verb in (
    plan,
    run,
    backfill,
    retry,
    status,
    report,
    explain,
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
    config,
):
    cli.add_command(verb)


def main(begin: Callable[[], None] = lambda: None) -> None:
    """Run the command line and exit with its code; only our own bugs show a traceback.

    `begin` is called first; where it raises `KeyboardInterrupt`, nothing else is done.
    """
    try:
        begin()
        with sigterm_as_interrupt():
            code = cli.main(prog_name="media-index", standalone_mode=False)
    except MediaIndexError as error:
        code = show_problem(error)
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = show_end("interrupted", "Repeat the command; what is committed stays.", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        message = " ".join(error.format_message().split())  # click lists choices on lines of their own
        command = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "media-index"
        )
        code = show_end(message.rstrip("."), see_help(command), ExitCode.USAGE)
    except UnicodeEncodeError as error:
        shown = f"this terminal cannot show {error.object[error.start]!a}"
        code = show_end(shown, "Set PYTHONUTF8=1.", ExitCode.USAGE)
    except BrokenPipeError:  # `media-index sql … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be flushed to it
        code = int(ExitCode.DONE)
    except OSError as error:
        code = show_end(str(error), "Check the disk, the folders and their permissions.", ExitCode.INTERNAL)
    except Exception as error:
        code = show_crash(error, traceback.format_exc())
    leave(int(code or 0))
