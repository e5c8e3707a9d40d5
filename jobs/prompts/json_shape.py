"""A JSON Schema as a prompt shows it: `[{"plate":"<text>","colour":"red" | "blue"}, …]`."""

import json
from collections.abc import Mapping
from typing import Any

_FEW_NUMBERS = 8  # more are shown as a range


def shape(schema: Mapping[str, Any]) -> str:
    """One line; `schema` is of the part that `videoxl2.constrained.json_schema` describes."""
    if "anyOf" in schema:
        return f"{shape(schema['anyOf'][0])} | null"
    if options := schema.get("enum"):
        if len(options) > _FEW_NUMBERS and not isinstance(options[0], str):
            return f"<number from {min(options)} to {max(options)}>"
        return " | ".join(json.dumps(option, ensure_ascii=False) for option in options)
    match schema["type"]:
        case "string":
            return '"<text>"'
        case "integer":
            return f"<number from {schema['minimum']} to {schema['maximum']}>"
        case "boolean":
            return "true | false"
        case "array":
            return f"[{shape(schema['items'])}, …]"
        case _:
            pairs = (f'"{key}":{shape(part)}' for key, part in schema["properties"].items())
            return "{" + ",".join(pairs) + "}"
