"""What a piece of speech says, by Whisper on CTranslate2: one pass on one thread, each word with its time."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from videoxl2.speech.errors import SpeechError
from videoxl2.speech.sound.channels import Samples
from videoxl2.speech.sound.sound import RATE

WINDOW_S = 30  # what it hears at once, silence included
_SILENCE_S = 8  # behind a piece, at least, where the window has room; it need not be full
# Without time tokens the decoder reads a piece to its end; with them it stops early and loses sentences.
_HOW: dict[str, Any] = {
    "beam_size": 5,
    "temperature": 0.0,
    "batch_size": 1,
    "word_timestamps": True,
    "without_timestamps": True,
    "condition_on_previous_text": False,
}
_OF_WHISPER = {"jw": "jv"}  # languages that it calls otherwise than BCP 47


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word as the decoder writes it, with the space before it; seconds from the piece's start."""

    word: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """The words heard at once. `compression` is how often their text would fit into itself, packed."""

    words: tuple[HeardWord, ...]
    logprob: float
    no_speech_probability: float
    compression: float


class Decoder:
    """Weights that are loaded, on the CPU in 8-bit numbers."""

    def __init__(self, folder: Path) -> None:
        """SpeechError: the weights cannot be loaded."""
        import faster_whisper

        try:
            self._model = faster_whisper.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:
            raise SpeechError(f"weights in {folder} cannot be loaded: {error}", _HINT) from error
        self._pipeline = faster_whisper.BatchedInferencePipeline
        self._how = self._asked()
        self.languages: tuple[str, ...] = tuple(self._model.supported_languages)

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows more languages than one."""
        return len(self.languages) > 1

    def hear(self, sound: Samples, language: str) -> Hearing | None:
        """Write down at most 30 s of sound. None: nothing that could be written down."""
        window = with_silence(sound)
        spectrum = self._model.feature_extractor(window)[np.newaxis, :, :-1]
        lasts = {"offset": 0.0, "duration": len(window) / RATE}
        # A new one each time: it remembers when somebody spoke last, and a piece shall depend on no other.
        pipeline = self._pipeline(self._model)
        (parts,) = pipeline.forward(spectrum, self._writing(language), [lasts], self._how)
        words = tuple(
            HeardWord(word["word"], word["start"], word["end"], float(word["probability"]))
            for part in parts
            for word in part["words"]
        )
        if not words:
            return None
        first = parts[0]  # of a piece there is one
        return Hearing(words, first["avg_logprob"], first["no_speech_prob"], first["compression_ratio"])

    def _asked(self) -> Any:
        """What the pipeline makes of how it is asked. It is not told more, as it would fill every window."""
        instant = np.zeros(RATE, np.float32)
        _, info = self._pipeline(self._model).transcribe(instant, language="en", vad_filter=False, **_HOW)
        return info.transcription_options

    def _writing(self, language: str) -> Any:
        """Letters and marks of a language."""
        from faster_whisper.tokenizer import Tokenizer

        name = _whisper_name(language)
        return Tokenizer(self._model.hf_tokenizer, self.is_multilingual, task="transcribe", language=name)

    def language_of(self, sound: Samples) -> tuple[str, float]:
        """The likeliest language, as BCP 47, and how likely it is."""
        language, probability, _ = self._model.detect_language(sound)
        return _OF_WHISPER.get(language, language), float(probability)

    def knows(self, language: str | None) -> bool:
        """Whether it can write a language down, whatever its region."""
        return language is not None and _whisper_name(language) in self.languages


def with_silence(sound: Samples) -> Samples:
    """Sound and what is heard with it, whole seconds.

    Where the decoder learnt, silence fills the window. Less of it costs less; but of one second, or of four,
    it loses words.
    """
    seconds = min(WINDOW_S, ceil(len(sound) / RATE) + _SILENCE_S)
    return np.pad(sound, (0, max(0, seconds * RATE - len(sound))))


_HINT = "Give a folder with a Whisper model converted for CTranslate2, a size such as base, or a hub id."


def _whisper_name(language: str) -> str:
    primary = language.partition("-")[0]
    return next((name for name, tag in _OF_WHISPER.items() if tag == primary), primary)


@lru_cache(maxsize=1)
def load_decoder(folder: Path) -> Decoder:
    """The decoder of these weights, loaded once for each process. Raises `SpeechError`."""
    return Decoder(folder)
