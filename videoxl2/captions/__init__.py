"""Captions: what a video says in writing, from tracks inside its file, from its pictures, and from sidecars.

    texts = read_texts(path, probe(path))        # tracks with their cues, and chapters
    info, texts = probe_texts(path)              # the same in one pass
    track = read_sidecar("film.en.srt", "film.mp4", data, probe(path))

    reading    one file, while it is probed or in a pass of its own
    hearing    what such a pass hears
    tracks     tracks of what was collected
    carriers   what packets of which streams carry
    cea608     codes beside pictures to cues
    sidecars   captions in files beside the video
    ttml       documents, in MP4 and as sidecars
    times      labels of a time code to times
    placing    from a stream's clock to the film's
    markup     words out of the marks of each format
    settling   cues in order and inside the film
    records    what all of it is read into

Nothing is decoded: text tracks carry their words in their packets, and captions in pictures (CEA-608) stand
at the head of a picture's packet. Times count from the first picture, on the same clock as frames.

Imports PyAV, not torch, and of the other rooms only `videoxl2.frames`.
"""

from videoxl2.captions.reading import probe_texts, read_texts
from videoxl2.captions.records import Chapter, Cue, Texts, Track
from videoxl2.captions.sidecars.names import sidecars_to_read
from videoxl2.captions.sidecars.reading import list_sidecar, read_sidecar

__all__ = [
    "Chapter",
    "Cue",
    "Texts",
    "Track",
    "list_sidecar",
    "probe_texts",
    "read_sidecar",
    "read_texts",
    "sidecars_to_read",
]
