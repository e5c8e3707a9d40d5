"""The verbs `status`, `report` and `explain`: what is so, what happened, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.verb import index_options, verb
from jobs.settings.given import index_place
from jobs.ui.next_command import IndexPlace
from jobs.ui.terminal import say, show_json
from schemas.failures import UsageError

if TYPE_CHECKING:
    from jobs.reports.explain.records import Explanation
    from jobs.reports.report.records import Report
    from jobs.reports.status import Status


@verb("status --index catalog")
@index_options
def status(as_json: bool, **flags: Any) -> None:
    """Say what is in the index, who is at work on it, the latest runs, and what is to be done."""
    from jobs.reports.status import read_status, status_lines
    from storage.objects.store import open_store
    from storage.query.catalog import open_catalog
    from storage.query.lost_parts import again_if_changed

    place = IndexPlace(*index_place(flags))

    def read() -> "Status":
        with open_catalog(place.index, place.endpoint_url) as catalog:
            return read_status(catalog, open_store(place.index, place.endpoint_url), place)

    state = again_if_changed(read)
    if as_json:
        show_json(state.as_json())
    else:
        say(*(status_lines(state)))


@verb("report --index catalog", "report --index catalog --since 2026-11-14 --html week.html")
@index_options
@click.option("--run", "run_id", metavar="RUN_ID", help="This run. [the latest]")
@click.option(
    "--since", metavar="DATE|AGO", help="All runs since then: 2026-11-21, 2026-11-21T03:00 (UTC), 7d."
)
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write one self-contained page here.")
def report(as_json: bool, run_id: str | None, since: str | None, page: Path | None, **flags: Any) -> None:
    """Say what a run did: outcome, failures with what to do, where the time went, the slowest videos."""
    from jobs.reports.report.content import read_report
    from jobs.reports.report.period import find_period
    from jobs.reports.report.text import report_lines
    from storage.objects.store import open_store
    from storage.query.catalog import open_catalog
    from storage.query.lost_parts import again_if_changed

    place = IndexPlace(*index_place(flags))

    def read() -> "tuple[Report, str]":
        with open_catalog(place.index, place.endpoint_url) as catalog:
            period = find_period(catalog, run_id, since)
            content = read_report(catalog, open_store(place.index, place.endpoint_url), period, place)
            if page is None:
                return content, ""
            from jobs.reports.report.page import read_tiles, report_page  # templates and their imports

            return content, report_page(content, read_tiles(catalog, period))

    content, html = again_if_changed(read)
    if page is not None:
        _write(page, html)
    if as_json:
        show_json(content)
    elif page is None:
        say(*(report_lines(content)))
    if page is not None:
        say(f"written: {page}", err=True)


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "Name another file with --html.") from None


@verb(
    'explain --index catalog "night walk.mkv"', "explain --index catalog s3://films/2026/take-0099.mp4 --json"
)
@click.argument("video")
@index_options
def explain(as_json: bool, video: str, **flags: Any) -> None:
    """Say all that is known of VIDEO (its URI, its id, or a part of them): revisions, tries, rows."""
    from jobs.reports.explain.reading import read_explanation
    from jobs.reports.explain.text import explain_lines
    from storage.objects.store import open_store
    from storage.query.catalog import open_catalog
    from storage.query.lost_parts import again_if_changed

    place = IndexPlace(*index_place(flags))

    def read() -> "Explanation":
        with open_catalog(place.index, place.endpoint_url) as catalog:
            store = open_store(place.index, place.endpoint_url)
            return read_explanation(catalog, store, place, video)

    explanation = again_if_changed(read)
    if as_json:
        show_json(explanation)
    else:
        say(*(explain_lines(explanation)))
