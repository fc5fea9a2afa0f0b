"""A stack's outputs in clear, for environments that read them (the provider ``pulumi-stacks`` of ESC)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.pulumi_cloud import checkpoints
from sandbox.pulumi_cloud.records import stack_named
from sandbox.pulumi_cloud.secrets import unseal
from sandbox.pulumi_cloud.state import revealed
from sandbox.pulumi_cloud.vault import Vault
from sandbox.store import Database

Outputs = dict[str, tuple[Any, bool]]


def reader(database: Database, vault: Vault) -> Callable[[str, str, str], Outputs | None]:
    """A function from organisation, project and stack to outputs, each with whether it is secret; None: no such stack."""

    def outputs(organization: str, project: str, name: str) -> Outputs | None:
        with database.lock:
            stack = stack_named(database.connection, organization, project, name)
            if stack is None:
                return None
            deployment = checkpoints.load(database.connection, stack)["deployment"]

        def opened(ciphertext: str) -> Any:
            return json.loads(unseal(vault, stack.id, ciphertext))

        resources = deployment.get("resources") or []
        root = next((r for r in resources if r.get("type") == "pulumi:pulumi:Stack"), None)
        found = (root or {}).get("outputs") or {}
        return {key: revealed(value, opened) for key, value in found.items()}

    return outputs
