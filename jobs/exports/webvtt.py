"""WebVTT (W3C): chapters, a cue per moment with its title; or captions, a cue as it is."""

from collections.abc import Sequence

from jobs.exports.cue import cue_times
from jobs.exports.formats import SAID
from jobs.exports.moments import ExportedVideo, Moment, models_of
from jobs.exports.one_line import one_line
from jobs.ui.made_by import notes_on

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_webvtt(source: ExportedVideo, moments: Sequence[Moment]) -> str:
    """Return a video's moments as WebVTT, escaped so that no title can end a cue (`-->`, empty lines) or open
    a tag."""
    blocks = ["WEBVTT", f"NOTE {escaped(source.uri)}, recipe {escaped(source.recipe_id)}"]
    models = models_of(source, moments)
    blocks += [f"NOTE by model {escaped(model.model_id or '')}, {model.model_revision}" for model in models]
    blocks += [f"NOTE {escaped(note)}" for note in notes_on(models)]
    blocks += [
        f"{number}\n{cue_times(source, moment, '.')}\n{_payload(moment)}"
        for number, moment in enumerate(moments, start=1)
    ]
    return "\n\n".join(blocks) + "\n"


def _payload(moment: Moment) -> str:
    if moment.kind not in SAID:
        return escaped(moment.name)
    voice = f"<v {escaped(moment.category)}>" if moment.category else ""
    return voice + "\n".join(filter(None, map(escaped, moment.text.splitlines())))


def escaped(text: str) -> str:
    """One line without marks: it can end no cue and open no tag."""
    return one_line(text).translate(_ESCAPES)
