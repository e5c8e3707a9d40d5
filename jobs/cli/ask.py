"""The verbs that ask the index, `sql` and `search`, and `build`, which makes them fast."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.verb import F, index_options, verb
from jobs.settings.given import index_place
from jobs.settings.times import parse_since
from jobs.ui.terminal import say, see_help, show_json
from jobs.ui.words import size
from schemas.failures import UsageError
from storage.query.date_kinds import DATE_KINDS, DateKind
from storage.query.examples import find_example, read_examples

if TYPE_CHECKING:
    from storage.query.search import Hit


def serving_option(verb: F) -> F:
    """The flag of those who may not write beside the index."""
    return click.option(
        "--serving",
        type=click.Path(path_type=Path),
        help="Use this file, made by build --output, of whatever snapshot. [the index's own]",
    )(verb)


@verb(
    'sql --index catalog "select uri, duration_ms from videos"',
    "sql --index catalog --example highlights-of-the-week",
    "sql --index s3://catalog --views > views.sql",
)
@click.argument("query", required=False)
@index_options
@serving_option
@click.option("--example", metavar="NAME", help="Run this example query.")
@click.option("--examples", is_flag=True, help="List the example queries.")
@click.option("--views", is_flag=True, help="Print the views as SQL, for DuckDB without media-index.")
def sql(
    query: str | None,
    as_json: bool,
    serving: Path | None,
    example: str | None,
    examples: bool,
    views: bool,
    **flags: Any,
) -> None:
    """Query the tables: videos, scenes, characters, appearances, highlights; shots, cues, captions, speech,
    screen_text, chapters; runs, failures, attempts and others ("show tables").

    Only queries are run. Refused is what writes (COPY, CREATE), reads other files or addresses (read_csv),
    attaches (ATTACH), loads (INSTALL, LOAD) or sets something (SET, PRAGMA), and a second statement.
    """
    if sum((query is not None, example is not None, examples, views)) != 1:
        problem = "give one of QUERY, --example NAME, --examples and --views"
        raise UsageError(problem, see_help("media-index sql"))
    if examples:
        listed = [{"name": each.name, "question": each.question} for each in read_examples()]
        if as_json:
            return show_json(listed)
        return _show(("name", "question"), [tuple(one.values()) for one in listed])
    if views:
        return _show_views(*index_place(flags))
    text = query if query is not None else find_example(str(example)).sql
    place = index_place(flags)
    from storage.query.built.database import open_serving
    from storage.query.catalog import Result
    from storage.query.lost_parts import again_if_changed

    def ask() -> tuple[Result, str | None]:
        served = open_serving(*place, serving)
        with served.catalog as catalog:
            return catalog.query(text), served.note

    result, note = again_if_changed(ask)
    _note(note)
    return show_json(result.records) if as_json else _show(result.columns, result.rows)


@verb('search --index catalog --kind scenes "red car at night"')
@click.argument("text")
@index_options
@serving_option
@click.option("--kind", metavar="TABLE", help="Only rows of this table: videos, scenes, …, or a pack's.")
@click.option("--video", metavar="ENDING", help="Only in videos whose URI ends so.")
@click.option(
    "--since",
    metavar="DATE|AGO",
    help="Only films recorded since 2026-11-01, 36h or 7d; where a file does not say when, modified since.",
)
@click.option(
    "--by",
    type=click.Choice(DATE_KINDS),
    default="recorded",
    show_default=True,
    help="The date that --since means: recorded, last modified, or indexed.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only in scenes with this tag; repeatable.")
@click.option(
    "--supported",
    is_flag=True,
    help="No scenes or highlights that shots, or what is said and written, speak against.",
)
@click.option("--language", metavar="TAG", help="Only captions in this language, as BCP 47: en, pt, pt-BR.")
@click.option(
    "--unbuilt-rows",
    type=click.IntRange(0),
    metavar="N",
    help="Search at most so many rows that build has not seen yet. [200000]",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most so many.")
def search(
    text: str,
    as_json: bool,
    serving: Path | None,
    kind: str | None,
    video: str | None,
    since: str | None,
    by: DateKind,
    tags: tuple[str, ...],
    supported: bool,
    language: str | None,
    unbuilt_rows: int | None,
    limit: int,
    **flags: Any,
) -> None:
    """Find moments by words and by meaning: what is said, titles, summaries, settings, tags, characters."""
    place = index_place(flags)
    from storage.query.built.database import open_serving
    from storage.query.filters import Filters
    from storage.query.lost_parts import again_if_changed
    from storage.query.search import MOST_UNBUILT, make_searchable
    from storage.query.search import search as search_index

    filters = Filters(
        kind, video, _instant(since) if since is not None else None, tags, by, language, supported
    )

    def ask() -> "tuple[list[Hit], str | None, str | None]":
        served = open_serving(*place, serving, history=False)
        with served.catalog as catalog:
            most = MOST_UNBUILT if unbuilt_rows is None else unbuilt_rows
            found = search_index(catalog, text, limit, filters, most)
            return found, served.note, make_searchable(catalog)

    hits, note, words_only = again_if_changed(ask)
    _note(note)
    _note(words_only)
    _show_hits(hits, as_json)


@verb("build --index s3://catalog/index")
@index_options
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write this file. [docs/search.md]"
)
@click.option("--words-only", is_flag=True, help="Without vectors: most of the time and space, no meaning.")
def build(as_json: bool, output: Path | None, words_only: bool, **flags: Any) -> None:
    """Make or refresh the serving file, which makes sql and search fast."""
    place = index_place(flags)
    from rich.console import Console
    from rich.progress import Progress

    from storage.query.built.build import build_serving

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("vectors", total=None, visible=False)
        done = build_serving(
            *place,
            output,
            words_only,
            lambda num, total: bar.update(task, completed=num, total=total, visible=True),
        )
    if as_json:
        show_json(done)
    elif done is None:
        say("nothing to do: the serving file is current")
    else:
        say(
            f"{done.file}: snapshot {done.snapshot}, {done.num_videos} videos, {done.num_documents} rows to "
            f"search ({done.num_new} new), {done.num_vectors} vectors, {size(done.size_bytes)}"
        )
    if done and done.not_shared:
        say(f"note: it is not shared with other machines: {done.not_shared}", err=True)


def _show_views(index: str, endpoint_url: str | None) -> None:
    from storage.index.views import views_script
    from storage.query.catalog import find_snapshot

    store, snapshot = find_snapshot(index, endpoint_url)
    if snapshot is None:
        raise UsageError(f"nothing is published in {store.url} yet", "Run media-index first.")
    say(views_script(snapshot, f"{store.url}/").rstrip())


def _show(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from jobs.ui.tables import show_rows

    show_rows(columns, rows)


def _show_hits(hits: "Sequence[Hit]", as_json: bool) -> None:
    if as_json:
        from jobs.weights import note_on

        show_json([asdict(hit) | {"model_note": note_on(hit.model_id)} for hit in hits])
        return
    from jobs.ui.hits import show_hits

    show_hits(hits)


def _instant(since: str) -> datetime:
    try:
        return parse_since(since, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"--since {since}: no date", str(error)) from error


def _note(text: str | None) -> None:
    if text:
        say(f"note: {text}", err=True)
