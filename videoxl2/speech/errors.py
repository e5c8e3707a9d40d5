"""Why nothing can be heard here: what is not installed, and weights that are none."""

from videoxl2.errors import ModelError


class SpeechError(ModelError):
    """Error of weights with which no speech can be read on this machine."""


class NotDownloaded(SpeechError):  # noqa: N818 - the name says what happened
    """Weights of the hub that are not on this machine."""
