"""Captions: what a video says in writing, from tracks inside its file, from its pictures, and from sidecars.

    texts = read_texts(path, probe(path))        # tracks with their cues, and chapters

    reading    one file: a pass over its packets, its tracks, its chapters
    tracks     tracks of what was collected
    carriers   what packets of which streams carry
    cea608     codes beside pictures to cues
    placing    from a stream's clock to the film's
    markup     words out of the marks of each format
    settling   cues in order and inside the film
    records    what all of it is read into

Nothing is decoded: text tracks carry their words in their packets, and captions in pictures (CEA-608) stand
at the head of a picture's packet. Times count from the first picture, on the same clock as frames.

Imports PyAV, not torch, and of the other rooms only `videoxl2.frames`.
"""

from videoxl2.captions.reading import read_texts
from videoxl2.captions.records import Chapter, Cue, Texts, Track

__all__ = ["Chapter", "Cue", "Texts", "Track", "read_texts"]
