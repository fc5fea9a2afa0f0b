"""Adds up a run's events: which resources changed, how, and what was said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sophia.diagnosis import outcome_unknown
from sophia.events import (
    Diagnostic,
    Event,
    PhaseDone,
    PolicyViolation,
    Resource,
    ResourceDone,
    ResourceFailed,
    ResourceStarted,
    Step,
    revealed,
)
from sophia.results import Change, Counts, Operation, PropertyChange

_OPERATIONS: Mapping[str, Operation] = {
    "same": "unchanged",
    "read": "unchanged",
    "refresh": "unchanged",
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "discard": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
    "discard-replaced": "replace",
}
_INTERRUPTED = "Attempting to deploy or update resources with"
"""How the engine (3.258) begins its warning of pending operations, and advises what would forget them."""
_CREATES = frozenset({"create", "create-replacement"})
_BEFORE_CREATES = frozenset({"delete-replaced", "discard-replaced"})
_PATH = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


class Recorder:
    """The events of one phase, the preview or the run itself."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self.operations: dict[str, Operation] = {}
        self.outputs: Mapping[str, Any] = {}
        self.outputs_before: Mapping[str, Any] = {}
        self.errors: list[Diagnostic] = []
        self.warnings: list[str] = []
        self.violations: list[PolicyViolation] = []
        self.failed: list[Resource] = []
        self.finished = False
        self._begun: dict[str, Resource] = {}
        self._in_flight: set[tuple[str, str]] = set()
        self._blocked = False

    def add(self, event: Event) -> None:
        self._follow(event)
        if isinstance(event, ResourceStarted) and event.step.counts and event.step.operation in _CREATES:
            self._begun[event.step.resource.urn] = event.step.resource
        elif isinstance(event, ResourceDone):
            self._done(event.step)
        elif isinstance(event, PhaseDone):
            self.finished = True
        elif isinstance(event, ResourceFailed):
            self.failed.append(event.step.resource)
        elif isinstance(event, PolicyViolation):
            self.violations.append(event)
        elif isinstance(event, Diagnostic) and not event.ephemeral:
            if event.severity == "error":
                self.errors.append(event)
            elif event.severity == "warning":
                self._warn(event.message.strip())

    def _follow(self, event: Event) -> None:
        if isinstance(event, ResourceStarted | ResourceDone | ResourceFailed) and event.step.custom:
            step = (event.step.resource.urn, event.step.operation)
            if isinstance(event, ResourceStarted):
                self._in_flight.add(step)
                return
            self._in_flight.discard(step)
            self._blocked |= isinstance(event, ResourceFailed) and event.step.operation in _BEFORE_CREATES

    @property
    def may_be_stuck(self) -> bool:
        """Whether the engine (3.258) may wait for something that it will never do.

        With ``--continue-on-error``, a deletion that fails before its replacement is made leaves the program waiting
        for the replacement for ever (github.com/pulumi/pulumi/issues/16373).
        """
        return self._blocked and not self._in_flight

    def _warn(self, message: str) -> None:
        """Each warning once. That of interrupted creations is left out: they are taken over, or told by name."""
        if message not in self.warnings and not message.startswith(_INTERRUPTED):
            self.warnings.append(message)

    def _done(self, step: Step) -> None:
        self._begun.pop(step.resource.urn, None)
        if step.resource.is_stack:
            self.outputs, self.outputs_before = revealed(step.new_outputs), revealed(step.old_outputs)
        if not step.counts:
            return
        urn = step.resource.urn
        operation = _OPERATIONS.get(step.operation, "unchanged")
        if operation == "unchanged" and urn in self.operations:
            return  # a refresh that runs the program reports what it found, and then the program's resource as the same
        if self.operations.get(urn) == "replace":
            # A replacement is three steps; that which deletes the old object knows no properties.
            if step.differences or step.replace_keys:
                self._steps[urn] = step
            return
        self.operations[urn] = operation
        self._steps[urn] = step

    @property
    def unknown_creates(self) -> tuple[Resource, ...]:
        """The creations that were begun and of which nobody knows whether they worked."""
        told = {e.resource for e in self.errors if e.resource is not None and outcome_unknown(e.message)}
        return tuple(r for r in self._begun.values() if r in told or r not in self.failed)

    @property
    def counts(self) -> Counts:
        counter = Counter(self.operations.values())
        return Counts(
            created=counter["create"],
            updated=counter["update"],
            replaced=counter["replace"],
            deleted=counter["delete"],
            unchanged=counter["unchanged"],
        )

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(
            Change(self._steps[urn].resource, operation, property_changes(self._steps[urn]))
            for urn, operation in self.operations.items()
            if operation != "unchanged"
        )


def property_changes(step: Step) -> tuple[PropertyChange, ...]:
    """What changes in an update or replacement, property by property; nothing for the other operations."""
    if step.operation in ("create", "delete", "same"):
        return ()
    details = dict(step.differences) or {
        key: ("update-replace" if key in step.replace_keys else "update", True)
        for key in dict.fromkeys((*step.changed_keys, *step.replace_keys))
    }
    changes = []
    for path, (kind, inputs) in sorted(details.items()):
        if path.startswith("__"):
            continue  # the SDK's own members, such as the pickled provider
        old = step.old_inputs if inputs else step.old_outputs
        # A refresh is no step of the program's: there what was found is new, elsewhere what is asked for.
        new = step.new_inputs if inputs or step.logical else step.new_outputs
        forces = kind.endswith("replace") or path.split(".")[0].split("[")[0] in step.replace_keys
        changes.append(PropertyChange(path, at(revealed(old), path), at(revealed(new), path), forces))
    return tuple(changes)


def at(document: Any, path: str) -> Any:
    """The value at a property path such as ``a.b["c.d"][0]``, or None. Inside a secret everything is the mask."""
    for key, index, name in _PATH.findall(path):
        if isinstance(document, str):
            return document
        if index and isinstance(document, list) and int(index) < len(document):
            document = document[int(index)]
        elif isinstance(document, Mapping):
            document = document.get(name or key or index)
        else:
            return None
    return document
