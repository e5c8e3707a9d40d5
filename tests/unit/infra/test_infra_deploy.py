"""docs/deploy.md names what there is: files, alerts, exit codes."""

import re

from kustomized import documents
from places import ROOT

from schemas.failures import ExitCode

TEXT = (ROOT / "docs" / "deploy.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))


def test_files_and_targets_exist():
    """What is built, applied and linked."""
    for path in re.findall(r"(?:file://|--kustomize |`)(infra/[\w./-]+)", TEXT):
        assert (ROOT / path).exists(), path
    for target, _, anchor in re.findall(r"\]\(((?!#|http)[\w./-]+)(#([\w-]+))?\)", TEXT):
        page = ROOT / "docs" / target
        assert page.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, (
                anchor
            )
    made = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", BLOCKS, re.MULTILINE):
        assert re.search(rf"^{target}:", made, re.MULTILINE), target


def test_every_alert_and_exit_code_has_somebody():
    """Once each."""
    alerts = [
        rule["alert"] for rule in documents(ROOT / "infra/monitoring/alerts.yaml")[0]["groups"][0]["rules"]
    ]
    assert sorted(re.findall(r"^\| `(MediaIndex\w+)`", TEXT, re.MULTILINE)) == sorted(alerts)
    paged = [
        rule["alert"]
        for rule in documents(ROOT / "infra/monitoring/alerts.yaml")[0]["groups"][0]["rules"]
        if rule["labels"]["severity"] == "page"
    ]
    assert sorted(re.findall(r"^\| `(MediaIndex\w+)` \(page\)", TEXT, re.MULTILINE)) == sorted(paged)
    rows = re.findall(r"^\| (\d[\d, ]*) \|", TEXT.split("the run ended with")[1], re.MULTILINE)
    told = [int(code) for row in rows for code in row.split(",")]
    assert len(set(told)) == len(told)
    assert set(told) >= {int(code) for code in ExitCode}


def test_ten_commands_are_ten():
    """From nothing to the first night."""
    block = TEXT.split("## Ten commands")[1].split("```sh\n")[1].split("```")[0]
    assert len(block.splitlines()) == 10
