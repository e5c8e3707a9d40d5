"""Sound is heard when its stamps say, counted from the first picture, whatever the container did to them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from flash_tags import moved_by
from tone_films import RATE as FILM_RATE
from tone_films import tones, write_film

from videoxl2.frames import probe
from videoxl2.frames.files.container import open_video
from videoxl2.speech.listening import clock_of, sample_clock
from videoxl2.speech.sound.channels import mixed
from videoxl2.speech.sound.clock import Placed, SampleClock
from videoxl2.speech.sound.rates import Stamped, true_rate
from videoxl2.speech.sound.sound import RATE, Block, Converter, SoundReader
from videoxl2.speech.sound.tracks import choose_track

WITHIN_MS = 30


def _tones_ms(path: Path) -> list[int]:
    """When tones begin in the film, in ms from its first picture."""
    info = probe(path)
    with open_video(path) as video:
        track = choose_track(video.container, ())
        assert track is not None
        placing = clock_of(path, video, info).of_track(track.stream.id)
        found = []
        last = Fraction(-1)
        clock = sample_clock(info.clock, video.time_base)
        for block in SoundReader(video, track.stream, clock).blocks():
            for sample in np.flatnonzero(np.abs(block.samples) > 0.1):
                at_s = block.start_s + Fraction(int(sample), RATE)
                if at_s - last > Fraction(1, 20):
                    found += [start for start, _ in placing.placed(at_s, at_s + 1)]
                last = at_s
    return found


def _near(found: list[int], truth: list[int]) -> bool:
    return len(found) == len(truth) and all(
        abs(one - true) <= WITHIN_MS for one, true in zip(found, truth, strict=True)
    )


CONTAINERS = [
    ("mp4", "aac"),
    ("mkv", "aac"),
    ("ts", "aac"),
    ("mov", "pcm_s16le"),
    ("avi", "mp2"),
    ("mkv", "flac"),
]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
def test_a_tone_is_heard_when_it_sounds_in_the_picture(tmp_path: Path, container: str, codec: str) -> None:
    """Priming, shifted starts and edit lists of each container are seen through."""
    film = write_film(tmp_path / f"a.{container}", codec, [tones(2.0, 0.5, 1.5)])
    assert _near(_tones_ms(film), [500, 1500])


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_sound_that_starts_late_stays_late(tmp_path: Path, container: str) -> None:
    """A decoder that counts samples would hear it 1.2 s too early."""
    film = write_film(tmp_path / f"a.{container}", "aac", [tones(2.0, 0.5)], sound_from_s=1.2)
    assert _near(_tones_ms(film), [1700])


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize(("before_ms", "sound_from_s"), [(1000, 0.0), (1, 0.0), (500, 1.2)])
def test_sound_goes_on_where_a_flash_counter_starts_again(
    tmp_path: Path, bits: int, before_ms: int, sound_from_s: float
) -> None:
    """FFmpeg adds 32 bits to stamps behind the wrap, whatever the recorder counts in."""
    film = write_film(tmp_path / "a.flv", "aac", [tones(2.0, 0.5, 1.5)], sound_from_s, pictures="flv1")
    film.write_bytes(moved_by((1 << bits) - before_ms, bits, film.read_bytes()))
    assert _near(_tones_ms(film), [round(sound_from_s * 1000) + at for at in (500, 1500)])


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_pictures_that_start_late_are_what_time_counts_from(tmp_path: Path, container: str) -> None:
    """Sound before the first picture has no place in the film's own time, what follows has."""
    film = write_film(tmp_path / f"a.{container}", "aac", [tones(3.0, 2.5)], pictures_from_s=1.0)
    assert _near(_tones_ms(film), [1500])


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_lost_packets_shift_nothing_that_follows(tmp_path: Path, container: str) -> None:
    """A second of sound is missing between two tones."""
    film = write_film(
        tmp_path / f"a.{container}",
        "aac",
        [tones(3.0, 0.5, 2.5)],
        is_kept=lambda at_s: not 1 <= at_s < 2,
    )
    assert _near(_tones_ms(film), [500, 2500])


@pytest.mark.parametrize(("container", "codec"), [("ts", "aac"), ("mpg", "mp2")])
def test_sound_of_glued_files_follows_their_pictures(tmp_path: Path, container: str, codec: str) -> None:
    """Two recordings byte by byte: the second one's stamps begin anew."""
    sounds = (tones(3.0, 0.5, 2.5), tones(3.0, 1.0))
    parts = [write_film(tmp_path / f"{n}.{container}", codec, [sound]) for n, sound in enumerate(sounds)]
    film = tmp_path / f"all.{container}"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert _near(_tones_ms(film), [500, 2500, 4000])


def test_the_track_in_a_wanted_language_is_heard_first(tmp_path: Path) -> None:
    """Then the default one; why it was chosen is said."""
    silence = tones(0.2)
    film = write_film(tmp_path / "a.mkv", "aac", [silence] * 3, languages=("eng", "deu", "fra"), default=1)
    with open_video(film) as video:
        found = [choose_track(video.container, wanted) for wanted in ((), ("fr",), ("es", "en"), ("es",))]
        chosen = [(one.stream.index, one.language, one.chosen_by) for one in found if one]
    assert chosen == [
        (2, "de", "default"),
        (3, "fr", "language"),
        (1, "en", "language"),
        (2, "de", "default"),
    ]


def test_channels_that_cancel_each_other_out_are_heard() -> None:
    """Their mean is silence; of others the mean is what is heard."""
    left = (10_000 * np.sin(np.arange(1600) / 5)).astype(np.int16)
    opposite = np.stack([left, -left], axis=1).reshape(-1)
    alike = np.stack([left, left], axis=1).reshape(-1)
    one_sided = np.stack([left, 0 * left], axis=1).reshape(-1)
    scaled = left.astype(np.float32) / 32768
    assert np.allclose(mixed(opposite, 2), scaled)
    assert np.allclose(mixed(alike, 2), scaled)
    assert np.allclose(mixed(one_sided, 2), scaled / 2)


def _frames(rate: int, layout: str, seconds: int) -> list[av.AudioFrame]:
    channels = 1 if layout == "mono" else 2
    sound = np.full((1, channels * 1000), 1000, np.int16)
    frames = []
    for number in range(rate * seconds // 1000):
        frame = av.AudioFrame.from_ndarray(sound, "s16", layout)
        frame.sample_rate, frame.pts = rate, number * 1000
        frames.append(frame)
    return frames


def _converted(*parts: list[av.AudioFrame]) -> list[Block]:
    converter = Converter(0, Placed(Fraction(3)))
    blocks = [one for part in parts for frame in part for one in converter.take_in(frame, frame.sample_rate)]
    return [*blocks, *converter.rest()]


def test_sound_that_changes_its_rate_and_layout_goes_on() -> None:
    """Every block begins where the one before has ended."""
    blocks = _converted(_frames(44_000, "mono", 2), _frames(48_000, "stereo", 2))
    ends = [block.start_s + Fraction(len(block.samples), RATE) for block in blocks]
    assert [block.start_s for block in blocks] == [Fraction(3), *ends[:-1]]
    assert abs(ends[-1] - 7) < Fraction(1, 1000)


def test_what_was_given_before_is_left_out_of_a_block() -> None:
    """The head of a frame that overlaps with the one before."""
    converter = Converter(0, Placed(Fraction(5), skip_s=Fraction(1, 4)))
    frames = _frames(16_000, "mono", 2)
    blocks = [one for frame in frames for one in converter.take_in(frame, 16_000)] + [*converter.rest()]
    assert blocks[0].start_s == 5
    assert sum(len(block.samples) for block in blocks) == 2 * RATE - RATE // 4


def test_the_clock_follows_gaps_and_cuts_overlaps() -> None:
    """Small steps are rounding; a long step back is a clock that begins anew."""
    clock, tenth = SampleClock(), Fraction(1, 10)
    assert clock.place(Fraction(1), tenth) == Placed(Fraction(1), is_new=True)
    assert clock.place(Fraction(115, 100), tenth) == Placed(Fraction(11, 10))
    assert clock.place(Fraction(2), tenth) == Placed(Fraction(2), is_new=True)
    assert clock.place(Fraction(19, 10), tenth).is_left_out
    overlapping = Placed(Fraction(21, 10), Fraction(1, 10), is_new=True)
    assert clock.place(Fraction(2), Fraction(2, 10)) == overlapping
    assert clock.place(Fraction(-60), tenth) == Placed(Fraction(22, 10))
    assert clock.place(Fraction(-60) + tenth, tenth) == Placed(Fraction(23, 10))
    assert (clock.num_gaps, clock.num_overlaps, clock.is_restless) == (1, 1, False)


def test_a_single_stamp_that_is_wrong_moves_nothing_else() -> None:
    """Ten hours ahead and back."""
    clock, second = SampleClock(), Fraction(1)
    starts = [clock.place(Fraction(at), second).start_s for at in (0, 1, 36_000, 3, 4, 5)]
    assert starts == [0, 1, 36_000, 3, 4, 5]


def test_a_wrong_rate_is_not_missed_frame_by_frame() -> None:
    """Each frame is 5 % too long, which is less than what is forgiven; together they are not."""
    clock = SampleClock()
    placed = [clock.place(Fraction(number, 10), Fraction(105, 1000)) for number in range(40)]
    assert all(abs(one.start_s - Fraction(number, 10)) < Fraction(1, 10) for number, one in enumerate(placed))
    assert clock.num_overlaps > 0


def test_stamps_that_jump_all_the_time_are_not_followed() -> None:
    """So that sound is not cut to pieces."""
    clock = SampleClock()
    news = [clock.place(Fraction(number, 10) + number % 2, Fraction(1, 10)).is_new for number in range(300)]
    assert clock.is_restless
    assert sum(news) <= 11


def test_pieces_of_a_joined_clock_go_on_from_each_other() -> None:
    """Of several shifts the one that fits is taken; sound and pictures then share one clock."""
    clock, second = SampleClock((Fraction(0), Fraction(-995))), Fraction(1)
    starts = [clock.place(Fraction(at), second).start_s for at in (3, 4, 1000, 1001)]
    assert starts == [3, 4, 5, 6]
    assert clock.num_gaps == 0


def _stamped(said: int, true: int, gap_at: int = 0) -> list[Stamped]:
    return [
        Stamped(Fraction(number * 1024, true) + (3 if gap_at and number >= gap_at else 0), 1024, said)
        for number in range(160)
    ]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (_stamped(48_000, 48_000), None),
        (_stamped(24_000, 48_000), 48_000),
        (_stamped(44_100, 32_000), 32_000),
        (_stamped(48_000, 48_000, gap_at=40), None),
        (_stamped(24_000, 48_000, gap_at=40), 48_000),
        (_stamped(24_000, 48_000)[:20], None),
        ([], None),
    ],
)
def test_the_rate_that_stamps_tell(frames: list[Stamped], expected: int | None) -> None:
    """A gap among them does not make a rate wrong; too few say nothing."""
    assert true_rate(frames) == expected


def test_films_of_tests_are_as_loud_as_they_say() -> None:
    """The tone is where the drawn sound has it."""
    assert np.flatnonzero(np.abs(tones(1.0, 0.25)[0]) > 0.1)[0] in range(FILM_RATE // 4, FILM_RATE // 4 + 20)
