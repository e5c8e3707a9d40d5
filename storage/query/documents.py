"""Which text of a row is searched: the one place that search, serving file and vectors take it from.

The columns of a table decide, by their names. A table takes part as soon as it has a headline or prose, one
that a prompt pack brought as soon as it has any text of its own, all of which is searched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.answer_tables import RECORD_INDEX, RESERVED_COLUMNS
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS, Column
from storage.index.tables.pack_tables import OwnTables, columns_by_table
from storage.sql import quote, quote_name

_HEADLINES = ("title", "label")
_PROSE = ("summary", "description", "reason", "text")
_DETAILS = ("setting", "time_of_day", "mood", "actions", "objects", "tags")
_STARTS = ("start_ms", "first_seen_ms")
_ENDS = ("end_ms", "last_seen_ms")

# Beside its own columns a video is found by its file's name, a scene by who is in it.
_EXTRA = {
    "videos": "file_name(uri)",
    "scenes": """array_to_string(
        [c.label FOR c IN people.labels IF list_contains(t.character_ids, c.character_id)], ', ')""",
}
# A subquery per scene would hold all scenes in memory.
_JOIN = {
    "scenes": """ LEFT JOIN (
        SELECT analysis_key, list({{'character_id': character_id, 'label': label}} ORDER BY label) AS labels
        FROM {schema}.characters GROUP BY analysis_key
    ) AS people USING (analysis_key)""",
}
_NO_HEADLINE = {"videos": "file_name(uri)"}
# What tells the rows of one video apart, as in `keyframes.row_index`.
_ROW_INDEX = {
    "scenes": "scene_index",
    "highlights": "rank",
    "chapters": "chapter",
    "speech": "segment",
    "screen_text": "line",
}
# Thousands a film, so short that words find them: vectors would take most of a build.
WORDS_ONLY = ("captions", "speech", "screen_text")
_NOT_SEARCHED = {"caption_tracks"}  # it has a title, and says nothing of the video


@dataclass(frozen=True, slots=True)
class _Texts:
    """SQL of what is searched of a row."""

    title: str | None
    text: str | None
    details: tuple[str, ...]
    no_title: str  # shown instead, not searched
    no_text: str = "NULL::VARCHAR"  # the same


def hit_kinds(own_tables: OwnTables) -> tuple[str, ...]:
    """The tables that are searched; the `kind` of a hit is the one that it is from."""
    ours = (
        table
        for table in BUNDLE_TABLES
        if table not in _NOT_SEARCHED
        and any(column.name in (*_HEADLINES, *_PROSE) for column in COLUMNS[table])
    )
    own = (table for table, columns in columns_by_table(own_tables).items() if _own_texts(columns))
    return (*ours, *own)


def documents_query(schema: str, own_tables: OwnTables) -> str:
    """SQL for one row per document of the tables in `schema`, all kinds: see `document_query`."""
    return "\nUNION ALL\n".join(document_query(kind, schema, own_tables) for kind in hit_kinds(own_tables))


def document_query(kind: str, schema: str, own_tables: OwnTables) -> str:
    """SQL for (kind, video_id, analysis_key, model_id, model_revision, language, row_index, start_ms, end_ms,
    scene_index, title, text, body).

    `body` is what is searched, title and text are shown. `row_index` is that of `keyframes`. `language` is
    null where a row says none.
    """
    columns = (COLUMNS | columns_by_table(own_tables))[kind]
    texts = _texts_of_own(kind, columns) if kind in own_tables else _texts_of_ours(kind, columns)
    # A pack may call a text of its own `scene_index`.
    names = {column.name for column in columns if kind not in own_tables or column.name in RESERVED_COLUMNS}

    def first(*wanted: str) -> str:
        return next((f"t.{name}" for name in wanted if name in names), "NULL::BIGINT")

    language = "t.language" if "language" in names and kind not in own_tables else "NULL::VARCHAR"
    title, text = texts.title or "NULL::VARCHAR", texts.text or "NULL::VARCHAR"
    body = ", ".join(f"nullif({part}, '')" for part in (title, text, *texts.details))
    shown = texts.text or texts.no_text
    return f"""
SELECT {quote(kind)} AS kind, t.video_id, t.analysis_key, t.model_id, t.model_revision,
    {language} AS language,
    {first(_ROW_INDEX.get(kind, RECORD_INDEX))} AS row_index,
    {first(*_STARTS)} AS start_ms, {first(*_ENDS)} AS end_ms,
    {first("scene_index")} AS scene_index,
    coalesce(nullif({title}, ''), {texts.no_title}) AS title,
    coalesce({shown}, '') AS text, concat_ws('. ', {body}) AS body
FROM {schema}.{quote_name(kind)} AS t{_JOIN.get(kind, "").format(schema=schema)}"""


def _texts_of_ours(table: str, columns: Sequence[Column]) -> _Texts:
    by_name = {column.name: _as_text(column) for column in columns if _is_text(column)}
    if "time_of_day" in by_name:
        by_name["time_of_day"] = "nullif(t.time_of_day, 'unknown')"  # says nothing
    extra = (_EXTRA[table],) if table in _EXTRA else ()
    details = (*(by_name[name] for name in _DETAILS if name in by_name), *extra)
    return _Texts(
        _first(by_name, _HEADLINES), _first(by_name, _PROSE), details, _NO_HEADLINE.get(table, "''")
    )


def _texts_of_own(table: str, columns: Sequence[Column]) -> _Texts:
    """`kind` makes a headline where there is no better one."""
    by_name = {column.name: _as_text(column) for column in _own_texts(columns)}
    strings = {c.name: by_name[c.name] for c in _own_texts(columns) if c.sql_type == "VARCHAR"}
    title, text = _first(strings, (*_HEADLINES, "kind")), _first(strings, _PROSE)
    details = tuple(part for part in by_name.values() if part not in (title, text))
    parts = ", ".join(f"nullif({part}, '')" for part in details)
    no_text = f"concat_ws(', ', {parts})" if details else "NULL::VARCHAR"
    return _Texts(title, text, details, quote(table.replace("_", " ")), no_text)


def _own_texts(columns: Sequence[Column]) -> list[Column]:
    """Those that the pack's schema names, in its order."""
    return [column for column in columns if _is_text(column) and column.name not in RESERVED_COLUMNS]


def _is_text(column: Column) -> bool:
    return column.sql_type in ("VARCHAR", "VARCHAR[]")


def _as_text(column: Column) -> str:
    name = f"t.{quote_name(column.name)}"
    return f"array_to_string({name}, ', ')" if column.sql_type.endswith("[]") else name


def _first(by_name: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((by_name[name] for name in wanted if name in by_name), None)
