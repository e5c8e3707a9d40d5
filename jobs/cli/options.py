"""The flags of the verbs that plan and spend, each group said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from jobs.cli.verb import index_options

F = TypeVar("F", bound=Callable[..., Any])
NEEDED = ("library", "index", "model")
NOTHING_LISTED = "Is this the right --library, and do the filters let any through?"


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    """These options in this order."""

    def decorate(verb: F) -> F:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return decorate


# What is asked of which videos: the same for planning and doing.
recipe_options = _with(
    click.option("--library", metavar="DIR|s3://…", help="Where the videos are."),
    index_options,
    click.option(
        "--model",
        metavar="DIR|HUB_ID",
        help="Weights, e.g. BAAI/Video-XL-2, or small: built in, for drawn films only.",
    ),
    click.option("--dtype", metavar="TYPE", help="auto, float32, bfloat16 or float16. [auto]"),
    click.option("--fps", metavar="RATE", help="Pictures per second the model sees, e.g. 1, 1/2 or 2. [1]"),
    click.option("--max-frames", type=int, help="Longer videos are sampled more thinly to fit. [2048]"),
    click.option("--split", is_flag=True, default=None, help="Take longer videos in sections instead."),
    click.option(
        "--pack",
        "packs",
        multiple=True,
        metavar="NAME|DIR",
        help="What to ask: default, surveillance, livestream or a folder of prompts; repeatable. [default]",
    ),
    click.option(
        "--extension",
        "extensions",
        multiple=True,
        metavar="EXT",
        help="Only these; repeatable. [all video]",
    ),
    click.option("--include", multiple=True, metavar="GLOB", help="Only keys that match; repeatable."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Not keys that match; repeatable."),
    click.option(
        "--prefix",
        "prefixes",
        multiple=True,
        metavar="PREFIX",
        help="List only keys that start so; repeatable.",
    ),
    click.option("--since", metavar="DATE|AGO", help="Only what was modified since: 2026-11-01, 36h, 7d."),
    click.option(
        "--inventory",
        metavar="MANIFEST",
        help="List by this S3 Inventory: s3://…/manifest.json, or a copy of it.",
    ),
    click.option(
        "--follow-links",
        is_flag=True,
        default=None,
        help="Of a folder: also links that lead out of it.",
    ),
    click.option(
        "--where",
        metavar="SQL",
        help="Only planned videos of which this is true, e.g. \"uri like '%/news/%'\".",
    ),
    click.option("--sample", type=int, metavar="N", help="Only so many of them, drawn by lot."),
    click.option("--limit", type=int, metavar="N", help="At most so many."),
    click.option(
        "--mass-deletion",
        is_flag=True,
        default=None,
        help="Most of the library is gone, and that is right.",
    ),
    click.option(
        "--max-cost-per-video",
        metavar="20m|1.50usd|600frames",
        help="Refuse videos that would take more of an actor's time, more money, or more pictures.",
    ),
    click.option("--usd-per-gpu-hour", type=float, metavar="USD", help="What an hour of an actor costs."),
    click.option("--num-actors", type=int, help="Models at work at once. [one per GPU; one without GPUs]"),
    click.option(
        "--scratch",
        type=click.Path(path_type=Path),
        help="Folder for copies of S3 objects. [temporary]",
    ),
)


# How a plan is carried out.
spending_options = _with(
    click.option("--new-index", is_flag=True, help="Make the index, where there is none yet."),
    click.option(
        "--plan",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Do what was saved by `media-index plan --save FILE`, no more.",
    ),
    click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="Join this Ray cluster. [a private one on this machine]",
    ),
    click.option(
        "--max-streams",
        type=int,
        metavar="N",
        help="Videos with more tracks are set aside. [1000]",
    ),
    click.option("--max-duration", metavar="36h|7d", help="Longer videos are set aside. [7d]"),
    click.option(
        "--max-pixels",
        type=int,
        metavar="N",
        help="Videos with larger pictures, width times height, are set aside. [40000000]",
    ),
    click.option(
        "--max-failures",
        metavar="N|P%",
        help="No video begins once more than N, or P% of the planned ones, have failed. [no limit]",
    ),
    click.option(
        "--deadline",
        metavar="6h|07:00|DATE",
        help="No video begins after this long, or this time of day; those under way finish.",
    ),
    click.option(
        "--build",
        is_flag=True,
        default=None,
        help="At the end, what `media-index build` makes is made, or made current.",
    ),
    click.option("--log-format", metavar="text|json", help="What is said on stderr. [text]"),
)


# Which known videos.
backfill_options = _with(
    click.option("--stale", is_flag=True, help="Whose model, sampling or prompts have changed."),
    click.option("--failed", is_flag=True, help="That runs before could not settle, or were released."),
    click.option("--missing", is_flag=True, help="That were never asked what is asked now."),
    click.option("--all", "everything", is_flag=True, help="All of these, and changed ones."),
)
