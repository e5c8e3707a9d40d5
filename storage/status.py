"""What is in an index, in a few small tables."""

from storage.catalog import Catalog, Result

_SECTIONS = {
    "index": """
        SELECT (SELECT count(*) FROM videos) AS videos,
            (SELECT round(coalesce(sum(duration_ms), 0) / 3600000, 2) FROM videos) AS hours,
            (SELECT count(*) FROM scenes) AS scenes,
            (SELECT count(*) FROM characters) AS characters,
            (SELECT count(*) FROM highlights) AS highlights,
            (SELECT count(*) FROM commits WHERE is_quarantined) AS quarantined,
            (SELECT max(created_at) FROM commits) AS newest_commit""",
    "runs": """
        SELECT run_id, started_at, ended_at, exit_code, num_planned, num_indexed, num_partial,
            num_quarantined, num_unfinished
        FROM runs ORDER BY run_id DESC LIMIT 5""",
    "failures": """
        SELECT action, failure_class, code, count(*) AS failures, count(DISTINCT video_id) AS videos,
            any_value(hint) AS hint
        FROM failures GROUP BY ALL ORDER BY failures DESC, code""",
}


def read_status(catalog: Catalog) -> dict[str, Result]:
    """Totals, the latest runs, and failures by reason."""
    return {name: catalog.query(sql) for name, sql in _SECTIONS.items()}
