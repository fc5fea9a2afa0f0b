"""Airbyte's workspace as settings: its notifications, tags, definitions, sources, destinations, connections.

Permissions are not among them: Airbyte lists those of one user only.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from components.airbyte.settings import (
    ActorSettings,
    AirbyteSettings,
    ConnectionSettings,
    DeclarativeSettings,
    DestinationSettings,
    DockerSettings,
    NotificationsSettings,
    StreamSettings,
    TagSettings,
)
from components.existing.findings import (
    CannotSayError,
    Describe,
    Findings,
    Section,
    key_of,
    listed,
    new_key,
    parsed,
    plain,
    title,
)
from components.existing.secrets import secrets_in, sources, without
from components.existing.variables import Variables
from components.explain import Path
from components.settings import Settings
from providers import airbyte
from providers.airbyte_workspaces import Notifications
from providers.base.survey import Found

MODEL = AirbyteSettings

_YEARS = re.compile(r"[\d*,/-]+")
"""The seventh field of a Quartz expression. Anything else behind the sixth is a time zone."""

_OF_THE_CATALOGUE = "airbyte/"
"""The repositories of the connectors that are there in every workspace, and that nobody can change."""


class _Workspace(Settings):
    """What of a workspace is said by itself."""

    name: str


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, in one workspace."""
    container = findings.container(airbyte.Workspace, _Workspace, workspace)
    if container is None:
        return
    variables = Variables(findings.settings)
    _notifications(findings, container, variables)
    tags = Section(findings, "tags", TagSettings, lambda entry: entry.get("name"))
    tags.take(listed(airbyte.Tag, container.id), lambda found: [found.inputs.get("name")], _tag)
    actors = _Actors(findings, container.id, variables)
    sources = actors.take(
        "sources",
        airbyte.Source,
        ActorSettings,
        "source_type",
        {
            **_definitions(findings, "sources", airbyte.SourceDefinition, DockerSettings, container.id),
            **_definitions(
                findings, "declarative", airbyte.DeclarativeSourceDefinition, DeclarativeSettings, container.id
            ),
        },
    )
    destinations = actors.take(
        "destinations",
        airbyte.Destination,
        DestinationSettings,
        "destination_type",
        _definitions(findings, "destinations", airbyte.DestinationDefinition, DockerSettings, container.id),
    )
    _connections(findings, container.id, sources, destinations, tags.keys)


def _notifications(findings: Findings, workspace: Found, variables: Variables) -> None:
    """Of what Airbyte tells people or programs by itself; the addresses of webhooks become variables."""
    shown = workspace.document.get("notifications") or {}
    events = {name: shown.get(Notifications.wire_name(name)) or {} for name in NotificationsSettings.model_fields}
    heard = {name: {way for way, how in ways.items() if (how or {}).get("enabled")} for name, ways in events.items()}
    as_made = {name: {"email"} if name != "success" else set() for name in heard}
    entry = findings.settings["workspace"]
    if "notifications" in entry or heard == as_made or not shown:
        return
    added = [one for one in findings.added if one["path"] == "airbyte.workspace"]
    if not added:
        told = ", ".join(name for name, ways in heard.items() if ways) or "none"
        findings.leave(workspace, f"its settings say nothing of its notifications ({told}): they stay as they are")
        return
    places: list[Path] = [(name, "webhook") for name, ways in heard.items() if "webhook" in ways]
    names = variables.named("workspace", "notifications", places)
    entry["notifications"] = {
        name: {
            **({"email": True} if "email" in ways else {}),
            **({"webhook": {"environment": names[name, "webhook"]}} if "webhook" in ways else {}),
        }
        for name, ways in heard.items()
        if ways
    }
    added[0]["secrets"] += list(names.values())


class _Definitions(Section):
    """A map of entries under ``definitions``."""

    @property
    def entries(self) -> Mapping[str, Mapping[str, Any]]:
        entries: Mapping[str, Mapping[str, Any]] = (self.findings.settings.get("definitions") or {}).get(self.name, {})
        return entries

    def _add(self, found: Found, describe: Describe) -> None:
        key = new_key(title(found), self.name.rstrip("s"), self.entries)
        try:
            entry = parsed(self.model, describe(found, key))
        except CannotSayError as error:
            self.findings.leave(found, str(error))
            return
        self.keys[found.id] = key
        self.findings.add(("definitions", self.name, key), found, plain(entry))


def _definitions(
    findings: Findings,
    name: str,
    resource: type[airbyte.SourceDefinition | airbyte.DestinationDefinition | airbyte.DeclarativeSourceDefinition],
    model: type[DockerSettings | DeclarativeSettings],
    workspace: str,
) -> Mapping[str, str]:
    """The keys of the definitions that do not come from Airbyte's catalogue, by id."""
    members = [member for member in model.model_fields if member != "adopt"]
    key = resource.kind.natural_key
    section = _Definitions(findings, name, model, lambda entry: tuple(entry.get(member) for member in key))
    own = [
        found
        for found in listed(resource, workspace)
        if not str(found.inputs.get("docker_repository", "")).startswith(_OF_THE_CATALOGUE)
    ]
    section.take(
        own,
        lambda found: [tuple(found.inputs.get(member) for member in key)],
        lambda found, _key: {member: found.inputs.get(member) for member in members},
    )
    return section.keys


def _tag(found: Found, _key: str) -> Mapping[str, Any]:
    return {name: found.inputs.get(name) for name in ("name", "color")}


class _Actors:
    """Sources and destinations, which Airbyte calls actors, with names for the variables of their secrets."""

    def __init__(self, findings: Findings, workspace: str, variables: Variables) -> None:
        self.findings, self.workspace, self.variables = findings, workspace, variables

    def take(
        self,
        name: str,
        resource: type[airbyte.Source | airbyte.Destination],
        model: type[ActorSettings],
        type_input: str,
        definitions: Mapping[str, str],
    ) -> Mapping[str, str]:
        """The keys of the actors, by id. ``definitions`` has those of the connectors of one's own."""

        def own(found: Found) -> str | None:
            return definitions.get(str(found.inputs.get("definition_id")))

        def identities(found: Found) -> Sequence[Hashable]:
            connectors = [own(found), found.inputs.get(type_input), found.inputs.get("definition_id")]
            return [(found.inputs.get("name"), connector) for connector in connectors if connector]

        def describe(found: Found, key: str) -> Mapping[str, Any]:
            return self._described(found, key, type_input, own(found))

        section = Section(
            self.findings,
            name,
            model,
            lambda entry: (
                entry.get("name"),
                entry.get("definition") or entry.get("type") or entry.get("definition_id"),
            ),
        )
        section.take(listed(resource, self.workspace), identities, describe)
        return section.keys

    def _described(self, found: Found, key: str, type_input: str, own: str | None) -> Mapping[str, Any]:
        inputs = found.inputs
        connector = inputs.get(type_input)
        named = {"type": connector} if connector else {"definition_id": inputs.get("definition_id")}
        shown = inputs.get("configuration", {})
        configuration = {k: v for k, v in shown.items() if k != found.kind.inputs.wire_name(type_input)}
        places = list(secrets_in(configuration))
        secrets = sources(self.variables.named(found.kind.title, key, places))
        self.findings.leave_fields(found, {"resourceAllocation": {}})
        return {
            "name": inputs.get("name"),
            **({"definition": own} if own else named),
            "configuration": without(configuration, places),
            "secrets": secrets,
        }


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
        "source": key_of(sources, "source", inputs.get("source_id")),
        "destination": key_of(destinations, "destination", inputs.get("destination_id")),
        **_schedule(findings, found),
        "prefix": inputs.get("prefix", ""),
        "namespace": _namespace(inputs),
        "enabled": status == "active",
        "tags": [key_of(tags, "tag", tag) for tag in inputs.get("tag_ids", [])],
    }
    if changes := inputs.get("non_breaking_schema_updates_behavior"):
        members["schema_changes"] = changes
    try:
        members["streams"] = _streams(found.document)
    except CannotSayError as error:
        findings.leave(found, f"{error}; its settings name no streams, so that they stay as they are on Airbyte")
    return members


def _schedule(findings: Findings, found: Found) -> Mapping[str, Any]:
    """A schedule that settings have no words for is left to Airbyte, where people chose it."""
    schedule = found.inputs.get("schedule") or {}
    sort = schedule.get("schedule_type") or schedule.get("scheduleType")
    if sort == "manual":
        return {}
    expression = str(schedule.get("cron_expression") or schedule.get("cronExpression") or "")
    if sort == "cron" and expression and all(_YEARS.fullmatch(field) for field in expression.split()[6:]):
        return {"cron": expression}
    shown = expression or (found.document.get("schedule") or {}).get("basicTiming") or sort
    findings.leave(found, f'settings say when by a cron expression in UTC: its schedule "{shown}" stays as it is')
    return {"keep_schedule": True}


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
        mode = str(shown.get("syncMode") or "")
        members = {
            "name": shown.get("name"),
            "namespace": shown.get("namespace") or None,
            "sync_mode": mode or None,
            "selected_fields": [_field(field, shown) for field in shown.get("selectedFields") or []],
            "mappers": [
                {"type": mapper.get("type"), "configuration": mapper.get("mapperConfiguration")}
                for mapper in shown.get("mappers") or []
            ],
            "destination_object_name": shown.get("destinationObjectName"),
            "include_files": shown.get("includeFiles"),
        }
        if mode.startswith("incremental"):
            members["cursor_field"] = shown.get("cursorField")
        if mode.endswith("deduped_history"):
            members["primary_key"] = shown.get("primaryKey")
        streams.append({name: value for name, value in members.items() if value})
        parsed(StreamSettings, streams[-1])
    return streams or None


def _field(shown: Mapping[str, Any], stream: Mapping[str, Any]) -> str:
    path = shown.get("fieldPath") or []
    if len(path) != 1:
        raise CannotSayError(f"settings select whole fields, and stream {stream.get('name')} selects {'.'.join(path)}")
    return str(path[0])
