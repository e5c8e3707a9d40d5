"""The images' recipe: pinned as everything else is, copying what it needs, and nobody's root."""

import re
import shutil
import subprocess
import tomllib

import pytest
from places import ROOT

FOLDER = ROOT / "infra" / "image"
RECIPE = (FOLDER / "Containerfile").read_text()
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ]+)", re.MULTILINE)


def stages() -> dict[str, str]:
    """What each stage does, by its name."""
    parts = re.split(r"^FROM (\S+) AS (\S+)\n", RECIPE, flags=re.MULTILINE)[1:]
    return {
        name: f"FROM {base}\n{body}"
        for base, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def test_versions_are_those_that_are_tested():
    """The image has Ray's extra and lacks what is for developers; what both locks have is the same."""
    tested = dict(PINNED.findall((ROOT / "infra" / "requirements.lock").read_text()))
    shipped = dict(PINNED.findall((FOLDER / "requirements.lock").read_text()))
    assert {name for name in shipped if shipped[name] != tested.get(name, shipped[name])} == set()
    assert {"ray", "aiohttp", "opencensus", "prometheus-client"} <= set(shipped)
    assert not {"pytest", "moto", "torch"} & set(shipped)
    torch = re.search(r"^TORCH := torch==(\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^ARG TORCH=(\S+)", RECIPE, re.MULTILINE)) == {torch[1]}


def test_what_is_copied_is_let_in():
    """And .dockerignore lets nothing else in."""
    first, *allowed = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    assert first == "*"
    copied = [line.split()[1:-1] for line in RECIPE.splitlines() if re.match("COPY (?!--from)", line)]
    sources = {name.strip("/") for names in copied for name in names}
    assert {line[1:] for line in allowed if line[0] == "!"} == sources
    assert all((ROOT / name).exists() for name in sources)
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(built["packages"]) <= sources


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_runs_as_nobody_special(target):
    """Its last word about the user is a number, which Kubernetes can tell from root."""
    *_, user = re.findall(r"^USER (\S+)", stages()[target], re.MULTILINE)
    assert user == "1000:1000"
    assert "wget" in stages()["python"]  # KubeRay's probes


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed")
def test_hadolint_has_nothing_to_say():
    """Of the recipe as it is; a planted fault is found."""
    command = ["hadolint", "--config", str(FOLDER / "hadolint.yaml")]
    done = subprocess.run([*command, str(FOLDER / "Containerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    wrong = RECIPE.replace("WORKDIR /build", "WORKDIR build")
    assert subprocess.run([*command, "-"], input=wrong, capture_output=True, text=True).returncode == 1
