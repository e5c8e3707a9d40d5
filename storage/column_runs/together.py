"""A Parquet file whose columns lie in runs: of each column the chunks of all row groups, one after the other.

Parquet leaves the order of chunks to who writes them, and says in the footer where each is. Writers put the
chunks of a row group together; so one column of a file with a hundred row groups is in a hundred places.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from storage.column_runs.numbers import Number, Path, exchanged, numbers_in

_MAGIC = b"PAR1"
_END_BYTES = 8  # the footer's length, and the magic once more
# Ids of fields, as Parquet's own definition numbers them.
_ROW_GROUPS, _COLUMNS, _GROUP_OFFSET = 4, 1, 5
_CHUNK_OFFSET, _CHUNK, _SIZE = 2, 3, 7
_PAGE_OFFSETS = (9, 10, 11)  # of data, of an index, of a dictionary: the first of them is the chunk's


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One column of one row group: its bytes, and where the footer speaks of them."""

    group: int
    column: int
    start: int
    num_bytes: int
    offsets: tuple[Path, ...]


def end_bytes_of(file: bytes | memoryview) -> int:
    """Return the bytes at a Parquet file's end that say what is in it: the footer, its length, the magic."""
    return int.from_bytes(file[-_END_BYTES:-4], "little") + _END_BYTES


def with_columns_together(file: memoryview) -> bytes:
    """The same file with its columns in runs: the same rows, row groups, pages and statistics.

    ValueError: it has more than chunks and a footer, as indexes of pages, which would have to move, too.
    """
    end_bytes = end_bytes_of(file)
    footer = bytes(file[-end_bytes:-_END_BYTES])
    found = numbers_in(footer)
    chunks = sorted(_chunks(found), key=lambda chunk: (chunk.column, chunk.group))
    num_bytes = len(_MAGIC) + sum(chunk.num_bytes for chunk in chunks) + end_bytes
    if num_bytes != len(file):
        raise ValueError(f"{len(file) - num_bytes} bytes of the Parquet file are of no column")
    values: dict[Path, int] = {}
    pieces: list[bytes | memoryview] = [_MAGIC]
    end = len(_MAGIC)
    for chunk in chunks:
        pieces.append(file[chunk.start : chunk.start + chunk.num_bytes])
        values |= {path: found[path].value + end - chunk.start for path in chunk.offsets}
        end += chunk.num_bytes
    footer = exchanged(footer, found, values | _group_offsets(found, chunks, values))
    return b"".join([*pieces, footer, len(footer).to_bytes(4, "little"), _MAGIC])


def _chunks(found: Mapping[Path, Number]) -> Iterator[_Chunk]:
    for path, size in found.items():
        if len(path) != 6 or path[0] != _ROW_GROUPS or path[2] != _COLUMNS or path[4:] != (_CHUNK, _SIZE):
            continue
        of_pages = [(*path[:5], field) for field in _PAGE_OFFSETS]
        there = [each for each in of_pages if each in found and found[each].value > 0]
        of_chunk = (*path[:4], _CHUNK_OFFSET)
        is_told = of_chunk in found and found[of_chunk].value > 0
        if there:  # a group without rows has none
            start = min(found[each].value for each in there)
            yield _Chunk(path[1], path[3], start, size.value, (*there, *([of_chunk] if is_told else ())))


def _group_offsets(
    found: Mapping[Path, Number], chunks: list[_Chunk], values: Mapping[Path, int]
) -> dict[Path, int]:
    """A row group is said to begin where its first column does."""
    firsts = {chunk.group: chunk for chunk in chunks if chunk.column == 0}
    told = {(_ROW_GROUPS, group, _GROUP_OFFSET): chunk for group, chunk in firsts.items()}
    return {
        path: min(values[each] for each in chunk.offsets if each[-1] in _PAGE_OFFSETS)
        for path, chunk in told.items()
        if path in found
    }
