"""What the search form asks, and the hits: the one place here that searches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from jobs.ui.made_by import MadeBy
from schemas.failures import UsageError
from storage.query.browse import browse
from storage.query.catalog import Catalog
from storage.query.date_kinds import DateKind
from storage.query.filters import Filters
from storage.query.search import Hit, search
from storage.query.words.matches import Span

MAX_TEXT = 1000  # characters of a query
MAX_HITS = 500  # reachable by leafing


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form's fields; `video` is how the URI ends, `since` a day (UTC) of the date that `by` says."""

    text: str = ""
    kind: str | None = None
    video: str | None = None
    tag: str | None = None
    since: date | None = None
    by: DateKind = "recorded"

    @property
    def is_filtered(self) -> bool:
        """Whether a video, a tag or a date is asked for."""
        return any((self.video, self.tag, self.since))

    @property
    def is_anything(self) -> bool:
        """Whether words, a kind or a filter is asked for."""
        return bool(self.text or self.kind or self.is_filtered)


def find(catalog: Catalog, wanted: Wanted, offset: int, k: int) -> list[Hit]:
    """Hits `offset` to `offset + k`, best first; without words the rows that pass the filters.

    UsageError: no word in the text, a text that is too long, an unknown kind.
    """
    if len(wanted.text) > MAX_TEXT:
        raise UsageError(
            f"the search text has {len(wanted.text):,} characters",
            f"{MAX_TEXT:,} are the most; a few words do.",
        )
    tags = (wanted.tag,) if wanted.tag else ()
    filters = Filters(wanted.kind, wanted.video, wanted.since, tags, wanted.by)
    if not wanted.text:
        return browse(catalog, filters, offset + k)[offset:]
    return search(catalog, wanted.text, offset + k, filters)[offset:]


def pieces(text: str, matches: Sequence[Span]) -> Iterator[tuple[str, bool]]:
    """A hit's text in stretches, and whether each is a match, to be marked."""
    borders = [0, *(border for match in matches for border in match), len(text)]
    for number, (start, end) in enumerate(pairwise(borders)):
        if end > start:
            yield text[start:end], bool(number % 2)


def row_of(hit: Hit) -> str | None:
    """The row as pictures' addresses name it, such as `scenes-3`."""
    return None if hit.row_index is None else f"{hit.kind}-{hit.row_index}"


def model_of(hit: Hit) -> MadeBy:
    """Return the model that wrote the row."""
    return MadeBy(hit.model_id, hit.model_revision)
