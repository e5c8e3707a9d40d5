"""Words without their endings, so that "cars" finds "car": Snowball's English stemmer.

Documents and queries go through this one function. Words of other scripts stay as they are; of other
languages in Latin letters some lose an ending, in the text and in the query alike.
"""

from collections.abc import Iterable
from importlib.metadata import version

# They are in every other text; a query is searched by its other words, where it has some.
_FUNCTION_WORDS = """
a an and are as at be by during for from in into is it of off on onto or out
over the to under up was were while with
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
STEMMER = f"snowball english {version('snowballstemmer')}"


def stem(words: Iterable[str]) -> list[str]:
    """One stem per word, in order; the words are lower case and without accents."""
    from snowballstemmer import stemmer  # all its languages: who asks by SQL does without

    return list(stemmer("english").stemWords(words))  # a new one each time: they are not thread-safe
