"""Why nothing can be heard here: what is not installed, and weights that are none."""

from videoxl2.errors import ModelError


class SpeechError(ModelError):
    """Raised where no speech can be read with these weights on this machine."""


class NotDownloaded(SpeechError):  # noqa: N818 - the name says what happened
    """Weights of the hub that are not on this machine."""
