"""Commands to copy: whatever is wrong, the screen shows what to type next."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from jobs.config import Settings

_FLAGS = {"packs": "--pack", "extensions": "--extension"}  # others are called as their setting
_DEFAULTS = {
    name: json.loads(json.dumps(field.default, default=str))
    for name, field in Settings.model_fields.items()
    if not field.is_required()
}
_LONGEST = 300  # characters of a URI in a command; beyond, the id is easier to copy


@dataclass(frozen=True)
class Place:
    """How this index is named on the command line."""

    index: str
    endpoint_url: str | None = None

    def command(self, verb: str, *arguments: str) -> str:
        """One line for a shell: `media-index VERB --index … ARGUMENTS`."""
        where = ["--index", self.index]
        where += ["--endpoint-url", self.endpoint_url] if self.endpoint_url else []
        return " ".join(map(_quote, ["media-index", verb, *where, *arguments]))

    def about(self, verb: str, uri: str, video_id: str) -> str:
        """A command on one video, by its URI where a terminal can show that."""
        is_typed = uri.isprintable() and 0 < len(uri) <= _LONGEST and not uri.startswith("-")
        return self.command(verb, uri if is_typed else video_id)

    def again(self, settings_json: str, library: str, verb: str = "run") -> str:
        """The command of an earlier run, from `runs.settings_json`; `library` is for rows without any."""
        try:
            said = json.loads(settings_json)
        except ValueError:
            said = None
        settings = said if isinstance(said, dict) else {}
        settings = {"library": library, **settings}
        for name in ("index", "endpoint_url"):  # where it is now
            settings.pop(name, None)
        return self.command(verb, *_flags(settings))


def _quote(argument: str) -> str:
    """As `shlex.quote`, but SQL's own quotes stay readable."""
    if "'" in argument and not set('"$`\\!') & set(argument):
        return f'"{argument}"'
    return shlex.quote(argument)


def _flags(settings: dict[str, Any]) -> list[str]:
    """Those that differ from what is so without them."""
    flags: list[str] = []
    for name, value in settings.items():
        if name not in Settings.model_fields or value is None or value == _DEFAULTS.get(name):
            continue
        flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
        if isinstance(value, bool):
            flags += [flag] if value else []
        else:
            for one in value if isinstance(value, list) else [value]:
                flags += [flag, str(one)]
    return flags
