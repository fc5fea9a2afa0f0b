"""What was changed on the platforms by hand: how it is told from a preview of a refresh, and what cannot be told.

The engine asks the providers for every object of the state, and reports how what it got differs from what was set: the
differences that an ``up`` of an unchanged program would undo. Values that the platform fills in or does not show are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sophia import diagnosis
from sophia.errors import Problem, SettingsError
from sophia.events import SECRET, Resource
from sophia.results import Change, PropertyChange
from sophia.runs import Run
from sophia.state import State

_MOST_NAMES = 20
"""How many objects a message names, before it only counts."""


@dataclass(frozen=True)
class Drift:
    """What differs from the last run. In each change, ``old`` is what was set, and ``new`` what is there now."""

    stack: str
    changes: tuple[Change, ...]
    checked: int
    """How many objects were looked at; those that could not be read are left out."""
    duration: float
    """Seconds, everything included."""
    requests: int | None
    """Requests that reached a platform meanwhile, from the sandbox's journal; None with real accounts."""
    warnings: tuple[str, ...] = ()
    interrupted: tuple[Resource, ...] = ()
    """Creations of an interrupted run, which nothing has taken over yet: whether they exist is not known here."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def changed(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.operation != "delete")

    @property
    def deleted(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.operation == "delete")

    def describe(self) -> str:
        """What drifted as plain text, by platform and object."""
        from sophia.display.drift import lines

        return "\n".join(line.plain for line in lines(self))


def drift_of(stack: str, run: Run, before: State, duration: float) -> Drift:
    """What a preview of a refresh has found."""
    recorder = run.recorder
    changes = (
        Change(c.resource, c.operation, tuple(_hidden(p) for p in c.properties))
        for c in recorder.changes
        if c.operation == "delete" or c.properties
    )
    return Drift(
        stack=stack,
        changes=tuple(sorted(changes, key=lambda c: (c.resource.platform, c.resource.kind, c.resource.name))),
        checked=len(recorder.operations),
        duration=duration,
        requests=run.requests,
        warnings=tuple(recorder.warnings),
        interrupted=before.interrupted_creates,
    )


def unreadable_objects(run: Run, stack: str, settings_file: str, backend: str) -> list[Problem]:
    """A problem for each reason why objects could not be read, with their names; none if the run failed otherwise."""
    failure = diagnosis.Failure(
        stack, settings_file, backend, run.recorder.errors, (), run.outcome.stderr, run.outcome.code
    )
    groups: dict[tuple[str, str, str], list[tuple[Resource, Problem]]] = {}
    for diagnostic, problem in diagnosis.problems_of(failure):
        resource = diagnostic.resource
        if resource is None or resource.is_stack:
            return []
        groups.setdefault((resource.platform, problem.said, problem.do), []).append((resource, problem))
    return [_grouped(members) for members in groups.values()]


def _grouped(members: Sequence[tuple[Resource, Problem]]) -> Problem:
    resource, problem = members[0]
    if len(members) == 1:
        what = f"{resource.title}: it could not be read"
    else:
        names = [f'{r.kind} "{r.name}"' for r, _ in members[:_MOST_NAMES]]
        more = f" and {len(members) - _MOST_NAMES} more" if len(members) > _MOST_NAMES else ""
        what = f"{resource.platform}: {len(members)} objects could not be read: {', '.join(names)}{more}".lstrip(": ")
    settings = list(dict.fromkeys(p.setting for _, p in members if p.setting))
    setting = settings[0] if len(settings) == 1 else ""
    return Problem(what, problem.said, setting, f"{problem.do}; whether they drifted is not known".lstrip("; "))


def changed_too(stack: str, settings_file: str, changes: Sequence[Change]) -> SettingsError:
    """The refusal to fix what cannot be told from a change of the settings."""
    names = [f"{c.resource.title}: {', '.join(p.path for p in c.properties) or c.operation}" for c in changes]
    return SettingsError(
        f'stack "{stack}": settings of what drifted, or of what depends on it, were changed since the last up as well',
        said="\n".join(names),
        setting=settings_file,
        do=f"`sophia up {stack}` does both, after `sophia refresh {stack}`; or take the settings back, and fix again",
    )


def _hidden(change: PropertyChange) -> PropertyChange:
    """The same without what is secret on the other side: what a platform shows of a secret may be unmarked."""
    return PropertyChange(change.path, _masked(change.old, change.new), _masked(change.new, change.old))


def _masked(value: Any, other: Any) -> Any:
    if value is not None and other == SECRET:
        return SECRET
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return {key: _masked(item, other.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(other, list):
        # Items may have moved: where one of them holds a secret, each may.
        return [SECRET] * len(value) if _holds_secret(other) else value
    return value


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secret(item) for item in value.values())
    return any(_holds_secret(item) for item in value) if isinstance(value, list) else value == SECRET
