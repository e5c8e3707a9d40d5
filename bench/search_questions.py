"""Scenes that the engines of bench/search.py are given, and words and places they are asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import numpy as np
from pyarrow.parquet import ParquetFile, ParquetWriter
from search_rows import DrawnEmbedder

from storage.query.catalog import open_catalog
from storage.query.documents import document_query
from storage.query.words.stemming import WORDS

Questions = dict[str, Callable[[], object]]
BATCH = 20_000
TWO, RARE, COMMON = "red car", "lantern", "the red car"
URI, AT_MS, TAG, LABELS = "s3://films/2026/0000100.mp4", 61_000, "tag50", ("person 3", "person 7")
SINCE = date(2026, 1, 8)


class Rows:
    """Scenes with what is searched of them, and their vectors, in batches; nothing is held in memory."""

    def __init__(self, index: Path, embedder: DrawnEmbedder) -> None:
        self.index = index
        self.embedder = embedder
        self.query_vector = embedder.embed(["a query"])[0]
        self._file = index.with_name("bodies.parquet")

    def write(self) -> None:
        """Once for all engines: (number, video_id, scene_index, start_ms, end_ms, body)."""
        if self._file.exists():
            return
        unfinished = self._file.with_suffix(".unfinished")
        with open_catalog(str(self.index)) as catalog, ExitStack() as closing:
            catalog.connection.execute(WORDS)
            sql = (
                "SELECT row_number() OVER () AS number, video_id, scene_index, start_ms, end_ms, body "
                f"FROM ({document_query('scenes', 'main', {})})"
            )
            catalog.views.make_for(sql)
            scenes = catalog.connection.sql(sql).to_arrow_reader(BATCH)
            writer = closing.enter_context(ParquetWriter(unfinished, scenes.schema, compression="zstd"))
            for batch in scenes:
                writer.write_batch(batch)
        unfinished.rename(self._file)

    def batches(self) -> Iterator[tuple[list[tuple], np.ndarray]]:
        """(number, video_id, scene_index, start_ms, end_ms, body) and [rows, 384]."""
        for batch in ParquetFile(self._file).iter_batches(BATCH):
            columns = [column.to_pylist() for column in batch.columns]
            yield list(zip(*columns, strict=True)), self.embedder.embed(columns[-1])

    def table(self, sql: str) -> Iterator[tuple]:
        """Rows of a query over the index."""
        with open_catalog(str(self.index)) as catalog:
            for result in catalog.stream(sql):
                yield from result.rows
