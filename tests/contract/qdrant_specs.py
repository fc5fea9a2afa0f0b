"""Qdrant's specifications as one for each of its two APIs: the cloud publishes a Swagger 2.0 file a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SERVICES = ("cluster_v1_cluster", "cluster_backup_v1_backup", "cluster_auth_v2_database_api_key", "auth_v1_auth",
            "booking_v1_booking")  # fmt: skip

_SERVERS = [{"url": "http://127.0.0.1/qdrant"}]


def cloud(spec: Callable[[str], Any]) -> Any:
    """The services of the cloud, whose names do not clash, as OpenAPI 3: a body is no parameter there."""
    files = [spec(f"qdrant/cloud/{service}.swagger.json") for service in SERVICES]
    paths: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for file in files:
        definitions |= file.document["definitions"]
        for path, operations in file.document["paths"].items():
            paths[path] = {method: _operation(operation) for method, operation in operations.items()}
    document = {"openapi": "3.0.3", "servers": _SERVERS, "paths": _merged(paths), "definitions": definitions}
    return type(files[0])("qdrant/cloud", document)


def database(spec: Callable[[str], Any], address: str) -> Any:
    """The database's, at the address of one in the sandbox."""
    file = spec("qdrant/qdrant_openapi.json")
    base = "/databases/" + address.partition("/databases/")[2]
    return type(file)("qdrant", {**file.document, "servers": [{"url": base}]})


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    body = next((p for p in parameters if p["in"] == "body"), None)
    responses = {
        status: {"content": {"application/json": {"schema": response["schema"]}}}
        for status, response in operation["responses"].items()
    }
    found = {"parameters": [p for p in parameters if p is not body], "responses": responses}
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body["schema"]}}}
    return found


def _merged(paths: dict[str, Any]) -> dict[str, Any]:
    """Paths that differ in the names of their parameters only (``{accountId}`` and ``{cluster.accountId}``) are one."""
    merged: dict[str, Any] = {}
    for path, operations in paths.items():
        parts = ["{_}" if part.startswith("{") else part for part in path.split("/")]
        merged.setdefault("/".join(parts), {}).update(operations)
    return merged
