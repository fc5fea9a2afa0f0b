"""Credential records: every key that a stack has or uses, who makes it, how old it is, when it is due, whether it works.

A record never says that something was rotated: nothing here rotates, and what is not known is said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sophia.alerts import WELL, Fact
from sophia.health import TIMEOUT_SECONDS, ask, settings_of
from sophia.runner import EngineCommand
from sophia.stack import Stack


@dataclass(frozen=True)
class Record:
    """One credential. None is what nobody tells."""

    name: str
    """Its variable in ESC, or what the program calls it."""
    platform: str
    title: str
    """The platform's."""
    holder: Literal["program", "person"]
    """Who makes it."""
    source: str
    """Where it comes from."""
    made: datetime | None
    at_least: bool
    """Whether it may be older than ``made`` says."""
    basis: str
    """How that is known."""
    expires: datetime | None
    due: datetime | None
    """When it should be replaced at the latest: 90 days after it was made, or before it expires."""
    authenticates: bool | None
    said: str
    """What its platform said of it, where that is not simply that it works."""
    rotation: str
    by_api: bool
    """Whether the vendor lets it be rotated by API."""

    def age(self, now: datetime) -> timedelta | None:
        return now - self.made if self.made else None

    def is_due(self, now: datetime, within: timedelta = timedelta(0)) -> bool:
        return self.due is not None and self.due <= now + within


@dataclass(frozen=True)
class Credentials:
    """All records of a stack. ``now`` is when they were made, ``remarks`` what could not be found out."""

    stack: str
    records: tuple[Record, ...]
    now: datetime
    remarks: tuple[str, ...]

    @property
    def overdue(self) -> tuple[Record, ...]:
        return self.due_within(timedelta(0))

    @property
    def refused(self) -> tuple[Record, ...]:
        """Those that do not work any more."""
        return tuple(record for record in self.records if record.authenticates is False)

    @property
    def facts(self) -> list[Fact]:
        """The same for alerts: what is overdue or does not work any more."""
        return [_fact(record, self.now) for record in self.records]

    def due_within(self, time: timedelta) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.is_due(self.now, time))


def records(stack: Stack, *, timeout: float = TIMEOUT_SECONDS, engine: EngineCommand | None = None) -> Credentials:
    """The records of every credential that the stack uses or has made. Raises SophiaError.

    ``timeout``: seconds that each platform has to answer. Changes nothing.
    """
    settings = settings_of(stack)
    more = {"named": sorted(set(_named(settings)))}
    answer = ask(stack, timeout=timeout, engine=engine, more=more, arguments=["--credentials"])
    sources = _sources(stack)
    found = tuple(_record(told, sources) for told in answer["credentials"])
    return Credentials(stack.name, found, datetime.now(UTC), tuple(answer["remarks"]))


def _named(value: Any) -> Iterator[str]:
    """The variables that the settings name as sources of secrets (``environment: NAME``)."""
    if isinstance(value, Mapping):
        if isinstance(value.get("environment"), str):
            yield value["environment"]
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _named(item)


def _sources(stack: Stack) -> Mapping[str, str]:
    """Where each credential of credentials-<stage> comes from, as esc/credentials.required.yaml says."""
    import yaml

    file = stack.project.directory / "esc" / "credentials.required.yaml"
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return {str(name): str(source) for name, source in declared.items()} if isinstance(declared, dict) else {}


def _record(told: Mapping[str, Any], sources: Mapping[str, str]) -> Record:
    by_program = told["holder"] == "program"
    return Record(
        name=told["name"],
        platform=told["platform"],
        title=told["title"],
        holder=told["holder"],
        source="made by the stack" if by_program else sources.get(told["name"], ""),
        made=_moment(told["made"]),
        at_least=told["at_least"],
        basis=told["basis"],
        expires=_moment(told["expires"]),
        due=_moment(told["due"]),
        authenticates=told["authenticates"],
        said=told["said"],
        rotation=told["rotation"],
        by_api=told["by_api"],
    )


def _fact(record: Record, now: datetime) -> Fact:
    name = record.name.replace(" ", "-").replace(":", "-")
    do = f"{record.rotation}" + (f" ({record.source})" if record.source else "")
    if record.authenticates is False:
        return Fact(name, record.name, "refused", record.said, do)
    if record.is_due(now):
        return Fact(name, record.name, "overdue", f"since {record.due:%Y-%m-%d}", do)
    return Fact(name, record.name, WELL)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
