"""Signals: what a CPU reads off a video without the model.

    signal     what one is, and how it is told apart from what it was before
    captions   texts that come with a video: tracks, CEA-608, sidecars; and chapters
    strip      tiny pictures of all of it on one sheet
    shots      where shots begin and end, and a picture of each
    cues       what a machine sees and hears without understanding it
    watching   one pass over a video for all signals that watch it
    outcomes   what came of reading one signal
    reading    a video's signals, each by itself: one that fails leaves the others alone
    known      those that there are, by name

A signal never knows Ray, the index or the model. docs/signals.md shows how another one is added.
"""
