"""How many models were at work at once, told by attempts."""

from pathlib import Path

from storage.query.catalog import Catalog

_ACTORS = Path(__file__).with_name("actors.sql").read_text(encoding="utf-8")


def actors_by_run(catalog: Catalog, first: str, last: str) -> dict[str, int]:
    """Actors of each run with recorded attempts, of those with ids from `first` to `last`."""
    return dict(catalog.query(_ACTORS, {"first": first, "last": last}).rows)
