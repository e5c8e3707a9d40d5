"""The options that several verbs share: which videos are meant, what is asked of them, what may be spent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jobs.cli.verb import F, index_options, with_options
from jobs.settings.signal_names import DEFAULT_SIGNALS

FILE = click.Path(path_type=Path)
NEEDED = ("library", "index")
NOTHING_LISTED = "Is this the right --library, and do the filters let any through?"


def value(flag: str, metavar: str | None, said: str, kind: Any = None) -> Callable[[F], F]:
    """An option with one value; `kind` is click's type of it."""
    return click.option(flag, metavar=metavar, type=kind, help=said)


def values(flag: str, name: str, metavar: str, said: str) -> Callable[[F], F]:
    """An option that may be repeated; `name` is the setting."""
    return click.option(flag, name, multiple=True, metavar=metavar, help=said)


def switch(flag: str, said: str, default: bool | None = None) -> Callable[[F], F]:
    """An option without a value. None: the settings file may say it, too."""
    return click.option(flag, is_flag=True, default=default, help=said)


# Which keys and values of a video its answers are decoded on.
kv_options = with_options(
    value(
        *("--kv", "HOW"),
        "Keep all keys and values (dense), or pool what a prompt is not about (bilevel): faster. [dense]",
    ),
    value("--kv-compression", "N", "Pool so many visual tokens into one. [4]", int),
    value("--kv-dense-chunks", "N", "Keep so many chunks of 24 pictures dense for a whole video. [6]", int),
)

model_option = values(
    *("--model-option", "model_options", "KEY=VALUE"),
    "Set what one family of models has, e.g. pool=average; docs/settings.md lists them; repeatable.",
)

# How large the pictures are that a model is shown.
pixel_options = with_options(
    value(
        *("--max-pixels-per-frame", "N"),
        "Most pixels of a picture, for models that take pictures in their own shape. [the model's own]",
        int,
    ),
    value(
        *("--max-pixels-at-once", "N"),
        "Most pixels of all pictures that such a model is shown at once. [the model's own]",
        int,
    ),
)

weight_bits_option = value(
    "--weight-bits",
    "16|8|4",
    "Bits of the weights of the language model's layers; 8 and 4 need the extra quantized. [16]",
    int,
)

gpus_per_model_option = value(
    "--gpus-per-model", "N", "GPUs of one machine that a model is spread over, e.g. 4 for 72B. [1]", int
)

# What is asked of which videos: the same for planning and doing.
recipe_options = with_options(
    value("--library", "DIR|s3://…", "Where the videos are."),
    index_options,
    value(
        *("--model", "DIR|HUB_ID|s3://…"),
        "Weights of Video-XL-2, Video-XL-Pro, LLaVA-Video, Qwen2.5-VL or Qwen3-VL, or small: built in, for "
        "drawn films only. [none: signals only]",
    ),
    model_option,
    values(
        *("--signal", "signals", "NAME"),
        f"What to read without a model, or none. [{', '.join(DEFAULT_SIGNALS)}]",
    ),
    value(
        *("--shots", "HOW"),
        "Read shots and cues exact, or in draft: less is decoded, cuts stay exact, the rest nearly. [exact]",
    ),
    value(
        *("--speech", "DIR|SIZE|HUB_ID|s3://…"),
        "Hear what is said with these Whisper weights, e.g. base; needs the extra speech. [not heard]",
    ),
    values(
        *("--speech-language", "speech_languages", "TAG"),
        "Hear the sound track in this language, where there are several, e.g. en or pt-BR; repeatable.",
    ),
    switch("--speech-missing", "Hear only videos without captions (in one of these languages)."),
    switch("--text", "Read what is written in the pictures; needs the extra text."),
    value("--dtype", "TYPE", "Number format: auto, float32, bfloat16 or float16. [auto]"),
    weight_bits_option,
    value(
        "--fps",
        "RATE",
        "Pictures per second the model sees, e.g. 1, 1/2 or 2. [what the checkpoint names, else 1]",
    ),
    value(
        "--max-frames", None, "Most pictures of a video; longer videos are sampled more thinly. [2048]", int
    ),
    switch("--split", "Take longer videos in sections instead."),
    pixel_options,
    kv_options,
    values(
        *("--pack", "packs", "NAME|DIR"),
        "Ask this pack: default, captioned, spoken, surveillance, livestream or a folder; repeatable. "
        "[default]",
    ),
    values("--extension", "extensions", "EXT", "Take only names that end so; repeatable. [all video]"),
    values("--include", "include", "GLOB", "Take only keys that match; repeatable."),
    values("--exclude", "exclude", "GLOB", "Leave out keys that match; repeatable."),
    values("--prefix", "prefixes", "PREFIX", "List only keys that start so; repeatable."),
    value("--since", "DATE|AGO", "Take only what was modified since: 2026-11-01, 36h, 7d."),
    value("--inventory", "MANIFEST", "List by this S3 Inventory: s3://…/manifest.json, or a copy of it."),
    switch("--follow-links", "Follow links that lead out of the folder, too."),
    value("--where", "SQL", "Take only planned videos of which this is true, e.g. \"uri like '%/news/%'\"."),
    value("--sample", "N", "Analyse a random sample of N videos.", int),
    value("--limit", "N", "Analyse at most N videos.", int),
    switch("--allow-mass-deletion", "Allow marking most of the library as deleted."),
    value(
        *("--max-cost-per-video", "20m|1.50usd|600frames"),
        "Refuse videos that would take more of an actor's time, more money, or more pictures.",
    ),
    value(
        "--usd-per-gpu-hour", "USD", "Price of an hour of a GPU, or of a model where there is none.", float
    ),
    value("--usd-per-cpu-hour", "USD", "Price of an hour of a CPU core.", float),
    value("--num-actors", None, "Models at work at once. [as GPUs are there; one without GPUs]", int),
    value("--device", "auto|cuda|cpu", "Where the model runs; auto: on GPUs, small also without. [auto]"),
    value("--num-gpus", "N", "Ask the cluster for so many. [what is there, and comes]", int),
    gpus_per_model_option,
    value("--scratch", None, "Folder for copies of S3 objects. [temporary]", FILE),
)

# How a plan is carried out.
spending_options = with_options(
    switch("--new-index", "Make the index, where there is none yet.", default=False),
    value("--plan", "FILE", "Do what was saved by `media-index plan --save FILE`, no more.", FILE),
    value("--ray-address", "HOST:PORT", "Join this Ray cluster. [RAY_ADDRESS, else one on this machine]"),
    value(
        *("--wait-for-gpus", "30m"),
        "Longest wait where a cluster has no GPU, or no CPU to read with. [30m]",
    ),
    value("--max-streams", "N", "Set aside videos with more tracks. [1000]", int),
    value("--max-duration", "36h|7d", "Set aside longer videos. [7d]"),
    value(
        *("--max-pixels", "N"),
        "Set aside videos with larger pictures, width times height. [40000000]",
        int,
    ),
    value(
        *("--max-failures", "N|P%"),
        "Begin no video once more than N, or P% of the planned ones, have failed. [no limit]",
    ),
    value(
        *("--deadline", "6h|07:00|DATE"),
        "Begin no video after this long, or this time of day; those under way finish.",
    ),
    value(
        *("--compact-at", "N"),
        "Merge small files of the index once a table has more than N of them; 0: never. [100]",
        int,
    ),
    switch("--build", "Make what `media-index build` makes, or make it current, at the end."),
    values(
        *("--ok", "ok", "CODE"),
        "End with 0 instead of this exit code, e.g. 3, for a scheduler that knows 0 alone; repeatable.",
    ),
    value("--log-format", "text|json", "Format of what is said on stderr. [text]"),
    value(
        *("--log-dir", "DIR"),
        "Write every step of driver, actors and readers here, as JSON lines, a file for each process. [none]",
        FILE,
    ),
    value(
        *("--metrics-file", "FILE"),
        "Write what the run came to, for Prometheus' textfile collector, e.g. media_index.prom. [none]",
        FILE,
    ),
)

# Which known videos.
backfill_options = with_options(
    switch(
        "--stale", "Take videos whose model, sampling, prompts, signals or sidecars changed.", default=False
    ),
    switch(
        "--failed", "Take videos that earlier runs could not settle, or that were released.", default=False
    ),
    switch(
        "--missing", "Take videos that lack answers to a newly added prompt, or a new signal.", default=False
    ),
    click.option("--all", "everything", is_flag=True, help="Take all of these, and changed ones."),
)
