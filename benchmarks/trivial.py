"""A dynamic resource that does nothing but wait: what the engine, the SDK and the program cost without us.

LATENCY_SECONDS is what each operation that needs a request would wait for its platform (0 unless set), WORKERS how many
operations go on at a time (by default the four of the SDK's host).
"""

from __future__ import annotations

import os
import time
from typing import Any

import pulumi
import pulumi.dynamic
from pulumi.dynamic import CreateResult

from providers.base import process

SDK_WORKERS = 4
LATENCY_SECONDS = float(os.environ.get("LATENCY_SECONDS", "0"))
WORKERS = int(os.environ.get("WORKERS", SDK_WORKERS))


class Waiting(pulumi.dynamic.ResourceProvider):
    """Creates an id and keeps the inputs."""

    serialize_as_secret_always = False

    def __init__(self) -> None:
        super().__init__()
        if WORKERS > SDK_WORKERS:
            process.prepare()

    def __reduce__(self) -> tuple[type[Waiting], tuple[()]]:
        return Waiting, ()

    def create(self, props: dict[str, Any]) -> CreateResult:
        time.sleep(LATENCY_SECONDS)
        return CreateResult(str(props["number"]), {key: props[key] for key in props if key != "__provider"})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        time.sleep(LATENCY_SECONDS)


class Trivial(pulumi.dynamic.Resource, module="trivial", name="Trivial"):
    """One of many that are all alike."""

    def __init__(self, name: str, number: int, opts: pulumi.ResourceOptions) -> None:
        properties = {"number": number, "name": name, "note": "as long as a usual description of a resource is"}
        super().__init__(Waiting(), name, properties, opts)
