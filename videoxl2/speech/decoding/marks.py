"""Marks that end a sentence, as decoders write them."""

import re

_ENDS = re.compile(r"[.!?…。！？][\"'”’)\]]*$")


def ends_sentence(written: str) -> bool:
    """Whether a sentence ends with this word."""
    return _ENDS.search(written) is not None
