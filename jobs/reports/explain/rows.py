"""Which rows a video has now, and what made them: a changed prompt asks only its own question again."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from schemas.rows import Lineage
from schemas.tables import TABLES
from storage.query.catalog import Catalog
from storage.sql import quote_name

_LINEAGE = "made_by, recipe_id, run_id, model_id, model_revision"


@dataclass(frozen=True)
class RowsOfTable:
    """Rows of one table that have one origin."""

    table: str
    rows: int
    made_by: str | None  # a prompt or a signal, with its version
    recipe_id: str
    run_id: str
    model_id: str | None
    model_revision: str | None


def read_rows(catalog: Catalog, video_id: str, analysis_key: str) -> tuple[RowsOfTable, ...]:
    """Rows of all tables that readers see, packs' own ones included, in the tables' order.

    `analysis_key` is the video's current one.
    """
    return tuple(_read(catalog, {"video_id": video_id, "analysis_key": analysis_key}))


def _read(catalog: Catalog, ids: dict[str, str]) -> Iterator[RowsOfTable]:
    tables: dict[str, Collection[str]] = {
        name: row_type.model_fields for name, row_type in TABLES.items() if issubclass(row_type, Lineage)
    }
    for table, columns in (tables | catalog.own_tables).items():
        is_seen = " AND is_grounded IS NOT FALSE" if "is_grounded" in columns else ""
        made_by = "signal_id" if "signal_id" in columns else "prompt_id"
        query = (
            f"SELECT count(*), {made_by} AS {_LINEAGE} FROM {quote_name(table + '_all')} "
            f"WHERE video_id = $video_id AND analysis_key = $analysis_key{is_seen} "
            f"GROUP BY {_LINEAGE} ORDER BY {_LINEAGE}"
        )
        for count, *lineage in catalog.query(query, ids).rows:
            yield RowsOfTable(table, count, *lineage)
