"""Text from models and files, made fit for formats in which a line end means something."""

import unicodedata


def one_line(text: str) -> str:
    """Line ends, tabs and control characters become single spaces; letters of any script stay."""
    return " ".join("".join(" " if unicodedata.category(c) in _BREAKS else c for c in text).split())


def cut(text: str, num_characters: int) -> str:
    """Cut to at most so many characters, with an ellipsis where something is gone."""
    return text if len(text) <= num_characters else text[: num_characters - 1].rstrip() + "…"


_BREAKS = {"Cc", "Cs", "Zl", "Zp"}  # control, half a surrogate pair, line and paragraph separator
