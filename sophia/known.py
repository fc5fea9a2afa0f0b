"""What the last look for drift has found, kept as a tag of the stack in Pulumi Cloud.

It outlives the machine that looked, in CI a new one each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sophia import cloud
from sophia.alerts import WELL, Fact
from sophia.drift import Drift
from sophia.events import Resource
from sophia.results import Change
from sophia.stack import Stack

TAG = "sophia:drift-found"
_FORM = re.compile(r"(\S+) checked=(\d+) changed=(\d+) deleted=(\d+)")
_UNFIT = re.compile(r"[^\w./-]+")


@dataclass(frozen=True)
class KnownDrift:
    """``time`` is when it was looked for; the numbers are objects."""

    time: datetime
    checked: int
    changed: int
    deleted: int

    def __bool__(self) -> bool:
        return bool(self.changed or self.deleted)

    @classmethod
    def of(cls, drift: Drift, time: datetime) -> KnownDrift:
        return cls(time, drift.checked, len(drift.changed), len(drift.deleted))

    @classmethod
    def parse(cls, text: str) -> KnownDrift | None:
        """None for a tag that was never written, or that this version does not understand."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        time, checked, changed, deleted = found.groups()
        try:
            return cls(datetime.fromisoformat(time), int(checked), int(changed), int(deleted))
        except ValueError:
            return None

    def text(self) -> str:
        time = self.time.astimezone(UTC).isoformat(timespec="seconds")
        return f"{time} checked={self.checked} changed={self.changed} deleted={self.deleted}"


def of_tags(tags: Mapping[str, str]) -> KnownDrift | None:
    return KnownDrift.parse(tags.get(TAG, ""))


def remember(stack: Stack, drift: Drift) -> None:
    """Notes what was found just now. Raises SophiaError if Pulumi Cloud does not take it."""
    cloud.set_tag(stack, TAG, KnownDrift.of(drift, datetime.now(UTC)).text())


def facts(drift: Drift, objects: Iterable[Resource]) -> list[Fact]:
    """The same for alerts: which of a stack's objects are not as they were set."""
    drifted = {change.resource.urn: change for change in drift.changes}
    known = {resource.urn: resource for resource in objects} | {c.resource.urn: c.resource for c in drift.changes}
    return [_fact(resource, drifted.get(urn), drift.stack) for urn, resource in known.items()]


def _fact(resource: Resource, change: Change | None, stack: str) -> Fact:
    name = _UNFIT.sub("-", f"{resource.platform}/{resource.kind}/{resource.name}".lower())
    if change is None:
        return Fact(name, resource.title, WELL)
    if change.operation == "delete":
        return Fact(name, resource.title, "deleted", do=f"`sophia drift {stack} --fix` makes it again")
    paths = ", ".join(p.path for p in change.properties)
    return Fact(name, resource.title, "changed", paths, f"`sophia drift {stack} --fix` sets it back")
