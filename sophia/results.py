"""What a run did, or would do: frozen values for scripts, from which the displays are made as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sophia.events import SECRET, PolicyViolation, Resource

__all__ = ["SECRET", "Change", "Counts", "HistoryEntry", "Operation", "Partial", "Plan", "PropertyChange", "Result"]

Operation = Literal["create", "update", "replace", "delete", "unchanged"]


@dataclass(frozen=True)
class PropertyChange:
    """One property of a resource; ``old`` or ``new`` is None where it is absent, `SECRET` where it is secret."""

    path: str
    old: Any
    new: Any
    forces_replacement: bool = False


@dataclass(frozen=True)
class Change:
    """One resource that is not left alone."""

    resource: Resource
    operation: Operation
    properties: tuple[PropertyChange, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Resources that exist on a platform, by what happened to them. Components and providers are not counted."""

    created: int = 0
    updated: int = 0
    replaced: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> int:
        return self.created + self.updated + self.replaced + self.deleted

    @property
    def total(self) -> int:
        return self.changed + self.unchanged


@dataclass(frozen=True)
class _Outcome:
    stack: str
    counts: Counts
    changes: tuple[Change, ...]
    outputs: Mapping[str, Any]
    """The stack's outputs; a secret one is `SECRET` (``Stack.outputs(show_secrets=True)`` shows it)."""
    duration: float
    """Seconds, everything included."""
    requests: int | None
    """Requests that reached a platform meanwhile, from the sandbox's journal; None with real accounts."""
    warnings: tuple[str, ...] = ()
    violations: tuple[PolicyViolation, ...] = ()
    interrupted: tuple[Resource, ...] = ()
    """Creations of an earlier run that was killed, which nothing has taken over yet."""

    @property
    def has_changes(self) -> bool:
        return bool(self.changes)

    def of(self, operation: Operation) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.operation == operation)


@dataclass(frozen=True)
class Plan(_Outcome):
    """What a preview found. `Stack.up` does exactly this, or refuses, when given it."""

    engine_plan: bytes = field(default=b"", repr=False)
    """The engine's own plan; secrets in it are encrypted with the stack's key."""
    state: str = field(default="", repr=False)
    """A fingerprint of the state that the plan was made from."""

    @property
    def creates(self) -> tuple[Change, ...]:
        return self.of("create")

    @property
    def updates(self) -> tuple[Change, ...]:
        return self.of("update")

    @property
    def replaces(self) -> tuple[Change, ...]:
        return self.of("replace")

    @property
    def destroys(self) -> tuple[Change, ...]:
        """What would cease to exist, replacements not included."""
        return self.of("delete")

    def describe(self) -> str:
        """The review as plain text, destructive changes first."""
        from sophia.display.review import review

        return "\n".join(line.plain for line in review(self))


@dataclass(frozen=True)
class Result(_Outcome):
    """What a run did."""

    operation: Literal["up", "refresh", "destroy"] = "up"
    outputs_before: Mapping[str, Any] = field(default_factory=dict)
    """The stack's outputs before the run."""

    def describe(self) -> str:
        """The summary as plain text."""
        from sophia.display.summary import summary

        return "\n".join(line.plain for line in summary(self))


@dataclass(frozen=True)
class Partial:
    """How far a run got that failed or was stopped. What was done is in the state; the next run tries only the rest."""

    counts: Counts
    """Of what was done."""
    failed: tuple[Resource, ...]
    not_tried: tuple[Resource, ...] | None
    """What was left out, because it depends on what failed; None where the run was not compared with a preview first."""
    unknown: tuple[Resource, ...] = ()
    """Creations of which nobody knows whether they worked: a provider died, or its platform fell silent."""
    noted: bool = True
    """Whether the state notes the unknown ones, so that the next run takes them over."""


@dataclass(frozen=True)
class HistoryEntry:
    """One past run of a stack, as its backend remembers it."""

    version: int | None
    kind: str
    result: str
    started: datetime
    ended: datetime | None
    message: str
    changes: Mapping[str, int]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the engine noted of where the run was made: git's commit, the CI's build, flags (never values of variables)."""
