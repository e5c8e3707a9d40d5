"""The line of times that WebVTT and SubRip share."""

from jobs.exports.moments import ExportedVideo, Moment
from jobs.ui.words import hms


def cue_times(source: ExportedVideo, moment: Moment, decimal_mark: str) -> str:
    """Return `00:00:01.500 --> 00:00:03.000` on the player's clock; a cue lasts a millisecond at least."""
    return times_line(source, moment.start_ms, moment.end_ms, decimal_mark)


def times_line(source: ExportedVideo, start_ms: int, end_ms: int, decimal_mark: str) -> str:
    """The same of a stretch of the film, in ms from its first picture."""
    start_ms, end_ms = source.on_player(start_ms), source.on_player(end_ms)
    return f"{_clock(start_ms, decimal_mark)} --> {_clock(max(end_ms, start_ms + 1), decimal_mark)}"


def _clock(ms: int, decimal_mark: str) -> str:
    hours, minutes, seconds, rest = hms(ms)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{rest:03}"
