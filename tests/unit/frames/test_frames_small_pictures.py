"""Every picture small: right levels whatever the format, in chunks of any size."""

from fractions import Fraction

import av
import numpy as np
import pytest

from videoxl2.cues.pictures import PictureCues
from videoxl2.cues.records import Cue
from videoxl2.frames.reading.small_pictures import SmallPictureMaker, in_chunks


def _halves(width: int = 640, height: int = 360) -> np.ndarray:
    """White on the left, pure blue on the right, black below the middle."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = 255
    rgb[: height // 2, width // 2 :, 2] = 255
    return rgb


def _one(frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray]:
    maker = SmallPictureMaker()
    assert maker.add(frame, 0) is None
    pictures = maker.rest()
    return pictures.luma_N36x64[0], pictures.chroma_N2x18x32[0]


@pytest.mark.parametrize(
    "pixels", ["yuv420p", "yuv444p", "yuva420p", "yuvj420p", "rgba", "gbrp", "yuv422p10le", "p010le"]
)
@pytest.mark.parametrize("size", [(640, 360), (960, 540), (1281, 719), (1920, 1080)])
def test_levels_are_those_of_limited_range_whatever_the_format(pixels, size):
    """White is 235 and black 16, also of full range, alpha and ten bits; blue is in U."""
    frame = av.VideoFrame.from_ndarray(_halves(*size), format="rgb24").reformat(format=pixels)
    luma, chroma = _one(frame)
    assert int(luma[5, 10]) == pytest.approx(235, abs=2)
    assert int(luma[30, 10]) == pytest.approx(16, abs=2)
    assert chroma[0, 4, 25] > 200
    assert int(chroma[0, 4, 5]) == pytest.approx(128, abs=2)


def test_gray_pictures_have_no_colour():
    """Formats without chroma get the middle."""
    luma, chroma = _one(av.VideoFrame.from_ndarray(np.full((90, 160), 77, np.uint8), format="gray"))
    assert np.ptp(luma) == 0
    assert (chroma == 128).all()


def test_a_pixel_is_the_mean_of_its_area():
    """So noise goes and a thin line dims what it crosses, but never vanishes."""
    gray = np.full((360, 640), 100, np.uint8)
    gray[:, 325] = 200  # a tenth of its pixel
    frame = av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, -1), format="rgb24").reformat(
        format="yuv420p"
    )
    luma, _ = _one(frame)
    assert 5 <= int(luma[18, 32]) - int(luma[18, 20]) <= 12


@pytest.mark.parametrize("side", [20, 30])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p"])
def test_large_pictures_are_nearly_the_mean_of_their_areas(side, pixels):
    """Noise of ten levels becomes one of less than two, and what is smooth stays."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[: 36 * side, : 64 * side]
    smooth = (60 + 40 * np.sin(x / 130) + 40 * np.sin(y / 90) + 40).astype(np.float32)
    noisy = smooth + random.normal(0, 10, smooth.shape)

    def luma_of(gray):
        rgb = np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, -1)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixels)
        return _one(frame)[0].astype(float)

    means = smooth.reshape(36, side, 64, side).mean(axis=(1, 3)) * 219 / 255 + 16
    assert np.abs(luma_of(smooth) - means).max() < 4  # samples are taken a little to the left
    assert (luma_of(noisy) - luma_of(smooth)).std() < 2.2


def _of_luma(luma: np.ndarray) -> av.VideoFrame:
    height, width = luma.shape
    gray = np.full(height * width // 2, 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(
        np.concatenate([luma.reshape(-1), gray]).reshape(height * 3 // 2, width), format="yuv420p"
    )
    frame.colorspace = 1
    return frame


@pytest.mark.parametrize("lines", [540, 576, 720, 1080])
def test_grain_leaves_still_pictures_still(lines):
    """Of two levels, which is what film has: a freeze holds for as long as they are shown."""
    random = np.random.default_rng(3)
    width = lines * 16 // 9
    y, x = np.mgrid[:lines, :width]
    scene = (110 + 50 * np.sin(x / 90) + 30 * np.cos(y / 70)).astype(np.float32)
    maker, cues = SmallPictureMaker(), PictureCues(1600)
    grain = 2 * random.standard_normal((lines, width), np.float32)
    for at_ms in range(0, 1600, 100):
        moved = np.roll(grain, (97 * at_ms // 100, 131 * at_ms // 100), (0, 1))
        maker.add(_of_luma((scene + moved).astype(np.uint8)), at_ms)
    cues.small(maker.rest())
    assert list(cues.finish(1600)) == [Cue("freeze", 0, 1600)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("lines", [720, 800, 1080, 2160])
def test_no_field_is_missed(lines, first):
    """What only even lines show, or only odd ones, is seen; what all show has its own level."""
    luma = np.full((lines, max(1280, lines * 16 // 9, 1920 * (lines == 800))), 16, np.uint8)
    luma[first::2] = 200
    small, _ = _one(_of_luma(luma))
    assert (small > 100).sum() >= small.size / 2
    luma[:] = 200
    small, _ = _one(_of_luma(luma))
    assert np.abs(small.astype(int) - 200).max() <= 1


@pytest.mark.parametrize("lines", [1080, 1440])
def test_both_halves_of_large_pictures_are_where_they_belong(lines):
    """A slope goes on over the middle, in luma and from top to bottom."""
    y, x = np.mgrid[:lines, : lines * 16 // 9]
    slope = (16 + 100 * y / lines + 100 * x / x.shape[1]).astype(np.uint8)
    small, _ = _one(_of_luma(slope))
    rows, columns = np.mgrid[:36, :64] + 0.5
    assert np.abs(small - (16 + 100 * rows / 36 + 100 * columns / 64)).max() < 2


@pytest.mark.parametrize("space", [1, 3, 9, 10, 14, 200])
def test_levels_of_large_pictures_do_not_hang_on_what_colours_mean(space):
    """Also where it is reserved, or something that filters refuse."""
    frame = av.VideoFrame.from_ndarray(_halves(1920, 1080), format="rgb24").reformat(format="yuv420p")
    frame.colorspace = space
    luma, chroma = _one(frame)
    assert int(luma[5, 10]) == pytest.approx(235, abs=2)
    assert chroma[0, 4, 25] > 200


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_large_pictures_that_are_stored_upside_down_are_upright(width, height):
    """As filters and some files have them: the first line comes last."""
    graph, pixels = av.filter.Graph(), av.VideoFormat("yuv420p")
    source = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("vflip"), graph.add("buffersink")).configure()
    frame = av.VideoFrame.from_ndarray(_halves(width, height)[::-1], format="rgb24").reformat(
        format="yuv420p"
    )
    graph.push(frame)
    flipped = graph.pull()
    assert isinstance(flipped, av.VideoFrame)
    assert flipped.planes[0].line_size < 0
    luma, chroma = _one(flipped)
    assert luma[5, 10] > 230 > 20 > luma[30, 10]
    assert chroma[0, 4, 25] > 200


def test_pictures_that_change_their_size_and_format_go_on():
    """A stream may do so in the middle."""
    frames = [
        av.VideoFrame.from_ndarray(_halves(w, h), format="rgb24").reformat(format=f)
        for w, h, f in [(640, 360, "yuv420p"), (360, 640, "yuv420p"), (16, 16, "rgba"), (641, 3, "yuv444p")]
    ]
    (pictures,) = in_chunks((frame, 40 * n) for n, frame in enumerate(frames))
    assert pictures.start_ms_N.tolist() == [0, 40, 80, 120]
    assert (pictures.luma_N36x64[:, 2, 5] > 225).all()


def test_chunks_hold_the_same_pictures_whatever_their_size():
    """Earlier chunks are not written over; times that do not grow are left out."""
    frames = [
        av.VideoFrame.from_ndarray(np.full((36, 64), n, np.uint8), format="gray") for n in range(20, 31)
    ]
    times = [0, 10, 20, 20, 30, 40, 50, 49, 60, 70, 80]
    whole = list(in_chunks(zip(frames, times, strict=True), 100))
    parts = list(in_chunks(zip(frames, times, strict=True), 3))
    assert [len(part) for part in parts] == [3, 3, 3]
    assert whole[0].start_ms_N.tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    for name in ("luma_N36x64", "chroma_N2x18x32", "start_ms_N"):
        assert (getattr(whole[0], name) == np.concatenate([getattr(part, name) for part in parts])).all()
