"""Alerts and dashboard ask for metrics, labels and values that there are."""

import json
import re
import shutil
import subprocess

import pytest
from kustomized import documents
from places import ROOT

from jobs.driver.telling.last_run import LAST_RUN
from jobs.driver.telling.metrics import COUNTERS, GAUGES, STATES
from schemas.failures import FailureClass

FOLDER = ROOT / "infra" / "monitoring"
OUTCOMES = {"indexed", "partial", "quarantined", "next_run", "elsewhere"}
VALUES = {
    "outcome": OUTCOMES,
    "kind": {"prompt", "output", "run", "backfill"},
    "state": set(STATES),
    "failure_class": {"none", *FailureClass},
}
# Of kube-state-metrics, with the labels that are asked for.
OUTSIDE = {
    "kube_job_status_failed": ("job_name",),
    "kube_cronjob_status_last_successful_time": ("cronjob",),
}
LABELS = {
    **{f"ray_media_index_{name}": spec[1] for name, spec in (COUNTERS | GAUGES).items()},
    **{f"media_index_{name}": spec[1] for name, spec in LAST_RUN.items()},
    **OUTSIDE,
}
WORDS = {"sum", "by", "rate", "increase", "time", "unless", "and", "or", "label_values"}
SELECTED = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)(\{[^}]*\})?")
CONDITION = re.compile(r'(\w+)(=~|!=|=|!~)"([^"]*)"')
GROUPED = re.compile(r"by \(([^)]*)\)")
RULE = {"alert", "expr", "for", "labels", "annotations"}
PANEL = {"id", "title", "description", "type", "datasource", "gridPos", "fieldConfig", "targets"}


def faults(query: str) -> list[str]:
    """Names in a query that nobody tells."""
    bare = re.sub(r"\[[^\]]*\]", "", query)
    grouped = {name.strip() for names in GROUPED.findall(bare) for name in names.split(",")}
    bare = GROUPED.sub("by", bare)
    known = {label for name in LABELS for label in LABELS[name]} | {"namespace"}
    found = [name for name in grouped if name not in known]
    for name, conditions in SELECTED.findall(bare):
        if name in WORDS or (name == "namespace" and "label_values" in query):
            continue
        if name not in LABELS:
            found.append(name)
            continue
        for label, _, value in CONDITION.findall(conditions):
            if label != "namespace" and label not in LABELS[name]:
                found.append(f"{name}{{{label}}}")
            elif label in VALUES and not set(value.split("|")) <= VALUES[label]:
                found.append(f"{label}={value}")
    return found


def rules() -> list[dict]:
    (group,) = documents(FOLDER / "alerts.yaml")[0]["groups"]
    return group["rules"]


def queries() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_queries_name_what_there_is():
    """Metrics, their labels, and the labels' values."""
    asked = [*queries(), *(rule["expr"] for rule in rules())]
    assert [fault for query in asked for fault in faults(query)] == []


KNOWN = {*VALUES["outcome"], *VALUES["state"], *VALUES["failure_class"], *LABELS, *WORDS}


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in rules())])
def test_a_misspelt_name_is_found(query):
    """Of a metric, a value or a function."""
    for word in set(re.findall(r"(?<![\w-])[a-z_]{4,}(?![\w-])", query)) & KNOWN:
        wrong = re.sub(rf"(?<![\w-]){word}(?![\w-])", f"{word}s", query)
        assert faults(wrong), wrong


def test_alerts_are_about_jobs_that_there_are():
    """Of the CronJobs in infra/kubernetes, which name their Jobs."""
    base = FOLDER.parent / "kubernetes" / "base"
    names = [documents(base / f"{name}.yaml")[0]["metadata"]["name"] for name in ("nightly", "backfill")]
    asked = [
        value for rule in rules() for _, _, value in CONDITION.findall(rule["expr"]) if "media-" in value
    ]
    assert len(asked) == 2
    for name in names:
        assert any(re.fullmatch(value, name) or re.fullmatch(value, f"{name}-29411520") for value in asked)


def test_alerts_say_whom_and_what():
    """Known fields alone, no name twice, a summary and what to look at, and each is explained."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert set(rule) <= RULE
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_panels_lie_side_by_side():
    """Known fields alone, each with a datasource that the reader chooses, and none on top of another."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    chosen = {variable["name"] for variable in board["templating"]["list"]}
    taken = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert set(panel) == PANEL
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}
        for target in panel["targets"]:
            assert set(target) == {"refId", "expr", "legendFormat"}
            assert {name for name in re.findall(r"\$(\w+)", target["expr"]) if name[0] != "_"} <= chosen


def test_prometheus_looks_at_the_pods_that_there_are():
    """Those that the RayJob labels as Ray's, on the port that the network policy lets in."""
    scrape = documents(FOLDER / "prometheus.yaml")[0]
    (job,) = scrape["scrape_configs"]
    assert set(scrape) == {"rule_files", "scrape_configs"}
    assert set(job) == {"job_name", "scrape_interval", "kubernetes_sd_configs", "relabel_configs"}
    by_labels, by_port, _ = job["relabel_configs"]
    policy = documents(FOLDER.parent / "kubernetes" / "base" / "network.yaml")[0]["spec"]
    labels = policy["podSelector"]["matchLabels"]
    asked = [name.removeprefix("__meta_kubernetes_pod_label_") for name in by_labels["source_labels"]]
    assert [re.sub(r"[./]", "_", name) for name in labels] == asked
    assert by_labels["regex"] == ";".join(labels.values())
    assert by_port["regex"] in {
        str(port["port"]) for rule in policy["ingress"] for port in rule.get("ports", [])
    }


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_takes_the_rules_and_they_fire_when_they_should():
    """Its own check, and alerts_test.yaml."""
    for what, name in (("check", "alerts.yaml"), ("test", "alerts_test.yaml")):
        done = subprocess.run(["promtool", what, "rules", name], cwd=FOLDER, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
