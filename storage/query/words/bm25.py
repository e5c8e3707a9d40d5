"""The best documents by BM25 over arrays: what the macro in bm25.sql answers, without a row per posting.

A term that is in most documents adds little to any score. Once `k` documents are known to reach more than
all terms that are left could add up to, only the documents seen so far are looked up in those (MaxScore:
Turtle and Flood, 1995). Sums are float64 and rounded as in the macro, so scores and order are the same.

Shapes: P postings of one term; D documents of the corpus.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_BOUNDED = 1_000  # for so many hits a bound is known beforehand; for more, everything is added up
NUM_SAMPLED = 1 << 16  # postings that the bounds are taken from
_MARGIN = 2e-6  # scores that differ by less may be equal once rounded
_DIGITS = 6

Documents = NDArray[np.uint32]
Counts = NDArray[np.uint32]
Scores = NDArray[np.float64]
Allowed = NDArray[np.bool_]  # [D + 1], by document number


@dataclass(frozen=True, slots=True)
class TermPostings:
    """The documents with one term, ascending, and what it adds to the score of each: [P], [P]."""

    documents: Documents
    weights: Scores
    most: float  # the largest weight
    floors: Scores  # [n - 1]: a weight that n documents reach

    @property
    def num_bytes(self) -> int:
        """The bytes of memory that the postings take."""
        return self.documents.nbytes + self.weights.nbytes


def weigh(
    documents: Documents, frequencies: Counts, lengths: Counts, num_documents: int, average_length: float
) -> TermPostings:
    """All arrays [P], of one term, P at least 1."""
    idf = math.log(1 + (num_documents - len(documents) + 0.5) / (len(documents) + 0.5))
    # Few pairs of frequency and length are different, so each is computed once and looked up.
    width = int(lengths.max()) + 1
    pairs = frequencies.astype(np.int64) * width + lengths
    if (size := (int(frequencies.max()) + 1) * width) <= len(pairs):
        table = _weights(idf, *np.divmod(np.arange(size), width), average_length)
        weights = table.take(pairs)
    else:
        weights = _weights(idf, frequencies, lengths, average_length)
    floors = _largest(weights[:NUM_SAMPLED], _MOST_BOUNDED)
    return TermPostings(documents, weights, float(weights.max()), floors)


def _weights(
    idf: float, frequencies: NDArray[np.integer], lengths: NDArray[np.integer], average_length: float
) -> Scores:
    """The same steps in the same order as in bm25.sql."""
    norms = 1.2 * (0.25 + 0.75 * lengths.astype(np.float64) / average_length)
    weights: Scores = idf * frequencies.astype(np.float64) * 2.2 / (frequencies + norms)
    return weights


def rank(
    terms: Sequence[TermPostings], k: int, allowed: Allowed | None, sums: Scores
) -> tuple[Documents, Scores]:
    """Rank at most `k` allowed documents with any of the terms, best first, equal ones by number; scores.

    `sums` [D + 1] is all zeros before and after, so that it need not be made for each query.
    """
    terms = sorted(terms, key=lambda term: term.most, reverse=True)
    # What the terms from the n-th on can add to a score at most.
    rests = [*np.cumsum([term.most for term in terms][::-1])[::-1], 0.0]
    floor = 0.0  # that `k` documents reach
    read: list[tuple[Documents, Scores]] = []
    for term in terms:
        if rests[len(read)] < floor - _MARGIN:
            break
        documents, weights, bound = _allow(term, k, allowed)
        floor = max(floor, bound)
        read.append((documents, weights))
    rest = rests[len(read)]
    documents, scores = _add_up(read, floor - rest - _MARGIN, sums)
    for n, term in enumerate(terms[len(read) :], len(read) + 1):
        documents, scores = _keep_hopeful(documents, scores, k, rest)
        scores = scores + _look_up(term.documents, term.weights, documents)
        rest = rests[n]
    documents, scores = _keep_hopeful(documents, scores, k, 0.0)
    scores = np.round(scores, _DIGITS)
    order = np.lexsort((documents, -scores))[:k]
    return documents[order], scores[order]


def _allow(term: TermPostings, k: int, allowed: Allowed | None) -> tuple[Documents, Scores, float]:
    """Allowed postings of a term, and a score that `k` of them reach; 0: not known."""
    if allowed is None:
        return term.documents, term.weights, float(term.floors[k - 1]) if k <= len(term.floors) else 0.0
    kept = allowed[term.documents]
    weights = term.weights[kept]
    bound = float(_largest(weights, k)[-1]) if len(weights) >= k else 0.0
    return term.documents[kept], weights, bound


def _add_up(
    postings: Sequence[tuple[Documents, Scores]], least: float, sums: Scores
) -> tuple[Documents, Scores]:
    """Documents whose weights add up to `least` or more, ascending, and the sums."""
    *earlier, (documents, weights) = postings
    if not earlier:
        places = np.flatnonzero(weights >= least)
        return documents[places], weights[places]
    # Numpy is twice as fast with these.
    indices = [each.astype(np.intp) for each, _ in earlier]
    try:
        for at, (_, added) in zip(indices, earlier, strict=True):
            sums[at] += added
        # Those with the last term, and those that reach it without: a document may be in both.
        parts = [documents[sums.take(documents) + weights >= least]]
        parts += [at[sums.take(at) >= least].astype(np.uint32) for at in indices]
        found = _distinct(np.concatenate(parts))
        return found, sums[found] + _look_up(documents, weights, found)
    finally:
        for at in indices:
            sums[at] = 0.0


def _distinct(documents: Documents) -> Documents:
    """Ascending; a tenth of the time of `np.unique`."""
    documents = np.sort(documents)
    is_first = np.ones(len(documents), np.bool_)
    is_first[1:] = documents[1:] != documents[:-1]
    return documents[is_first]


def _keep_hopeful(documents: Documents, scores: Scores, k: int, rest: float) -> tuple[Documents, Scores]:
    """Leave out those that cannot be among the best `k` any more, whatever gets the whole `rest`."""
    if len(scores) <= k:
        return documents, scores
    kept = scores + rest >= _largest(scores, k)[-1] - _MARGIN
    return documents[kept], scores[kept]


def _look_up(documents: Documents, weights: Scores, wanted: Documents) -> Scores:
    """The weight of each wanted document; 0 where it is not among `documents`."""
    if not len(documents):
        return np.zeros(len(wanted))
    places = np.minimum(np.searchsorted(documents, wanted), len(documents) - 1)
    return np.where(documents[places] == wanted, weights[places], 0.0)


def _largest(values: Scores, k: int) -> Scores:
    """The largest `k` at most, descending."""
    if len(values) > k:
        values = np.partition(values, len(values) - k)[len(values) - k :]
    return np.sort(values)[::-1]
