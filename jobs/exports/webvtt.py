"""WebVTT chapters (W3C WebVTT): one cue per moment, its payload the title."""

from collections.abc import Sequence

from jobs.exports.cue import cue_times
from jobs.exports.moments import Moment, Source, models_of
from jobs.exports.one_line import one_line
from jobs.ui.made_by import notes_on

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def to_webvtt(source: Source, moments: Sequence[Moment]) -> str:
    """Escaped, so that no title can end a cue (`-->`, empty lines) or open a tag."""
    blocks = ["WEBVTT", f"NOTE {_escape(source.uri)}, recipe {_escape(source.recipe_id)}"]
    models = models_of(source, moments)
    blocks += [f"NOTE by model {_escape(model.model_id)}, {model.model_revision}" for model in models]
    blocks += [f"NOTE {_escape(note)}" for note in notes_on(models)]
    blocks += [
        f"{number}\n{cue_times(source, moment, '.')}\n{_escape(moment.name)}"
        for number, moment in enumerate(moments, start=1)
    ]
    return "\n\n".join(blocks) + "\n"


def _escape(text: str) -> str:
    return one_line(text).translate(_ESCAPES)
