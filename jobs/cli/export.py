"""The verb `export`: the index as files for players, editing systems, web pages and spreadsheets."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast, get_args

import click

from jobs.cli.verb import Verb, index_options
from jobs.exports.documents import (
    TABLE_FORMATS,
    VIDEO_FORMATS,
    Document,
    VideoFormat,
    table_document,
    video_documents,
)
from jobs.exports.files import Outcome, write_file
from jobs.exports.moments import MomentKind
from jobs.settings.config import load_settings
from jobs.ui.find_video import find_video
from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.terminal import say, say_document, show_json
from schemas.failures import PreflightError, UsageError
from schemas.tables import TABLES
from storage.query.catalog import Catalog, ChangedUnderneath, again_if_changed, open_catalog

MAX_NAMED = 5  # files that an error names


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n"
    "  media-index export --index catalog --format vtt --output chapters\n"
    '  media-index export --index catalog --format edl --video "night walk.mkv" --output walk.edl\n'
    "  media-index export --index catalog --format csv --kind videos > videos.csv",
)
@index_options
@click.option(
    "--format", "to", type=click.Choice(VIDEO_FORMATS + TABLE_FORMATS), required=True, help="What to write."
)
@click.option("--video", metavar="URI", help="Only this video; the end of its URI is enough. [all]")
@click.option(
    "--kind",
    metavar="TABLE",
    help="scenes or highlights; for jsonl and csv any table, a pack's too. [highlights for edl, else scenes]",
)
@click.option("--output", metavar="FILE|DIR", help="Where to write. [stdout, where it is one document]")
@click.option("--force", is_flag=True, help="Replace files that have other content.")
def export(
    as_json: bool,
    to: str,
    video: str | None,
    kind: str | None,
    output: str | None,
    force: bool,
    **flags: Any,
) -> None:
    """Write scenes and highlights as chapters, subtitles, edit lists, markers, web data or rows."""
    settings = load_settings(flags, needs=("index",))
    kind = kind or ("highlights" if to == "edl" else "scenes")
    _check(to, kind, video, output, as_json)
    is_one = video is not None or to in TABLE_FORMATS
    ours: set[Path] = set()
    models: dict[MadeBy, None] = {}

    def write() -> None:
        with open_catalog(settings["index"], settings.get("endpoint_url")) as catalog:
            video_id = find_video(catalog, video) if video is not None else None
            documents = _noting(models, _documents(catalog, to, kind, video_id))
            if output is None:
                _print(documents)
            else:
                _report(_write(documents, Path(output), to, is_one, force, ours), as_json)

    again_if_changed(write)
    _name_models(list(models), to)


def _print(documents: Iterable[Document]) -> None:
    """To stdout. PreflightError: the rest cannot be had any more, and what is out cannot be taken back."""
    has_begun = False
    try:
        for document in documents:
            for chunk in document.chunks:
                say_document(chunk)
                has_begun = True
    except ChangedUnderneath as error:
        if has_begun:
            hint = "What was written is not all of it; repeat the command."
            raise PreflightError(error.message, hint) from error
        raise


def _noting(models: dict[MadeBy, None], documents: Iterable[Document]) -> Iterator[Document]:
    """The same documents; their models are in `models` once they are written, in order."""
    for document in documents:
        models.update(dict.fromkeys(document.models))
        yield document


def _name_models(models: list[MadeBy], to: str) -> None:
    """On stderr: what has to be said of them, and of SubRip all, as it has no place for it."""
    if to == "srt" and models:
        names = ", ".join(model.name for model in models)
        say(f"note: SubRip has no comments; these are the words of {names}", err=True)
    for note in notes_on(models):
        say(f"note: {note}", err=True)


def _check(to: str, kind: str, video: str | None, output: str | None, as_json: bool) -> None:
    is_table = to in TABLE_FORMATS
    if not is_table and kind not in get_args(MomentKind):
        raise UsageError(
            f"{to} cannot hold {kind}", "Take --kind scenes or highlights, or --format jsonl or csv."
        )
    if kind == "runs" and video is not None:
        raise UsageError("a run is of no single video", "Leave out --video.")
    if output is None and not is_table and video is None:
        raise UsageError("no folder given for one file per video", "Add --output DIR, or choose one --video.")
    if output is None and as_json:
        raise UsageError("--json tells which files were written", "Add --output.")
    if output is not None and "://" in output:
        raise UsageError(f"{output} is not on this machine", "Write to a folder here, then copy it.")


def _documents(catalog: Catalog, to: str, kind: str, video_id: str | None) -> Iterator[Document]:
    if to in TABLE_FORMATS:
        _check_table(catalog, kind)
        yield table_document(catalog, to, kind, video_id)
    else:
        yield from video_documents(catalog, cast(VideoFormat, to), cast(MomentKind, kind), video_id)


def _check_table(catalog: Catalog, kind: str) -> None:
    tables = (*TABLES, *catalog.own_tables)
    if kind not in tables:
        raise UsageError(f"there is no table {kind!r} in this index", f"Tables are {', '.join(tables)}.")


def _write(
    documents: Iterable[Document], output: Path, to: str, is_one: bool, force: bool, ours: set[Path]
) -> Iterator[tuple[Path, Outcome]]:
    """Into the file `output` where there is one document and no such folder, else into the folder.

    `ours` are files that this command has written, and may write again; those that it writes are added.
    """
    is_file = is_one and not output.is_dir()
    if not is_file:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{output}: {error.strerror}", "Check --output.") from error
    for document in documents:
        if is_file:
            path = output.with_name(f"{output.stem}{document.part}{output.suffix}")
        else:
            path = output / f"{document.stem}{document.part}.{to}"
        outcome = write_file(path, document.chunks, force or path in ours)
        if outcome is Outcome.WRITTEN:
            ours.add(path)
        yield path, outcome


def _report(files: Iterator[tuple[Path, Outcome]], as_json: bool) -> None:
    """Says what was written; files that were in the way are an error once all others are there."""
    counts = dict.fromkeys(Outcome, 0)
    listed: list[dict[str, str]] = []
    kept: list[str] = []
    for path, outcome in files:
        counts[outcome] += 1
        if as_json:
            listed.append({"path": str(path), "outcome": outcome})
        if outcome is Outcome.KEPT and len(kept) < MAX_NAMED:
            kept.append(str(path))
    if as_json:
        show_json(listed)
    else:
        say(f"{_files(counts[Outcome.WRITTEN])} written, {counts[Outcome.UNCHANGED]} unchanged")
    if kept:
        more = ", …" if counts[Outcome.KEPT] > len(kept) else ""
        raise UsageError(
            f"kept {_files(counts[Outcome.KEPT])} with other content: {', '.join(kept)}{more}",
            "Add --force to replace them, or take another --output.",
        )


def _files(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"
