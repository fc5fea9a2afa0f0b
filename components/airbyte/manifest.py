"""Manifests of low-code sources: read from a file beside the stack files, and looked at before anything is deployed.

The Connector Builder of Airbyte exports them as YAML. Their schema is that of airbytehq/airbyte-python-cdk
(``declarative_component_schema.yaml``); checked here is only what every manifest must have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator

from components.explain import Mistake, MistakesError

PROJECT = Path(__file__).resolve().parents[2]
"""Where the stack files are, and what the paths in them are relative to."""

_DEEPEST_REFERENCE = 20


class _Loader(yaml.SafeLoader):
    """Moments stay text, as the connectors want them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _manifest(given: object) -> object:
    """The manifest itself, where a setting gives it or names its file; MistakesError that names the file."""
    name = given if isinstance(given, str) else ""
    manifest = _read(name) if name else given
    if mistakes := list(_mistakes(manifest)):
        raise MistakesError([Mistake((), f"{name}: {said}" if name else said) for said in mistakes])
    return manifest


Manifest = Annotated[dict[str, Any], BeforeValidator(_manifest)]
"""A setting that is a manifest, or the path of its file (``connectors/entrata.yaml``), relative to the stack file."""


def _read(name: str) -> object:
    path = PROJECT / name
    if Path(name).is_absolute():
        raise MistakesError([Mistake((), f"{name}: must be a path relative to the stack file")])
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        reason = (
            "there is no such file beside the stack file" if isinstance(error, FileNotFoundError) else error.strerror
        )
        raise MistakesError([Mistake((), f"{name}: {reason}")]) from error
    except UnicodeDecodeError as error:
        raise MistakesError([Mistake((), f"{name}: is not UTF-8 text")]) from error
    except yaml.YAMLError as error:
        raise MistakesError([Mistake((), f"{name}: is no YAML: {' '.join(str(error).split())}")]) from error


def _mistakes(manifest: object) -> Iterator[str]:
    if not isinstance(manifest, dict):
        yield "must be a manifest (a mapping) or the path of its file"
        return
    try:
        json.dumps(manifest, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        yield f"cannot be said in JSON: {error}"
        return
    if manifest.get("type") != "DeclarativeSource":
        yield "type must be DeclarativeSource"
    if not isinstance(manifest.get("version"), str):
        yield 'version must be text, the version of the CDK that it was written for, such as "6.48.0"'
    if not isinstance(manifest.get("check"), dict):
        yield "check must be a mapping: by which stream Airbyte tests a connection"
    if not any(isinstance(manifest.get(name), list) and manifest[name] for name in ("streams", "dynamic_streams")):
        yield "streams must be a list of at least one stream"
    specification = manifest.get("spec")
    if not isinstance(specification, dict) or not isinstance(specification.get("connection_specification"), dict):
        yield "spec.connection_specification must be a JSON schema of what a source is asked for"


def stream_names(manifest: Mapping[str, Any]) -> list[str] | None:
    """The streams that a manifest declares; None where it makes them up at run time, or names them by a template."""
    if manifest.get("dynamic_streams"):
        return None
    names = []
    for declared in manifest["streams"]:
        stream = _followed(declared, manifest)
        name = stream.get("name") or _followed(stream.get("$parameters"), manifest).get("name")
        if not isinstance(name, str) or "{{" in name:
            return None
        names.append(name)
    return names


def _followed(node: object, manifest: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A node with what it refers to (``$ref: "#/definitions/x"``, or the reference alone as a text)."""
    if isinstance(node, str):
        node = {"$ref": node}
    if not isinstance(node, dict) or depth > _DEEPEST_REFERENCE:
        return {}
    if "$ref" not in node:
        return node
    target: Any = manifest
    for part in str(node["$ref"]).removeprefix("#/").split("/"):
        target = target.get(part) if isinstance(target, dict) else None
    return {**_followed(target, manifest, depth + 1), **node}
