"""A picture of all scenes found: a row for each film, under each scene what the index says of it.

Where the storyboard is known, a word that is true of the scene is green and one that is not is red.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from storyboard import Film, Scene

from storage.query.catalog import open_catalog

_TILE, _CAPTION, _GAP, _MARGIN = (256, 144), 66, 10, 24  # pixels
_PAPER, _INK, _FAINT = (250, 249, 245), (30, 32, 38), (120, 124, 132)
_TRUE, _FALSE = (22, 120, 64), (196, 40, 40)
_MOST = 6  # scenes in a row; a longer film goes on below
_SCENES = """
    SELECT v.title, v.uri, s.start_ms, s.end_ms, s.title, s.setting, s.time_of_day, s.actions, k.image
    FROM videos v JOIN scenes s USING (video_id)
    LEFT JOIN keyframes k ON k.video_id = s.video_id AND k.table_name = 'scenes'
        AND k.row_index = s.scene_index
    ORDER BY v.uri, s.start_ms
"""


def write_contact_sheet(index: Path, file: Path, films: dict[str, Film]) -> None:
    """`films` are the storyboards that are known, by file name."""
    by_film: dict[tuple[str, str], list[Sequence[Any]]] = {}
    for title, uri, *scene in open_catalog(str(index)).query(_SCENES).rows:
        by_film.setdefault((title or "", uri.rpartition("/")[2]), []).append(scene)
    lines = {film: -(-len(scenes) // _MOST) for film, scenes in by_film.items()}
    height = 2 * _MARGIN + sum(34 + n * (_TILE[1] + _CAPTION) for n in lines.values())
    sheet = Image.new("RGB", (2 * _MARGIN + _MOST * (_TILE[0] + _GAP), height), _PAPER)
    pen, top = ImageDraw.Draw(sheet), _MARGIN
    for (title, name), scenes in by_film.items():
        pen.text((_MARGIN, top), title or name, _INK, _font(18))
        for number, shown in enumerate(scenes):
            row, column = divmod(number, _MOST)
            at = (_MARGIN + column * (_TILE[0] + _GAP), top + 28 + row * (_TILE[1] + _CAPTION))
            _draw_scene(sheet, pen, at, shown, films.get(name))
        top += 34 + lines[title, name] * (_TILE[1] + _CAPTION)
    sheet.save(file)


def _draw_scene(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, at: tuple[int, int], scene: Sequence[Any], film: Film | None
) -> None:
    start_ms, end_ms, title, setting, time_of_day, actions, image = scene
    x, y = at
    if image is not None:
        picture = Image.open(io.BytesIO(image))
        picture.thumbnail(_TILE)
        sheet.paste(picture, (x + (_TILE[0] - picture.width) // 2, y))
    true = film.scenes[film.scene_at((start_ms + end_ms) / 2000)] if film else None
    pen.text((x, y + _TILE[1] + 4), f"{start_ms / 1000:.1f} - {end_ms / 1000:.1f} s", _FAINT, _font(12))
    pen.text((x, y + _TILE[1] + 19), _fitting(pen, title, _TILE[0], 14), _INK, _font(14))
    left = x
    for said, is_true in _words(setting, time_of_day, actions, true):
        colour = _FAINT if is_true is None else _TRUE if is_true else _FALSE
        said = _fitting(pen, said, x + _TILE[0] - left, 12)
        pen.text((left, y + _TILE[1] + 38), said, colour, _font(12))
        left += round(pen.textlength(said + "  ", _font(12)))


def _words(
    setting: str, time_of_day: str, actions: list[str], true: Scene | None
) -> list[tuple[str, bool | None]]:
    if true is None:
        return [(word, None) for word in (setting, time_of_day, *actions)]
    told = [(setting, setting == true.setting), (time_of_day, time_of_day == true.time_of_day)]
    return [*told, *((action, action == true.action) for action in actions)]


def _fitting(pen: ImageDraw.ImageDraw, text: str, width: int, size: int) -> str:
    """As much of the text as there is room for."""
    while text and pen.textlength(text, _font(size)) > width:
        text = text[:-1]
    return text


def _font(size: int) -> Any:
    return ImageFont.load_default(size)
