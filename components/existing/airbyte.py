"""Airbyte's workspace as settings: tags, sources, destinations, connections."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from components.airbyte import (
    ActorSettings,
    AirbyteSettings,
    ConnectionSettings,
    DestinationSettings,
    StreamSettings,
    TagSettings,
    WorkspaceSettings,
)
from components.existing.findings import CannotSayError, Findings, Section, listed, parsed, unsaid
from components.existing.variables import Variables
from components.explain import Path
from providers import airbyte
from providers.base.survey import Found

MODEL = AirbyteSettings

_MASK = re.compile(r"\*{3,}")
"""How Airbyte shows a secret in a configuration."""

_SOUNDS_SECRET = re.compile(r"(password|passphrase|secret|token|private_?key|api_?key|access_?key)$", re.IGNORECASE)
_LOGIN_IN_ADDRESS = re.compile(r"://[^/@:\s]+:[^/@\s]+@")
"""A connector that somebody wrote may not say what of its configuration is secret: then Airbyte shows it in clear."""

_YEARS = re.compile(r"[\d*,/-]+")
"""The seventh field of a Quartz expression. Anything else behind the sixth is a time zone."""

_STREAM = {
    "namespace": "",
    "selectedFields": [],
    "mappers": [],
    "includeFiles": False,
    "destinationObjectName": "",
}
"""Members of a stream that settings do not express, with their defaults."""


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, in one workspace."""
    container = findings.container(airbyte.Workspace, WorkspaceSettings, workspace)
    if container is None:
        return
    if events := list(_notifications(container.document)):
        findings.leave(container, f"no setting says its notifications ({', '.join(events)}): they stay as they are")
    tags = Section(findings, "tags", TagSettings, lambda entry: entry.get("name"))
    tags.take(listed(airbyte.Tag, container.id), lambda found: [found.inputs.get("name")], _tag)
    actors = _Actors(findings, container.id)
    sources = actors.take("sources", airbyte.Source, ActorSettings, "source_type")
    destinations = actors.take("destinations", airbyte.Destination, DestinationSettings, "destination_type")
    _connections(findings, container.id, sources, destinations, tags.keys)


def _notifications(workspace: Mapping[str, Any]) -> Iterator[str]:
    """The events of which Airbyte tells people or programs by itself."""
    for event, channels in (workspace.get("notifications") or {}).items():
        if any(channel.get("enabled") for channel in (channels or {}).values() if isinstance(channel, Mapping)):
            yield event


def _tag(found: Found, _key: str) -> Mapping[str, Any]:
    return {name: found.inputs.get(name) for name in ("name", "color")}


class _Actors:
    """Sources and destinations, which Airbyte calls actors, with names for the variables of their secrets."""

    def __init__(self, findings: Findings, workspace: str) -> None:
        self.findings, self.workspace = findings, workspace
        self.variables = Variables(findings.settings)

    def take(
        self,
        name: str,
        resource: type[airbyte.Source | airbyte.Destination],
        model: type[ActorSettings],
        type_input: str,
    ) -> Mapping[str, str]:
        """The keys of the actors, by id."""

        def identities(found: Found) -> Sequence[Hashable]:
            connectors = [found.inputs.get(type_input), found.inputs.get("definition_id")]
            return [(found.inputs.get("name"), connector) for connector in connectors if connector]

        def describe(found: Found, key: str) -> Mapping[str, Any]:
            return self._described(found, key, type_input)

        section = Section(
            self.findings,
            name,
            model,
            lambda entry: (entry.get("name"), entry.get("type") or entry.get("definition_id")),
        )
        section.take(listed(resource, self.workspace), identities, describe)
        return section.keys

    def _described(self, found: Found, key: str, type_input: str) -> Mapping[str, Any]:
        inputs = found.inputs
        connector = inputs.get(type_input)
        shown = inputs.get("configuration", {})
        configuration = {k: v for k, v in shown.items() if k != found.kind.inputs.wire_name(type_input)}
        places = list(_secrets(configuration))
        names = self.variables.named(found.kind.title, key, places)
        if unclear := [".".join(map(str, place)) for place in places if not all(map(_is_plain_word, place))]:
            raise CannotSayError(f"settings have no way to point at its secret {', '.join(unclear)}")
        self.findings.leave_fields(found, {"resourceAllocation": {}})
        return {
            "name": inputs.get("name"),
            **({"type": connector} if connector else {"definition_id": inputs.get("definition_id")}),
            "configuration": _without(configuration, places),
            "secrets": {".".join(map(str, p)): {"environment": names[p]} for p in places},
        }


def _is_plain_word(step: str | int) -> bool:
    return isinstance(step, str) and "." not in step


def _secrets(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where a configuration has secrets: what Airbyte hides, and what should not stand in a file all the same."""
    if isinstance(value, str):
        named = isinstance(path[-1], str) and _SOUNDS_SECRET.search(path[-1])
        if _MASK.fullmatch(value) or (value and named) or _LOGIN_IN_ADDRESS.search(value):
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(item, (*path, index))


def _without(value: Any, places: Sequence[Path], path: Path = ()) -> Any:
    """A configuration without its secrets, and without what held nothing else."""
    if not isinstance(value, Mapping):
        return value
    kept = {key: _without(item, places, (*path, key)) for key, item in value.items() if (*path, key) not in places}
    return {key: item for key, item in kept.items() if item != {} or value[key] == {}}


def _connections(
    findings: Findings,
    workspace: str,
    sources: Mapping[str, str],
    destinations: Mapping[str, str],
    tags: Mapping[str, str],
) -> None:
    def identities(found: Found) -> Sequence[Hashable]:
        inputs = found.inputs
        source, destination = (
            sources.get(inputs.get("source_id", "")),
            destinations.get(inputs.get("destination_id", "")),
        )
        return [(source or found.id, destination, inputs.get("name"))]

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        return _connection(findings, found, sources, destinations, tags)

    section = Section(
        findings,
        "connections",
        ConnectionSettings,
        lambda entry: (entry.get("source"), entry.get("destination"), entry.get("name")),
    )
    section.take(listed(airbyte.Connection, workspace), identities, describe)


def _connection(
    findings: Findings,
    found: Found,
    sources: Mapping[str, str],
    destinations: Mapping[str, str],
    tags: Mapping[str, str],
) -> Mapping[str, Any]:
    inputs = found.inputs
    status = inputs.get("status")
    if status not in ("active", "inactive"):
        raise CannotSayError(f'settings know active and inactive, and its status is "{status}"')
    members = {
        "name": inputs.get("name"),
        "source": _key_of(sources, "source", inputs.get("source_id")),
        "destination": _key_of(destinations, "destination", inputs.get("destination_id")),
        "cron": _cron(inputs.get("schedule") or {}),
        "prefix": inputs.get("prefix", ""),
        "namespace": _namespace(inputs),
        "enabled": status == "active",
        "tags": [_key_of(tags, "tag", tag) for tag in inputs.get("tag_ids", [])],
    }
    if changes := inputs.get("non_breaking_schema_updates_behavior"):
        members["schema_changes"] = changes
    try:
        members["streams"] = _streams(found.document)
    except CannotSayError as error:
        findings.leave(found, f"{error}; its settings name no streams, so that they stay as they are on Airbyte")
    return members


def _key_of(keys: Mapping[str, str], kind: str, id_: Any) -> str:
    if id_ not in keys:
        raise CannotSayError(f"its {kind} {id_} is not in the settings")
    return keys[id_]


def _cron(schedule: Mapping[str, Any]) -> str | None:
    sort = schedule.get("schedule_type") or schedule.get("scheduleType")
    if sort == "manual":
        return None
    expression = str(schedule.get("cron_expression") or schedule.get("cronExpression") or "")
    if sort != "cron" or not expression:
        raise CannotSayError(
            f'settings know cron and manual schedules, and its schedule is "{sort}": give it a cron one'
        )
    if not all(_YEARS.fullmatch(field) for field in expression.split()[6:]):
        raise CannotSayError(f'settings say when in UTC, and its schedule has another time zone: "{expression}"')
    return expression


def _namespace(inputs: Mapping[str, Any]) -> str | None:
    definition = inputs.get("namespace_definition", "destination")
    if definition == "destination":
        return None
    if definition == "custom_format" and inputs.get("namespace_format"):
        return str(inputs["namespace_format"])
    raise CannotSayError(f'settings know the destination\'s namespace and a custom one, and its is "{definition}"')


def _streams(document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """None for a connection without any. CannotSayError where a later change of them would lose something."""
    streams = []
    for shown in document.get("configurations", {}).get("streams", []):
        name = shown.get("name")
        if odd := unsaid(shown, _STREAM):
            raise CannotSayError(f"no setting says the {', '.join(odd)} of its stream {name}")
        mode = str(shown.get("syncMode") or "")
        members = {"name": name, "sync_mode": mode or None}
        if mode.startswith("incremental") and shown.get("cursorField"):
            members["cursor_field"] = shown["cursorField"]
        if mode.endswith("deduped_history") and shown.get("primaryKey"):
            members["primary_key"] = shown["primaryKey"]
        streams.append(members)
        parsed(StreamSettings, members)
    return streams or None
