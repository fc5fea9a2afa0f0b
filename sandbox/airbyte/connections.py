"""Connections: which streams go from a source to a destination, and when."""

from __future__ import annotations

import time
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.airbyte.actors import destinations, sources
from sandbox.airbyte.catalog import StreamSettings, configured, discovered
from sandbox.airbyte.cron import check_schedule
from sandbox.airbyte.lists import page, selected, uuids
from sandbox.airbyte.problems import not_found
from sandbox.airbyte.workspaces import Camel
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document, Store

_ZONE = "UTC"


class Schedule(Camel):
    schedule_type: Literal["manual", "cron"]
    cron_expression: str | None = None


class Streams(Camel):
    streams: list[StreamSettings] = Field(default_factory=list)


class ConnectionTag(Camel):
    tag_id: UUID
    workspace_id: UUID
    name: str
    color: str


class ConnectionUpdate(Camel):
    name: str | None = None
    configurations: Streams | None = None
    schedule: Schedule | None = None
    namespace_definition: Literal["source", "destination", "custom_format"] | None = None
    namespace_format: str | None = None
    prefix: str | None = None
    non_breaking_schema_updates_behavior: (
        Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"] | None
    ) = None
    status: Literal["active", "inactive", "deprecated"] | None = None
    tags: list[ConnectionTag] | None = None


class ConnectionCreate(ConnectionUpdate):
    source_id: UUID
    destination_id: UUID


def list_connections(call: Call) -> Response:
    """``tagIds`` keeps those with any of the tags."""
    tags = set(uuids(call, "tagIds"))
    found = selected(call, call.store.all("connection"))
    return page(call, [_shown(call.store, item) for item in found if not tags or tags & set(item["tags"])])


def create_connection(call: Call) -> Response:
    """Names and pairs of source and destination are not unique. The default name is "SOURCE <> DESTINATION"."""
    sent = call.body(ConnectionCreate)
    source = sources.of(call.store, str(sent.source_id))
    destination = destinations.of(call.store, str(sent.destination_id))
    if source["workspaceId"] != destination["workspaceId"]:
        raise ApiError(400, "The source and the destination are in different workspaces.")
    connection: Document = {
        "connectionId": str(uuid4()),
        "name": f"{source['name']} <> {destination['name']}",
        "sourceId": source["sourceId"],
        "destinationId": destination["destinationId"],
        "workspaceId": destination["workspaceId"],
        "status": "active",
        "schedule": {"scheduleType": "manual"},
        "nonBreakingSchemaUpdatesBehavior": "ignore",
        "namespaceDefinition": "destination",
        "namespaceFormat": None,
        "prefix": "",
        "createdAt": int(time.time()),
        "tags": [],
        "deleted": False,
    }
    sent.configurations = sent.configurations or Streams()
    return _saved(call.store, connection, sent)


def read_connection(call: Call) -> Response:
    """A deleted connection can still be read by its id, with status "deprecated", as on the platform."""
    return answer(_shown(call.store, _connection(call.store, call.path("id"))))


def update_connection(call: Call) -> Response:
    """Merges; streams and tags are replaced as lists, and no streams at all leave them as they are."""
    connection, sent = live_connection(call.store, call.path("id")), call.body(ConnectionUpdate)
    if sent.configurations is not None and not sent.configurations.streams:
        sent.configurations = None
    return _saved(call.store, connection, sent)


def delete_connection(call: Call) -> Response:
    connection = live_connection(call.store, call.path("id"))
    call.store.put("connection", connection["connectionId"], connection | {"deleted": True})
    return Response(status_code=204)


def list_streams(call: Call) -> Response:
    """Discovery: the streams of a source, with the sync modes that the destination (if one is named) can take."""
    identifiers = uuids(call, "sourceId")
    if len(identifiers) != 1:
        raise ApiError(400, "sourceId: the id of one source is expected")
    source = sources.connector(call.store, sources.of(call.store, identifiers[0]))
    named = uuids(call, "destinationId")
    destination = destinations.connector(call.store, destinations.of(call.store, named[0])) if named else None
    return answer(discovered(source, destination))


def live_connection(store: Store, identifier: str) -> Document:
    """A connection that was not deleted."""
    connection = _connection(store, identifier)
    if connection["deleted"]:
        raise not_found("connection", identifier)
    return connection


def _connection(store: Store, identifier: str) -> Document:
    connection = store.get("connection", identifier)
    if connection is None:
        raise not_found("connection", identifier)
    return connection


def _saved(store: Store, connection: Document, sent: ConnectionUpdate) -> Response:
    changes: dict[str, Any] = sent.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        exclude={"source_id", "destination_id", "configurations", "schedule", "tags", "status"},
    )
    if sent.configurations is not None:
        source = sources.connector(store, sources.of(store, connection["sourceId"]))
        destination = destinations.connector(store, destinations.of(store, connection["destinationId"]))
        changes["configurations"] = {"streams": configured(source, destination, sent.configurations.streams)}
    if sent.schedule is not None:
        changes["schedule"] = _scheduled(sent.schedule)
    if sent.tags is not None:
        changes["tags"] = _tagged(store, connection["workspaceId"], sent.tags)
    if sent.status is not None:
        changes |= {"status": sent.status, "deleted": sent.status == "deprecated"}
    connection |= changes
    return answer(_shown(store, store.put("connection", connection["connectionId"], connection)))


def _scheduled(sent: Schedule) -> Document:
    """A cron expression is kept, and read back, with the time zone behind it."""
    if sent.schedule_type == "manual":
        return {"scheduleType": "manual"}
    if sent.cron_expression is None:
        raise ApiError(400, "Missing cron expression in the schedule.")
    expression = sent.cron_expression.removesuffix(_ZONE).strip()
    check_schedule(expression)
    return {"scheduleType": "cron", "cronExpression": f"{expression} {_ZONE}"}


def _tagged(store: Store, workspace: str, sent: list[ConnectionTag]) -> list[str]:
    """The ids are kept, so that a renamed tag reads with its new name."""
    identifiers = [str(tag.tag_id) for tag in sent]
    for identifier in identifiers:
        tag = store.get("tag", identifier)
        if tag is None or tag["workspaceId"] != workspace:
            raise not_found("tag", identifier)
    return list(dict.fromkeys(identifiers))


def _shown(store: Store, connection: Document) -> Document:
    shown = {name: value for name, value in connection.items() if name != "deleted" and value is not None}
    if connection["deleted"]:
        shown["status"] = "deprecated"
    tags = (store.get("tag", identifier) for identifier in connection["tags"])
    return shown | {"tags": [tag for tag in tags if tag is not None]}
