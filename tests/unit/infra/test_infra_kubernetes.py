"""infra/kubernetes is what a cluster would take: known fields alone, names that meet, commands that exist."""

import copy
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from kustomized import LOADER, NotKustomized, documents, kustomized
from manifests import faults, is_taken_by_server
from places import ROOT
from typed import is_taken

from jobs.settings.file import read_settings_file

FOLDER = ROOT / "infra" / "kubernetes"
BASE = sorted(path.name for path in (FOLDER / "base").glob("*.yaml") if path.name != "kustomization.yaml")
OVERLAYS = ("staging", "production")
STEERING = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.yaml") if path.name not in BASE)
# Maps whose keys are anybody's.
FREE = {
    "labels",
    "matchLabels",
    "annotations",
    "nodeSelector",
    "rayStartParams",
    "requests",
    "limits",
    "data",
}
DRAIN = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
ROLE = "eks.amazonaws.com/role-arn"
OUTSIDE = {"kuberay-operator", "prometheus"}  # pods of others, by their app.kubernetes.io/name

Record = dict[str, Any]


def maps(part: Any, free: bool = False) -> Iterator[Record]:
    """Every map whose keys are not free to choose."""
    if isinstance(part, list):
        for value in part:
            yield from maps(value)
    elif isinstance(part, dict):
        if not free:
            yield part
        for name, value in part.items():
            yield from maps(value, name in FREE)


def misspelt(whole: Any) -> Iterator[tuple[str, Any]]:
    """The same once for each of its keys, with that one misspelt."""
    for number, found in enumerate(maps(whole)):
        for name in found:
            other = copy.deepcopy(whole)
            wrong = list(maps(other))[number]
            wrong[f"{name}s"] = wrong.pop(name)
            yield name, other


def pods(found: Record) -> Iterator[Record]:
    """Pod templates of an object, wherever it has them."""
    for part in maps(found):
        if "containers" in part.get("spec", {}):
            yield part


def containers(pod: Record) -> list[Record]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


@pytest.fixture(params=OVERLAYS)
def overlay(request) -> list[Record]:
    return kustomized(FOLDER / "overlays" / request.param)


def test_every_object_has_known_fields_alone(overlay):
    """As KubeRay's own schema and that of Kubernetes say, each closed."""
    assert {found["kind"]: faults(found) for found in overlay if faults(found)} == {}
    kinds = {found["kind"] for found in overlay}
    assert kinds == {
        *("ConfigMap", "CronJob", "NetworkPolicy", "RayJob", "Role", "RoleBinding", "ServiceAccount"),
    }


@pytest.mark.parametrize("name", BASE)
def test_a_misspelt_key_is_found(name):
    """Whichever it is."""
    unseen = [
        key
        for document in documents(FOLDER / "base" / name)
        for key, wrong in misspelt(document)
        if is_taken_by_server(wrong)
    ]
    assert unseen == []


@pytest.mark.parametrize("path", STEERING, ids=str)
def test_a_misspelt_key_of_an_overlay_is_found(path, tmp_path):
    """When it is put together, or by what it comes to."""
    shutil.copytree(FOLDER, tmp_path / "k")
    within = path.parts[1] if path.parts[0] == "overlays" else OVERLAYS[0]
    right = kustomized(FOLDER / "overlays" / within)
    unseen = []
    for key, wrong in misspelt(documents(FOLDER / path)[0]):
        (tmp_path / "k" / path).write_text(yaml.safe_dump(wrong))
        try:
            objects = kustomized(tmp_path / "k" / "overlays" / within)
        except (NotKustomized, KeyError):
            continue
        changed = [found for found in objects if found not in right]
        if all(map(is_taken_by_server, changed)):
            unseen.append(key)
    assert unseen == []


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("name", OVERLAYS)
def test_kustomize_itself_says_the_same(name):
    """What the other tests look at is what kustomize makes."""
    folder = FOLDER / "overlays" / name
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True)
    theirs = sorted(yaml.load_all(done.stdout, LOADER), key=place)
    assert sorted(kustomized(folder), key=place) == theirs


def place(found: Record) -> tuple[str, str]:
    return found["kind"], found["metadata"]["name"]


def named(objects: list[Record], kind: str) -> dict[str, Record]:
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def test_names_meet(overlay):
    """Accounts, ConfigMaps, the role and the secret of the token are those that are there."""
    accounts, maps_there = named(overlay, "ServiceAccount"), named(overlay, "ConfigMap")
    secrets = set()
    for found in overlay:
        for pod in pods(found):
            assert pod["spec"]["serviceAccountName"] in accounts
            for volume in pod["spec"].get("volumes", []):
                assert volume.get("configMap", {"name": "media-index-submit"})["name"] in maps_there
            mounted = {mount["name"] for each in containers(pod) for mount in each["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}
            for container in containers(pod):
                asked = [entry.get("valueFrom", {}).get("secretKeyRef") for entry in container.get("env", [])]
                secrets |= {(each["name"], each["key"]) for each in asked if each}
    binding = named(overlay, "RoleBinding")["media-index-submit"]
    assert binding["roleRef"]["name"] in named(overlay, "Role")
    assert {subject["name"] for subject in binding["subjects"]} <= set(accounts)
    cluster = named(overlay, "RayJob")["media-index"]["spec"]["rayClusterSpec"]
    assert secrets == {(cluster["authOptions"]["secretName"], "auth_token")}
    roles = {name: found["metadata"].get("annotations", {}).get(ROLE) for name, found in accounts.items()}
    assert roles.pop("media-index-submit") is None
    assert roles["media-index-upkeep"] == f"{roles['media-index-ray']}-upkeep"
    assert roles["media-index-ray"].startswith("arn:aws:iam::")


def test_policies_are_about_pods_that_exist(overlay):
    """Each selector meets a pod of ours, or names one of the two others that may come in."""
    ours = [pod["metadata"]["labels"] for found in overlay for pod in pods(found)]
    policies = list(named(overlay, "NetworkPolicy").values())
    selectors = [part for policy in policies for part in maps(policy) if "matchLabels" in part]
    for selector in selectors:
        wanted = selector["matchLabels"]
        if set(wanted) == {"kubernetes.io/metadata.name"} or wanted.get("app.kubernetes.io/name") in OUTSIDE:
            continue
        assert any(wanted.items() <= labels.items() for labels in ours), wanted
    # Whatever is ours is under a policy.
    chosen = [policy["spec"]["podSelector"]["matchLabels"] for policy in policies]
    assert all(any(wanted.items() <= labels.items() for wanted in chosen) for labels in ours)
    assert all(policy["spec"]["policyTypes"] == ["Ingress", "Egress"] for policy in policies)


def test_no_pod_is_root_or_may_become_it(overlay):
    """Nor keeps a capability."""
    for found in overlay:
        for pod in pods(found):
            assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
            for container in containers(pod):
                kept = container["securityContext"]
                assert kept["allowPrivilegeEscalation"] is False
                assert kept["capabilities"] == {"drop": ["ALL"]}


def test_a_cluster_begins_with_its_head_alone(overlay):
    """The head is on demand and takes no work; GPUs and readers are spot machines, none before a run."""
    job = named(overlay, "RayJob")["media-index"]["spec"]
    cluster = job["rayClusterSpec"]
    assert job["suspend"] is True
    assert cluster["rayVersion"] == version("ray")
    head = cluster["headGroupSpec"]
    assert head["rayStartParams"] == {"num-cpus": "0"}
    groups = {group["groupName"]: group for group in cluster["workerGroupSpecs"]}
    assert set(groups) == {"gpu", "readers"}
    kinds = {"head": head, **groups}
    bought = {
        name: kind["template"]["spec"]["nodeSelector"]["karpenter.sh/capacity-type"]
        for name, kind in kinds.items()
    }
    assert bought == {"head": "on-demand", "gpu": "spot", "readers": "spot"}
    for name, group in groups.items():
        assert (group["replicas"], group["minReplicas"]) == (0, 0)
        assert group["maxReplicas"] > 0
        limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
        assert ("nvidia.com/gpu" in limits) == (name == "gpu")
        pod = group["template"]["spec"]
        (drain,) = [each["value"] for each in pod["containers"][0]["env"] if each["name"] == DRAIN]
        assert int(drain) < pod["terminationGracePeriodSeconds"] < 120  # of the notice that spot machines get
    settings = tomllib.loads(named(overlay, "ConfigMap")["media-index-settings"]["data"]["media-index.toml"])
    assert settings["num-gpus"] == groups["gpu"]["maxReplicas"]


def test_cron_jobs_start_what_exists(overlay):
    """One at a time, from a RayJob that is there, with a command and settings that media-index takes."""
    jobs = named(overlay, "CronJob")
    assert set(jobs) == {"media-index-nightly", "media-index-backfill", "media-index-upkeep"}
    upkeep = jobs.pop("media-index-upkeep")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    for container in (*upkeep["initContainers"], *upkeep["containers"]):
        assert is_taken(["media-index", *container["args"]], FOLDER / "base" / "media-index.toml")
    for name, found in jobs.items():
        assert found["spec"]["concurrencyPolicy"] == "Forbid"
        assert len(f"{name}-29411520") <= 47  # what KubeRay allows a RayJob, which is named after the Job
        (container,) = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        _, script, template, dashes = container["command"]
        assert dashes == "--"
        assert template in named(overlay, "RayJob")
        (mount,) = container["volumeMounts"]
        assert Path(script).parent == Path(mount["mountPath"])
        assert Path(script).name in named(overlay, "ConfigMap")["media-index-submit"]["data"]
        settings = Path(container["args"][container["args"].index("--config") + 1])
        assert is_taken(container["args"], FOLDER / "base" / settings.name), container["args"]
        (head,) = named(overlay, "RayJob")[template]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"][
            "spec"
        ]["containers"]
        assert str(settings.parent) in {mount["mountPath"] for mount in head["volumeMounts"]}
        assert settings.name in named(overlay, "ConfigMap")["media-index-settings"]["data"]
    assert jobs["media-index-backfill"]["spec"]["suspend"] is True


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("media-index.toml")), ids=lambda path: path.parent.name)
def test_settings_are_known(path, media_index, tmp_path):
    """To the command itself, which refuses a misspelt key."""
    assert media_index("config", "--config", path).code == 0
    values = read_settings_file(path).values
    assert values["log-format"] == "json"
    (tmp_path / "wrong.toml").write_text(path.read_text().replace("deadline", "deadlines"))
    assert media_index("config", "--config", tmp_path / "wrong.toml").code == 2
