"""Airbyte: workspaces, sources, destinations, connections, tags (public API v1, Cloud and self-managed).

Source of facts: Airbyte's OpenAPI description of the public API (airbytehq/airbyte-platform, ``api.yaml``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from providers import base
from providers.base import Carried, Environment, Immutable, Json, Kind, Listing, Unordered, Within, WriteOnly, rest


def _said(response: httpx.Response) -> str:
    """problem+json (RFC 9457): the title, the detail, and the data that name the culprit."""
    problem = response.json()
    parts = [problem.get("title"), problem.get("detail") or problem.get("message"), problem.get("data")]
    return ": ".join(str(part) for part in parts if part)


AIRBYTE = base.Api(
    name="airbyte",
    title="Airbyte",
    base_url=Environment("AIRBYTE_SERVER_URL"),
    auth=base.ClientCredentials(
        path="/applications/token",
        client_id=Environment("AIRBYTE_CLIENT_ID"),
        client_secret=Environment("AIRBYTE_CLIENT_SECRET"),
        base_url=Environment("AIRBYTE_SERVER_URL"),
    ),
    said=_said,
    # Airbyte sheds load with 429, without Retry-After.
    limit=base.Unpublished(),
)


def _listing(path: str, *, pages: base.Offset | None = base.Offset(size=100), **params: str) -> Listing:  # noqa: B008 - frozen
    return Listing(base.Call("GET", path, params=params), pages=pages)


class AirbyteInputs(base.Inputs):
    model_config = ConfigDict(alias_generator=to_camel)


class WorkspaceInputs(AirbyteInputs):
    name: str = Field(min_length=1, max_length=255)
    organization_id: Immutable[str | None] = None


class Workspace(base.Resource):
    """A workspace: the container of sources, destinations, connections and tags."""

    kind = Kind(
        api=AIRBYTE,
        title="workspace",
        setting="workspace",
        inputs=WorkspaceInputs,
        calls=rest("/workspaces", listing=_listing("/workspaces")),
        identity="workspaceId",
        natural_key=("name",),
    )


class ActorInputs(AirbyteInputs):
    """What sources and destinations have in common (Airbyte calls both actors).

    ``configuration`` is the connector's own; its secrets stand in ``secret_configuration``, in the same shape, and are
    merged into it when they are sent. Airbyte shows them only as asterisks.
    """

    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    configuration: dict[str, Any] = Field(default_factory=dict)
    secret_configuration: WriteOnly[dict[str, Any] | None] = None
    definition_id: Immutable[str | None] = None


class SourceInputs(ActorInputs):
    source_type: Immutable[str | None] = Field(default=None, description="the connector, for example gong")


class DestinationInputs(ActorInputs):
    destination_type: Immutable[str | None] = Field(default=None, description="the connector, for example snowflake")


def _with_secrets(payload: Json, wanted: base.Inputs) -> Json:
    """The connector's configuration as Airbyte takes it: with its secrets and its type inside."""
    body = {key: value for key, value in payload.items() if not key.endswith("Type") and key != "secretConfiguration"}
    if payload.keys() & {"configuration", "secretConfiguration"}:
        wire = wanted.wire()
        kind = {key: value for key, value in wire.items() if key.endswith("Type")}
        body["configuration"] = {**_merged(wire["configuration"], wire.get("secretConfiguration") or {}), **kind}
    return body


def _merged(plain: Json, secret: Json) -> Json:
    both = {
        k: _merged(plain[k], v) if isinstance(plain.get(k), dict) and isinstance(v, dict) else v
        for k, v in secret.items()
    }
    return {**plain, **both}


class Source(base.Resource):
    """A source: a connector with its configuration, from which connections read."""

    kind = Kind(
        api=AIRBYTE,
        title="source",
        setting="sources",
        inputs=SourceInputs,
        calls=rest("/sources", listing=_listing("/sources", workspaceIds="{workspace_id}")),
        identity="sourceId",
        natural_key=("name", "source_type", "definition_id"),
        within=Within("workspace_id", Workspace.kind),
        encode=_with_secrets,
    )


class Destination(base.Resource):
    """A destination: a connector with its configuration, into which connections write."""

    kind = Kind(
        api=AIRBYTE,
        title="destination",
        setting="destinations",
        inputs=DestinationInputs,
        calls=rest("/destinations", listing=_listing("/destinations", workspaceIds="{workspace_id}")),
        identity="destinationId",
        natural_key=("name", "destination_type", "definition_id"),
        within=Within("workspace_id", Workspace.kind),
        encode=_with_secrets,
    )


class TagInputs(AirbyteInputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    color: str = Field(pattern=r"^[0-9A-Fa-f]{6}$", description="RGB in six hexadecimal digits, without #")


class Tag(base.Resource):
    """A tag, by which connections are grouped. Its name is unique in its workspace."""

    kind = Kind(
        api=AIRBYTE,
        title="tag",
        setting="tags",
        inputs=TagInputs,
        calls=rest(
            "/tags",
            listing=_listing("/tags", pages=None, workspaceIds="{workspace_id}"),
            update_sends="whole",
        ),
        identity="tagId",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        delete_before_replace=True,
    )


CronExpression = Annotated[str, AfterValidator(lambda text: text.removesuffix(" UTC"))]
"""Quartz, six or seven fields. Airbyte shows it with its time zone, which is UTC where none was given."""


class Schedule(AirbyteInputs):
    schedule_type: Literal["manual", "cron"]
    cron_expression: CronExpression | None = None


class Stream(AirbyteInputs):
    name: str
    sync_mode: str | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None


Streams = Annotated[list[Stream], AfterValidator(lambda streams: sorted(streams, key=lambda stream: stream.name))]
"""A set for Airbyte, which shows it in an order of its own."""


class TagReference(AirbyteInputs):
    """A connection names its tags by all that they are (the API's ``Tag``)."""

    tag_id: str
    workspace_id: str
    name: str
    color: str


class ConnectionInputs(AirbyteInputs):
    workspace_id: Immutable[str] = Field(description="that of its source: connections are listed by workspace")
    source_id: Immutable[str]
    destination_id: Immutable[str]
    name: str = Field(min_length=1)
    status: Literal["active", "inactive"] = "active"
    schedule: Schedule = Field(default_factory=lambda: Schedule(schedule_type="manual"))
    namespace_definition: Literal["source", "destination", "custom_format"] = "destination"
    namespace_format: str | None = None
    prefix: str = ""
    non_breaking_schema_updates_behavior: Literal[
        "ignore", "disable_connection", "propagate_columns", "propagate_fully"
    ] = "ignore"
    streams: Streams | None = None
    tag_ids: Unordered[str] = Field(default_factory=list)
    tags: Carried[list[TagReference]] = Field(default_factory=list)


def _connection_body(payload: Json, wanted: base.Inputs) -> Json:
    body = {key: value for key, value in payload.items() if key not in ("workspaceId", "streams", "tagIds", "tags")}
    if "streams" in payload:
        body["configurations"] = {"streams": payload["streams"] or []}
    if "tagIds" in payload:
        body["tags"] = wanted.wire()["tags"]
    return body


def _connection_shown(document: Json) -> Json:
    streams = sorted(document.get("configurations", {}).get("streams", []), key=lambda stream: str(stream["name"]))
    return {**document, "streams": streams, "tagIds": [tag["tagId"] for tag in document.get("tags", [])]}


class Connection(base.Resource):
    """A connection: what is moved from a source to a destination, and when.

    Streams that are not named are Airbyte's own choice (all of them, as discovered). Syncs, resets and the state of a
    stream are actions, not configuration: they are not managed here.
    """

    kind = Kind(
        api=AIRBYTE,
        title="connection",
        setting="connections",
        inputs=ConnectionInputs,
        calls=rest("/connections", listing=_listing("/connections", workspaceIds="{workspace_id}")),
        identity="connectionId",
        natural_key=("source_id", "destination_id", "name"),
        within=Within("workspace_id", Workspace.kind),
        encode=_connection_body,
        decode=_connection_shown,
    )
