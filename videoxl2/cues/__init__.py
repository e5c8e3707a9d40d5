"""Cues: what a machine sees and hears in a film without understanding it.

    cues = FilmCues(info)
    watched = watch(path, info, cues.watchers)
    cues.finish(watched.sound)          # black, freeze, bars, letterbox, silence, tone, loudness, …

    film        all cues of one film, in order
    pictures    black, freezes, colour bars, damage
    boxes       letterbox and pillarbox
    endings     credits and slates, which are candidates
    sound       silence, tones, peaks
    loudness    EBU R128, by libavfilter
    spans       stretches in which something holds, found as pictures come
    records     what all of it is told as

Works on small pictures and on seconds of sound as they come, and keeps neither. What holds at the end of a
film ends with it. Needs no torch.
"""

from videoxl2.cues.film import FilmCues
from videoxl2.cues.records import Cue, CueKind

__all__ = ["Cue", "CueKind", "FilmCues"]
