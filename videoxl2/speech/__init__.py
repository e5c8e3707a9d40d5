"""Speech: what is said in a video, with a time for each word, on a CPU.

    weights = find_speech_weights("base")        # a folder, a size or a hub id
    heard = listen(path, probe(path), weights.folder)

    listening   one video: a pass over its sound, a piece at a time
    weights     where a decoder's files are, and what tells them apart
    sentences   words to rows
    marks       what ends a sentence
    words       when each word is said
    hearing     what the runs of a piece say, without what nobody said
    guards      what tells invented words
    languages   in which language a piece is written down
    decoder     Whisper, on CTranslate2
    pieces      runs that are heard at once
    runs        where somebody speaks, cut at silences
    voice       how likely somebody speaks
    sound       one stream as blocks of 16 kHz, each at its time
    clock       when sound is heard: stamps against counted samples
    rates       the rate that stamps tell
    channels    several channels into one
    tracks      which of several sound streams is heard

Sound is read packet by packet and forgotten behind the run in hand, so memory does not grow with the film.
What runs the weights is imported when something is heard, and not before. Needs no torch.
"""

from videoxl2.speech.errors import NotDownloaded, SpeechError
from videoxl2.speech.listening import listen
from videoxl2.speech.records import Dropped, Heard, HeardTrack, Said, Word
from videoxl2.speech.weights import (
    NEEDED_FILES,
    NEEDED_MODULES,
    WEIGHT_FILES,
    WEIGHTS_FILE,
    SpeechWeights,
    engine_versions,
    find_speech_weights,
)

__all__ = [
    "NEEDED_FILES",
    "NEEDED_MODULES",
    "WEIGHTS_FILE",
    "WEIGHT_FILES",
    "Dropped",
    "Heard",
    "HeardTrack",
    "NotDownloaded",
    "Said",
    "SpeechError",
    "SpeechWeights",
    "Word",
    "engine_versions",
    "find_speech_weights",
    "listen",
]
