"""Watching: one pass over a film for all that looks at every picture of it, or listens to all of its sound.

    watched = watch(path, probe(path), [shots, cues])     # each has methods for what it wants
    watched.failures                                       # one that fails leaves the others alone

    watching   the pass
    watcher    what can be wanted: pictures, small ones in chunks, sound
    ear        the sound track, decoded as its packets pass by

Each picture is decoded once, in order, and shown at the time that sampled frames have. Nothing is kept but a
chunk of small pictures and a second of sound. Needs no torch.
"""

from videoxl2.watching.watcher import PictureWatcher, SmallPictureWatcher, SoundBlock, SoundWatcher, Watcher
from videoxl2.watching.watching import Watched, watch

__all__ = [
    "PictureWatcher",
    "SmallPictureWatcher",
    "SoundBlock",
    "SoundWatcher",
    "Watched",
    "Watcher",
    "watch",
]
