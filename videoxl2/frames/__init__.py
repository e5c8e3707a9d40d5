"""Read frames: a video file to sampled RGB frames with their true times.

    info = probe(path)                              # what it is, how long it really lasts
    grid = plan_sampling(info, fps=Fraction(1))     # which instants are wanted
    for frames in read_frames(path, grid): ...      # one pass, or
    read_span(path, info, grid, grid.spans(128)[3]) # any piece on its own, the same bytes

A frame is the picture *on screen* at its target: the last one whose pts is not after it. Targets count
from the first picture, in exact rationals.

    errors      what can be wrong with a file        container   hostile files: guards, limits, stream choice
    packets     stored order, GOPs, damage           timeline    times measured from packets
    probe       MediaInfo                            sampling    the grid of targets and its spans
    targets     instants as ticks, held pictures     decoder     packets to pictures
    scheduler   which packets to decode              entry       where to begin
    pixels      resize and rotation                  reader      spans of numpy frames
    cuts        where boundaries move to             keyframes   small pictures of given instants
    thumbnail   one small picture for a page

Imports PyAV and numpy; nothing of the model. `thumbnail`, one small JPEG for people, needs Pillow and is
imported by itself.
"""

from videoxl2.frames.container import DEFAULT_LIMITS, Limits
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
from videoxl2.frames.probe import MediaInfo, probe
from videoxl2.frames.reader import FrameSpan, read_frames, read_span, read_spans
from videoxl2.frames.sampling import SamplingGrid, Span, plan_sampling
from videoxl2.frames.targets import FrameFlag

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
