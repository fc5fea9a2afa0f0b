"""The requests at which runs of the estate are harmed, and the harms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.trial import Boundary

CREATES = [
    Boundary("airbyte", "POST", "/v1/applications/token", "token"),
    Boundary("airbyte", "GET", "/v1/workspaces", "look"),
    Boundary("airbyte", "POST", "/v1/workspaces", "create"),
    Boundary("airbyte", "POST", "/v1/sources", "create"),
    Boundary("airbyte", "POST", "/v1/destinations", "create"),
    Boundary("airbyte", "POST", "/v1/connections", "create"),
    Boundary("openrouter", "GET", "/api/v1/workspaces", "look"),
    Boundary("openrouter", "POST", "/api/v1/workspaces", "create marked"),
    Boundary("openrouter", "POST", "/api/v1/guardrails", "create marked"),
    Boundary("openrouter", "POST", "/api/v1/keys", "create with a secret"),
    Boundary("openrouter", "POST", "/api/v1/guardrails/*/assignments/keys", "assign"),
    Boundary("slack", "POST", "/api/conversations.list", "look"),
    Boundary("slack", "POST", "/api/conversations.create", "create to be marked"),
    Boundary("slack", "POST", "/api/conversations.setPurpose", "set"),
    Boundary("slack", "POST", "/api/conversations.setTopic", "set"),
]
"""Every request that the estate's first ``up`` sends to a platform."""

CHANGES = [
    Boundary("airbyte", "PATCH", "/v1/sources/*", "update"),
    Boundary("airbyte", "GET", "/v1/destinations", "look"),
    Boundary("airbyte", "POST", "/v1/destinations", "create"),
    Boundary("airbyte", "GET", "/v1/connections", "look"),
    Boundary("airbyte", "POST", "/v1/connections", "create"),
    Boundary("airbyte", "DELETE", "/v1/connections/*", "delete"),
    Boundary("airbyte", "DELETE", "/v1/destinations/*", "delete"),
    Boundary("openrouter", "PATCH", "/api/v1/guardrails/*", "update"),
    Boundary("openrouter", "POST", "/api/v1/guardrails/*/assignments/keys/remove", "delete"),
    Boundary("openrouter", "DELETE", "/api/v1/keys/*", "delete"),
    Boundary("openrouter", "GET", "/api/v1/keys", "look"),
    Boundary("openrouter", "POST", "/api/v1/keys", "create with a secret"),
    Boundary("openrouter", "GET", "/api/v1/guardrails/*/assignments/keys", "look"),
    Boundary("openrouter", "POST", "/api/v1/guardrails/*/assignments/keys", "assign"),
    Boundary("slack", "POST", "/api/conversations.setPurpose", "update"),
]
"""Those of the ``up`` that makes the changed estate of the first one."""

DELETES = [
    Boundary("airbyte", "DELETE", "/v1/connections/*", "delete"),
    Boundary("airbyte", "DELETE", "/v1/sources/*", "delete"),
    Boundary("airbyte", "DELETE", "/v1/destinations/*", "delete"),
    Boundary("airbyte", "DELETE", "/v1/workspaces/*", "delete"),
    Boundary("openrouter", "POST", "/api/v1/guardrails/*/assignments/keys/remove", "delete"),
    Boundary("openrouter", "DELETE", "/api/v1/keys/*", "delete"),
    Boundary("openrouter", "DELETE", "/api/v1/guardrails/*", "delete"),
    Boundary("openrouter", "DELETE", "/api/v1/workspaces/*", "delete"),
    Boundary("slack", "POST", "/api/conversations.info", "look"),
    Boundary("slack", "POST", "/api/conversations.archive", "delete"),
]
"""Those of the estate's ``destroy``."""

STATE = [
    Boundary("pulumi", "PATCH", "/api/stacks/*/update/*/journalentries", "state", skip) for skip in range(4, 28, 2)
]
"""Requests by which the engine writes down what it does: how many there are depends on what happens together."""


@dataclass(frozen=True)
class Cut:
    """Who is killed while a request waits for its answer, before or after it is ``served``."""

    victim: str
    served: bool

    @property
    def label(self) -> str:
        return f"{self.victim} killed {'after' if self.served else 'before'}"


KILLS = [Cut("engine", served=True), Cut("engine", served=False)]
CUTS = [*KILLS, Cut("provider", served=True), Cut("provider", served=False)]
"""At a request of the engine's own, only the engine can be killed: it is the one that waits."""

SOFT: dict[str, dict[str, Any]] = {
    "drop": {"action": "drop"},
    "drop-after": {"action": "drop-after"},
    "half": {"action": "half"},
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "retry_after": 0.3},
    "500": {"status": 500},
    "503": {"status": 503},
    "slow": {"latency": 0.5, "hold": 0.5},
    "late": {"late": 2},
    "lost and late": {"action": "drop-after", "late": 2},
    "token expired": {"status": 401},
    "not known yet": {"status": 404},
}
"""What a patient client survives."""

NEW_ONLY = "not known yet"
"""A harm that passes only where what a request is about is fresh."""

TIMEOUTS: dict[str, dict[str, Any]] = {
    "timeout": {"action": "drop", "latency": 31},
    "timeout, served": {"hold": 31},
    "timeout, served afterwards": {"latency": 31},
}


def applies(boundary: Boundary, harm: str) -> bool:
    """Whether a client could survive it there: only Airbyte's tokens expire, and only what is fresh is not known yet."""
    if harm == "token expired":
        return boundary.platform == "airbyte" and boundary.sort != "token"
    first = boundary.path.endswith(("/workspaces", "/conversations.create"))
    return harm != NEW_ONLY or not (first or boundary.sort in ("token", "look"))
