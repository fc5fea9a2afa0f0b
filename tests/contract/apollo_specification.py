"""Apollo's OpenAPI description.

It is a document of OpenAPI 3.1, and says ``nullable`` as those of 3.0 do: here it means what is meant. Some answers are
described by an example alone: here the example's types are what is asked for, and nothing where it is no JSON itself.
"""

from __future__ import annotations

import json
from typing import Any

NAME = "apollo/apollo_rest_api_openapi.json"


def relaxed(specification: Any) -> Any:
    """The same description; a second call changes nothing."""
    for path in specification.document["paths"].values():
        for operation in path.values():
            _say_null(operation)
            for response in operation.get("responses", {}).values():
                for media in response.get("content", {}).values():
                    media.setdefault("schema", _like(_first_example(media)))
    return specification


def _say_null(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _say_null(item)
    if not isinstance(node, dict):
        return
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
        if "enum" in node:
            node["enum"] = [*node["enum"], None]
    for value in node.values():
        _say_null(value)


def _first_example(media: dict[str, Any]) -> Any:
    value = next((example.get("value") for example in media.get("examples", {}).values()), None)
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _like(example: Any) -> dict[str, Any]:
    """The schema of whatever has the example's form; a null may be anything."""
    if isinstance(example, dict):
        return {"type": "object", "properties": {name: _like(value) for name, value in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": _like(example[0]) if example else {}}
    if isinstance(example, bool):
        return {"type": "boolean"}
    if isinstance(example, int | float):
        return {"type": "number"}
    return {"type": "string"} if isinstance(example, str) else {}
