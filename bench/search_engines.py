"""The engines of bench/search.py, each asked the same questions in its own way."""

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from search_questions import AT_MS, COMMON, LABELS, RARE, SINCE, TAG, TWO, URI, Questions, Rows

from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.filters import Filters
from storage.query.search import best_by_meaning, best_by_words, read_documents, search
from storage.query.words.postings import Postings


class MediaIndex:
    """The serving file, asked as `media-index search` and `sql` ask it."""

    @staticmethod
    def remove(folder: Path) -> None:
        (folder / "index" / "serving.duckdb").unlink(missing_ok=True)

    def __init__(self, rows: Rows, _: Path) -> None:
        (rows.index / "serving.duckdb").unlink(missing_ok=True)
        build = build_serving(str(rows.index))
        assert build is not None
        self._build = build
        self._rows = rows
        self._catalog = open_serving(str(rows.index), history=False).catalog

    def size_bytes(self) -> int:
        return self._build.size_bytes

    def questions(self) -> Questions:
        """`words:` and `meaning` ask for that list alone, as the other engines do."""
        catalog, sql, embed = self._catalog, self._catalog.query, self._rows.embedder.embed
        fresh = (f"query {number}" for number in count())
        of_video = "SELECT s.* FROM scenes AS s JOIN videos USING (video_id) WHERE uri = ?"
        together = (
            "SELECT count(*) FROM scene_characters AS a JOIN scene_characters AS b "
            "USING (analysis_key, scene_index) WHERE a.label = ? AND b.label = ?"
        )
        macro = (
            "SELECT d.* FROM (FROM bm25(?) ORDER BY score DESC LIMIT 20) JOIN documents AS d USING (document)"
        )

        def words(text: str) -> Callable[[], object]:
            return lambda: show(best_by_words(catalog, text.split(), 20))

        def words_unread(text: str) -> Callable[[], object]:
            def ask() -> object:
                catalog.postings = Postings(catalog.arrays)
                return words(text)()

            return ask

        def show(best: list[tuple[int, float]]) -> object:
            return read_documents(catalog, [document for document, _ in best])

        return {
            "scenes of a video": lambda: sql(of_video, [URI]),
            "scene at a time": lambda: sql("FROM scenes_at(?, ?)", [URI, AT_MS]),
            "tag, first 20": lambda: sql("FROM scene_tags WHERE tag = ? LIMIT 20", [TAG]),
            "two characters together": lambda: sql(together, list(LABELS)),
            "words: two, each in 1 of 15": words(TWO),
            "words: a rare one": words(RARE),
            "words: with 'the'": words(COMMON),
            "… read anew: two": words_unread(TWO),
            "… read anew: a rare one": words_unread(RARE),
            "… read anew: with 'the'": words_unread(COMMON),
            "… in SQL: two": lambda: sql(macro, [TWO.split()]),
            "… in SQL: a rare one": lambda: sql(macro, [RARE.split()]),
            "… in SQL: with 'the'": lambda: sql(macro, [COMMON.split()]),
            "meaning": lambda: show(best_by_meaning(catalog, self._rows.query_vector[None], 20)),
            "… each time another": lambda: show(best_by_meaning(catalog, embed([next(fresh)]), 20)),
            "words and meaning": lambda: search(catalog, TWO),
            "… only scenes": lambda: search(catalog, TWO, filters=Filters(kind="scenes")),
            "… with a tag": lambda: search(catalog, TWO, filters=Filters(tags=(TAG,))),
            "… in one video": lambda: search(catalog, TWO, filters=Filters(video=URI)),
            "… since a day": lambda: search(catalog, TWO, filters=Filters(since=SINCE)),
        }


class Sqlite:
    """FTS5 with its default tokenizer and bm25(), sqlite-vec's exact search, indexes where they help."""

    @staticmethod
    def remove(folder: Path) -> None:
        shutil.rmtree(folder / "SQLite", ignore_errors=True)

    def __init__(self, rows: Rows, folder: Path) -> None:
        import apsw
        import sqlite_vec

        self.remove(folder)
        folder = folder / "SQLite"
        folder.mkdir(parents=True)
        self._file = folder / "index.sqlite"
        self._rows = rows
        self._connection = connection = apsw.Connection(str(self._file))
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        for statement in (
            "PRAGMA journal_mode = OFF",
            "CREATE TABLE scenes (number INTEGER PRIMARY KEY, video_id, scene_index, start_ms, end_ms, body)",
            "CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='porter unicode61')",
            "CREATE VIRTUAL TABLE vectors USING vec0(vector float[384])",
            "CREATE TABLE videos (uri PRIMARY KEY, video_id)",
            "CREATE TABLE tags (tag, video_id, scene_index)",
            "CREATE TABLE people (label, video_id, scene_index)",
        ):
            connection.execute(statement)
        with connection:
            self._insert(rows)
        for statement in (
            "CREATE INDEX by_video ON scenes (video_id, start_ms)",
            "CREATE INDEX by_tag ON tags (tag)",
            "CREATE INDEX by_label ON people (label, video_id, scene_index)",
        ):
            connection.execute(statement)

    def _insert(self, rows: Rows) -> None:
        many = self._connection.executemany
        for batch, vectors in rows.batches():
            many("INSERT INTO scenes VALUES (?, ?, ?, ?, ?, ?)", batch)
            many("INSERT INTO words (rowid, body) VALUES (?, ?)", ((row[0], row[-1]) for row in batch))
            pairs = zip(batch, vectors, strict=True)
            many("INSERT INTO vectors (rowid, vector) VALUES (?, ?)", ((r[0], v.tobytes()) for r, v in pairs))
        many("INSERT INTO videos VALUES (?, ?)", rows.table("SELECT uri, video_id FROM videos"))
        many(
            "INSERT INTO tags VALUES (?, ?, ?)",
            rows.table("SELECT tag, video_id, scene_index FROM scene_tags"),
        )
        people = "SELECT label, video_id, scene_index FROM scene_characters"
        many("INSERT INTO people VALUES (?, ?, ?)", rows.table(people))

    def size_bytes(self) -> int:
        return self._file.stat().st_size

    def questions(self) -> Questions:
        vector = self._rows.query_vector.tobytes()
        best = (
            "SELECT s.* FROM (SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words) LIMIT 20) "
            "JOIN scenes AS s ON s.number = rowid"
        )
        near = "SELECT rowid, distance FROM vectors WHERE vector MATCH ? AND k = 20"
        of_video = "SELECT s.* FROM videos JOIN scenes AS s USING (video_id) WHERE uri = ?"
        together = (
            "SELECT count(*) FROM people AS a JOIN people AS b USING (video_id, scene_index) "
            "WHERE a.label = ? AND b.label = ?"
        )

        def ask(sql: str, *values: object) -> Callable[[], object]:
            return lambda: list(self._connection.execute(sql, values))

        return {
            "scenes of a video": ask(of_video, URI),
            "scene at a time": ask(f"{of_video} AND start_ms <= ? AND ? < end_ms", URI, AT_MS, AT_MS),
            "tag, first 20": ask("SELECT * FROM tags WHERE tag = ? LIMIT 20", TAG),
            "two characters together": ask(together, *LABELS),
            "words: two, each in 1 of 15": ask(best, TWO.replace(" ", " OR ")),
            "words: a rare one": ask(best, RARE),
            "words: with 'the'": ask(best, COMMON.replace(" ", " OR ")),
            "meaning": ask(near, vector),
        }


class Tantivy:
    """Full text only: BM25 over stemmed words, stored scenes."""

    @staticmethod
    def remove(folder: Path) -> None:
        shutil.rmtree(folder / "tantivy", ignore_errors=True)

    def __init__(self, rows: Rows, folder: Path) -> None:
        import tantivy

        self.remove(folder)
        folder = folder / "tantivy"
        folder.mkdir(parents=True)
        self._folder = folder
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("body", stored=True, tokenizer_name="en_stem")
        self._index = tantivy.Index(builder.build(), path=str(folder))
        writer = self._index.writer(heap_size=256_000_000, num_threads=2)
        for batch, _ in rows.batches():
            for row in batch:
                writer.add_document(tantivy.Document(body=row[-1]))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def questions(self) -> Questions:
        searcher = self._index.searcher()

        def ask(text: str) -> Callable[[], object]:
            query = self._index.parse_query(text, ["body"])
            return lambda: [searcher.doc(address) for _, address in searcher.search(query, 20).hits]

        return {
            "words: two, each in 1 of 15": ask(TWO),
            "words: a rare one": ask(RARE),
            "words: with 'the'": ask(COMMON),
        }


class Lance:
    """LanceDB with its own full-text index; vectors searched exactly, as above."""

    @staticmethod
    def remove(folder: Path) -> None:
        shutil.rmtree(folder / "LanceDB", ignore_errors=True)

    def __init__(self, rows: Rows, folder: Path) -> None:
        os.environ.setdefault("LANCE_LOG", "error")
        import lancedb
        import pyarrow as pa

        self.remove(folder)
        folder = folder / "LanceDB"
        self._folder, self._rows = folder, rows
        names = ("number", "video_id", "scene_index", "start_ms", "end_ms", "body")
        database = lancedb.connect(str(folder))
        self._table: Any = None
        for batch, vectors in rows.batches():
            columns = dict(zip(names, map(list, zip(*batch, strict=True)), strict=True))
            flat = pa.array(vectors.astype(np.float32).ravel())
            data = pa.table({**columns, "vector": pa.FixedSizeListArray.from_arrays(flat, 384)})
            if self._table is None:
                self._table = database.create_table("scenes", data)
            else:
                self._table.add(data)
        self._table.create_fts_index("body", replace=True, with_position=False)
        self._table.create_scalar_index("video_id")

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())

    def questions(self) -> Questions:
        ((video_id,),) = self._rows.table(f"SELECT video_id FROM videos WHERE uri = '{URI}'")
        shown = ["number", "video_id", "start_ms", "body"]

        def words(text: str) -> Callable[[], object]:
            return lambda: self._table.search(text, query_type="fts").select(shown).limit(20).to_list()

        near = self._table.search(self._rows.query_vector).select(shown).limit(20)
        of_video = self._table.search().where(f"video_id = '{video_id}'").limit(1000)
        return {
            "scenes of a video": lambda: of_video.to_list(),
            "words: two, each in 1 of 15": words(TWO),
            "words: a rare one": words(RARE),
            "words: with 'the'": words(COMMON),
            "meaning": lambda: near.to_list(),
        }


ENGINES: dict[str, Any] = {"media-index": MediaIndex, "SQLite": Sqlite, "tantivy": Tantivy, "LanceDB": Lance}
