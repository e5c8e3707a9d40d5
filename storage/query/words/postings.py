"""The table `postings`, read term by term into arrays, and kept: a catalog that stays open is asked again."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.query.words.bm25 import Allowed, TermPostings, rank, weigh

KEPT_BYTES = 256 << 20
_OF_TERM = "SELECT document, frequency, length FROM postings WHERE term = ?"

Read = Callable[[str, Sequence[Any]], list[NDArray[Any]]]


class Postings:
    """Postings of one catalog, whose rows never change. Terms asked for longest ago are forgotten first."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._terms: OrderedDict[str, TermPostings | None] = OrderedDict()
        self._num_bytes = 0
        self._corpus: tuple[int, float] | None = None  # number of documents, their average length
        self._sums = np.zeros(0)

    def best(self, terms: Sequence[str], k: int, allowed: Allowed | None = None) -> list[tuple[int, float]]:
        """Return (document, score) of at most `k` documents with any of the terms (stems), best first."""
        found = [postings for term in terms if (postings := self._of(term))]
        if not found:
            return []
        if len(found) > 1 and not len(self._sums):
            self._sums = np.zeros(self._read_corpus()[0] + 1)
        documents, scores = rank(found, k, allowed, self._sums)
        return list(zip(documents.tolist(), scores.tolist(), strict=True))

    def _of(self, term: str) -> TermPostings | None:
        """Return the postings of a term; None: no document has it."""
        if term not in self._terms:
            self._terms[term] = postings = self._read_term(term)
            self._num_bytes += postings.num_bytes if postings else 0
            while self._num_bytes > KEPT_BYTES and len(self._terms) > 1:
                _, oldest = self._terms.popitem(last=False)
                self._num_bytes -= oldest.num_bytes if oldest else 0
        self._terms.move_to_end(term)
        return self._terms[term]

    def _read_term(self, term: str) -> TermPostings | None:
        documents, frequencies, lengths = self._read(_OF_TERM, [term])
        if not len(documents):
            return None
        return weigh(documents, frequencies, lengths, *self._read_corpus())

    def _read_corpus(self) -> tuple[int, float]:
        if self._corpus is None:
            num_documents, average_length = self._read("SELECT num_documents, average_length FROM corpus", [])
            self._corpus = int(num_documents[0]), float(average_length[0])
        return self._corpus
