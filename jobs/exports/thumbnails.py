"""A track of pictures for players: WebVTT whose cues name rectangles of a JPEG beside it.

Players such as Video.js, JW Player and Plyr read it; `#xywh=` is a media fragment (W3C).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from jobs.exports.cue import times_line
from jobs.exports.moments import ExportedVideo, read_videos
from jobs.exports.webvtt import escaped
from jobs.ui.tiles import Tiles
from schemas.identity import VideoId
from storage.query.catalog import Catalog

_STRIP = """
SELECT num_tiles, num_columns, tile_width, tile_height, step_ms, image FROM strips
WHERE video_id = $video_id AND media_type = 'image/jpeg' LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Sheet(Tiles):
    """A video's tiles, on one JPEG."""

    image: bytes


def read_sheets(catalog: Catalog, video_id: VideoId | None = None) -> Iterator[tuple[ExportedVideo, Sheet]]:
    """All videos of the index, or one, each with its sheet; those without one are left out."""
    for source in read_videos(catalog, video_id):
        for row in catalog.query(_STRIP, {"video_id": source.video_id}).rows:
            yield source, Sheet(*row)


def to_thumbnail_track(source: ExportedVideo, sheet: Sheet, image_name: str) -> str:
    """WebVTT, a cue for each tile, on the player's clock. The last one ends with the video."""
    blocks = ["WEBVTT", f"NOTE {escaped(source.uri)}"]
    for number in range(sheet.num_tiles):
        x, y = sheet.corner(number)
        end_ms = (number + 1) * sheet.step_ms if number + 1 < sheet.num_tiles else source.duration_ms
        times = times_line(source, number * sheet.step_ms, end_ms, ".")
        at = f"{x},{y},{sheet.tile_width},{sheet.tile_height}"
        blocks.append(f"{times}\n{quote(image_name)}#xywh={at}")
    return "\n\n".join(blocks) + "\n"
