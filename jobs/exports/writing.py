"""The place of an export: stdout, one file, or a folder with a file per video."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from jobs.exports.documents import Document, table_document, thumbnail_documents, video_documents
from jobs.exports.files import Outcome, write_file
from jobs.exports.formats import TABLE_FORMATS, THUMBNAILS, MomentKind, TableFormat, VideoFormat
from jobs.ui.find_video import find_video
from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.terminal import say, say_document, show_json
from schemas.failures import PreflightError, UsageError
from schemas.identity import VideoId
from schemas.tables import TABLES
from storage.query.catalog import Catalog, open_catalog
from storage.query.lost_parts import ChangedUnderneath, again_if_changed

MAX_NAMED = 5  # files that an error names


@dataclass(frozen=True, slots=True)
class Export:
    """The export asked for. Without `video` all videos; without `output` stdout; `force` replaces files."""

    to: VideoFormat | TableFormat
    kind: str
    video: str | None
    output: Path | None
    force: bool
    as_json: bool
    language: str | None = None  # of captions

    @property
    def is_one(self) -> bool:
        """Whether it makes one document."""
        return (self.video is not None and self.kind != THUMBNAILS) or self.to in TABLE_FORMATS


def write_export(index: str, endpoint_url: str | None, asked: Export) -> None:
    """Write it and say what was written. UsageError: no such video or table, or a file is in the way."""
    ours: set[Path] = set()
    models: dict[MadeBy, None] = {}

    def write() -> None:
        with open_catalog(index, endpoint_url) as catalog:
            video_id = find_video(catalog, asked.video) if asked.video is not None else None
            documents = _noting(models, _documents(catalog, asked, video_id))
            if asked.output is None:
                _print(documents)
            else:
                _report(_write(documents, asked.output, asked, ours), asked.as_json)

    again_if_changed(write)
    _name_models(list(models), asked.to)


def _print(documents: Iterable[Document]) -> None:
    """Print to stdout. PreflightError: the rest cannot be had any more, and what is out stays out."""
    has_begun = False
    try:
        for document in documents:
            for chunk in document.chunks:
                say_document(str(chunk))  # pictures are never printed
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
    """Say on stderr what has to be said of them, and of SubRip all, as it has no place for it."""
    if to == "srt" and models:
        names = ", ".join(model.name for model in models)
        say(f"note: SubRip has no comments; these are the words of {names}", err=True)
    for note in notes_on(models):
        say(f"note: {note}", err=True)


def _documents(catalog: Catalog, asked: Export, video_id: VideoId | None) -> Iterator[Document]:
    to = asked.to
    if to in TABLE_FORMATS:
        _check_table(catalog, asked.kind)
        yield table_document(catalog, to, asked.kind, video_id)
    elif asked.kind == THUMBNAILS:
        yield from thumbnail_documents(catalog, video_id)
    else:
        kind = cast(MomentKind, asked.kind)
        yield from video_documents(catalog, cast(VideoFormat, to), kind, video_id, asked.language)


def _check_table(catalog: Catalog, kind: str) -> None:
    tables = (*TABLES, *catalog.own_tables)
    if kind not in tables:
        raise UsageError(f"there is no table {kind!r} in this index", f"Tables are {', '.join(tables)}.")


def _write(
    documents: Iterable[Document], output: Path, asked: Export, ours: set[Path]
) -> Iterator[tuple[Path, Outcome]]:
    """Into the file `output` where there is one document and no such folder, else into the folder.

    `ours` are files that this command has written, and may write again; those that it writes are added.
    """
    is_file = asked.is_one and not output.is_dir()
    if not is_file:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{output}: {error.strerror}", "Check --output.") from error
    for document in documents:
        if is_file:
            path = output.with_name(f"{output.stem}{document.part}{output.suffix}")
        else:
            path = output / f"{document.stem}{document.part}.{document.ending or asked.to}"
        outcome = write_file(path, document.chunks, asked.force or path in ours)
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
