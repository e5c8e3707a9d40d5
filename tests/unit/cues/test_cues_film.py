"""Cues of films made to hold them: where each begins and ends, and that it ends with the film."""

from fractions import Fraction

import av
import numpy as np
import pytest
from cue_films import RATE, SIZE, flat, moving, scene, write_pictures

from videoxl2.cues import FilmCues
from videoxl2.frames import probe
from videoxl2.watching import watch

PICTURE_MS = 40
BLACK = flat(0, 0, 0)


def cues_of(path):
    """All cues of a film, by kind."""
    info = probe(path)
    film = FilmCues(info)
    watched = watch(path, info, film.watchers)
    assert not watched.failures
    found: dict[str, list] = {}
    for cue in film.finish(watched.sound):
        found.setdefault(cue.kind, []).append(cue)
    return found


def spans(cues):
    return [(cue.start_ms, cue.end_ms) for cue in cues]


def color_bars():
    """Upright bars over a row of black and white, as test charts have them."""
    colours = [
        (192, 192, 192),
        (192, 192, 0),
        (0, 192, 192),
        (0, 192, 0),
        (192, 0, 192),
        (192, 0, 0),
        (0, 0, 192),
    ]
    width, height = SIZE
    chart = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(colours):
        chart[: height * 2 // 3, number * width // 7 : (number + 1) * width // 7] = colour
    chart[height * 2 // 3 :, width // 4 : width // 2] = 255
    return chart


def boxed(pictures, rows=0, columns=0):
    """The pictures with black over so many rows at top and bottom, and columns at the sides."""
    for picture in pictures:
        boxed = picture.copy()
        if rows:
            boxed[:rows] = boxed[-rows:] = 0
        if columns:
            boxed[:, :columns] = boxed[:, -columns:] = 0
        yield boxed


def noise(seconds, loudness=0.1):
    return np.random.default_rng(5).normal(0, loudness, (2, round(seconds * RATE))).astype(np.float32)


def tone(seconds, frequency=1000):
    wave = 0.5 * np.sin(2 * np.pi * frequency / RATE * np.arange(round(seconds * RATE)))
    return np.stack([wave, wave]).astype(np.float32)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A film: 2 s, black to 4 s, 1 s, frozen to 8 s, bars with a tone to 11 s, letterbox to 14 s, 1 s."""
    still = scene(3, 40)
    pictures = [
        *moving(1, 50),
        *[BLACK] * 50,
        *moving(2, 25),
        *[still] * 75,
        *[color_bars()] * 75,
        *boxed(moving(4, 75), rows=20),
        *moving(5, 25),
    ]
    silent = np.zeros((2, 2 * RATE), np.float32)
    sound = np.concatenate([noise(4), silent, noise(2), tone(3), noise(4)], axis=1)
    folder = tmp_path_factory.mktemp("cues")
    return cues_of(write_pictures(folder / "cues.mp4", pictures, sound))


def test_black_is_told_to_the_picture(found):
    assert spans(found["black"]) == [(2000, 4000)]


def test_a_freeze_begins_with_its_first_picture_and_black_and_bars_are_none(found):
    assert spans(found["freeze"]) == [(5000, 8000)]


def test_bars_and_their_tone_are_told(found):
    """The tone to a tenth of a second and a hertz."""
    assert spans(found["color_bars"]) == [(8000, 11000)]
    ((start, end),) = spans(found["tone"])
    assert abs(start - 8000) <= 100
    assert abs(end - 11000) <= 130
    assert found["tone"][0].value == pytest.approx(1000, abs=1)


def test_a_letterbox_is_measured_on_full_pictures(found):
    """20 of 180 rows at either end leave 320 x 140, which small pictures could not tell."""
    assert spans(found["letterbox"]) == [(11000, 14000)]
    assert found["letterbox"][0].value == pytest.approx(320 / 140, abs=0.03)
    assert "pillarbox" not in found


def test_silence_is_told_within_what_the_coder_smears(found):
    ((start, end),) = spans(found["silence"])
    assert abs(start - 4000) <= 30
    assert abs(end - 6000) <= 30


def test_loudness_is_that_of_the_standard(found):
    """White noise of 0.1 with breaks, and a tone at -9 dBFS: gated, K-weighted, within what AAC changes."""
    assert spans(found["loudness"]) == spans(found["peak"])
    assert -14 < found["loudness"][0].value < -8
    assert found["peak"][0].value == pytest.approx(-6, abs=2.5)


def test_what_holds_at_the_end_ends_with_the_film(tmp_path):
    """Black and silence from 2 s to the end; FFmpeg's filters would say no end."""
    sound = np.concatenate([noise(2), np.zeros((2, 2 * RATE), np.float32)], axis=1)
    found = cues_of(write_pictures(tmp_path / "end.mkv", [*moving(1, 50), *[BLACK] * 50], sound))
    assert spans(found["black"]) == [(2000, 4000)]
    ((start, end),) = spans(found["silence"])
    assert abs(start - 2000) <= 30
    assert end == 4000


def test_a_film_that_ends_frozen_says_so(tmp_path):
    found = cues_of(write_pictures(tmp_path / "end.mp4", [*moving(1, 25), *[scene(2)] * 50]))
    assert spans(found["freeze"]) == [(1000, 3000)]


def test_bars_beside_a_vertical_picture_are_a_pillarbox(tmp_path):
    """And stored sideways they are a letterbox to whoever looks."""
    pictures = list(boxed(moving(1, 75), columns=40))
    upright = cues_of(write_pictures(tmp_path / "upright.mp4", pictures))
    turned = cues_of(write_pictures(tmp_path / "turned.mp4", pictures, rotation=90))
    assert [(kind, spans(cues)) for kind, cues in upright.items()] == [("pillarbox", [(0, 3000)])]
    assert upright["pillarbox"][0].value == pytest.approx(240 / 180, abs=0.03)
    assert [(kind, spans(cues)) for kind, cues in turned.items()] == [("letterbox", [(0, 3000)])]
    assert turned["letterbox"][0].value == pytest.approx(180 / 240, abs=0.03)


def test_a_dark_scene_and_a_noisy_one_are_no_cue(tmp_path):
    """Night is not black, and dark edges of a picture are no bars; noise is no freeze."""
    random = np.random.default_rng(1)
    night = [
        (scene(1, n) // 6 + random.integers(0, 12, (SIZE[1], SIZE[0], 1))).astype(np.uint8) for n in range(75)
    ]
    assert cues_of(write_pictures(tmp_path / "night.mp4", night)) == {}


def test_a_timelapse_is_not_frozen_and_a_slide_that_stays_is(tmp_path):
    """One picture every ten seconds, and one for a minute."""
    times = [Fraction(10 * n + 60 * (n > 5)) for n in range(12)]
    path = write_pictures(tmp_path / "lapse.mp4", [scene(n) for n in range(12)], times=times)
    assert [spans(cues) for cues in cues_of(path).values()] == [[(50_000, 120_000)]]


def test_one_picture_has_no_cue_but_black(tmp_path):
    assert cues_of(write_pictures(tmp_path / "one.mp4", [scene(1)])) == {}
    assert cues_of(write_pictures(tmp_path / "none.mp4", [BLACK] * 6)).keys() == {"black"}


def test_silence_without_a_sound_track_is_none(tmp_path):
    assert "silence" not in cues_of(write_pictures(tmp_path / "mute.mp4", moving(1, 50)))


def test_sound_beyond_the_pictures_ends_with_them(tmp_path):
    sound = np.concatenate([noise(1), np.zeros((2, 4 * RATE), np.float32)], axis=1)
    found = cues_of(write_pictures(tmp_path / "long.mkv", moving(1, 75), sound))
    assert found["silence"][0].end_ms == 3000


def test_mono_sound_is_measured_as_it_is(tmp_path):
    found = cues_of(write_pictures(tmp_path / "mono.mkv", moving(1, 25), tone(1.0)[:1]))
    assert found["tone"][0].value == pytest.approx(1000, abs=1)


def test_damaged_pictures_are_told_up_to_the_next_key(tmp_path):
    """Zeros in place of a packet, in the second of four groups of a second each: its picture is not shown at
    all, those after it are built on it."""
    options = {"preset": "ultrafast", "qp": "20", "g": "25", "sc_threshold": "0", "threads": "1"}
    path = write_pictures(tmp_path / "holed.mp4", moving(1, 100), options=options)
    with av.open(str(path)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    with path.open("r+b") as data:
        data.seek(packets[35].pos)
        data.write(bytes(packets[35].size))
    assert spans(cues_of(path)["damaged"]) == [(1440, 2000)]


def test_an_interlaced_film_has_the_cues_of_any_other(tmp_path):
    """Fields are pictures like others: black is black."""
    options = {"preset": "ultrafast", "qp": "20", "x264-params": "interlaced=1:threads=1"}
    pictures = [*moving(1, 25), *[BLACK] * 25]
    path = write_pictures(tmp_path / "fields.mp4", pictures, options=options)
    assert [(kind, spans(cues)) for kind, cues in cues_of(path).items()] == [("black", [(1000, 2000)])]
