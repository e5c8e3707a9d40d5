"""The verb `export`: the index as files for players, editing systems, web pages and spreadsheets."""

from pathlib import Path
from typing import Any, Literal

import click

from jobs.cli.verb import index_options, verb
from jobs.exports.formats import (
    HOLD_MEASURED,
    ICEBERG,
    MOMENT_KINDS,
    TABLE_FORMATS,
    THUMBNAILS,
    VIDEO_FORMATS,
    TableFormat,
    VideoFormat,
)
from jobs.settings.given import index_place
from jobs.ui.terminal import say, show_json
from schemas.failures import UsageError


@verb(
    "export --index catalog --format vtt --output chapters",
    'export --index catalog --format edl --video "night walk.mkv" --output walk.edl',
    "export --index catalog --format srt --kind captions --language de --output subtitles",
    "export --index catalog --format csv --kind videos > videos.csv",
    "export --index s3://catalog --format iceberg --output s3://lake/media",
)
@index_options
@click.option(
    *("--format", "to"),
    type=click.Choice((*VIDEO_FORMATS, *TABLE_FORMATS, ICEBERG)),
    required=True,
    help="What to write.",
)
@click.option("--video", metavar="URI", help="Only this video; the end of its URI is enough. [all]")
@click.option(
    "--kind",
    metavar="TABLE",
    help="scenes, highlights, shots, captions, speech; for vtt also thumbnails; for jsonl and csv any table, "
    "a pack's too. "
    "[highlights for edl, else scenes]",
)
@click.option(
    "--language",
    metavar="TAG",
    help="Of captions and speech: what is in this language, as BCP 47. [the best track, all speech]",
)
@click.option("--output", metavar="FILE|DIR", help="Where to write. [stdout, where it is one document]")
@click.option("--force", is_flag=True, help="Replace files that have other content.")
def export(
    as_json: bool,
    to: VideoFormat | TableFormat | Literal["iceberg"],
    video: str | None,
    kind: str | None,
    language: str | None,
    output: str | None,
    force: bool,
    **flags: Any,
) -> None:
    """Write scenes, highlights, shots and what is said as chapters, subtitles, cut lists, markers or rows."""
    place = index_place(flags)
    if to == ICEBERG:
        _register(*place, output, as_json, given={"--video": video, "--kind": kind})
        return
    kind = kind or ("highlights" if to == "edl" else "scenes")
    _check(to, kind, video, output, as_json)
    from jobs.exports.writing import Export, write_export

    file = Path(output) if output is not None else None
    asked = Export(to, kind, video, file, force, as_json, language)
    write_export(*place, asked)


def _register(
    index: str, endpoint_url: str | None, output: str | None, as_json: bool, given: dict[str, str | None]
) -> None:
    """Bring Iceberg tables up to date, and say where each is."""
    for flag, value in given.items():
        if value is not None:
            raise UsageError(f"iceberg has all tables as a whole, and {flag} is given", f"Leave out {flag}.")
    if output is None:
        raise UsageError("no place given for the tables", "Add --output DIR or --output s3://bucket/prefix.")
    from storage.iceberg.tables import register

    done = register(index, endpoint_url, output)
    if as_json:
        show_json(done)
        return
    for table in done:
        copies = f", {table.num_copies} of them copies" if table.num_copies else ""
        before = "" if table.is_new else ", as before"
        say(f"{table.table}: {table.num_files} files{copies}{before}; {table.metadata}")


def _check(to: str, kind: str, video: str | None, output: str | None, as_json: bool) -> None:
    is_table = to in TABLE_FORMATS
    if kind == THUMBNAILS and not is_table:
        _check_thumbnails(to, output)
        return
    if not is_table and kind not in MOMENT_KINDS:
        raise UsageError(
            f"{to} cannot hold {kind}", "Take --kind scenes or highlights, or --format jsonl or csv."
        )
    if not is_table and to not in (holding := HOLD_MEASURED.get(kind, VIDEO_FORMATS)):
        raise UsageError(f"{to} cannot hold {kind}", f"Take --format {', '.join(holding)} or jsonl.")
    if kind == "runs" and video is not None:
        raise UsageError("a run is of no single video", "Leave out --video.")
    if output is None and not is_table and video is None:
        raise UsageError("no folder given for one file per video", "Add --output DIR, or choose one --video.")
    if output is None and as_json:
        raise UsageError("--json tells which files were written", "Add --output.")
    if output is not None and "://" in output:
        raise UsageError(f"{output} is not on this machine", "Write to a folder here, then copy it.")


def _check_thumbnails(to: str, output: str | None) -> None:
    if to != "vtt":
        raise UsageError(f"{to} cannot hold thumbnails", "Take --format vtt.")
    if output is None or "://" in output:
        raise UsageError("thumbnails are two files a video", "Add --output DIR, a folder on this machine.")
