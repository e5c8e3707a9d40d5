"""Write schemas.json: what Kubernetes and KubeRay know of the kinds that infra/kubernetes uses.

    pip install kubernetes-validate==1.37.0   # in an environment of its own: 108 MB, of which we keep 94 kB
    python tests/data/kubernetes/make_schemas.py rayjob-v1.schema.json

The argument is KubeRay's schema of a RayJob, {"source": where from, "schema": …}, made of its CRD
(ray-operator/config/crd/bases/ray.io_rayjobs.yaml). Both are under the Apache License 2.0. Left out are
descriptions, status and what the server alone sets, and every object whose fields are named is closed, so
that a misspelt key is an error. Where the same shape comes up again it stands once, under $defs.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

VERSION = "v1.32.0-local-strict"
KINDS = {
    "ConfigMap": "configmap-v1",
    "CronJob": "cronjob-batch-v1",
    "NetworkPolicy": "networkpolicy-networking-v1",
    "Role": "role-rbac-v1",
    "RoleBinding": "rolebinding-rbac-v1",
    "ServiceAccount": "serviceaccount-v1",
}
METADATA = ("name", "namespace", "labels", "annotations")  # what a manifest says of it
SHARED_BYTES = 200
OPEN = ("additionalProperties", "x-kubernetes-preserve-unknown-fields")

Schema = dict[str, Any]


def bare(part: Any) -> Any:
    """Leave out the words."""
    if isinstance(part, dict):
        said = ("description",) if isinstance(part.get("description"), str) else ()
        return {name: bare(value) for name, value in part.items() if name not in said}
    return [bare(value) for value in part] if isinstance(part, list) else part


def closed(part: Any) -> Any:
    """Close every object whose fields are named."""
    if isinstance(part, list):
        return [closed(value) for value in part]
    if not isinstance(part, dict):
        return part
    inner = {name: closed(value) for name, value in part.items()}
    if isinstance(inner.get("properties"), dict) and not any(name in inner for name in OPEN):
        inner["additionalProperties"] = False
    return inner


def kind_of(schema: Schema, metadata: Schema) -> Schema:
    """One kind, with the metadata that manifests use; its name is asked for."""
    fields = {name: value for name, value in schema["properties"].items() if name != "status"}
    fields["metadata"] = metadata
    return closed({**schema, "properties": fields, "required": ["apiVersion", "kind", "metadata"]})


def sizes(part: Any, found: Counter[str]) -> None:
    """Count the shapes that are large enough to stand apart."""
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict) and "type" in part and "properties" in part:
        text = json.dumps(part, sort_keys=True)
        if len(text) > SHARED_BYTES:
            found[text] += 1
    for value in values:
        sizes(value, found)


def shared(part: Any, names: dict[str, str], top: bool = False) -> Any:
    """Point to the shapes that stand apart."""
    if isinstance(part, list):
        return [shared(value, names) for value in part]
    if not isinstance(part, dict):
        return part
    name = None if top else names.get(json.dumps(part, sort_keys=True))
    return {"$ref": f"#/$defs/{name}"} if name else {key: shared(value, names) for key, value in part.items()}


def followed(part: Any, definitions: Schema) -> Any:
    """Put what is pointed to in place of the pointer."""
    if isinstance(part, list):
        return [followed(value, definitions) for value in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return followed(definitions[part["$ref"].rsplit("/", 1)[1]], definitions)
    return {name: followed(value, definitions) for name, value in part.items()}


def core_kinds() -> dict[str, Schema]:
    """The kinds of Kubernetes itself, as the installed package has them."""
    import kubernetes_validate  # type: ignore[import-not-found]

    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / VERSION
    definitions = bare(json.loads((folder / "_definitions.json").read_text())["$defs"])
    read = {kind: bare(json.loads((folder / f"{name}.json").read_text())) for kind, name in KINDS.items()}
    return {
        kind: {
            name: part if name == "status" else followed(part, definitions) for name, part in schema.items()
        }
        for kind, schema in read.items()
    }


def main(rayjob: Path) -> None:
    """Write the file."""
    source = json.loads(rayjob.read_text())
    core = core_kinds()
    fields = core["ConfigMap"]["properties"]["metadata"]["properties"]
    metadata = {
        "type": "object",
        "properties": {name: fields[name] for name in METADATA},
        "required": ["name"],
    }
    ray = bare(source["schema"])
    ray["properties"]["apiVersion"]["enum"], ray["properties"]["kind"]["enum"] = ["ray.io/v1"], ["RayJob"]
    kinds = {name: kind_of(schema, metadata) for name, schema in {**core, "RayJob": ray}.items()}
    found: Counter[str] = Counter()
    sizes(kinds, found)
    apart = [text for text, times in found.items() if times > 1]
    names = {text: f"shape{number}" for number, text in enumerate(apart)}
    written = {
        "source": f"{source['source']}; kubernetes-validate 1.37.0, {VERSION}",
        "kinds": shared(kinds, names),
        "$defs": {names[text]: shared(json.loads(text), names, top=True) for text in apart},
    }
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    Path(__file__).with_name("schemas.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
