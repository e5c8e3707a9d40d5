"""Nearest vectors by their sign bits find what comparing all of them finds."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from storage.objects.local import LocalStore
from storage.query.catalog import Catalog
from storage.query.embedder import VECTOR_SIZE, Floats, sign_bits
from storage.query.filters import Condition
from storage.query.search import best_by_meaning

NUM_VECTORS, NUM_TOPICS, NEAREST = 6_000, 60, 20  # thrice as many vectors as are compared exactly


def _about(topics: Floats, rng: np.random.Generator) -> Floats:
    """A vector near each of the topics; two of one topic have a cosine of about 0.6."""
    near = topics + 0.8 * rng.standard_normal(topics.shape, np.float32) / VECTOR_SIZE**0.5
    return np.asarray(near / np.linalg.norm(near, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def topics() -> Floats:
    return _about(np.zeros((NUM_TOPICS, VECTOR_SIZE), np.float32), np.random.default_rng(1))


@pytest.fixture(scope="module")
def vectors(topics: Floats) -> Floats:
    return _about(np.repeat(topics, NUM_VECTORS // NUM_TOPICS, axis=0), np.random.default_rng(2))


@pytest.fixture(scope="module")
def catalog(vectors: Floats) -> Catalog:
    """The table `vectors` as a serving file has it, as far as this search reads it."""
    connection = duckdb.connect()
    signs = ", ".join(f"signs[{n + 1}]::UBIGINT AS s{n}" for n in range(VECTOR_SIZE // 64))
    connection.execute(
        "CREATE TABLE vectors AS "
        f"SELECT row_number() OVER () AS document, {signs}, vector::FLOAT[{VECTOR_SIZE}] AS vector "
        "FROM (SELECT unnest($vector) AS vector, unnest($signs) AS signs)",
        {"vector": vectors.tolist(), "signs": sign_bits(vectors).tolist()},
    )
    return Catalog(LocalStore(Path()), None, connection, {})


def _exact(vectors: Floats, query: Floats, allowed: slice) -> list[int]:
    documents = np.arange(1, NUM_VECTORS + 1)[allowed]
    return [int(d) for d in documents[np.argsort(-(vectors[allowed] @ query[0]), kind="stable")[:NEAREST]]]


@pytest.mark.parametrize("step", [1, 40], ids=["all", "a fortieth"])
def test_the_nearest_are_those_of_an_exact_search(
    catalog: Catalog, topics: Floats, vectors: Floats, step: int
) -> None:
    """Nearly all of the nearest 20, and each with its exact cosine; a filter counts before the bits do."""
    allowed = Condition("document % $step = 1", {"step": step}) if step > 1 else Condition()
    recalls = []
    queries = _about(topics, np.random.default_rng(3))
    for query in np.split(queries, NUM_TOPICS):
        found = best_by_meaning(catalog, query, NEAREST, allowed)
        for document, cosine in found:
            assert cosine == pytest.approx(float(vectors[document - 1] @ query[0]), abs=1e-4)
        right = [
            d for d in _exact(vectors, query, slice(None, None, step)) if vectors[d - 1] @ query[0] >= 0.35
        ]
        assert right
        recalls.append(len({document for document, _ in found} & set(right)) / len(right))
    assert np.mean(recalls) >= 0.98
