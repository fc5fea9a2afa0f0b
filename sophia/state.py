"""What is read from a stack's state before and after a run: interrupted creations, and whether it is still the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sophia.events import Resource

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The member that marks a secret in a state (a constant of Pulumi's protocol)."""


@dataclass(frozen=True)
class State:
    """A stack's exported state. Secrets in it stay encrypted."""

    document: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> State:
        return cls(json.loads(text))

    @property
    def _deployment(self) -> dict[str, Any]:
        return self.document.get("deployment") or {}

    @property
    def resources(self) -> list[dict[str, Any]]:
        return self._deployment.get("resources") or []

    @property
    def platforms(self) -> dict[str, int]:
        """How many resources that people count each platform has; "" for those of none."""
        return dict(Counter(r.platform for r in self.objects))

    @property
    def objects(self) -> tuple[Resource, ...]:
        """The resources that exist on platforms, as far as the state knows."""
        found = (Resource(r["urn"]) for r in self.resources if r.get("custom") and not r.get("external"))
        return tuple(r for r in found if not r.is_provider)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The objects with their types, names, ids, times of creation and outputs, but for what is secret in these."""
        return [
            {
                "type": known.type,
                "name": known.name,
                "id": str(resource.get("id", "")),
                "created": resource.get("created"),
                "outputs": {k: v for k, v in (resource.get("outputs") or {}).items() if not holds_secret(v)},
            }
            for resource in self.resources
            if resource.get("custom") and not resource.get("delete")
            for known in (Resource(resource["urn"]),)
        ]

    @property
    def ids(self) -> dict[str, str]:
        """The id of each object by URN; one that waits for its deletion after a replacement is left out."""
        return {r["urn"]: str(r.get("id", "")) for r in self.resources if r.get("custom") and not r.get("delete")}

    @property
    def protected(self) -> tuple[Resource, ...]:
        """The resources that no run may delete."""
        return tuple(Resource(r["urn"]) for r in self.resources if r.get("protect"))

    @property
    def interrupted_creates(self) -> tuple[Resource, ...]:
        """Creations that a killed run had begun: the object may exist on its platform, unknown to the state."""
        operations = self._deployment.get("pending_operations") or []
        urns = [op["resource"]["urn"] for op in operations if op.get("type") == "creating"]
        return tuple(Resource(urn) for urn in dict.fromkeys(urns))

    @property
    def fingerprint(self) -> str:
        """Changes when anything that a plan depends on changes; the time of the last write is left out."""
        content = {"resources": self.resources, "pending": [r.urn for r in self.interrupted_creates]}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def unresolved(self) -> tuple[Resource, ...]:
        """The interrupted creations whose resource has not got into the state since."""
        known = {resource["urn"] for resource in self.resources}
        return tuple(r for r in self.interrupted_creates if r.urn not in known)

    def settled(self) -> State:
        """The same state without the notes of interrupted operations."""
        deployment = {k: v for k, v in self._deployment.items() if k != "pending_operations"}
        return State({**self.document, "deployment": deployment})

    def noting(self, begun: Iterable[Resource]) -> State:
        """The same state with a note that the creation of these was begun, as the engine itself leaves it when killed."""
        notes = [
            {"resource": {"urn": r.urn, "type": r.type, "custom": True}, "type": "creating"}
            for r in begun
            if r not in self.interrupted_creates
        ]
        deployment = {**self._deployment}
        deployment["pending_operations"] = [*(deployment.get("pending_operations") or []), *notes]
        return State({**self.document, "deployment": deployment})

    def dump(self) -> str:
        return json.dumps(self.document)


def holds_secret(value: Any) -> bool:
    """Whether a value of a state is secret, or has a secret somewhere inside."""
    if isinstance(value, Mapping):
        return _SIGNATURE in value or any(holds_secret(item) for item in value.values())
    return any(holds_secret(item) for item in value) if isinstance(value, list) else False
