"""Pictures at 64 x 36 in luma and 32 x 18 in chroma, for as little as can be done.

Of large pictures every second, fourth or eighth line stands for those around it: four to eight of each small
pixel, over its whole width.
"""

from collections.abc import Sequence

from av.filter.graph import Graph
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

WIDTH, HEIGHT = 64, 36
SIDES = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))  # of Y, U, V
_AREA, _FAST = int(Interpolation.AREA), int(Interpolation.FAST_BILINEAR)
_TALL = 540  # lines from which on some are left out
_FEWEST = 4 * HEIGHT  # that are left
_SPACES = frozenset({1, 2, 4, 5, 6, 7, 9})  # matrices of colours (ITU-T H.273, 8.3) that filters take
_LARGE = 1_500_000  # pixels, from which on 25 samples stand for the area of a small pixel in other formats
_COARSE = (5 * WIDTH, 5 * HEIGHT)

_Kind = tuple[int, int, int, int]  # width, height, colour space, colour range


class Shrinker:
    """Squashes pictures of one film. Keep one per film: its scaling tables are reused."""

    def __init__(self) -> None:
        self._whole, self._to_coarse = VideoReformatter(), VideoReformatter()
        self._some: _SomeLines | None = None

    def planes(self, picture: VideoFrame) -> Sequence[VideoPlane]:
        """Y, U and V, in the limited range of video; each line may be followed by others' bytes.

        Raises FFmpegError or ValueError for a picture whose format is none.
        """
        if num_halvings := _num_halvings(picture):
            return self._of_some_lines(picture, num_halvings).planes
        if picture.width * picture.height >= _LARGE:
            picture = self._to_coarse.reformat(picture, *_COARSE, "yuv420p", interpolation=_FAST, threads=1)
        return self._whole.reformat(picture, WIDTH, HEIGHT, "yuv420p", interpolation=_AREA, threads=1).planes

    def _of_some_lines(self, picture: VideoFrame, num_halvings: int) -> VideoFrame:
        kind = picture.width, picture.height, int(picture.colorspace), int(picture.color_range)
        if self._some is None or self._some.kind != kind:
            self._some = _SomeLines(kind, num_halvings)
        return self._some.shrunk(picture)


class _SomeLines:
    """Leaves out half of the lines so many times, by telling where the others are, and squashes the rest."""

    def __init__(self, kind: _Kind, num_halvings: int) -> None:
        self.kind = kind
        width, height, space, color_range = kind
        said = f"{width}x{height}:pix_fmt=yuv420p:time_base=1/1:colorspace={space}:range={color_range}"
        graph = Graph()
        graph.threads = 1
        fields = [graph.add("field", ("bottom", "top")[n % 2]) for n in range(num_halvings)]
        self._source, self._sink = graph.add("buffer", f"video_size={said}"), graph.add("buffersink")
        scale = graph.add("scale", f"{WIDTH}:{HEIGHT}:flags=area")
        graph.link_nodes(self._source, *fields, scale, self._sink).configure()
        self._graph = graph  # its nodes do not keep it alive

    def shrunk(self, picture: VideoFrame) -> VideoFrame:
        self._source.push(picture)
        small = self._sink.pull()
        assert isinstance(small, VideoFrame)
        return small


def _num_halvings(picture: VideoFrame) -> int:
    """How often every second line can be left out, in chroma, too; 0: not at all."""
    if picture.height < _TALL or picture.format.name != "yuv420p" or not _is_usual(picture):
        return 0
    halvings = 0
    while picture.height >> (halvings + 1) >= _FEWEST and picture.height % (4 << halvings) == 0:
        halvings += 1
    return halvings


def _is_usual(picture: VideoFrame) -> bool:
    """Whether its colours are of limited range and mean what filters know."""
    return picture.colorspace in _SPACES and picture.color_range != ColorRange.JPEG
