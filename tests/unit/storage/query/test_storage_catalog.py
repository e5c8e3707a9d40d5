"""SQL over an index: what readers may see, and what their SQL may do."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.commit import Bundle, RunRecord
from schemas.failures import PreflightError, UsageError
from schemas.tables import TABLES
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.tables.columns import COLUMNS
from storage.query.catalog import BATCH_ROWS, Catalog, Result, open_catalog

MakeBundle = Callable[..., Bundle]
HISTORY = ("runs", "attempts")  # as they are: nothing supersedes their rows
VIEWS = (*TABLES, "commits", *(f"{table}_all" for table in (*TABLES, "commits") if table not in HISTORY))


def _publish(folder: Path, *bundles: Bundle) -> None:
    index = open_index(str(folder), create=True)
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish((bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_bundle: MakeBundle) -> Path:
    """Two videos, one of them published in two revisions."""
    folder = tmp_path_factory.mktemp("made")
    _publish(folder, make_bundle(uri="/v/a.mp4", titles=("Old",)), make_bundle(uri="/v/b.mp4", titles=("B",)))
    _publish(folder, make_bundle(uri="/v/a.mp4", titles=("New", "Newer"), revision="2"))
    return folder


@pytest.fixture
def catalog(tmp_path: Path, made: Path) -> Catalog:
    """The same as the test's own."""
    shutil.copytree(made, tmp_path / "index")
    return open_catalog(str(tmp_path / "index"))


def test_every_table_has_its_columns_even_when_empty(tmp_path: Path) -> None:
    """In an index that holds nothing yet, queries run and find nothing."""
    open_index(str(tmp_path / "index"), create=True)
    with open_catalog(str(tmp_path / "index")) as catalog:
        for table in VIEWS:
            columns = COLUMNS[table.removesuffix("_all")]
            rows = catalog.query(f"DESCRIBE {table}").rows
            described = [(name, sql_type.replace('"', "")) for name, sql_type, *_ in rows]
            types = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
            assert described == [
                (c.name, types.get(c.sql_type, c.sql_type.replace('"', ""))) for c in columns
            ], table
            assert catalog.query(f"FROM {table}").rows == []


def test_columns_keep_order_and_type_when_there_are_rows(catalog: Catalog) -> None:
    """Whatever the files hold."""
    for table in VIEWS:
        assert list(catalog.query(f"FROM {table}").columns) == [
            c.name for c in COLUMNS[table.removesuffix("_all")]
        ]


def test_a_part_from_before_a_column_was_added_reads_as_null(tmp_path: Path, make_bundle: MakeBundle) -> None:
    """Old and new parts are read together, by name."""
    folder = tmp_path / "index"
    _publish(folder, make_bundle(uri="/v/a.mp4"))
    (part,) = (folder / "tables" / "scenes").iterdir()
    parquet.write_table(parquet.read_table(part).drop_columns(["mood"]), part)
    _publish(folder, make_bundle(uri="/v/b.mp4"))
    with open_catalog(str(folder)) as catalog:
        assert catalog.query("SELECT mood FROM scenes ORDER BY mood").rows == [("…",), (None,)]


@pytest.mark.parametrize(
    "name",
    ["a b", "it's", 'q"', "[x]*?", "é😀", "{a,b}", "a=1", "back\\slash", "semi;--", "%20#", "new\nline"],
)
def test_any_folder_name_works(tmp_path: Path, make_bundle: MakeBundle, name: str) -> None:
    """DuckDB would take some of these for patterns, and `a=1` for a column."""
    _publish(tmp_path / name, make_bundle(uri="/v/a.mp4"), make_bundle(uri="/v/b.mp4"))
    _publish(tmp_path / name, make_bundle(uri="/v/a.mp4", revision="2"))
    with open_catalog(str(tmp_path / name)) as catalog:
        assert catalog.query("SELECT count(*) FROM scenes").rows == [(2,)]
        assert "a" not in catalog.query("FROM scenes_all").columns


def test_views_sql_gives_the_same_answers(
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_run_record: Callable[..., RunRecord],
) -> None:
    """Plain DuckDB inside the index's folder sees every row that the catalog sees."""
    open_index(str(tmp_path / "index")).publish([], [make_run_record("run-1")])
    monkeypatch.chdir(tmp_path / "index")
    plain = duckdb.connect()
    plain.execute(Path("views.sql").read_text())
    with open_catalog(str(tmp_path / "index")) as newest:
        for table in VIEWS:
            sql = f"FROM {table} ORDER BY ALL"
            assert plain.execute(sql).fetchall() == newest.query(sql).rows, table
        assert newest.query("SELECT run_id FROM runs").rows == [("run-1",)]


def test_parameters_and_times(catalog: Catalog) -> None:
    """Values are passed, not pasted, and times come back in UTC."""
    found = catalog.query("SELECT title FROM scenes WHERE title = ? OR title = ? ORDER BY 1", ["New", "B"])
    assert (found.columns, found.rows) == (("title",), [("B",), ("New",)])
    assert catalog.query("SELECT count(*) FROM scenes WHERE title = $t", {"t": "'; --"}).rows == [(0,)]
    assert catalog.query("SELECT created_at FROM videos LIMIT 1").rows == [
        (datetime(2026, 11, 21, tzinfo=UTC),)
    ]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nonsense FROM videos", "nonsense"),
        ("SELEKT 1", "syntax error"),
        ("FROM film", "film"),
        ("", "single query"),
        ("SELECT 1; SELECT 2", "single query"),
        ("SELECT ?", "parameter"),
    ],
)
def test_wrong_sql_is_the_users_error(catalog: Catalog, sql: str, said: str) -> None:
    """With DuckDB's own words about it."""
    with pytest.raises(UsageError, match=said) as caught:
        catalog.query(sql)
    assert caught.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{part}'",
        "COPY (SELECT 1) TO '{folder}/x.csv'",
        "FROM read_text('/etc/hostname')",
        "FROM read_text('{folder}/index.json')",
        "FROM '{folder}/index.json'",
        "FROM glob('/*')",
        "ATTACH '{folder}/x.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "DROP VIEW videos",
        "EXPLAIN ANALYZE DROP VIEW videos",
        "explain\nanalyze drop view videos",
        "EXPLAIN (ANALYZE) DROP VIEW videos",
        "EXPLAIN /* /* */ SELECT 1 -- */ ANALYZE DROP VIEW videos",
        "/**/ EXPLAIN ANALYZE DROP VIEW videos",
        "INSERT INTO videos SELECT * FROM videos",
        "DELETE FROM videos",
        "EXPORT DATABASE '{folder}'",
        "LOAD httpfs",
        "USE memory",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "FROM read_csv('https://example.com/x.csv')",
        "FROM read_blob('/proc/self/environ')",
        "FROM duckdb_secrets()",
        "SELECT getenv('HOME')",
        "CREATE TABLE x AS SELECT 1",
        "PREPARE x AS COPY (SELECT 1) TO '{part}'",
    ],
)
def test_sql_cannot_write_or_look_elsewhere(catalog: Catalog, sql: str) -> None:
    """So a web page may pass it on."""
    part = f"{catalog.url}/{catalog.snapshot.files_of('videos')[0]}"
    before = Path(part).read_bytes()
    with pytest.raises(UsageError):
        catalog.query(sql.format(part=part, folder=catalog.url))
    assert Path(part).read_bytes() == before
    assert catalog.query("SELECT count(*) FROM videos").rows == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM videos",
        "WITH v AS (FROM videos) FROM v",
        "VALUES (1)",
        "DESCRIBE videos",
        "SUMMARIZE videos",
        "SHOW TABLES",
        "PIVOT videos ON title IN ('a') USING count(*)",
        "EXPLAIN FROM videos",
        "explain analyze SELECT 1",
    ],
)
def test_queries_of_all_kinds_are_run(catalog: Catalog, sql: str) -> None:
    """What only reads is no more than what docs/queries.md promises."""
    assert catalog.query(sql).columns


def test_python_variables_are_no_tables(catalog: Catalog) -> None:
    """DuckDB would look them up by name."""
    secret = pa.table({"a": [1]})
    with pytest.raises(UsageError):
        catalog.query("FROM secret")
    assert secret.num_rows == 1


@pytest.mark.parametrize(
    ("sql", "most"),
    [("SELECT count(*) FROM Scenes", 4), ("FROM claims LIMIT 1", 16), ("SELECT timecode(1)", 1)],
)
def test_only_what_a_query_names_is_opened(catalog: Catalog, sql: str, most: int) -> None:
    """The views that it names and those that they are made of; no others."""
    catalog.query(sql)
    made = "SELECT (SELECT count(*) FROM duckdb_views() WHERE NOT internal) + count(DISTINCT function_name) "
    made += "FROM duckdb_functions() WHERE NOT internal"
    ((num_made,),) = catalog.connection.execute(made).fetchall()
    assert 0 < num_made <= most


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM query_table('sce' || 'nes')",
        'SELECT count(*) FROM "scenes"',
        "SELECT count(*) FROM main.SCENES",
        "WITH s AS (FROM scenes) SELECT count(*) FROM s",
    ],
)
def test_a_view_is_found_however_it_is_named(catalog: Catalog, sql: str) -> None:
    """Also where the query puts the name together itself."""
    assert catalog.query(sql).rows == [(3,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM (SHOW TABLES)",
        "SELECT view_name FROM duckdb_views()",
        "SELECT table_name FROM information_schema.tables",
    ],
)
def test_whoever_asks_for_tables_sees_all(catalog: Catalog, sql: str) -> None:
    """Nobody can tell which views were made before."""
    assert set(VIEWS) | {"claims"} <= {name for (name,) in catalog.query(sql).rows}


def test_what_is_held_is_read_once_and_let_go(catalog: Catalog, tmp_path: Path) -> None:
    """Questions about it have the same answers, whatever becomes of the parts; then all is as before."""
    count = "SELECT count(*), min(uri) FROM commits"
    (before,) = catalog.query(count).rows
    parts = [path for path in (tmp_path / "index").rglob("*.parquet") if "commits" in str(path)]
    assert parts
    with catalog.holding({"commits_all": ("video_id", "snapshot", "state", "analysis_key", "uri")}):
        moved = [path.rename(path.with_suffix(".away")) for path in parts]
        assert catalog.query(count).rows == [before]
        with pytest.raises(UsageError, match="recipe_id"):
            catalog.query("SELECT recipe_id FROM commits")
        for path in moved:
            path.rename(path.with_suffix(".parquet"))
    assert catalog.query("SELECT count(recipe_id), min(uri) FROM commits").rows == [before]
    assert catalog.query("SELECT title FROM scenes ORDER BY title").rows == [("B",), ("New",), ("Newer",)]


def test_a_stream_gives_the_rows_of_a_query_in_batches(catalog: Catalog) -> None:
    """All rows in order, none twice; without rows one batch tells the columns."""
    query = f"SELECT i FROM range({3 * BATCH_ROWS}) AS r(i) WHERE i >= $least"
    batches = list(catalog.stream(query, {"least": 1}))
    assert [row for batch in batches for row in batch.rows] == catalog.query(query, {"least": 1}).rows
    assert [len(batch.rows) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, BATCH_ROWS - 1]
    assert list(catalog.stream(query, {"least": 3 * BATCH_ROWS})) == [Result(("i",), [])]


def test_a_stream_refuses_what_a_query_refuses(catalog: Catalog) -> None:
    """Also what goes wrong after the first batch."""
    with pytest.raises(UsageError, match="only a single query"):
        next(catalog.stream("DROP VIEW videos"))
    late = "SELECT CASE WHEN i < 200000 THEN i ELSE error('late') END FROM range(200001) AS r(i)"
    with pytest.raises(UsageError, match="late"):
        list(catalog.stream(late))


@pytest.mark.parametrize("damage", ['{"parts', "{}", "[1]"])
def test_a_damaged_snapshot_is_told_in_a_line(catalog: Catalog, damage: str) -> None:
    """Which file, and what to do."""
    newest = max(Path(catalog.url, "snapshots").iterdir())
    newest.write_text(damage)
    with pytest.raises(PreflightError, match=f"{newest.name} is damaged: ") as caught:
        open_catalog(catalog.url)
    assert "\n" not in caught.value.message
    assert "pydantic" not in caught.value.message
