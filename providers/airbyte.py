"""Airbyte: workspaces, permissions, definitions, sources, destinations, connections, tags (public API v1).

Source of facts: Airbyte's OpenAPI description of the public API (airbytehq/airbyte-platform, ``api.yaml``) and, for what it
leaves open, the handlers of that repository.
"""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import Field

from providers import base
from providers.airbyte_connections import AirbyteInputs, ConnectionInputs, connection_body, connection_shown
from providers.airbyte_workspaces import (
    AS_IN_A_NEW_WORKSPACE,
    PERMISSION_OF_A_USER,
    OfPermission,
    PermissionInputs,
    WorkspaceInputs,
    permission_body,
    permission_shown,
    with_urls,
    without_urls,
)
from providers.base import Environment, Immutable, Json, Kind, Listing, Within, WriteOnly, rest
from providers.base.inputs import merged


def _said(response: httpx.Response) -> str:
    """problem+json (RFC 9457): the title, the detail, and the data that name the culprit."""
    problem = response.json()
    parts = [problem.get("title"), problem.get("detail") or problem.get("message"), problem.get("data")]
    return ": ".join(str(part) for part in parts if part)


AIRBYTE = base.Api(
    name="airbyte",
    title="Airbyte",
    base_url=Environment("AIRBYTE_SERVER_URL"),
    auth=base.TokenExchange(
        path="/applications/token",
        credentials=(Environment("AIRBYTE_CLIENT_ID"), Environment("AIRBYTE_CLIENT_SECRET")),
        grant=lambda client_id, client_secret: {
            "client_id": client_id,
            "client_secret": client_secret,
            "grant_type": "client_credentials",
        },
        base_url=Environment("AIRBYTE_SERVER_URL"),
    ),
    said=_said,
    # Airbyte sheds load with 429, without Retry-After.
    limit=base.Unpublished(),
)


def _listing(path: str, *, pages: base.Offset | None = base.Offset(size=100), **params: str) -> Listing:  # noqa: B008 - frozen
    return Listing(base.Call("GET", path, params=params), pages=pages)


class Workspace(base.Resource):
    """A workspace: the container of everything else, and whom Airbyte tells about what happens in it.

    Airbyte does not sign its webhooks: their addresses are secrets, and compared as such (a change of one in the UI is not
    seen). Where ``notifications`` are taken out again they go back to those of a new workspace: no webhooks.
    """

    kind = Kind(
        api=AIRBYTE,
        title="workspace",
        setting="workspace",
        inputs=WorkspaceInputs,
        calls=rest("/workspaces", listing=_listing("/workspaces")),
        identity="workspaceId",
        natural_key=("name",),
        encode=with_urls,
        decode=without_urls,
        reset={"notifications": AS_IN_A_NEW_WORKSPACE},
    )


class Permission(base.Resource):
    """What a user may do in a workspace or in the organisation. Only the role can be changed."""

    kind = Kind(
        api=AIRBYTE,
        title="permission",
        setting="permissions",
        inputs=PermissionInputs,
        calls=base.Calls(
            # The platform answers with the permission that there is, if it is the same (PermissionHandler).
            create=base.Call("POST", "/permissions", repeatable=True),
            read=PERMISSION_OF_A_USER,
            update=OfPermission("PATCH"),
            delete=OfPermission("DELETE"),
        ),
        identity="{user_id}/{scope_id}",
        natural_key=("user_id", "scope_id"),
        encode=permission_body,
        decode=permission_shown,
    )


class DefinitionInputs(AirbyteInputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    docker_repository: Immutable[str]
    docker_image_tag: str = Field(min_length=1)


def _definition_calls(sort: str) -> base.Calls:
    """The list is whole, and has the connectors of Airbyte's catalogue too."""
    path = f"/workspaces/{{workspace_id}}/definitions/{sort}"
    return rest(path, listing=_listing(path, pages=None), update="PUT", update_sends="whole")


def _in_its_workspace(payload: Json, _wanted: base.Inputs) -> Json:
    """The path says which workspace is meant."""
    return {key: value for key, value in payload.items() if key != "workspaceId"}


class SourceDefinition(base.Resource):
    """A source connector of one's own, as a Docker image. Airbyte Cloud takes none.

    Deleting it deletes its sources, and their connections. Its page of documentation is not managed: Airbyte takes that only
    when the definition is made.
    """

    kind = Kind(
        api=AIRBYTE,
        title="source definition",
        setting="definitions.sources",
        inputs=DefinitionInputs,
        calls=_definition_calls("sources"),
        identity="id",
        natural_key=("name", "docker_repository"),
        within=Within("workspace_id", Workspace.kind),
        encode=_in_its_workspace,
    )


class DestinationDefinition(base.Resource):
    """A destination connector of one's own, as a Docker image. Airbyte Cloud takes none.

    Deleting it deletes its destinations, and their connections.
    """

    kind = Kind(
        api=AIRBYTE,
        title="destination definition",
        setting="definitions.destinations",
        inputs=DefinitionInputs,
        calls=_definition_calls("destinations"),
        identity="id",
        natural_key=("name", "docker_repository"),
        within=Within("workspace_id", Workspace.kind),
        encode=_in_its_workspace,
    )


class DeclarativeSourceInputs(AirbyteInputs):
    workspace_id: Immutable[str]
    name: Immutable[str] = Field(min_length=1)
    manifest: dict[str, Any] = Field(description="as the Connector Builder writes it")


class DeclarativeSourceDefinition(base.Resource):
    """A low-code source connector: a manifest that Airbyte itself runs. Every change of it is a new version there.

    Deleting it deletes its sources, and their connections.
    """

    kind = Kind(
        api=AIRBYTE,
        title="low-code source definition",
        setting="definitions.declarative",
        inputs=DeclarativeSourceInputs,
        calls=_definition_calls("declarative_sources"),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        # The specification wants the workspace in the body of the create call, though the path has it.
        encode=lambda payload, wanted: payload if "name" in payload else _in_its_workspace(payload, wanted),
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
        body["configuration"] = {**merged(wire["configuration"], wire.get("secretConfiguration") or {}), **kind}
    return body


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
        encode=connection_body,
        decode=connection_shown,
    )
