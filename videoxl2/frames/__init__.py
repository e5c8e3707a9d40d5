"""Read frames: a video file to sampled RGB frames with their true times.

    info = probe(path)                              # what it is, how long it really lasts
    grid = plan_sampling(info, fps=Fraction(1))     # which instants are wanted
    for frames in read_frames(path, grid): ...      # one pass, or
    read_span(path, info, grid, grid.spans(128)[3]) # any piece on its own, the same bytes

A frame is the picture *on screen* at its target: the last one whose pts is not after it. Targets count
from the first picture, in exact rationals.

    reading    targets, spans, keyframes, cuts     which packets to decode for which instants
    probing    what a file is and how long         its length, its clock, what its containers say
    clocks     when each picture is shown          stamps that jump, wrap, lie or are missing
    files      bytes to packets to pictures        guards against hostile files, decoders, damage
    errors     what can be wrong with a file

A room imports only from those below it, and `reading` knows ticks that grow, never how a container's stamps
became them.

Imports PyAV and numpy; nothing of the model. `reading.stills.thumbnail`, one small JPEG for people, needs
Pillow and is imported by itself.
"""

from videoxl2.frames.errors import (
    EmptyFile,
    LimitExceeded,
    MediaError,
    NoVideo,
    UndecodableVideo,
    UnreadableMedia,
    UnsupportedCodec,
    UnsupportedFormat,
)
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.probing.probe import probe
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span, plan_sampling
from videoxl2.frames.reading.choosing.targets import FrameFlag
from videoxl2.frames.reading.frame_span import FrameSpan
from videoxl2.frames.reading.reader import read_frames, read_span, read_spans

__all__ = [
    "DEFAULT_LIMITS",
    "EmptyFile",
    "FrameFlag",
    "FrameSpan",
    "LimitExceeded",
    "Limits",
    "MediaError",
    "MediaInfo",
    "NoVideo",
    "SamplingGrid",
    "Span",
    "UndecodableVideo",
    "UnreadableMedia",
    "UnsupportedCodec",
    "UnsupportedFormat",
    "plan_sampling",
    "probe",
    "read_frames",
    "read_span",
    "read_spans",
]
