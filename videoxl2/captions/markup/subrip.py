"""SubRip: the few tags and commands that players know are marks, everything else is text.

`<3`, `<John>`, `a < b` and `{note}` stay as they are.
"""

import re

from videoxl2.captions.markup.plain import tidy

_TAG = re.compile(r"</?(?:i|b|u|s|font|c|v|span)(?:[\s.][^<>]*)?/?>|<br\s*/?>", re.IGNORECASE)
_COMMAND = re.compile(r"\{\\[^{}]*\}")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "#39": "'", "nbsp": " "}
_ENTITY = re.compile(f"&({'|'.join(_ENTITIES)});")


def subrip_text(cue: str) -> str:
    """The words of one cue."""
    words = _TAG.sub(lambda tag: "\n" if tag[0][1:3].lower() == "br" else "", _COMMAND.sub("", cue))
    return tidy(_ENTITY.sub(lambda entity: _ENTITIES[entity[1]], words))
