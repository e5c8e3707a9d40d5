"""Look-ups among many commits find what a look at all of them would find."""

import random

import numpy as np
import pyarrow as pa
import pytest

from storage.index.commits import commit_blocks
from storage.index.commits.commit_blocks import CommitBlocks

SCHEMA = pa.schema([("snapshot", pa.int64()), ("video_id", pa.string()), ("content_rev", pa.string())])


def rows_of(draw: random.Random, num_rows: int) -> pa.Table:
    """Few videos and fewer contents, so that most are there several times."""
    rows = [
        {
            "snapshot": draw.randrange(99),
            "video_id": f"v{draw.randrange(300)}",
            "content_rev": draw.choice("abcd"),
        }
        for _ in range(num_rows)
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


@pytest.mark.parametrize("num_hashes", [1, 7, 1 << 60])
def test_every_row_with_the_value_is_found(num_hashes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was added when, looked up in between or not, and also where hashes collide."""
    monkeypatch.setattr(
        commit_blocks,
        "_hashes",
        lambda values: np.array([hash(value) % num_hashes for value in values], np.int64),
    )
    draw = random.Random(num_hashes)
    blocks, all_rows = CommitBlocks(SCHEMA), []
    for _ in range(60):
        table = rows_of(draw, draw.choice([0, 1, 2, 30]))
        blocks.add(table)
        all_rows += [tuple(row.values()) for row in table.to_pylist()]
        if draw.random() < 0.5:
            position, column = draw.choice([(1, "video_id"), (2, "content_rev")])
            values = {f"v{draw.randrange(400)}" for _ in range(20)} if position == 1 else {"a", "x"}
            found = sorted(blocks.find(column, values))
            assert found == sorted(row for row in all_rows if row[position] in values)
    assert [tuple(row.values()) for row in blocks.table().to_pylist()] == all_rows


def test_nothing_is_found_in_nothing() -> None:
    """Before the first commit, and with no values."""
    blocks = CommitBlocks(SCHEMA)
    assert list(blocks.find("video_id", ["v1"])) == []
    blocks.add(rows_of(random.Random(1), 5))
    assert list(blocks.find("video_id", [])) == []
    assert blocks.table().num_rows == 5


def test_a_row_is_copied_only_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The logarithm of how many additions there were, and so are the blocks to search."""
    num_copied = 0
    merged = commit_blocks.Block.merged

    def count(self: commit_blocks.Block, other: commit_blocks.Block) -> commit_blocks.Block:
        nonlocal num_copied
        num_copied += len(self) + len(other)
        return merged(self, other)

    monkeypatch.setattr(commit_blocks.Block, "merged", count)
    blocks, draw = CommitBlocks(SCHEMA), random.Random(2)
    for _ in range(512):
        blocks.add(rows_of(draw, 1))
    assert num_copied < 512 * 12  # two times the binary logarithm, and some
    assert len(blocks.blocks) <= 9
