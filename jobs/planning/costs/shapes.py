"""In which width and height videos are shown: by the index, by their headers, else taken to be 16:9."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.query.catalog import Catalog
from storage.query.plans import PlannedVideos
from videoxl2.frames.probing.stated import Stated
from videoxl2.network.configs.picture_size import USUAL_PICTURE

# Of rows: a quarter turn swaps the sides. Pixels that are not square are not in them.
SHOWN = """
    if(rotation % 180 BETWEEN 46 AND 134, height, width) AS shown_width,
    if(rotation % 180 BETWEEN 46 AND 134, width, height) AS shown_height"""

_TOLD = f"""
WITH told AS (
    SELECT video_id, object_rev, any_value(shown_width) AS width, any_value(shown_height) AS height
    FROM (SELECT video_id, object_rev, {SHOWN} FROM videos_all) GROUP BY ALL
)
SELECT coalesce(t.width, 0)::DOUBLE, coalesce(t.height, 0)::DOUBLE
FROM _planned AS p LEFT JOIN told AS t ON t.video_id = p.video_id AND t.object_rev = p.object_rev
ORDER BY p.place"""


@dataclass(frozen=True)
class Shapes:
    """Width and height of each video, upright, in pixels; 0 where they are not known."""

    width: NDArray[np.float64]
    height: NDArray[np.float64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether index or header tell the shape."""
        return (self.width > 0) & (self.height > 0)

    @classmethod
    def of(cls, width: int, height: int) -> "Shapes":
        """The shape of one video."""
        return cls(np.array([width], np.float64), np.array([height], np.float64))

    @classmethod
    def unknown(cls, num_videos: int) -> "Shapes":
        """Shapes of which nothing is known."""
        return cls(np.zeros(num_videos), np.zeros(num_videos))

    def take(self, rows: list[int]) -> "Shapes":
        """Return the shapes of some videos."""
        return Shapes(self.width[rows], self.height[rows])

    def sides(self) -> list[tuple[int, int]]:
        """Width and height of each; the usual ones where nobody knows."""
        known = zip(self.is_known.tolist(), self.width.tolist(), self.height.tolist(), strict=True)
        return [(int(width), int(height)) if is_known else USUAL_PICTURE for is_known, width, height in known]


def shapes_of(videos: PlannedVideos, catalog: Catalog | None, said: Mapping[int, Stated]) -> Shapes:
    """Look up the shapes of planned videos. Without a catalog there is no index yet; `said` is what headers
    say of those at these places, to whom a turn makes no difference in pixels."""
    shapes = Shapes.unknown(len(videos))
    if catalog is not None and len(videos):
        videos.show(catalog, with_revisions=True)
        shapes = Shapes(*catalog.arrays(_TOLD))
    for row, one in said.items():
        if not shapes.is_known[row]:
            shapes.width[row], shapes.height[row] = one.width, one.height
    return shapes
