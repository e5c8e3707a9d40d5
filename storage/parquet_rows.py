"""Rows of a Parquet file that is not ours."""

from pathlib import Path

from schemas.failures import UsageError


def read_parquet_rows(file: Path, columns: tuple[str, ...]) -> list[tuple[object, ...]]:
    """All rows, with the values of these columns. Raises `UsageError` for another file or other columns."""
    import pyarrow as pa  # few commands come here, and all would wait for it
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            missing = [name for name in columns if name not in parquet.schema_arrow.names]
            if missing:
                raise UsageError(f"{file.name} has no column {missing[0]}", "Is it the right file?")
            table = parquet.read(columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        problem = str(error).partition("\n")[0]
        raise UsageError(f"{file.name} cannot be read as Parquet: {problem}", "Check the file.") from None
    return list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))
