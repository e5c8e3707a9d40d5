"""Tiles on a sheet, as the table `strips` has them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles of a sheet, `num_columns` side by side, one for each `step_ms` of a film. Sides in pixels."""

    num_tiles: int
    num_columns: int
    tile_width: int
    tile_height: int
    step_ms: int

    def corner(self, number: int) -> tuple[int, int]:
        """Return x and y of the upper left corner of a tile, by its number from 0."""
        row, column = divmod(number, self.num_columns)
        return column * self.tile_width, row * self.tile_height
