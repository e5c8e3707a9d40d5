"""The settings file `media-index.toml`: in this folder or above it, its keys the names of flags."""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.failures import UsageError

SETTINGS_FILE = "media-index.toml"


@dataclass(frozen=True)
class SettingsFile:
    """The values of one file by the name of their flag, with dashes. Without a `path` there is none."""

    path: Path | None
    values: Mapping[str, Any]

    def located(self, value: str) -> str:
        """A path in the file, which is relative to the file; `~` is this user's folder."""
        path = Path(value).expanduser()
        if path.is_absolute() or self.path is None or self.path.parent == Path.cwd():
            return str(path) if value.startswith("~") else value
        return os.path.normpath(self.path.parent / path)


def find_settings_file(folder: Path) -> Path | None:
    """The nearest one, from this folder upwards."""
    return next((file for each in _upwards(folder) if (file := each / SETTINGS_FILE).is_file()), None)


def _upwards(folder: Path) -> Iterator[Path]:
    """This folder and those that it lies in, as far as they are this project's and this user's.

    The home folder and one with `.git` are the last ones; a folder above that everybody may write to, such
    as /tmp, is not looked into.
    """
    for each in (folder, *folder.parents):
        if each != folder and _is_everybodys(each):
            return
        yield each
        if each == Path.home() or (each / ".git").exists():
            return


def _is_everybodys(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return True


def read_settings_file(named: Path | None) -> SettingsFile:
    """The file that was named, else the nearest one. UsageError: it cannot be read, or says a key twice."""
    file = named or find_settings_file(Path.cwd())
    if file is None:
        return SettingsFile(None, {})
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"settings file {file} does not exist", "Check --config.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {file} is not TOML: {error}", "Correct that line.") from None
    except OSError as error:
        raise UsageError(f"settings file {file}: {error.strerror}", "Check --config.") from None
    values: dict[str, Any] = {}
    for key, value in said.items():
        flag = key.replace("_", "-")
        if flag in values:
            raise UsageError(f"settings file {file} says {flag} twice", "Leave one of them out.")
        values[flag] = value
    return SettingsFile(Path(os.path.abspath(file)), values)  # noqa: PTH100 - links in it stay as written
