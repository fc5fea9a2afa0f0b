"""Manifests of low-code sources (the CDK's ``DeclarativeSource``): what the sandbox reads in them.

The schema is airbytehq/airbyte-python-cdk, declarative_component_schema.yaml. References (``$ref: "#/definitions/x"`` or the
same as a text) are followed; nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.airbyte.connectors import Connector, Field, Stream
from sandbox.airbyte.problems import unprocessable
from sandbox.store import Document

_DEEPEST = 20
"""References to references beyond this are a circle."""


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Refuses what the platform could not make a connector of."""
    wrong = []
    if manifest.get("type") != "DeclarativeSource":
        wrong.append("$.type: must be the constant value 'DeclarativeSource'")
    wrong += [f"$.{name}: is missing but it is required" for name in ("check", "version") if name not in manifest]
    if not manifest.get("streams") and not manifest.get("dynamic_streams"):
        wrong.append("$.streams: is missing but it is required")
    specification = manifest.get("spec")
    if not isinstance(specification, dict) or not isinstance(specification.get("connection_specification"), dict):
        wrong.append("$.spec.connection_specification: is missing but it is required")
    if wrong:
        raise unprocessable(f"The manifest is not valid. Errors: {', '.join(wrong)}")


def connector_of(definition: Document) -> Connector:
    """The connector that a low-code definition makes: its configuration as the spec says it, its streams as declared."""
    manifest = definition["manifest"]
    specification = manifest["spec"]["connection_specification"]
    return Connector(
        definition["name"],
        definition["id"],
        dict(_fields(specification)),
        None if manifest.get("dynamic_streams") else tuple(_streams(manifest)),
    )


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    required = schema.get("required", [])
    for name, member in schema.get("properties", {}).items():
        nested = tuple(
            dict(_fields(shape)) for shape in member.get("oneOf", [member] if "properties" in member else [])
        )
        yield (
            name,
            Field(
                type=str(member.get("type", "object" if nested else "string")),
                required=name in required,
                secret=bool(member.get("airbyte_secret")),
                pattern=str(member.get("pattern", "")),
                options=tuple(member.get("enum", [member["const"]] if "const" in member else [])),
                lowest=member.get("minimum"),
                highest=member.get("maximum"),
                shapes=nested,
            ),
        )


def _streams(manifest: Mapping[str, Any]) -> Iterator[Stream]:
    for declared in manifest["streams"]:
        stream = _followed(declared, manifest)
        schema = _followed(_followed(stream.get("schema_loader", {}), manifest).get("schema", {}), manifest)
        key = stream.get("primary_key") or []
        yield Stream(
            str(stream.get("name") or _followed(stream.get("$parameters", {}), manifest).get("name", "")),
            tuple(schema.get("properties", {})),
            key=(key,) if isinstance(key, str) else tuple(key),
            cursor=str(_followed(stream.get("incremental_sync", {}), manifest).get("cursor_field", "")),
        )


def _followed(node: Any, manifest: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A node with what it refers to; members beside a reference count more than those behind it."""
    if isinstance(node, str) and node.startswith("#/"):
        node = {"$ref": node}
    if not isinstance(node, dict) or depth > _DEEPEST:
        return {}
    if "$ref" not in node:
        return node
    target: Any = manifest
    for part in str(node["$ref"]).removeprefix("#/").split("/"):
        target = target.get(part) if isinstance(target, dict) else None
    return {**_followed(target, manifest, depth + 1), **{key: item for key, item in node.items() if key != "$ref"}}
