"""Speech: what is said in a video, with a time for each word, on a CPU.

    weights = find_speech_weights("base")        # a folder, a size or a hub id
    heard = listen(path, probe(path), weights.folder)

    listening   one video: a pass over its sound, a piece at a time
    decoding    pieces to words and rows, without what nobody said
    runs        where somebody speaks, cut at silences
    sound       one stream as blocks of 16 kHz, each at its time
    weights     where a decoder's files are, and what tells them apart
    records     what is said, in milliseconds    errors    why nothing can be heard

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
