"""A dynamic resource that does nothing: what the engine, the SDK and the program cost without us."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi.dynamic
from pulumi.dynamic import CreateResult


class Nothing(pulumi.dynamic.ResourceProvider):
    """Creates an id and keeps the inputs."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(str(props["number"]), {key: props[key] for key in props if key != "__provider"})


class Trivial(pulumi.dynamic.Resource, module="trivial", name="Trivial"):
    """One of many that are all alike."""

    def __init__(self, name: str, number: int, opts: pulumi.ResourceOptions) -> None:
        properties = {"number": number, "name": name, "note": "as long as a usual description of a resource is"}
        super().__init__(Nothing(), name, properties, opts)
