"""The built-in checkpoint's domain on files: drawn films are inside however encoded, scenery is not."""

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from domain_fit import UNSEEN, encoded, measured
from storyboard import draw_film

from jobs.weights import BUILT_IN, find_weights
from schemas.failures import PreflightError
from videoxl2.domain import NUM_PICTURES, SIDE, read_pictures
from videoxl2.frames import UndecodableVideo, probe


@pytest.fixture(scope="module")
def small():
    """What it says of itself."""
    return find_weights(BUILT_IN).domain


def write_film(path: Path, pictures, codec="libx264", fps=10) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = pictures[0].shape[:2]
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def scenery(seed: int, height: int = 180, width: int = 320) -> np.ndarray:
    """A picture with the spectrum of natural ones (amplitude falls as 1/f), and a camera's noise."""
    draw = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = 1
    layers = []
    for _ in range(3):
        spectrum = np.fft.rfft2(draw.normal(size=(height, width))) / frequency
        layer = np.fft.irfft2(spectrum, (height, width))
        layers.append(layer / layer.std() * 45 + 120 + draw.normal(size=layer.shape) * 3)
    return np.clip(0.6 * layers[0][..., None] + 0.4 * np.stack(layers, -1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("number", "how"), [(900, UNSEEN[1]), (901, UNSEEN[2])], ids=["vp8", "mjpeg"])
def test_a_drawn_film_is_inside_however_it_is_encoded(small, number, how):
    """Films of the test part by codecs that no fit has seen."""
    distance = small.distance(encoded(draw_film("test", number), how, number))
    assert distance < small.max_distance - 0.2


def test_scenery_is_outside(small, tmp_path):
    """By a wide margin."""
    path = write_film(tmp_path / "scenery.mp4", [scenery(seed) for seed in range(24)])
    assert small.distance(measured(path)) > small.max_distance + 1


def test_twelve_pictures_are_spread_over_the_film(tmp_path):
    """Those in the middle of each twelfth; a shorter film gives some of them twice."""
    shades = [np.full((48, 64, 3), 2 * number, np.uint8) for number in range(120)]
    path = write_film(tmp_path / "ramp.mkv", shades, "ffv1")
    pictures = read_pictures(path, probe(path))
    assert pictures.shape == (NUM_PICTURES, SIDE, SIDE, 3)
    assert np.abs(pictures.mean(axis=(1, 2, 3)) - (10 + 20 * np.arange(12))).max() <= 2
    one = write_film(tmp_path / "one.mkv", shades[:1], "ffv1")
    assert len(read_pictures(one, probe(one))) == NUM_PICTURES


def test_a_slide_of_an_hour_is_seen(tmp_path):
    """However long a picture stays on screen."""
    path = tmp_path / "slides.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number * 3600, Fraction(1)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert len(read_pictures(path, probe(path))) == NUM_PICTURES


def test_a_film_without_pictures_is_not_judged(tmp_path):
    """Its pictures are garbage: an error, no verdict."""
    path = write_film(tmp_path / "film.mp4", [scenery(1)] * 12)
    info, data = probe(path), bytearray(path.read_bytes())
    start = data.index(b"mdat") + 8
    data[start : start + 20_000] = bytes(20_000)
    path.write_bytes(data)
    with pytest.raises(UndecodableVideo):
        read_pictures(path, info)


def test_a_copy_of_the_built_in_checkpoint_keeps_its_domain(tmp_path):
    """Also where the file was left out; another checkpoint's broken one stops the run before it begins."""
    folder = find_weights(BUILT_IN).folder
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "domain.json").unlink()
    assert find_weights(str(copy)).domain.revision == find_weights(BUILT_IN).domain.revision
    config = (copy / "config.json").read_text()
    (copy / "config.json").write_text(config + " ")
    assert find_weights(str(copy)).domain is None
    (copy / "domain.json").write_text("[]")
    with pytest.raises(PreflightError, match="does not describe"):
        find_weights(str(copy))
