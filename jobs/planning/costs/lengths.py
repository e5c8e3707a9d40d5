"""How long planned videos are, and how much there is to see: by the index, their headers, else their size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jobs.planning.costs.headers import read_headers
from jobs.planning.costs.video_costs import Numbers
from storage.library.library import Library
from storage.query.catalog import Catalog
from storage.query.plans import PlannedVideos
from videoxl2.frames.probing.stated import Stated

# Headers read for one plan; where more are unknown, those are drawn by lot. On S3 each takes two requests.
MAX_HEADERS_LOCAL, MAX_HEADERS_S3 = 2000, 200

# What rows, or attempts at the same bytes, say.
_TOLD = """
WITH known AS (
    SELECT video_id, object_rev, duration_ms AS ms, width * height / 1e6 AS megapixels,
        duration_ms / 1000 * fps_num / nullif(fps_den, 0) AS pictures,
        CASE WHEN len(audio_codecs) > 0 THEN duration_ms / 1000 ELSE 0 END AS sound_s
    FROM videos_all
    UNION ALL SELECT video_id, object_rev, video_ms, NULL, NULL, NULL FROM attempts WHERE video_ms > 0
), told AS (
    SELECT video_id, object_rev, max(ms) AS ms, max(pictures) AS pictures,
        max(pictures * megapixels) AS megapixels, max(sound_s) AS sound_s
    FROM known GROUP BY ALL
)
SELECT coalesce(t.ms, 'NaN'::DOUBLE) AS ms, coalesce(t.pictures, 'NaN'::DOUBLE) AS pictures,
    coalesce(t.megapixels, 'NaN'::DOUBLE) AS megapixels,
    coalesce(least(t.pictures, t.ms / 1000), 'NaN'::DOUBLE) AS sampled,
    coalesce(t.sound_s, 'NaN'::DOUBLE) AS sound_s
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
    """The length of each video, in the plan's order, and how much there is to see and hear in it, as a `Look`
    has it of a second. What nobody knows is not a number."""

    ms: Numbers
    pictures: Numbers
    megapixels: Numbers
    sampled: Numbers
    sound_s: Numbers
    is_certain: NDArray[np.bool_]  # the length is not guessed by its size
    num_headers: int = 0  # that were read for it
    said: Mapping[int, Stated] = field(default_factory=dict)  # in headers, by the video's place


def lengths_of(
    videos: PlannedVideos, catalog: Catalog | None, library: Library | None, with_shapes: bool = False
) -> Lengths:
    """Look up lengths. Without a catalog there is no index yet; without a library no header is read. With
    shapes, headers are also read where an attempt has told the length alone."""
    told = [np.full(len(videos), np.nan) for _ in range(5)]
    if catalog is not None and len(videos):
        videos.show(catalog, with_revisions=True)
        told = catalog.arrays(_TOLD)
    headers = _read_headers(videos, told, library, with_shapes) if library is not None else {}
    is_certain = ~np.isnan(told[0])
    _guess(videos, told[0], dict(catalog.query(_PACES).rows) if catalog is not None else {})
    lengths_ms, pictures, megapixels, sampled, sound_s = told
    said = {row: one for row, one in headers.items() if one is not None}
    return Lengths(lengths_ms, pictures, megapixels, sampled, sound_s, is_certain, len(headers), said)


def _read_headers(
    videos: PlannedVideos, told: Sequence[Numbers], library: Library, with_shapes: bool
) -> dict[int, Stated | None]:
    """Fill in what headers say and nothing else does; what each that was read says, by the video's place."""
    lacks_length, lacks_pictures = np.isnan(told[0]), np.isnan(told[2])
    unknown = np.flatnonzero(lacks_length | lacks_pictures if with_shapes else lacks_length).tolist()
    most = MAX_HEADERS_LOCAL if library.is_local else MAX_HEADERS_S3
    if len(unknown) > most:
        ids = videos.video_ids
        unknown = sorted(sorted(unknown, key=lambda row: (not lacks_length[row], ids[row]))[:most])
    found = read_headers(library, [one.video for one in videos.take(unknown)]) if unknown else []
    for row, said in zip(unknown, found, strict=True):
        if said and said.ms:
            for column, value in zip(told, _columns(said), strict=True):
                if np.isnan(column[row]):
                    column[row] = value
    return dict(zip(unknown, found, strict=True))


def _columns(said: Stated) -> tuple[float, ...]:
    """What a header says, as `Lengths` has it."""
    seconds = said.ms / 1000
    sound_s = seconds if said.has_sound else 0.0
    sampled = min(said.pictures, seconds)
    return said.ms, said.pictures, said.pictures * said.pixels / 1e6, sampled, sound_s


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
