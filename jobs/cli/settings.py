"""Where flags get their values from: the command line, else the settings file, else their default."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from jobs.settings.file import SettingsFile
from schemas.failures import UsageError

# Flags that allow or aim one command, so that a file must not say them for all that follow.
SAID_EACH_TIME = frozenset({"config", "force", "help", "new-index", "output", "save", "yes"})
# Flags that mean something else to these verbs than to `run`, whose settings the file holds.
_OWN = {
    "eval": frozenset({"fps", "limit", "max-frames"}),
    "report": frozenset({"since"}),
    "search": frozenset({"limit", "since"}),
}
_DEFAULT = re.compile(r"\[(.+)\]$")
_PLACES = frozenset({"index", "inventory", "library"})  # a path or an s3:// URL
_PLACES_OR_NAMES = frozenset({"model", "pack", "speech"})


@dataclass(frozen=True)
class Setting:
    """One key of the settings file, and the verbs that it tells something."""

    key: str
    option: click.Option
    verbs: tuple[str, ...]

    @property
    def default(self) -> str:
        """The value without it, as its help says."""
        said = _DEFAULT.search(self.option.help or "")
        if said is not None:
            return said[1]
        if self.option.is_flag:
            return "false"
        return str(self.option.default) if self.option.show_default else ""


def flag_of(option: click.Parameter) -> str:
    """The option's name on the command line, without the dashes before it."""
    return max(option.opts, key=len).lstrip("-")


def find_settings(verbs: Mapping[str, click.Command]) -> dict[str, Setting]:
    """Find every key, in the order of the verbs; a verb's own meaning of a flag is not counted."""
    options: dict[str, click.Option] = {}
    users: dict[str, list[str]] = {}
    for name, verb in verbs.items():
        for flag, option in _settable(verb):
            options.setdefault(flag, option)
            users.setdefault(flag, []).append(name)
    return {flag: Setting(flag, option, tuple(users[flag])) for flag, option in options.items()}


def check_keys(file: SettingsFile, known: Mapping[str, Setting]) -> None:
    """Check the keys of a settings file; those of other verbs do no harm. UsageError: a key that no verb
    knows."""
    for flag in file.values:
        if flag not in known:
            raise UsageError(f"unknown setting {flag} in {file.path}", _hint_for(flag, known))


def defaults_for(verb: click.Command, file: SettingsFile) -> dict[str, Any]:
    """Return what the file says to this verb, by parameter. UsageError: a list, say, where a number must
    be."""
    return {
        str(option.name): value_of(option, file) for flag, option in _settable(verb) if flag in file.values
    }


def _settable(verb: click.Command) -> Iterator[tuple[str, click.Option]]:
    own = _OWN.get(str(verb.name), frozenset())
    for param in verb.params:
        if isinstance(param, click.Option) and (flag := flag_of(param)) not in SAID_EACH_TIME | own:
            yield flag, param


def _hint_for(flag: str, known: Mapping[str, Setting]) -> str:
    if flag in SAID_EACH_TIME:
        return f"Give --{flag} on the command line: it is meant for one command."
    if close := difflib.get_close_matches(flag, known, n=1):
        return f"Did you mean {close[0]}?"
    return "`media-index config` lists all settings."


def value_of(option: click.Option, file: SettingsFile) -> Any:
    """Return what the file says of this option; paths as they are from here. UsageError: as
    `defaults_for`."""
    flag = flag_of(option)
    value = file.values[flag]
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not option.multiple:
        raise UsageError(f"setting {flag} in {file.path} is a list", f"Write one value: {flag} = …")
    for one in values:
        if option.is_flag != isinstance(one, bool) or isinstance(one, dict | list):
            shape = "true or false" if option.is_flag else "one text or number"
            raise UsageError(f"setting {flag} in {file.path} is not {shape}", f"Correct it: {flag} = …")
    placed = [_located(option, flag, one, file) for one in values]
    return placed if option.multiple else placed[0]


def _located(option: click.Option, flag: str, value: Any, file: SettingsFile) -> Any:
    """Paths are relative to the file. A model or a pack is one where there is such a folder."""
    if not isinstance(value, str) or "://" in value:
        return value
    if flag in _PLACES or isinstance(option.type, click.Path):
        return file.located(value)
    if flag not in _PLACES_OR_NAMES or value in _built_in(flag):
        return value
    found = file.located(value)
    return found if value.startswith((".", "~")) or Path(found).is_dir() else value


def _built_in(flag: str) -> Collection[str]:
    """The models or packs that come with media-index."""
    if flag == "model":
        from jobs.weights import BUILT_IN

        return (BUILT_IN,)
    if flag == "speech":
        return ()
    from jobs.prompts.pack import pack_names

    return pack_names()
