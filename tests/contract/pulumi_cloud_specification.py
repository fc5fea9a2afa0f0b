"""Answers of Pulumi Cloud, held against the service's own specification."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

SPECIFICATION = Path(__file__).parents[3] / "shared/specs/pulumi/pulumi_cloud_openapi.json"


@cache
def specification() -> dict[str, Any]:
    if not SPECIFICATION.exists():
        pytest.skip("Pulumi Cloud's specification is not beside the checkout: no answer can be checked against it")

    def with_nulls(value: Any) -> Any:
        # OpenAPI 3.0 says nullable where JSON Schema says type null. Go's []byte is base64 text in JSON, whatever the
        # specification's generator made of it.
        if isinstance(value, list):
            return [with_nulls(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "array" and value.get("items", {}).get("format") == "byte":
            return {"type": "string"}
        schema = {key: with_nulls(item) for key, item in value.items()}
        if isinstance(required := schema.get("required"), list):
            # By the letter a continuationToken is required; its description has it absent at the end, as the CLI does.
            schema["required"] = [name for name in required if name != "continuationToken"]
        return {"anyOf": [schema, {"type": "null"}]} if schema.pop("nullable", None) is True else schema

    return dict(with_nulls(json.loads(SPECIFICATION.read_text())))


def conforms(response: httpx.Response) -> None:
    response.read()
    if not response.is_success or not response.content:
        return
    known = specification()
    path = response.request.url.path
    if path.startswith("/api/esc/"):
        return  # ESC has tests of its own
    matching = [
        template
        for template, operations in known["paths"].items()
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) and response.request.method.lower() in operations
    ]
    if not matching:
        pytest.fail(f"the specification has no {response.request.method} {path}")
    operation = known["paths"][min(matching, key=lambda t: t.count("{"))][response.request.method.lower()]
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
    if content:
        schema = {**content["schema"], "components": known["components"]}
        jsonschema.Draft202012Validator(schema).validate(response.json())
