"""Places of a query's words in a text, for showing a hit."""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from storage.query.words.stemming import UNSAID, stem

Span = tuple[int, int]  # characters [start, end)

# Letters and digits with their accents, as the SQL macro `words` cuts them.
_WORD = re.compile(r"[^\W_][^\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W_]*)*")


def find_matches(text: str, terms: Collection[str], tag: str | None = None) -> tuple[Span, ...]:
    """The words of `text` whose stems are among `terms`, in order; `tag` is the text's language, BCP 47."""
    language = (tag or UNSAID).partition("-")[0]
    return tuple(found.span() for found in _WORD.finditer(text) if _term(found[0], language) in terms)


@lru_cache(maxsize=4096)
def _term(word: str, language: str) -> str:
    parts = unicodedata.normalize("NFD", word)
    (term,) = stem(["".join(c for c in parts if not unicodedata.combining(c)).lower()], language)
    return term
