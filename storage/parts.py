"""Parts: immutable Parquet files of flat rows. Nobody reads one before a snapshot lists its key."""

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import parquet

from storage.columns import check_schema
from storage.objects import ObjectStore

# Of one row group, which is what reading one video's rows looks at; rows with pictures are large.
_GROUP_ROWS, _GROUP_BYTES = 10_000, 8 << 20


def write_part(store: ObjectStore, key: str, table: pa.Table) -> str:
    """The key is returned, for the snapshot that will list it."""
    sink = pa.BufferOutputStream()
    fitting = table.num_rows * _GROUP_BYTES // max(1, table.nbytes)
    rows = max(1, min(_GROUP_ROWS, fitting))
    parquet.write_table(table, sink, compression="zstd", row_group_size=rows)
    store.put_if_absent(key, bytes(sink.getvalue()))
    return key


def read_part(store: ObjectStore, key: str, columns: Sequence[str]) -> pa.Table:
    """These columns of all rows. PreflightError: no file of ours, or a newer version's."""
    file = parquet.ParquetFile(pa.BufferReader(store.read(key)))
    check_schema(file.schema_arrow, f"{store.url}/{key}")
    return file.read(columns=list(columns))
