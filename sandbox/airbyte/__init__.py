"""Airbyte's public API v1 (Cloud and self-managed), as far as infrastructure code uses it."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.airbyte import access, connections, definitions, jobs, people, workspaces
from sandbox.airbyte.actors import destinations, sources
from sandbox.airbyte.definitions import Definitions, destination_definitions, source_definitions
from sandbox.airbyte.problems import problem
from sandbox.http import ApiError, Call, Routes
from sandbox.platform import Platform


def _health(_: Call) -> Response:
    return PlainTextResponse("Successful operation")


def _failure(status: int, message: str) -> Response:
    return problem(ApiError(status, message))


def _no_consent(_: Call) -> Response:
    raise ApiError(501, "OAuth consents are given by people to a vendor, and nobody is here who could.")


_routes = Routes("airbyte", access.admit, problem)
_DEFINITIONS = "/v1/workspaces/{workspace}/definitions"


def _definitions(sort: str, docker: Definitions) -> list[Route]:
    return [
        _routes(f"{_DEFINITIONS}/{sort}", GET=docker.list, POST=docker.create),
        _routes(f"{_DEFINITIONS}/{sort}/{{id}}", GET=docker.read, PUT=docker.replace, DELETE=docker.delete),
    ]


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
        _routes("/v1/sources/initiateOAuth", POST=_no_consent),
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
        _routes("/v1/jobs", GET=jobs.list_jobs, POST=jobs.create_job),
        _routes("/v1/jobs/{id:int}", GET=jobs.read_job, DELETE=jobs.cancel_job),
        *_definitions("sources", source_definitions),
        *_definitions("destinations", destination_definitions),
        _routes(
            f"{_DEFINITIONS}/declarative_sources",
            GET=definitions.list_declarative,
            POST=definitions.create_declarative,
        ),
        _routes(
            f"{_DEFINITIONS}/declarative_sources/{{id}}",
            GET=definitions.read_declarative,
            PUT=definitions.replace_declarative,
            DELETE=definitions.delete_declarative,
        ),
        _routes("/v1/organizations", GET=people.list_organizations),
        _routes("/v1/users", GET=people.list_users),
        _routes("/v1/permissions", GET=people.list_permissions, POST=people.create_permission),
        _routes(
            "/v1/permissions/{id}",
            GET=people.read_permission,
            PATCH=people.update_permission,
            DELETE=people.delete_permission,
        ),
    ],
    failure=_failure,
    credentials={
        "AIRBYTE_SERVER_URL": "{url}/v1",
        "AIRBYTE_CLIENT_ID": access.CLIENT_ID,
        "AIRBYTE_CLIENT_SECRET": access.CLIENT_SECRET,
    },
    secret=frozenset({"AIRBYTE_CLIENT_SECRET"}),
    simulated=(
        "workspaces, permissions, definitions (Docker and low-code), sources, destinations, connections, tags, "
        "applications, discovery of seven connectors and of low-code ones, jobs that end well; "
        "nothing is connected to and nothing is synchronised"
    ),
)
