"""Pictures at 64 x 36 in luma and 32 x 18 in chroma, for as little as can be done.

Of large pictures every second, fourth or eighth line stands for those around it, so that each small pixel is
the mean of at least 200.
"""

from collections.abc import Sequence

from av.filter.graph import Graph
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

WIDTH, HEIGHT = 64, 36
SIDES = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))  # of Y, U, V
_AREA, _FAST = int(Interpolation.AREA), int(Interpolation.FAST_BILINEAR)
_LARGE = 1_500_000  # pixels, from which on some stand for the others
_FEWEST = 4 * HEIGHT  # lines that are left
_SAMPLES = 200 * WIDTH * HEIGHT  # and pixels: with fewer, grain looks like movement
_SPACES = frozenset({1, 2, 4, 5, 6, 7, 9})  # matrices of colours (ITU-T H.273, 8.3) that filters take
_COARSE = (5 * WIDTH, 5 * HEIGHT)  # what large pictures of other formats are seen at

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
    """Leaves out half of the lines so many times, by telling where the others are, and squashes the rest.

    On the left even lines stay, on the right odd ones, so neither field of an interlaced picture is missed.
    """

    def __init__(self, kind: _Kind, num_halvings: int) -> None:
        self.kind = kind
        width, height, space, color_range = kind
        said = f"{width}x{height}:pix_fmt=yuv420p:time_base=1/1:colorspace={space}:range={color_range}"
        graph = Graph()
        graph.threads = 1
        self._source, self._sink = graph.add("buffer", f"video_size={said}"), graph.add("buffersink")
        both, joined = graph.add("split"), graph.add("hstack")
        self._source.link_to(both)
        for n, fields in enumerate((_even(num_halvings), _odd(num_halvings))):
            half = graph.add("crop", f"{width // 2}:{height}:{n * width // 2}:0")
            scale = graph.add("scale", f"{WIDTH // 2}:{HEIGHT}:flags=area")
            both.link_to(half, n)
            graph.link_nodes(half, *(graph.add("field", field) for field in fields), scale)
            scale.link_to(joined, 0, n)
        graph.link_nodes(joined, self._sink).configure()
        self._graph = graph  # its nodes do not keep it alive

    def shrunk(self, picture: VideoFrame) -> VideoFrame:
        self._source.push(picture)
        small = self._sink.pull()
        assert isinstance(small, VideoFrame)
        return small


def _even(num_halvings: int) -> list[str]:
    """The field that stays, of each halving in turn: of so many lines the even one nearest to the middle."""
    return ["top"] * max(1, num_halvings - 1) + ["bottom"] * (num_halvings > 1)


def _odd(num_halvings: int) -> list[str]:
    return ["bottom"] * max(1, num_halvings - 1) + ["top"] * (num_halvings > 1)


def _num_halvings(picture: VideoFrame) -> int:
    """How often every second line can be left out, in chroma, too; 0: not at all."""
    width, height = picture.width, picture.height
    if width * height < _LARGE or width % 4 or not _is_usual(picture):
        return 0
    halvings = 0
    while (
        height >> (halvings + 1) >= _FEWEST
        and width * height >> (halvings + 1) >= _SAMPLES
        and height % (4 << halvings) == 0
    ):
        halvings += 1
    return halvings


def _is_usual(picture: VideoFrame) -> bool:
    """Whether its format is the common one, its colours of limited range and of a space that filters know."""
    return (
        picture.format.name == "yuv420p"
        and picture.colorspace in _SPACES
        and picture.color_range != ColorRange.JPEG
    )
