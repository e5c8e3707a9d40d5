"""SubRip subtitles (.srt), to be read while watching: the title on one line, what happens on the next; or
what is said."""

from collections.abc import Sequence

from jobs.exports.cue import cue_times
from jobs.exports.formats import SAID
from jobs.exports.moments import ExportedVideo, Moment
from jobs.exports.one_line import one_line

# SubRip has no escapes, and players take <…> for tags and {…} for positions: look-alikes keep the text.
_LOOK_ALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def to_subrip(source: ExportedVideo, moments: Sequence[Moment]) -> str:
    """Cues and nothing else: SubRip has no place for comments, so none says which model wrote them."""
    return "\n".join(
        f"{number}\n{cue_times(source, moment, ',')}\n{_payload(moment)}\n"
        for number, moment in enumerate(moments, start=1)
    )


def _payload(moment: Moment) -> str:
    is_said = moment.kind in SAID
    said = moment.text.splitlines() if is_said else (moment.name, moment.text)
    lines = filter(None, map(one_line, said))
    return "\n".join(lines).translate(_LOOK_ALIKES)
