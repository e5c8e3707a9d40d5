"""Full text over arrays gives what the SQL macro gives."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

import storage.query.words.bm25
import storage.query.words.postings
from storage.query.built.database import BM25_SCRIPT
from storage.query.words.postings import Postings
from storage.sql import statements_of

NUM_DOCUMENTS = 4_000
TERMS = ("the", "red", "car", "night", "lantern", "once")
SHARES = (0.9, 0.2, 0.15, 0.1, 0.01, 1 / NUM_DOCUMENTS)


@pytest.fixture(scope="module")
def drawn() -> Iterator[duckdb.DuckDBPyConnection]:
    """Six terms in from nine of ten documents to a single one; lengths are few, so many scores are equal."""
    rng = np.random.default_rng(7)
    lengths = rng.integers(5, 9, NUM_DOCUMENTS)
    rows: dict[str, list[Any]] = {"term": [], "document": [], "frequency": [], "length": []}
    for term, share in zip(TERMS, SHARES, strict=True):
        documents = np.sort(rng.choice(NUM_DOCUMENTS, max(1, int(share * NUM_DOCUMENTS)), replace=False))
        rows["term"] += [term] * len(documents)
        rows["document"] += (documents + 1).tolist()
        rows["frequency"] += rng.geometric(0.6, len(documents)).tolist()
        rows["length"] += lengths[documents].tolist()
    whole = pa.uint32()
    types = pa.schema({"term": pa.string(), "document": whole, "frequency": whole, "length": whole})
    connection = duckdb.connect()
    connection.register("_drawn", pa.table(rows, schema=types))
    connection.execute("CREATE TABLE postings AS FROM _drawn ORDER BY term, document")
    connection.execute(
        f"CREATE TABLE corpus AS SELECT {NUM_DOCUMENTS} AS num_documents, 6.5 AS average_length"
    )
    for statement in statements_of(BM25_SCRIPT):
        connection.execute(statement)
    yield connection
    connection.close()


@pytest.fixture
def postings(drawn: duckdb.DuckDBPyConnection) -> Postings:
    def read(sql: str, params: Sequence[Any]) -> list[NDArray[Any]]:
        return list(drawn.execute(sql, params).fetchnumpy().values())

    return Postings(read)


def _by_macro(connection: duckdb.DuckDBPyConnection, terms: list[str]) -> list[tuple[int, float]]:
    return connection.execute("FROM bm25(?) ORDER BY score DESC, document", [terms]).fetchall()


@pytest.mark.parametrize("k", [1, 20, 100, 3_000, 10_000])
@pytest.mark.parametrize("sampled", [50, 1 << 16])
def test_scores_and_order_are_those_of_the_macro(
    drawn: duckdb.DuckDBPyConnection,
    postings: Postings,
    monkeypatch: pytest.MonkeyPatch,
    k: int,
    sampled: int,
) -> None:
    """For any of the terms together, few and many hits, and whatever the bounds are taken from."""
    monkeypatch.setattr(storage.query.words.bm25, "NUM_SAMPLED", sampled)
    for chosen in range(1, 1 << len(TERMS)):
        terms = [term for n, term in enumerate(TERMS) if chosen >> n & 1]
        assert postings.best(terms, k) == _by_macro(drawn, terms)[:k], terms


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.7])
def test_what_is_not_allowed_is_left_out_before_the_best_are_chosen(
    drawn: duckdb.DuckDBPyConnection, postings: Postings, share: float
) -> None:
    """So that a narrow filter still fills the list."""
    allowed = np.random.default_rng(3).random(NUM_DOCUMENTS + 1) < share
    for terms in (["the"], ["red", "car"], list(TERMS)):
        expected = [(document, score) for document, score in _by_macro(drawn, terms) if allowed[document]]
        for k in (1, 20, 5_000):
            assert postings.best(terms, k, allowed) == expected[:k]


def test_words_that_are_nowhere_change_nothing(postings: Postings) -> None:
    """Alone they find nothing."""
    assert postings.best(["submarine"], 20) == []
    assert postings.best(["submarine", "once"], 20) == postings.best(["once"], 20) != []


def test_terms_are_read_once_and_forgotten_when_there_is_no_room(
    drawn: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers stay the same."""
    asked: list[str] = []

    def read(sql: str, params: Sequence[Any]) -> list[NDArray[Any]]:
        asked.extend(params)
        return list(drawn.execute(sql, params).fetchnumpy().values())

    roomy = Postings(read)
    first = roomy.best(["red", "car"], 20)
    assert roomy.best(["car", "red"], 20) == first
    assert asked == ["red", "car"]
    monkeypatch.setattr(
        storage.query.words.postings, "KEPT_BYTES", 12 * 700
    )  # room for `car`, not for `red` as well
    narrow = Postings(read)
    assert narrow.best(["red", "car"], 20) == first
    assert narrow.best(["car"], 20) == roomy.best(["car"], 20)
    assert asked == ["red", "car"] * 2
    assert narrow.best(["red", "car"], 20) == first
    assert asked == ["red", "car"] * 3


def test_an_interrupted_search_leaves_no_trace(postings: Postings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums are zeros again for the next query."""
    first = postings.best(["red", "car", "night"], 20)
    with monkeypatch.context() as patch:
        patch.setattr(np, "concatenate", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            postings.best(["red", "car", "night"], 20)
    assert postings.best(["red", "car", "night"], 20) == first


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
