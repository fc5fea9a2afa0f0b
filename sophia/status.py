"""Where a stack stands: what it has, what ran last, what is known of its drift and its credentials, what is left to do.

Reads what is known already: the state, the history, the stack's record in Pulumi Cloud, the checkout. Platforms are asked
only where that is wished.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sophia import cloud, credentials, known
from sophia.cloud import Operation, StackRecord
from sophia.events import Resource
from sophia.known import KnownDrift
from sophia.pipeline.record import Label, label_of
from sophia.pipeline.revision import Revision, of_checkout
from sophia.results import HistoryEntry, Plan
from sophia.runner import EngineCommand
from sophia.runs import OnEvent
from sophia.stack import Stack
from sophia.state import State, holds_secret

Part = Literal["settings", "program"]

LONGEST_LIFE = timedelta(days=90)
"""After which a credential is overdue."""
_LOOKED_AT = 20
"""How many runs back one that noted its revision is looked for: those that set drift back do not, for example."""
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True)
class PlatformStatus:
    """What the state has of a platform: ``kinds`` are counts of resources by their kind, the most frequent first."""

    title: str
    resources: int
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class LastRun:
    """The latest run in the history; ``label`` is what sophia noted with it, None for a run of something else."""

    entry: HistoryEntry
    label: Label | None

    @property
    def what(self) -> str:
        """deploy, rollback, up…; for a run that sophia did not make, the engine's word."""
        return self.label.what if self.label else self.entry.kind

    @property
    def revision(self) -> Revision | None:
        return self.label.revision if self.label else None


@dataclass(frozen=True)
class CredentialAges:
    """How old the credentials are; those of which nobody knows are in ``unknown``."""

    made_by: Literal["the stack", "anybody"]
    """Whose they are: the state knows only those that the stack has made."""
    total: int
    unknown: int
    oldest: str
    """The name of the oldest; "" where no age is known."""
    oldest_age: timedelta | None
    overdue: tuple[str, ...]
    refused: tuple[str, ...]
    """Those that do not work any more."""


@dataclass(frozen=True)
class Status:
    """None is what nobody knows yet, or what was not asked for."""

    stack: str
    time: datetime
    exists: bool
    platforms: tuple[PlatformStatus, ...]
    last: LastRun | None
    drift: KnownDrift | None
    credentials: CredentialAges
    """Of those that the stack has made; with ``look_at_credentials`` of all, which platforms are asked about."""
    interrupted: tuple[Resource, ...]
    """Creations that a killed run had begun: the objects may exist."""
    unfinished: tuple[Resource, ...]
    """Objects that exist, and of which a part of their making failed."""
    waiting_for_deletion: tuple[Resource, ...]
    changed_since: tuple[Part, ...] | None
    """What of the checkout differs from what was deployed last; None where no run of late noted it."""
    changes: Plan | None
    """What an up would do; asked for only with ``preview``."""
    holder: Operation | None
    """Who is running something on the stack now."""

    @property
    def resources(self) -> int:
        return sum(platform.resources for platform in self.platforms)

    @property
    def pending(self) -> bool:
        """Whether an up has something to do, as far as that is known."""
        known_changes = self.changes.has_changes if self.changes else bool(self.changed_since)
        return bool(known_changes or self.interrupted or self.unfinished or self.waiting_for_deletion)


def status(
    stack: Stack,
    *,
    look_for_drift: bool = False,
    look_at_credentials: bool = False,
    preview: bool = False,
    engine: EngineCommand | None = None,
    on_event: OnEvent | None = None,
) -> Status:
    """Where the stack stands. Changes nothing, but for the note of what was found where drift was looked for.

    Raises SophiaError where what is asked for cannot be read.
    """
    if look_for_drift:
        known.remember(stack, stack.drift(on_event))
    ages = _ages(credentials.records(stack, engine=engine)) if look_at_credentials else None
    plan = stack.preview(on_event) if preview else None
    with ThreadPoolExecutor(3) as pool:
        reading, running, asking = (
            pool.submit(stack.state),
            pool.submit(stack.history, _LOOKED_AT),
            pool.submit(cloud.read, stack),
        )
        state, history, record = reading.result(), running.result(), asking.result()
    return _assembled(stack, state, [LastRun(entry, label_of(entry)) for entry in history], record, ages, plan)


def _assembled(
    stack: Stack,
    state: State | None,
    runs: Sequence[LastRun],
    record: StackRecord,
    ages: CredentialAges | None,
    plan: Plan | None,
) -> Status:
    present, now = state or State({}), datetime.now(UTC)
    unfinished = [Resource(r["urn"]) for r in present.resources if r.get("initErrors")]
    deletions = [Resource(r["urn"]) for r in present.resources if r.get("delete") and r.get("custom")]
    return Status(
        stack=stack.name,
        time=now,
        exists=state is not None,
        platforms=_platforms(present),
        last=next(iter(runs), None),
        drift=known.of_tags(record.tags),
        credentials=ages or _minted(present, now),
        interrupted=present.unresolved(),
        unfinished=tuple(unfinished),
        waiting_for_deletion=tuple(deletions),
        changed_since=_changed_since(stack, next((run.revision for run in runs if run.revision), None)),
        changes=plan,
        holder=record.operation,
    )


def _platforms(state: State) -> tuple[PlatformStatus, ...]:
    kinds: dict[str, Counter[str]] = {}
    for resource in state.objects:
        kinds.setdefault(resource.platform, Counter())[resource.kind] += 1
    return tuple(
        PlatformStatus(title, found.total(), dict(found.most_common())) for title, found in sorted(kinds.items())
    )


def _changed_since(stack: Stack, revision: Revision | None) -> tuple[Part, ...] | None:
    if revision is None:
        return None
    now = of_checkout(stack.project.directory, stack.settings_file)
    parts: list[Part] = ["settings"] if now.settings != revision.settings else []
    return (*parts, "program") if now.program != revision.program else tuple(parts)


def _minted(state: State, now: datetime) -> CredentialAges:
    """The ages of the credentials that the stack has made: of our own resources with a secret that was not given to them."""
    aged: list[tuple[timedelta, str]] = []
    total = 0
    for record in state.resources:
        resource = Resource(record["urn"])
        if resource.is_dynamic and not record.get("delete") and _has_own_secret(record):
            total += 1
            if created := record.get("created"):
                aged.append((now - _moment(created), resource.title))
    age, oldest = max(aged, default=(None, ""))
    overdue = tuple(title for age, title in aged if age > LONGEST_LIFE)
    return CredentialAges("the stack", total, total - len(aged), oldest, age, overdue, ())


def _has_own_secret(record: Mapping[str, Any]) -> bool:
    inputs, outputs = record.get("inputs") or {}, record.get("outputs") or {}
    return any(
        holds_secret(value) and not holds_secret(inputs.get(name))
        for name, value in outputs.items()
        if not name.startswith("__")
    )


def _moment(text: str) -> datetime:
    """A time as the engine writes it, with nanoseconds."""
    return datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text))


def _ages(found: credentials.Credentials) -> CredentialAges:
    aged = [(age, record.name) for record in found.records if (age := record.age(found.now)) is not None]
    oldest_age, oldest = max(aged, default=(None, ""))
    return CredentialAges(
        made_by="anybody",
        total=len(found.records),
        unknown=len(found.records) - len(aged),
        oldest=oldest,
        oldest_age=oldest_age,
        overdue=tuple(record.name for record in found.overdue),
        refused=tuple(record.name for record in found.refused),
    )
