"""The verb `config`, and the page of the documentation that says the same."""

import sys
from pathlib import Path
from typing import Any

import click

from jobs.cli.settings import Setting, check_keys, value_of
from jobs.cli.verb import Verb, config_option, known_settings, verb
from jobs.settings.file import SETTINGS_FILE, SettingsFile
from jobs.ui.terminal import say, show_json

_ABOUT = """# Settings

<!-- Written by `python -m jobs.cli.config docs/settings.md` from the verbs and jobs/cli/config.md. -->
"""
_OF_MODELS = """## Options of models

`--model-option KEY=VALUE` sets what one family of models has and others have not; `media-index doctor`
lists those of a checkpoint with their values. An option that the model has not is refused; of several models
that `eval` compares each gets those that it has. They are part of the recipe: rows of other values are stale
(`stale_model`).
"""
_INTRO = Path(__file__).with_name("config.md").read_text(encoding="utf-8")


class _Config(Verb):
    """Hints of other verbs lead here, so it lists all settings first and tells of a wrong key then."""

    checks_keys = False


@verb("config", "config --config nightly.toml --json", cls=_Config)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
@click.pass_obj
def config(file: SettingsFile, as_json: bool) -> None:
    """Show all settings: which value each has, whether the settings file says so, and which verbs take it."""
    known = known_settings()
    rows = [_resolved(setting, file) for setting in known.values()]
    if as_json:
        show_json({"file": str(file.path) if file.path else None, "settings": rows})
    else:
        _show(rows, file)
    check_keys(file, known)


def _show(rows: list[dict[str, Any]], file: SettingsFile) -> None:
    from jobs.ui.tables import show_rows

    say(f"settings file: {file.path or f'none: no {SETTINGS_FILE} here or above'}", err=True)
    shown = [
        (row["key"], row["default"] if row["value"] is None else row["value"], row["from"]) for row in rows
    ]
    show_rows(("key", "value", "from"), shown)


def _resolved(setting: Setting, file: SettingsFile) -> dict[str, Any]:
    is_said = setting.key in file.values
    return {
        "key": setting.key,
        "value": value_of(setting.option, file) if is_said else None,
        "default": setting.default,
        "from": str(file.path) if is_said else "default",
        "verbs": list(setting.verbs),
        "help": setting.option.help,
    }


def settings_page() -> str:
    """The page of the documentation; the same for the same flags."""
    lines = ["| key | default | verbs | what it says |", "|---|---|---|---|"]
    for setting in known_settings().values():
        said = str(setting.option.help).replace("|", "\\|")
        verbs = ", ".join(setting.verbs)
        lines.append(f"| `{setting.key}` | {setting.default} | {verbs} | {said} |")
    return "\n".join([_ABOUT, _INTRO, *lines, "", *_option_lines(), ""])


def _option_lines() -> list[str]:
    """The part about options of one family of models."""
    from videoxl2.network.configs.model_options import OPTIONS

    rows = (
        f"| `{one.key}` | {', '.join(one.families)} | {one.default} | {one.takes} | {one.said} |"
        for one in OPTIONS
    )
    return [_OF_MODELS, "| option | of | default | takes | what it says |", "|---|---|---|---|---|", *rows]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(settings_page(), encoding="utf-8")
