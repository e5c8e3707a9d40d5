"""How long planned videos are: by the index, by their headers, else by their size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.planning.costs import Numbers
from jobs.planning.headers import stated_lengths_ms
from storage.library.library import Library
from storage.query.catalog import Catalog
from storage.query.plans import PlannedVideos

# Headers read for one plan; where more are unknown, those are drawn by lot. On S3 each takes two requests.
MAX_HEADERS_LOCAL, MAX_HEADERS_S3 = 2000, 200

# What rows, or attempts at the same bytes, say.
_TOLD = """
WITH known AS (
    SELECT video_id, object_rev, duration_ms AS video_ms FROM videos_all
    UNION ALL SELECT video_id, object_rev, video_ms FROM attempts WHERE video_ms > 0
), told AS (SELECT video_id, object_rev, max(video_ms) AS video_ms FROM known GROUP BY ALL)
SELECT coalesce(t.video_ms, 'NaN'::DOUBLE)
FROM _planned AS p LEFT JOIN told AS t ON t.video_id = p.video_id AND t.object_rev = p.object_rev
ORDER BY p.place"""

# Milliseconds for a byte, as videos of a container go; what is far from the median (a still of a day) says
# nothing.
_PACES = """
WITH paced AS (
    SELECT lower(regexp_extract(uri, '[^.]*$')) AS extension, duration_ms AS ms, size_bytes AS b
    FROM videos WHERE size_bytes > 0
), usual AS (SELECT extension, median(ms / b) AS pace FROM paced GROUP BY extension)
SELECT extension, sum(ms) / sum(b)
FROM paced JOIN usual USING (extension) WHERE ms / b BETWEEN pace / 10 AND pace * 10 GROUP BY extension"""


@dataclass(frozen=True)
class Lengths:
    """The length of each video, in the plan's order. Where nobody knows, `ms` is not a number."""

    ms: Numbers
    is_certain: NDArray[np.bool_]  # not guessed by its size
    num_headers: int = 0  # that were read for it


def lengths_of(videos: PlannedVideos, catalog: Catalog | None, library: Library | None) -> Lengths:
    """Look up lengths. Without a catalog there is no index yet; without a library no header is read."""
    lengths_ms = np.full(len(videos), np.nan)
    if catalog is not None and len(videos):
        videos.show(catalog, with_revisions=True)
        (lengths_ms,) = catalog.arrays(_TOLD)
    num_headers = _read_headers(videos, lengths_ms, library) if library is not None else 0
    is_certain = ~np.isnan(lengths_ms)
    _guess(videos, lengths_ms, dict(catalog.query(_PACES).rows) if catalog is not None else {})
    return Lengths(lengths_ms, is_certain, num_headers)


def _read_headers(videos: PlannedVideos, lengths_ms: Numbers, library: Library) -> int:
    unknown = np.flatnonzero(np.isnan(lengths_ms)).tolist()
    most = MAX_HEADERS_LOCAL if library.is_local else MAX_HEADERS_S3
    if len(unknown) > most:
        ids = videos.video_ids
        unknown = sorted(sorted(unknown, key=ids.__getitem__)[:most])
    found = stated_lengths_ms(library, [one.video for one in videos.take(unknown)]) if unknown else []
    for row, length_ms in zip(unknown, found, strict=True):
        if length_ms:
            lengths_ms[row] = length_ms
    return len(unknown)


def _guess(videos: PlannedVideos, lengths_ms: Numbers, paces: dict[str, float]) -> None:
    unknown = np.flatnonzero(np.isnan(lengths_ms)).tolist()
    if not unknown:
        return
    sizes = np.asarray(videos.sizes, np.float64)
    is_known = ~np.isnan(lengths_ms) & (sizes > 0)
    overall = float(np.median(lengths_ms[is_known] / sizes[is_known])) if is_known.any() else None
    if overall is None and paces:
        overall = float(np.median(list(paces.values())))
    for row, uri in zip(unknown, videos.take(unknown).uris, strict=True):
        pace = paces.get(uri.rpartition(".")[2].lower(), overall)
        if pace is not None:
            lengths_ms[row] = sizes[row] * pace
