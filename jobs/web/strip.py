"""The strip of a video as its page shows it: some tiles above the timeline, all of them under the pointer."""

from dataclasses import dataclass
from math import ceil

from jobs.ui.tiles import Tiles
from jobs.web.looks import link
from jobs.web.videos import Record
from schemas.identity import VideoId
from storage.query.catalog import Catalog

_SHOWN = 10  # tiles side by side

_STRIP = """
SELECT num_tiles, num_columns, tile_width, tile_height, step_ms FROM strips
WHERE video_id = $video_id AND media_type = 'image/jpeg' LIMIT 1"""
_IMAGE = "SELECT image FROM strips WHERE video_id = $video_id AND media_type = 'image/jpeg' LIMIT 1"


@dataclass(frozen=True, slots=True)
class Tile:
    """The place of a tile on the sheet, in pixels, and its time in the film."""

    at_ms: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class ShownStrip(Tiles):
    """A sheet of tiles behind a link; `shown` are those side by side."""

    link: str

    @property
    def width(self) -> int:
        """Width of the sheet, in pixels."""
        return min(self.num_columns, self.num_tiles) * self.tile_width

    @property
    def height(self) -> int:
        """Height of the sheet, in pixels."""
        return ceil(self.num_tiles / self.num_columns) * self.tile_height

    @property
    def shown(self) -> list[Tile]:
        """The tiles that the page shows, evenly spread over the video."""
        count = min(_SHOWN, self.num_tiles)
        return [self._tile((2 * n + 1) * self.num_tiles // (2 * count)) for n in range(count)]

    def _tile(self, number: int) -> Tile:
        return Tile(number * self.step_ms, *self.corner(number))


def read_strip(catalog: Catalog, video: Record) -> ShownStrip | None:
    """The strip of the video with this row in `videos`; None: none was made."""
    found = catalog.query(_STRIP, {"video_id": video["video_id"]}).records
    address = link(f"/strip/{video['video_id']}", of=video["analysis_key"])
    return ShownStrip(**found[0], link=address) if found else None


def read_sheet(catalog: Catalog, video_id: VideoId) -> bytes | None:
    """The JPEG of a video's strip; None: none was made."""
    rows = catalog.query(_IMAGE, {"video_id": video_id}).rows
    return rows[0][0] if rows else None
