"""Commands to copy: whatever is wrong, the screen shows what to type next."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

_HERE = {"index", "endpoint_url"}  # where the index is now, not where it was then
_ONCE = {"plan", "sample", "limit", "allow_mass_deletion"}  # were meant for that one run


@dataclass(frozen=True)
class IndexPlace:
    """The name of this index on the command line."""

    index: str
    endpoint_url: str | None = None

    def command(self, verb: str, *arguments: str) -> str:
        """One line for a shell: `media-index VERB --index … ARGUMENTS`."""
        where = ["--index", self.index]
        where += ["--endpoint-url", self.endpoint_url] if self.endpoint_url else []
        return " ".join(map(_quote, ["media-index", verb, *where, *arguments]))

    def again(self, settings_json: str, library: str, verb: str = "run", *flags: str) -> str:
        """The command with a run's settings, as `runs.settings_json` has them; else with its `library`."""
        try:
            said = json.loads(settings_json)
        except ValueError:
            said = None
        settings = {"library": library, "model": None, **(said if isinstance(said, dict) else {})}
        return self.command(verb, *flags, *_flags(settings))


def _quote(argument: str) -> str:
    """Quote as `shlex.quote`, but SQL's own quotes stay readable, and control characters harm no terminal."""
    if not argument.isprintable():
        safe = "".join(c if c.isprintable() and c not in "\\'" else _escape(c) for c in argument)
        return f"$'{safe}'"
    if "'" in argument and not set('"$`\\!') & set(argument):
        return f'"{argument}"'
    return shlex.quote(argument)


def _escape(character: str) -> str:
    """Escape as bash, zsh and POSIX.1-2024 read it inside `$'…'`."""
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def _flags(settings: dict[str, Any]) -> list[str]:
    """Those that differ from what is so without them."""
    from jobs.settings.config import Settings  # pydantic, which most verbs do without
    from jobs.settings.model import FLAGS

    defaults = Settings(library="", index="", model="").model_dump(mode="json")  # written as runs have them
    flags: list[str] = []
    for name, value in settings.items():
        if (
            value is None
            or name in _HERE | _ONCE
            or name not in Settings.model_fields
            or value == defaults.get(name)
        ):
            continue
        flag = "--" + FLAGS.get(name, name).replace("_", "-")
        if isinstance(value, bool):
            flags += [flag] if value else []
        else:
            for one in value if isinstance(value, list) else [value]:
                flags += [flag, str(one)]
    return flags
