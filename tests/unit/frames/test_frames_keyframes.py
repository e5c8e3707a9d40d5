"""Keyframes: the pictures asked for, as a player shows them, from any container."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from videoxl2.frames import probe
from videoxl2.frames.reading.stills.keyframes import read_keyframes

SIZE = 96  # of `numbers`


def decoded(keyframe) -> np.ndarray:
    """`uint8 [height, width, 3]`, sides and format checked on the way."""
    with Image.open(io.BytesIO(keyframe.image)) as image:
        assert (image.format, image.size) == ("JPEG", (keyframe.width, keyframe.height))
        return np.asarray(image)


def shown_in(numbers, keyframes) -> dict[int, int]:
    """The picture number in each."""
    pictures = [Image.fromarray(decoded(one)).resize((SIZE, SIZE)) for one in keyframes.values()]
    return dict(zip(keyframes, numbers(np.stack([np.asarray(one) for one in pictures])), strict=True))


def test_pictures_are_those_on_screen(made, read_plainly, numbers):
    """In every codec and container; asked for in any order, and by a picture's own rounded time as well."""
    clip, path = made
    info = probe(path)
    _, begins_ms = read_plainly(path, [k * Fraction(7, 10) for k in range(info.duration_ms // 700 + 1)])
    asked_ms = {*begins_ms, *range(0, info.duration_ms, 430), info.duration_ms - 1}
    if clip.name == "h264.avi":  # whose pictures have no times for a plain reader to find them by
        asked_ms = set(range(0, info.duration_ms, 430))
    got = read_keyframes(path, info, list(asked_ms)[::-1])
    assert list(got) == sorted(asked_ms)
    assert {(one.width, one.height, one.is_damaged) for one in got.values()} == {(192, 128, False)}
    at_s = [Fraction(2 * ms + 1, 2000) for ms in got]
    found = shown_in(numbers, got)
    if clip.name != "h264.avi":
        frames, _ = read_plainly(path, at_s)
        assert list(found.values()) == numbers(frames)
    else:
        assert list(found.values()) == [int(second * clip.rate) for second in at_s]


def test_a_slide_is_shown_however_long(make, numbers):
    """The picture on screen is the rule, also minutes after it came."""
    path = make("slides.mkv", times=(Fraction(0), Fraction(1), Fraction(400)), time_base=Fraction(1, 1000))
    got = read_keyframes(path, probe(path), [500, 1000, 399_000, 400_000])
    assert shown_in(numbers, got) == {500: 0, 1000: 1, 399_000: 1, 400_000: 2}


@pytest.mark.parametrize(("turn", "quarter_turns"), [(90, 1), (180, 2), (-90, 3)])
def test_phone_videos_stand_upright(make, turn, quarter_turns):
    """As large as the turned picture, and turned as a player turns it."""
    path = make("turned.mp4", num_frames=30, size=(640, 320), rotation=turn)
    plain = make("plain.mp4", num_frames=30, size=(640, 320))
    got, stored = (decoded(read_keyframes(one, probe(one), [500])[500]) for one in (path, plain))
    assert stored.shape == (160, 320, 3)
    expected = np.rot90(stored, quarter_turns)
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).mean() < 4  # of 255; JPEG is not the same turned


@pytest.mark.parametrize(("aspect", "shown"), [(Fraction(16, 11), (262, 144)), (Fraction(1, 2), (90, 144))])
def test_pixels_become_square(tmp_path, aspect, shown):
    """A wide or tall pixel is as wide or tall in the picture, which is not made larger than the film."""
    path = tmp_path / "anamorphic.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 180, 144, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        blank = np.zeros((144, 180, 3), np.uint8)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(blank, format="rgb24")))
        out.mux(stream.encode(None))
    info = probe(path)
    keyframe = read_keyframes(path, info, [0])[0]
    assert info.pixel_aspect == aspect
    assert (keyframe.width, keyframe.height) == shown
    assert decoded(keyframe).shape == (shown[1], shown[0], 3)


def test_damage_is_said_and_no_other_moment_is_shown(tmp_path, make, numbers):
    """Around a hole in the file: what is not marked is right, what is lost is left out."""
    data = bytearray(make("hole.mp4", num_frames=400).read_bytes())
    start, stop = len(data) * 45 // 100, len(data) * 52 // 100
    data[start:stop] = bytes(stop - start)
    path = tmp_path / "hole.mp4"
    path.write_bytes(data)
    info = probe(path)
    instants_ms = range(0, 16_000, 200)
    got = read_keyframes(path, info, instants_ms)
    found = shown_in(numbers, got)
    sound = {ms: number for ms, number in found.items() if not got[ms].is_damaged}
    assert sound == {ms: ms // 40 for ms in sound}
    assert 40 < len(sound) < len(instants_ms)


def test_nothing_asked_for_reads_nothing(tmp_path, make):
    """And an instant after the end is the caller's mistake."""
    path = make("short.mp4", num_frames=10)
    info = probe(path)
    assert read_keyframes(tmp_path / "no such file", info, []) == {}
    for outside_ms in (-1, info.duration_ms):
        with pytest.raises(ValueError, match="not inside 400 ms"):
            read_keyframes(path, info, [0, outside_ms])
