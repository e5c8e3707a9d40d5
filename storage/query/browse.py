"""Rows that nobody searched for: those that pass the filters, newest video first."""

from dataclasses import replace

from storage.query.catalog import Catalog
from storage.query.date_kinds import DATE_SQL
from storage.query.documents import document_query
from storage.query.filters import Filters, check_kind, condition_sql
from storage.query.search import Hit

_BROWSE = """
SELECT kind, d.video_id, uri, row_index, start_ms, end_ms, NULL AS keyframe_ms, d.title, text,
    recorded_at, modified_at, indexed_at, d.model_id, d.model_revision
FROM ({rows}) AS d
JOIN (SELECT *, created_at AS indexed_at FROM videos) AS v USING (analysis_key)
WHERE {condition}
ORDER BY {first} {date} DESC, uri, start_ms, row_index LIMIT $k"""
_BEST_FIRST = {
    "highlights": "(SELECT max(score) FROM highlights AS h "
    "WHERE h.analysis_key = d.analysis_key AND h.rank = d.row_index) DESC,"
}


def browse(catalog: Catalog, filters: Filters, k: int) -> list[Hit]:
    """List at most `k` rows of one table, of highlights the best first; videos where no kind is named.

    UsageError: an unknown kind.
    """
    kind = filters.kind or ("scenes" if filters.tags else "videos")
    check_kind(catalog, kind)
    allowed = condition_sql(replace(filters, kind=None))
    sql = _BROWSE.format(
        rows=document_query(kind, "main", catalog.own_tables),
        condition=allowed.sql or "true",
        first=_BEST_FIRST.get(kind, ""),
        date=DATE_SQL[filters.by],
    )
    return list(catalog.read(Hit, sql, {**allowed.params, "k": k}))
