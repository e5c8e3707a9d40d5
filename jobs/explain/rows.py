"""Which rows a video has now, and what made them: a changed prompt asks only its own question again."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.tables import TABLES, Lineage
from storage.catalog import Catalog
from storage.columns import quote_name

_LINEAGE = "prompt_id, recipe_id, run_id, model_id, model_revision"


@dataclass(frozen=True)
class RowsOfTable:
    """Rows of one table that have one origin."""

    table: str
    rows: int
    prompt_id: str | None
    recipe_id: str
    run_id: str
    model_id: str
    model_revision: str


def read_rows(catalog: Catalog, video_id: str) -> tuple[RowsOfTable, ...]:
    """Of all tables that readers see, packs' own ones included, in the tables' order."""
    return tuple(_read(catalog, video_id))


def _read(catalog: Catalog, video_id: str) -> Iterator[RowsOfTable]:
    tables = [name for name, row_type in TABLES.items() if issubclass(row_type, Lineage)]
    for table in (*tables, *catalog.own_tables):
        query = (
            f"SELECT count(*), {_LINEAGE} FROM {quote_name(table)} WHERE video_id = $video_id "
            f"GROUP BY {_LINEAGE} ORDER BY {_LINEAGE}"
        )
        for count, *lineage in catalog.query(query, {"video_id": video_id}).rows:
            yield RowsOfTable(table, count, *lineage)
