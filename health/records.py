"""Credential records: of every key that a stack has or uses, who holds it, how old it is, and whether it still works.

A record says what is known and how. It never says that a key was rotated: nothing here rotates one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from health.asking import Client
from health.base import MAX_AGE_DAYS, Credential, Health, Known, Minted, Resource, Subject, moment
from health.checking import Check
from health.pulumi import HEALTH as PULUMI
from health.revisions import Since, unchanged_since
from providers.base.errors import PlatformError

_AT_ONCE = 8


@dataclass(frozen=True)
class Record:
    """One credential. Times are RFC 3339 in UTC; None is what nobody tells."""

    name: str
    platform: str
    title: str
    holder: Literal["program", "person"]
    """Who makes it."""
    rotation: str
    by_api: bool
    known: Known
    basis: str = "not known"
    """How it is known since when there is such a value."""
    at_least: bool = False
    """Whether it may be older than that."""

    @property
    def due(self) -> str | None:
        """When it should be replaced at the latest: 90 days after it was made, or before it expires."""
        limits = [_later(self.known.made, timedelta(days=MAX_AGE_DAYS))] if self.known.made else []
        return min([*limits, *([self.known.expires] if self.known.expires else [])], default=None)


def records(
    declared: Iterable[tuple[Health, Subject]], checks: Mapping[str, Check], seconds: float
) -> tuple[list[Record], list[str]]:
    """The records of these platforms, and remarks on what could not be found out."""
    deadline = time.monotonic() + seconds
    declared = list(declared)
    since, remarks = _history(declared, deadline)
    given = [
        _given(health, credential, checks.get(health.platform), since)
        for health, _ in declared
        for credential in health.credentials
    ]
    minted = [
        (health, subject, mint, resource)
        for health, subject in declared
        for mint in health.minted
        for resource in subject.of_type(mint.type)
        if resource.name.startswith(mint.prefix)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = pool.map(lambda one: _minted(*one, deadline=deadline), minted)
        return [*given, *asked], remarks


def _history(declared: Sequence[tuple[Health, Subject]], deadline: float) -> tuple[dict[str, Since], list[str]]:
    cloud = next((subject for health, subject in declared if health.platform == PULUMI.platform), Subject())
    if not (PULUMI.service and cloud.cloud.backend and cloud.cloud.credentials):
        return {}, []
    try:
        return unchanged_since(Client(PULUMI.service, cloud, deadline), cloud.cloud.credentials), []
    except PlatformError as error:
        return {}, [f"the history of {cloud.cloud.credentials} cannot be read: {error.said}"]


def _given(health: Health, credential: Credential, check: Check | None, since: Mapping[str, Since]) -> Record:
    """What a person puts into ESC: its age as the vendor tells, else since when ESC has it."""
    known = check.known.get(credential.variable, Known()) if check else Known()
    record = Record(
        credential.variable, health.platform, health.title, "person", credential.rotation, credential.by_api, known
    )
    if known.made:
        return replace(record, basis=f"{health.title} tells")
    unchanged = since.get(credential.variable)
    if unchanged is None:
        return record
    basis = f"unchanged in ESC since revision {unchanged.revision}"
    expires = known.expires or (_later(unchanged.made, credential.lasts) if credential.lasts else None)
    return replace(record, known=replace(known, made=unchanged.made, expires=expires), basis=basis, at_least=True)


def _minted(health: Health, subject: Subject, mint: Minted, resource: Resource, *, deadline: float) -> Record:
    """What the program has made: its age as the platform tells, else since when the state has it."""
    known = Known(said="no platform tells")
    if mint.ask and health.service:
        try:
            known = mint.ask(Client(health.service, subject, deadline), resource, subject)
        except PlatformError as error:
            known = Known(said=error.said)
    basis = f"{health.title} tells"
    if not known.made and (created := moment(resource.created or "")):
        known, basis = replace(known, made=created), "in the state since then"
    name = f"{mint.what} {resource.name.removeprefix(mint.prefix)}"
    return Record(name, health.platform, health.title, "program", mint.rotation, mint.by_api, known, basis)


def _later(made: str, time_: timedelta) -> str:
    due = datetime.fromisoformat(made) + time_
    return due.isoformat(timespec="seconds").replace("+00:00", "Z")
