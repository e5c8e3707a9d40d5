"""Why no text can be read here."""

from videoxl2.errors import ModelError


class ScreenTextError(ModelError):
    """Text in pictures cannot be read on this machine."""
