"""Airbyte's public API v1 (Cloud and self-managed), as far as infrastructure code uses it."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from sandbox.airbyte import access, connections, workspaces
from sandbox.airbyte.actors import destinations, sources
from sandbox.airbyte.problems import problem
from sandbox.http import ApiError, Call, Routes
from sandbox.platform import Platform


def _health(_: Call) -> Response:
    return PlainTextResponse("Successful operation")


def _failure(status: int, message: str) -> Response:
    return problem(ApiError(status, message))


_routes = Routes("airbyte", access.admit, problem)

PLATFORM = Platform(
    name="airbyte",
    title="Airbyte",
    routes=[
        _routes("/v1/health", public=True, GET=_health),
        _routes("/v1/applications/token", public=True, POST=access.create_token),
        _routes("/v1/applications", GET=access.list_applications, POST=access.create_application),
        _routes("/v1/applications/{id}", GET=access.read_application, DELETE=access.delete_application),
        _routes("/v1/workspaces", GET=workspaces.list_workspaces, POST=workspaces.create_workspace),
        _routes(
            "/v1/workspaces/{id}",
            GET=workspaces.read_workspace,
            PATCH=workspaces.update_workspace,
            DELETE=workspaces.delete_workspace,
        ),
        _routes("/v1/tags", GET=workspaces.list_tags, POST=workspaces.create_tag),
        _routes("/v1/tags/{id}", GET=workspaces.read_tag, PATCH=workspaces.update_tag, DELETE=workspaces.delete_tag),
        _routes("/v1/sources", GET=sources.list, POST=sources.create),
        _routes("/v1/sources/{id}", GET=sources.read, PATCH=sources.update, PUT=sources.replace, DELETE=sources.delete),
        _routes("/v1/destinations", GET=destinations.list, POST=destinations.create),
        _routes(
            "/v1/destinations/{id}",
            GET=destinations.read,
            PATCH=destinations.update,
            PUT=destinations.replace,
            DELETE=destinations.delete,
        ),
        _routes("/v1/connections", GET=connections.list_connections, POST=connections.create_connection),
        _routes(
            "/v1/connections/{id}",
            GET=connections.read_connection,
            PATCH=connections.update_connection,
            DELETE=connections.delete_connection,
        ),
        _routes("/v1/streams", GET=connections.list_streams),
        _routes("/v1/jobs", GET=connections.list_jobs),
    ],
    failure=_failure,
    credentials={
        "AIRBYTE_SERVER_URL": "{url}/v1",
        "AIRBYTE_CLIENT_ID": access.CLIENT_ID,
        "AIRBYTE_CLIENT_SECRET": access.CLIENT_SECRET,
    },
    secret=frozenset({"AIRBYTE_CLIENT_SECRET"}),
    simulated=(
        "workspaces, tags, sources, destinations, connections, applications, discovery of seven connectors; "
        "nothing is connected to and nothing is synchronised"
    ),
)
