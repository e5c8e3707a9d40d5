"""The examples for schedulers run commands that exist and do what each exit code asks for."""

import ast
import configparser
import re
import runpy
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kustomized import documents
from manifests import container_faults
from places import ROOT
from typed import is_taken

from jobs.ui.exit_codes import AGAIN, MEANINGS
from schemas.failures import ExitCode

FOLDER = ROOT / "infra" / "schedulers"
SETTINGS = FOLDER.parent / "kubernetes" / "base" / "media-index.toml"
CODES = {int(code) for code in ExitCode}
REPEATED = {int(code) for code, meaning in MEANINGS.items() if meaning.then == AGAIN}
FINE = {int(ExitCode.DONE), int(ExitCode.DONE_WITH_FAILURES)}
BUSY = int(ExitCode.LEASE_HELD)
UNIT = {"Description", "Wants", "After", "StartLimitIntervalSec", "StartLimitBurst"}
SERVICE = {
    *("Type", "User", "ExecStart", "SuccessExitStatus", "Restart", "RestartPreventExitStatus", "RestartSec"),
    *("TimeoutStopSec", "TimeoutStartSec", "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp"),
    *("StateDirectory", "ReadWritePaths", "Environment"),
}
KNOWN = {"Unit": UNIT, "Service": SERVICE, "Timer": {"OnCalendar", "Persistent"}, "Install": {"WantedBy"}}


def codes(text: str) -> set[int]:
    return set(map(int, re.findall(r"\d+", text)))


def told_as_done(words: list[str]) -> set[int]:
    """The codes that `--ok` makes 0."""
    return {int(value) for word, value in pairwise(words) if word == "--ok"}


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(FOLDER / name)
    return parser


def unit_faults(parser: configparser.ConfigParser) -> list[str]:
    return [
        f"{section}.{key}"
        for section in parser.sections()
        for key in parser[section]
        if key not in KNOWN.get(section, set())
    ]


def test_cron_mails_what_needs_somebody():
    """Files set aside and a run that is still at work do not."""
    lines = [line for line in (FOLDER / "media-index.crontab").read_text().splitlines() if line[:1].isdigit()]
    assert lines
    for line in lines:
        *times, user, quiet, rest = line.split(maxsplit=7)
        assert len(times) == 5
        assert (user, quiet) == ("media-index", "chronic")
        assert is_taken(rest.split(), SETTINGS), rest
    assert told_as_done(lines[0].split()) == {3, BUSY}


def test_systemd_repeats_what_goes_on_by_itself():
    """Known settings alone; the rest of the codes waits for somebody."""
    service = unit("media-index.service")
    assert unit_faults(service) == unit_faults(unit("media-index.timer")) == []
    said = service["Service"]
    program, *words = said["ExecStart"].split()
    assert is_taken([Path(program).name, *words], SETTINGS)
    assert codes(said["SuccessExitStatus"]) | {0} == FINE | {BUSY}
    others = CODES - FINE - {BUSY}
    stopped = int(ExitCode.INTERRUPTED)  # by somebody, who may have had a reason
    assert codes(said["RestartPreventExitStatus"]) == others - REPEATED | {stopped}


@pytest.mark.parametrize("name", ["media-index.service", "media-index.timer"])
def test_a_misspelt_setting_is_found(name):
    """systemd itself only warns."""
    for section in unit(name).sections():
        for key in unit(name)[section]:
            wrong = unit(name)
            wrong[section][f"{key}s"] = "x"
            assert unit_faults(wrong)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path):
    """Where the command is installed."""
    text = (FOLDER / "media-index.service").read_text()
    (tmp_path / "media-index.service").write_text(
        text.replace("/opt/media-index/bin/media-index", "/bin/true")
    )
    shutil.copy(FOLDER / "media-index.timer", tmp_path)
    units = [str(tmp_path / name) for name in ("media-index.service", "media-index.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "media-index" in line] == []


def test_airflow_knows_every_exit_code():
    """What is repeated is what the table of exit codes repeats."""
    tree = ast.parse((FOLDER / "airflow_dag.py").read_text())
    said = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert is_taken(said["COMMAND"], SETTINGS)
    assert set(said["NEXT"]) >= CODES
    assert {code for code, what in said["NEXT"].items() if what == "again"} & CODES == REPEATED
    assert {code for code, what in said["NEXT"].items() if what == "done"} == FINE
    assert [code for code, what in said["NEXT"].items() if what == "skip"] == [BUSY]


class Again(Exception):  # noqa: N818 - Airflow's own have other names
    """A task that raises it is repeated."""


class Skipped(Again):
    """It counts as left out."""


class Failed(Again):
    """It is not repeated."""


def test_airflow_is_told_in_words_that_it_knows(monkeypatch):
    """By the keywords of its decorators, a night at a time; each code ends a try as the table says."""
    said: dict[str, Any] = {}

    def dag(*, schedule: str, start_date: datetime, catchup: bool, max_active_runs: int):
        said["dag"] = (start_date.tzinfo, catchup, max_active_runs, len(schedule.split()))
        return lambda made: made

    def task(*, retries: int, retry_delay: timedelta):
        said["task"] = (retries > 0, retry_delay > timedelta(0))
        return lambda made: said.setdefault("made", lambda: made)

    errors = {
        "AirflowException": Again,
        "AirflowFailException": Failed,
        "AirflowSkipException": Skipped,
    }
    for name, holds in (("", {}), (".sdk", {"dag": dag, "task": task}), (".sdk.exceptions", errors)):
        module = ModuleType(f"airflow{name}")
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    go_on = runpy.run_path(str(FOLDER / "airflow_dag.py"))["go_on"]
    assert said["dag"] == (None, False, 1, 5)
    assert said["task"] == (True, True)
    assert callable(said["made"])
    kinds = dict.fromkeys(CODES, Failed) | dict.fromkeys(REPEATED, Again) | {BUSY: Skipped, 99: Failed}
    for code, kind in kinds.items():
        if code in FINE:
            go_on(code)
            continue
        with pytest.raises(Again) as raised:
            go_on(code)
        assert raised.type is kind, code


def test_argo_repeats_what_goes_on_by_itself():
    """With a container that Kubernetes takes, and volumes that are there."""
    (found,) = documents(FOLDER / "argo.yaml")
    assert set(found) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(found["spec"]) == {"schedules", "concurrencyPolicy", "workflowSpec"}
    flow = found["spec"]["workflowSpec"]
    assert set(flow) == {"entrypoint", "serviceAccountName", "securityContext", "volumes", "templates"}
    (step,) = flow["templates"]
    assert set(step) == {"name", "retryStrategy", "container"}
    assert flow["entrypoint"] == step["name"]
    assert set(step["retryStrategy"]) == {"limit", "retryPolicy", "expression"}
    assert codes(step["retryStrategy"]["expression"]) & CODES == REPEATED
    container = {"name": "main", **step["container"]}
    assert container_faults(container) == []
    assert container_faults({**container, "argss": []})
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        each["name"] for each in flow["volumes"]
    }
    words = [*container["command"], *container["args"]]
    assert is_taken(words, SETTINGS)
    assert told_as_done(words) == {3, BUSY}
