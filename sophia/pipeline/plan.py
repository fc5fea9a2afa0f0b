"""A plan that can be approved: bound to the state, the program, the settings and the ESC revisions that it was made from.

Its digest covers all of these and what the engine has planned, but not what differs between two previews of the same
(times, seeds, the ciphertext of a secret): who approves a digest approves that, whoever makes the preview.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sophia.errors import RunFailed, SettingsError
from sophia.events import Resource
from sophia.pipeline.environments import revisions
from sophia.pipeline.revision import Revision, of_checkout
from sophia.results import Change, Counts, Plan, PropertyChange
from sophia.stack import Stack

VERSION = 1
LONGEST_LIFE = timedelta(hours=24)
SHORTEST_DIGEST = 12
"""Characters of a digest that must be given to approve it."""
_SHOWN_DIGEST = 16
_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The member that marks secrets in the engine's documents (a constant of Pulumi's protocol)."""
_VARYING = frozenset({"seed", "manifest", "state"})
"""Members of the engine's plan that say nothing of what will be done: ``state`` are outputs, which are only advisory."""
_UNORDERED = frozenset({"dependencies", "propertyDependencies"})
"""Members in which the engine lists URNs in the order in which they became known."""


@dataclass(frozen=True)
class Binding:
    """What a plan was made from, besides the state."""

    stack: str
    """``organization/project/stack``."""
    backend: str
    revision: Revision
    environments: Mapping[str, str]
    """ESC environments and their revisions."""

    def moved(self, now: Binding) -> Iterator[str]:
        """What is different now, in words."""
        if (self.stack, self.backend) != (now.stack, now.backend):
            yield f"it is of {self.stack} at {self.backend}, and this is {now.stack} at {now.backend}"
        if self.revision.program != now.revision.program:
            then, since = self.revision.short, now.revision.short
            yield "the program has changed" + (f" (from {then} to {since})" if then != since else "")
        if self.revision.settings != now.revision.settings:
            yield "the settings have changed"
        for name in sorted({*self.environments, *now.environments}):
            then, since = self.environments.get(name, "none"), now.environments.get(name, "none")
            if then != since:
                yield f"the ESC environment {name} has changed (from revision {then} to {since})"


def bind(stack: Stack, environ: Mapping[str, str] = os.environ) -> Binding:
    """What a plan made now would be made from. Raises SophiaError where ESC cannot be read."""
    revision = of_checkout(stack.project.directory, stack.settings_file)
    return Binding(stack.full_name, stack.target.backend, revision, revisions(stack, environ))


@dataclass(frozen=True)
class BoundPlan:
    binding: Binding
    plan: Plan
    made: datetime
    by: str

    @property
    def digest(self) -> str:
        """A SHA-256, as 64 hexadecimal digits."""
        content = {
            "version": VERSION,
            "stack": self.binding.stack,
            "backend": self.binding.backend,
            "program": self.binding.revision.program,
            "settings": self.binding.revision.settings,
            "environments": dict(self.binding.environments),
            "state": self.plan.state,
            "engine": _steady(json.loads(self.plan.engine_plan or b"{}")),
            "changes": [asdict(change) for change in sorted(self.plan.changes, key=lambda c: c.resource.urn)],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def short_digest(self) -> str:
        return self.digest[:_SHOWN_DIGEST]

    def is_approved_by(self, digest: str) -> bool:
        return len(digest) >= SHORTEST_DIGEST and self.digest.startswith(digest.strip().lower())

    def stale(self, now: Binding, state: str, moment: datetime) -> list[str]:
        """Why it must not be run any more, in words; [] for a plan that still holds. ``state`` is the fingerprint now."""
        reasons = list(self.binding.moved(now))
        if self.plan.state != state:
            reasons.append("another run has changed the state")
        if moment - self.made > LONGEST_LIFE:
            hours = (moment - self.made).total_seconds() / 3600
            reasons.append(f"it is {hours:.0f} hours old, and lasts {LONGEST_LIFE.total_seconds() / 3600:.0f}")
        return reasons

    def refuse_stale(self, now: Binding, state: str, moment: datetime) -> None:
        """Raises RunFailed for a plan that does not hold any more."""
        reasons = self.stale(now, state, moment)
        if reasons:
            raise RunFailed(
                f'stack "{self.plan.stack}": the plan {self.short_digest} is out of date, and nothing was changed',
                said="\n".join(reasons),
                setting=f"the plan made {self.made:%Y-%m-%d %H:%M} UTC by {self.by}",
                do=f"make a new one: `sophia deploy {self.plan.stack}`, with --plan-only and --plan-file for a file",
            )

    def write(self, file: Path) -> None:
        """For a later run, perhaps on another machine. Secrets in it are encrypted with the stack's key."""
        plan = self.plan
        document = {
            "version": VERSION,
            "digest": self.digest,
            "made": self.made.isoformat(),
            "by": self.by,
            "binding": asdict(self.binding),
            "stack": plan.stack,
            "counts": asdict(plan.counts),
            "changes": [asdict(change) for change in plan.changes],
            "warnings": list(plan.warnings),
            "interrupted": [resource.urn for resource in plan.interrupted],
            "state": plan.state,
            "engine_plan": plan.engine_plan.decode(),
        }
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                json.dump(document, out, ensure_ascii=False, default=str)
        except OSError as error:
            raise _unusable(file, f"it cannot be written: {error.strerror}") from error

    @classmethod
    def read(cls, file: Path) -> BoundPlan:
        """Raises SettingsError for a file that holds no plan, or one that was changed since it was written."""
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            bound = cls._of(told)
        except OSError as error:
            raise _unusable(file, error.strerror or str(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise _unusable(file, f"it holds no plan of this version ({type(error).__name__})") from error
        if told["digest"] != bound.digest:
            raise _unusable(file, "it was changed after it was made: its digest is not that of its content")
        return bound

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> BoundPlan:
        if told["version"] != VERSION:
            raise ValueError(told["version"])
        binding = told["binding"]
        plan = Plan(
            stack=told["stack"],
            counts=Counts(**told["counts"]),
            changes=tuple(_change(change) for change in told["changes"]),
            outputs={},
            duration=0.0,
            requests=None,
            warnings=tuple(told["warnings"]),
            interrupted=tuple(Resource(urn) for urn in told["interrupted"]),
            engine_plan=told["engine_plan"].encode(),
            state=told["state"],
        )
        return cls(
            Binding(**{**binding, "revision": Revision(**binding["revision"])}),
            plan,
            datetime.fromisoformat(told["made"]).astimezone(UTC),
            told["by"],
        )


def _change(told: Mapping[str, Any]) -> Change:
    properties = tuple(PropertyChange(**one) for one in told["properties"])
    return Change(Resource(told["resource"]["urn"]), told["operation"], properties)


def _unusable(file: Path, said: str) -> SettingsError:
    return SettingsError(
        f"{file.name} is no plan that can be used",
        said=said,
        setting="option --plan-file",
        do="make one: `sophia deploy STACK --plan-only --plan-file FILE`",
    )


def _steady(value: Any) -> Any:
    """The engine's plan without what differs between two previews of the same."""
    if isinstance(value, dict):
        if _SIGNATURE in value or value.keys() == {"secure"}:
            return "[secret]"
        return {key: _ordered(key, _steady(item)) for key, item in value.items() if key not in _VARYING}
    return [_steady(item) for item in value] if isinstance(value, list) else value


def _ordered(key: str, value: Any) -> Any:
    if key not in _UNORDERED or not value:
        return value
    if isinstance(value, dict):
        return {name: sorted(urns) for name, urns in value.items()}
    return sorted(value)
