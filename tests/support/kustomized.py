"""What `kubectl kustomize` makes of a folder, of as much of it as infra/kubernetes uses.

Resources, namespace, images, ConfigMaps of files, JSON patches (add, replace) with a target and merge patches
without one. Anything else is an error, as is a patch that meets nothing: kustomize itself is not asked here,
and what this does not know must not pass unseen.
"""

import copy
from pathlib import Path
from typing import Any

import yaml

Record = dict[str, Any]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KNOWN = {
    "apiVersion",
    "kind",
    "resources",
    "namespace",
    "images",
    "configMapGenerator",
    "generatorOptions",
    "patches",
}
NAMES_AS_THEY_ARE = {"disableNameSuffixHash": True}
KNOWN_IMAGE = {"name", "newName", "newTag"}
KNOWN_MAP = {"name", "files", "behavior"}


class NotKustomized(Exception):  # noqa: N818 - the name says what happened
    """The folder asks for what cannot be done."""


def documents(path: Path) -> list[Any]:
    """What a YAML file says."""
    return list(yaml.load_all(path.read_text(), LOADER))


def kustomized(folder: Path) -> list[Record]:
    """The objects of a folder with a kustomization.yaml, as they would be applied."""
    asked = documents(folder / "kustomization.yaml")[0]
    _only(asked, KNOWN, folder)
    if asked.get("generatorOptions", NAMES_AS_THEY_ARE) != NAMES_AS_THEY_ARE:
        raise NotKustomized(f"{folder}: {asked['generatorOptions']}")
    objects: list[Record] = []
    for name in asked.get("resources", []):
        path = folder / name
        objects += kustomized(path) if path.is_dir() else documents(path)
    for wanted in asked.get("configMapGenerator", []):
        _add_config_map(objects, wanted, folder)
    for patch in asked.get("patches", []):
        _apply(objects, patch, folder)
    for image in asked.get("images", []):
        _only(image, KNOWN_IMAGE, folder)
        if not sum(_rename(found, image) for found in objects):
            raise NotKustomized(f"{folder}: no container has the image {image['name']}")
    if namespace := asked.get("namespace"):
        for found in objects:
            _place(found, namespace)
    return objects


def _only(asked: Record, known: set[str], folder: Path) -> None:
    if unknown := set(asked) - known:
        raise NotKustomized(f"{folder}: {sorted(unknown)}")


def _add_config_map(objects: list[Record], wanted: Record, folder: Path) -> None:
    _only(wanted, KNOWN_MAP, folder)
    data = {Path(name).name: (folder / name).read_text() for name in wanted["files"]}
    there = [found for found in objects if _is(found, "ConfigMap", wanted["name"])]
    if bool(there) != (wanted.get("behavior") == "replace"):
        raise NotKustomized(f"{folder}: ConfigMap {wanted['name']} is there {len(there)} times")
    for found in there:
        objects.remove(found)
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": wanted["name"]}, "data": data}
    objects.append(made)


def _apply(objects: list[Record], patch: Record, folder: Path) -> None:
    _only(patch, {"path", "target"}, folder)
    change = documents(folder / patch["path"])[0]
    target = patch.get("target") or {"kind": change["kind"], "name": change["metadata"]["name"]}
    _only(target, {"kind", "name"}, folder)
    met = [found for found in objects if _is(found, target["kind"], target["name"])]
    if len(met) != 1:
        raise NotKustomized(f"{folder}: {patch['path']} meets {len(met)} objects")
    if isinstance(change, list):
        for step in change:
            _step(met[0], step, patch["path"])
    else:
        _merge(met[0], change)


def _step(found: Any, step: Record, where: str) -> None:
    *way, last = step["path"].strip("/").split("/")
    try:
        for name in way:
            found = found[int(name) if isinstance(found, list) else name]
        key: Any = int(last) if isinstance(found, list) else last
        if step["op"] == "replace":
            found[key]
        elif step["op"] != "add":
            raise NotKustomized(f"{where}: op {step['op']}")
    except (KeyError, IndexError, ValueError) as error:
        raise NotKustomized(f"{where}: nothing at {step['path']}") from error
    found[key] = copy.deepcopy(step["value"])


def _merge(found: Record, change: Record) -> None:
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(found.get(name), dict):
            _merge(found[name], value)
        elif isinstance(value, list):
            raise NotKustomized(f"lists are merged by keys of their kinds: {name}")
        else:
            found[name] = value


def _is(found: Record, kind: str, name: str) -> bool:
    return found["kind"] == kind and bool(found["metadata"]["name"] == name)


def _rename(part: Any, image: Record) -> int:
    if isinstance(part, list):
        return sum(_rename(value, image) for value in part)
    if not isinstance(part, dict):
        return 0
    met = part.get("image") == image["name"] and "name" in part
    if met:
        part["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    return met + sum(_rename(value, image) for value in part.values())


def _place(found: Record, namespace: str) -> None:
    found["metadata"]["namespace"] = namespace
    if found["kind"] == "RoleBinding":
        for subject in found["subjects"]:
            subject["namespace"] = namespace
