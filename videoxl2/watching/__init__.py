"""Watching: one pass over a film for all that looks at every picture of it, or listens to all of its sound.

    watched = watch(path, probe(path), [shots, cues])     # each has methods for what it wants
    watched.failures                                       # one that fails leaves the others alone

    watching      the pass
    watcher       what can be wanted: pictures, small ones in chunks, sound
    ear           the sound track, decoded as its packets pass by
    sound_frames  frames of sound as arrays and back
    frames        a model's frames, taken as the pictures pass by

Each picture is decoded once, in order, and shown at the time that sampled frames have. Nothing is kept but a
chunk of small pictures and a second of sound. Needs no torch.
"""

from videoxl2.watching.frames import FramesWanted, can_take_frames
from videoxl2.watching.watcher import PictureWatcher, SmallPictureWatcher, SoundBlock, SoundWatcher, Watcher
from videoxl2.watching.watching import Watched, watch, watch_with_frames

__all__ = [
    "FramesWanted",
    "PictureWatcher",
    "SmallPictureWatcher",
    "SoundBlock",
    "SoundWatcher",
    "Watched",
    "Watcher",
    "can_take_frames",
    "watch",
    "watch_with_frames",
]
