"""HTML templates: text from outside is escaped and harmless, and numbers are written by the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs.ui import words

_FILTERS = (
    words.clock,
    words.file_name,
    words.hours,
    words.moment,
    words.percent,
    words.seconds,
    words.size,
    words.timecode,
)


def templates_in(folder: Path, show: Callable[[str], str]) -> Environment:
    """The templates of a folder. `show` is applied to every text but what is HTML already."""
    templates = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _shown(value, show),
    )
    templates.filters |= {each.__name__: each for each in _FILTERS}
    return templates


def _shown(value: Any, show: Callable[[str], str]) -> Any:
    return show(value) if type(value) is str else value
