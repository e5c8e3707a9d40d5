"""Which text of a row is searched: the one place that search, serving file and vectors take it from.

The columns of a table decide, by their names. A table takes part as soon as it has a headline or prose.
"""

from collections.abc import Iterator

from storage.columns import BUNDLE_TABLES, COLUMNS

_HEADLINES = ("title", "label")
_PROSE = ("summary", "description", "reason", "text")
_DETAILS = ("setting", "mood", "actions", "objects", "tags")
_STARTS = ("start_ms", "first_seen_ms")
_ENDS = ("end_ms", "last_seen_ms")

# Beside its own columns a video is found by its file's name, a scene by who is in it.
_EXTRA = {
    "videos": "file_name(uri)",
    "scenes": """(SELECT string_agg(c.label, ', ' ORDER BY c.label) FROM {schema}.characters AS c
        WHERE c.analysis_key = t.analysis_key AND list_contains(t.character_ids, c.character_id))""",
}
_NO_HEADLINE = {"videos": "file_name(uri)"}

# `kind` of a hit: the table it is from.
HIT_KINDS = tuple(
    table
    for table in BUNDLE_TABLES
    if any(column.name in (*_HEADLINES, *_PROSE) for column in COLUMNS[table])
)


def documents_query(schema: str) -> str:
    """SQL for one row per document of the tables in `schema`: (kind, video_id, analysis_key, start_ms,
    end_ms, scene_index, title, text, body); `body` is what is searched, title and text are shown."""
    return "\nUNION ALL\n".join(_query(table, schema) for table in HIT_KINDS)


def _query(table: str, schema: str) -> str:
    types = {column.name: column.sql_type for column in COLUMNS[table]}

    def first(names: tuple[str, ...], other: str) -> str:
        return next((f"t.{name}" for name in names if name in types), other)

    def details() -> Iterator[str]:
        for name in _DETAILS:
            if name in types:
                yield f"array_to_string(t.{name}, ', ')" if types[name].endswith("[]") else f"t.{name}"
        if table in _EXTRA:
            yield _EXTRA[table].format(schema=schema)

    title, text = first(_HEADLINES, "NULL::VARCHAR"), first(_PROSE, "NULL::VARCHAR")
    body = ", ".join(f"nullif({part}, '')" for part in (title, text, *details()))
    return f"""
SELECT '{table}' AS kind, t.video_id, t.analysis_key,
    {first(_STARTS, "NULL::BIGINT")} AS start_ms, {first(_ENDS, "NULL::BIGINT")} AS end_ms,
    {first(("scene_index",), "NULL::BIGINT")} AS scene_index,
    coalesce(nullif({title}, ''), {_NO_HEADLINE.get(table, "''")}) AS title,
    coalesce({text}, '') AS text, concat_ws('. ', {body}) AS body
FROM {schema}.{table} AS t"""
