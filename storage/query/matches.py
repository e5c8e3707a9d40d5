"""Where the words of a query stand in a text, for showing a hit."""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from storage.query.stemming import stem

Span = tuple[int, int]  # characters [start, end)

# Letters and digits with their accents, as the SQL macro `words` cuts them.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")


def find_matches(text: str, terms: Collection[str]) -> tuple[Span, ...]:
    """The words of `text` whose stems are among `terms`, in order."""
    return tuple(found.span() for found in _WORD.finditer(text) if _term(found[0]) in terms)


@lru_cache(maxsize=4096)
def _term(word: str) -> str:
    parts = unicodedata.normalize("NFD", word)
    (term,) = stem(["".join(c for c in parts if not unicodedata.combining(c)).lower()])
    return term
