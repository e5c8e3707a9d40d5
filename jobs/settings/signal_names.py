"""Which signals are read unless others are named. Names alone: help texts tell them and load nothing else."""

DEFAULT_SIGNALS = ("captions", "shots", "cues", "strip")  # all that need no more than their name
NO_SIGNALS = "none"
