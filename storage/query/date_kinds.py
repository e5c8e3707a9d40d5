"""The dates of a video that a search may be limited by."""

from typing import Literal, get_args

# When it was recorded, as the file says; when the object was last written; when a run made its rows.
DateKind = Literal["recorded", "modified", "indexed"]
DATE_KINDS: tuple[DateKind, ...] = get_args(DateKind)
# Where a file does not say when it was recorded, nobody knows better than when it was last written.
DATE_SQL: dict[DateKind, str] = {
    "recorded": "coalesce(recorded_at, modified_at)",
    "modified": "modified_at",
    "indexed": "indexed_at",
}
