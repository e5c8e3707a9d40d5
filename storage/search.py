"""Full text over an index: the best rows for some words, in plain SQL (search.sql)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from schemas.failures import UsageError
from storage.catalog import Catalog

HitKind = Literal["videos", "scenes", "characters", "highlights"]

_SQL = Path(__file__).with_name("search.sql").read_text(encoding="utf-8")
# Documents and queries are cut into words by this one macro: lower case, no accents, letters and digits.
_WORDS = r"""
CREATE OR REPLACE TEMP MACRO words(text) AS
regexp_extract_all(lower(strip_accents(text)), '[\p{L}\p{N}]+')"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One row that matches; a video as a whole has no times, a character in no scene neither."""

    kind: HitKind  # the table it is from
    video_id: str
    uri: str
    start_ms: int | None
    end_ms: int | None
    title: str
    text: str
    score: float  # BM25; comparable within one search only


def search(catalog: Catalog, text: str, k: int = 20, kind: str | None = None) -> list[Hit]:
    """At most `k` hits, best first; a hit needs one of the words at least. UsageError: no words."""
    if kind is not None and kind not in get_args(HitKind):
        raise UsageError(f"{kind!r} is no kind of hit", f"Kinds are {', '.join(get_args(HitKind))}.")
    catalog.connection.execute(_WORDS)
    if not catalog.query("SELECT len(words(?)) > 0", [text]).rows[0][0]:
        raise UsageError(f"there is no word in {text!r}", "Search for letters or digits.")
    return [Hit(*row) for row in catalog.query(_SQL, {"text": text, "kind": kind, "k": k}).rows]
