"""The verb `serve`."""

from typing import Any

import click

from jobs.cli.verb import index_options, verb
from jobs.settings.given import load_settings
from jobs.ui.terminal import say, show_json


@verb("serve --index catalog", "serve --index s3://films/index --library s3://films/2026 --port 9000")
@index_options
@click.option("--library", metavar="DIR|s3://…", help="Play only videos that lie here. [all in the index]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
def serve(as_json: bool, host: str, port: int, **flags: Any) -> None:
    """Show the index as a web page: search, a player, timelines. Read-only; Ctrl-C ends it."""
    settings = load_settings(flags, needs=("index",))
    from jobs.web.serve import serve as serve_page  # other verbs need not wait for a web server to load

    serve_page(
        settings["index"],
        settings.get("endpoint_url"),
        settings.get("library"),
        host,
        port,
        _say_json if as_json else _say,
    )


def _say(line: str, address: str | None = None) -> None:
    say(f"{line}: {address} (Ctrl-C ends it)" if address else line, err=True)


def _say_json(line: str, address: str | None = None) -> None:
    """Programs want the address, above all after --port 0."""
    if address:
        show_json({"url": address})
    else:
        say(line, err=True)
