"""What is wrong with an object of Kubernetes, by the closed schemas in tests/data/kubernetes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "data" / "kubernetes" / "schemas.json"


@cache
def _schemas() -> dict[str, Any]:
    return dict(json.loads(SCHEMAS.read_text()))


@cache
def _validator(kind: str) -> Draft202012Validator:
    known = _schemas()
    return Draft202012Validator({**known["kinds"][kind], "$defs": known["$defs"]})


def faults(found: dict[str, Any]) -> list[str]:
    """Say what no server would take. A kind without a schema is a fault."""
    if found.get("kind") not in _schemas()["kinds"]:
        return [f"no schema for {found.get('kind')}"]
    errors = _validator(found["kind"]).iter_errors(found)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def is_taken_by_server(found: dict[str, Any]) -> bool:
    """Whether nothing is wrong with it; sooner told than what is."""
    return found.get("kind") in _schemas()["kinds"] and _validator(found["kind"]).is_valid(found)


def container_faults(container: dict[str, Any]) -> list[str]:
    """Say what is wrong with one container, in whatever kind it stands."""
    pod = {"spec": {"containers": [container]}}
    job = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "x"}}
    return faults({**job, "spec": {"submitterPodTemplate": pod}})
