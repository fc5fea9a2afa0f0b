"""Pulumi Cloud as an engine calls it, and its answers held against the service's own specification."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

ORGANIZATION = "scoobyjava-org"
STACK = f"/api/stacks/{ORGANIZATION}/sophia-ai/dev"
CONFIG = {"sophia-ai:x": {"string": "1", "secret": False, "object": False}}

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


class Clock:
    """The sandbox's time, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


def deployment(*resources: dict[str, Any]) -> dict[str, Any]:
    state = {"url": "http://elsewhere", "owner": ORGANIZATION, "project": "sophia-ai", "stack": "dev"}
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
            "secrets_providers": {"type": "service", "state": state},
            "resources": list(resources),
        },
    }


def component(name: str, stack: str = "dev") -> dict[str, Any]:
    return {"urn": f"urn:pulumi:{stack}::sophia-ai::t:m:C::{name}", "type": "t:m:C", "custom": False}


class Run:
    """An engine's update, as far as the service sees it."""

    def __init__(
        self, cloud: httpx.Client, kind: str = "update", *, dry_run: bool = False, journal: bool = False
    ) -> None:
        self.cloud = cloud
        request = {
            "name": "sophia-ai",
            "runtime": "python",
            "options": {"dryRun": dry_run},
            "config": CONFIG,
            "metadata": {"message": "why", "environment": {"git.author": "ann"}},
        }
        self.id = cloud.post(f"{STACK}/{kind}", json=request).json()["updateID"]
        self.path = f"{STACK}/update/{self.id}"
        offer, headers = {"journalVersion": 1} if journal else {}, {"User-Agent": "pulumi-cli/1 (v3.258.0; linux)"}
        self.started = cloud.post(self.path, json=offer, headers=headers)
        self.token = self.started.json().get("token", "")

    def call(self, method: str, what: str, document: dict[str, Any]) -> httpx.Response:
        return self.cloud.request(
            method,
            f"{self.path}/{what}",
            content=gzip.compress(json.dumps(document).encode()),
            headers={"Authorization": f"update-token {self.token}", "Content-Encoding": "gzip"},
        )

    def checkpoint(self, *resources: dict[str, Any], **more: Any) -> httpx.Response:
        return self.call("PATCH", "checkpoint", {"isInvalid": False, **deployment(*resources), **more})

    def journal(self, *entries: dict[str, Any]) -> httpx.Response:
        return self.call("PATCH", "journalentries", {"entries": list(entries)})

    def complete(self, status: str = "succeeded") -> httpx.Response:
        return self.call("POST", "complete", {"status": status})


def resources(cloud: httpx.Client, stack: str = STACK) -> list[str]:
    exported = cloud.get(f"{stack}/export").json()["deployment"]
    return [resource["urn"].rsplit("::", 1)[-1] for resource in exported.get("resources") or []]
