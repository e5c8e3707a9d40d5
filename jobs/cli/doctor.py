"""The verb `doctor`."""

from pathlib import Path
from typing import Any

import click

from jobs.cli.options import model_option, weight_bits_option
from jobs.cli.run import run
from jobs.cli.settings import defaults_for
from jobs.cli.verb import index_options, verb
from jobs.settings.file import SettingsFile
from jobs.settings.given import load_settings
from jobs.ui.terminal import say, show_json
from schemas.failures import ExitCode

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@verb(
    "doctor --library s3://films --index s3://catalog --model BAAI/Video-XL-2",
    more="Exit codes:\n  0  a run can start\n  8  it cannot: see the lines that failed",
)
@click.option("--library", metavar="DIR|s3://…", help="Where the videos are.")
@index_options
@click.option("--model", metavar="DIR|HUB_ID|s3://…", help="Weights; none are downloaded here.")
@model_option
@click.option(
    "--speech", metavar="DIR|SIZE|HUB_ID|s3://…", help="Weights that hear; none are downloaded here."
)
@click.option("--text", is_flag=True, default=None, help="Whether text in the pictures can be read.")
@click.option("--dtype", metavar="TYPE", help="auto, float32, bfloat16 or float16. [auto]")
@weight_bits_option
@click.option("--device", metavar="auto|cuda|cpu", help="Where the model runs. [auto]")
@click.option("--gpus-per-model", type=int, metavar="N", help="GPUs that one model is spread over. [1]")
@click.option("--pack", "packs", multiple=True, metavar="NAME|DIR", help="What to ask. [default]")
@click.option(
    "--ray-address", metavar="ADDRESS", help="The cluster to join. [RAY_ADDRESS, else a private one]"
)
@click.option(
    "--scratch", type=click.Path(path_type=Path), help="Folder for copies of S3 objects. [temporary]"
)
@click.pass_obj
def doctor(file: SettingsFile, /, as_json: bool, **flags: Any) -> int:
    """Say whether a run will work, before anything is spent: index and library, codecs, weights, machine."""
    values = load_settings(defaults_for(run, file) | flags, needs=())
    from jobs.checks.check import Health
    from jobs.checks.doctor import examine  # torch and Ray: a wrong settings file is told without them

    checks = []
    for check in examine(values):
        checks.append(check)
        if not as_json:
            label = click.style(f"{check.health:<8}", fg=_COLOURS[check.health])
            say(f"{check.name:<9} {check.detail}", lead=f"{label} ")
            if check.hint:
                say(f"{'':8} {'':9} hint: {check.hint}")
    failed = sum(check.health is Health.FAILED for check in checks)
    if as_json:
        show_json({"is_ready": not failed, "checks": checks})
    elif failed:
        say(f"{failed} of {len(checks)} checks failed; nothing was spent", err=True)
    return ExitCode.PREFLIGHT if failed else ExitCode.DONE
