"""What signals say to the rows of a model, for the page of one video."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.identity import VideoId
from storage.query.catalog import Catalog

# Rows of a table by their number, or a character by its id.
Claim = tuple[str, int | str]

_CLAIMS = """
SELECT table_name, row_index, start_off_ms, end_off_ms, num_shots FROM claims
WHERE video_id = ? AND table_name <> 'appearances' AND num_shots IS NOT NULL"""
_NAMES = """
SELECT DISTINCT if(character_id IS NULL, table_name, 'characters') AS table_name,
    if(character_id IS NULL, row_index, NULL) AS row_index, character_id, name
FROM unsupported_names(?) ORDER BY name"""


@dataclass(slots=True)
class Support:
    """The distance of a row's borders from those of shots, and how many it lies in; names in it that are
    neither said nor written. None: no shots were read."""

    start_off_ms: int | None = None
    end_off_ms: int | None = None
    num_shots: int | None = None
    names: list[str] = field(default_factory=list)


def read_support(catalog: Catalog, video_id: VideoId) -> dict[Claim, Support]:
    """Read what supports each row of a video that there is something to say of."""
    found: dict[Claim, Support] = defaultdict(Support)
    for table, number, *measures in catalog.query(_CLAIMS, [video_id]).rows:
        found[table, number] = Support(*measures)
    for table, number, character_id, name in catalog.query(_NAMES, [video_id]).rows:
        found[table, character_id or number].names.append(name)
    return dict(found)
