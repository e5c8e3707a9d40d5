"""Shots: where one ends and the next begins, found in pictures of 64 x 36 as they come.

`ShotDetector` takes consecutive small pictures and gives the transitions between shots; `shots_of` makes the
shots from them. Never knows files, codecs or torch.
"""

from videoxl2.shots.detector import ShotDetector
from videoxl2.shots.transitions import Kind, Shot, Transition, shots_of

__all__ = ["Kind", "Shot", "ShotDetector", "Transition", "shots_of"]
