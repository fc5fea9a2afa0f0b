"""The Admin API: the organisation, its projects and their API keys."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.pinecone import access
from sandbox.store import Document

PROJECTS_LIMIT = 20
"""Of the plan Standard."""

Name = Annotated[str, Field(min_length=1, max_length=512)]
KeyName = Annotated[str, Field(min_length=1, max_length=80)]
Role = Literal[
    "ProjectEditor",
    "ProjectViewer",
    "ControlPlaneEditor",
    "ControlPlaneViewer",
    "DataPlaneEditor",
    "DataPlaneViewer",
]


class OrganizationUpdate(Body):
    name: Name | None = None


class ProjectUpdate(Body):
    name: Name | None = None
    max_pods: int | None = Field(None, ge=0)
    force_encryption_with_cmek: bool | None = None


class ProjectCreate(ProjectUpdate):
    name: Name


class KeyUpdate(Body):
    name: KeyName | None = None
    roles: list[Role] | None = None


class KeyCreate(KeyUpdate):
    name: KeyName


def list_organizations(call: Call) -> Response:
    return answer({"data": call.store.all("organization")})


def read_organization(call: Call) -> Response:
    return answer(_found(call, "organization", call.path("id")))


def update_organization(call: Call) -> Response:
    organization = _found(call, "organization", call.path("id")) | _changes(access.sent(call, OrganizationUpdate))
    return answer(call.store.put("organization", organization["id"], organization))


def list_projects(call: Call) -> Response:
    return answer({"data": call.store.all("project")})


def create_project(call: Call) -> Response:
    wanted = access.sent(call, ProjectCreate)
    if len(call.store.latest.all("project")) >= PROJECTS_LIMIT:
        raise ApiError(403, f"The organization has {PROJECTS_LIMIT} projects already.", code="QUOTA_EXCEEDED")
    members = _changes(wanted)
    return answer(access.put_project(call.store, str(uuid4()), members.pop("name"), **members))


def read_project(call: Call) -> Response:
    return answer(_project(call))


def update_project(call: Call) -> Response:
    """Encryption with the customer's key cannot be taken back."""
    project, changes = _project(call), _changes(access.sent(call, ProjectUpdate))
    if project["force_encryption_with_cmek"] and changes.get("force_encryption_with_cmek") is False:
        raise ApiError(400, "Bad request. CMEK encryption cannot be disabled once it is enabled.")
    return answer(call.store.put("project", project["id"], project | changes))


def delete_project(call: Call) -> Response:
    """Refused while anything with data is in it; API keys go with it."""
    project = _project(call)["id"]
    for kind in ("index", "backup", "collection"):
        if call.store.latest.first(kind, project_id=project):
            raise ApiError(403, f"Forbidden. Delete the project's indexes, backups and collections first: {kind}.")
    for key in call.store.all("api_key", project_id=project):
        call.store.delete("api_key", key["id"])
    call.store.delete("project", project)
    return Response(status_code=202)


def list_keys(call: Call) -> Response:
    project = _project(call)["id"]
    return answer({"data": [_shown(key) for key in call.store.all("api_key", project_id=project)]})


def create_key(call: Call) -> Response:
    """The value is shown once. Names are not unique."""
    wanted, project, label = access.sent(call, KeyCreate), _project(call)["id"], secrets.token_hex(3)
    value = f"pckey_{label}_{secrets.token_urlsafe(40)}"
    roles = [str(role) for role in wanted.roles or ["ProjectEditor"]]
    key = access.put_key(call.store, str(uuid4()), wanted.name, project, roles, value)
    return answer({"key": _shown(key), "value": value}, 201)


def read_key(call: Call) -> Response:
    return answer(_shown(_key(call)))


def update_key(call: Call) -> Response:
    """Roles that are not named are taken away."""
    key = _key(call) | _changes(access.sent(call, KeyUpdate))
    return answer(_shown(call.store.put("api_key", key["id"], key)))


def delete_key(call: Call) -> Response:
    call.store.delete("api_key", _key(call)["id"])
    return Response(status_code=202)


def _changes(wanted: Body) -> Document:
    return {name: value for name, value in wanted.sent().items() if value is not None}


def _shown(key: Document) -> Document:
    return {name: value for name, value in key.items() if name != "digest"}


def _project(call: Call) -> Document:
    return _found(call, "project", call.path("project"))


def _key(call: Call) -> Document:
    return _found(call, "api_key", call.path("key"))


def _found(call: Call, kind: str, id_: str) -> Document:
    if kind != "organization":
        try:
            UUID(id_)
        except ValueError as error:
            raise ApiError(400, f"Bad request. {id_} is not a valid id.") from error
    document = call.store.get(kind, id_)
    if document is None:
        raise ApiError(404, f"{kind.replace('_', ' ').capitalize()} {id_} not found.")
    return document
