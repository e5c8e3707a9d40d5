"""Words without their endings, so that "cars" finds "car": Snowball's stemmer of the text's language.

Documents and queries go through this one function. A text that says no language is taken for English, in
which the model writes; words of languages without a stemmer stay as they are.
"""

from collections.abc import Iterable
from importlib.metadata import version

# Documents and queries are cut into words by this one macro: lower case, no accents, letters and digits.
WORDS = r"""CREATE OR REPLACE MACRO words(text) AS
regexp_extract_all(lower(strip_accents(text)), '[\p{L}\p{N}]+')"""

# They are in every other text; a query is searched by its other words, where it has some.
_FUNCTION_WORDS = """
a an and are as at be by during for from in into is it of off on onto or out
over the to under up was were while with
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
STEMMER = f"snowball {version('snowballstemmer')} by language"
UNSAID = ""  # the language of a text that says none

# Snowball's names, by the first part of a BCP 47 tag.
_ALGORITHMS = {
    UNSAID: "english",
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}


def stem(words: Iterable[str], language: str = UNSAID) -> list[str]:
    """One stem per word, in order; the words are lower case and without accents, `language` the first part
    of a BCP 47 tag."""
    from snowballstemmer import algorithms, stemmer  # all its languages: who asks by SQL does without

    algorithm = _ALGORITHMS.get(language)
    if algorithm not in algorithms():  # an older Snowball knows fewer
        return list(words)
    return list(stemmer(algorithm).stemWords(words))  # a new one each time: they are not thread-safe
