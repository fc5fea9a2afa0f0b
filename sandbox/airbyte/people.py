"""The organisation, its users, and what they may do in it and in its workspaces.

The rules are those of airbytehq/airbyte-platform, PermissionsController and PermissionHandler.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid4

from starlette.responses import Response

from sandbox.airbyte.lists import uuids
from sandbox.airbyte.problems import not_found
from sandbox.airbyte.workspaces import ORGANIZATION, Camel, workspace_of
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document

OWNER = "5a9dbb0c-0000-4000-8000-0000000000b0"
"""The user whom the sandbox's application belongs to."""

USERS = (
    {"id": OWNER, "name": "Sophia infrastructure", "email": "sophia-infrastructure@payready.com"},
    {"id": "5a9dbb0c-0000-4000-8000-0000000000b1", "name": "Data on-call", "email": "data-oncall@payready.com"},
    {"id": "5a9dbb0c-0000-4000-8000-0000000000b2", "name": "Revenue analysts", "email": "revenue@payready.com"},
)

Role = Literal[
    "organization_admin",
    "organization_editor",
    "organization_runner",
    "organization_reader",
    "organization_member",
    "workspace_admin",
    "workspace_editor",
    "workspace_runner",
    "workspace_reader",
]


class PermissionUpdate(Camel):
    permission_type: Role


class PermissionCreate(PermissionUpdate):
    user_id: UUID
    workspace_id: UUID | None = None
    organization_id: UUID | None = None


def list_organizations(_: Call) -> Response:
    organization = {"organizationId": ORGANIZATION, "organizationName": "Pay Ready", "email": USERS[0]["email"]}
    return answer({"data": [organization]})


def list_users(call: Call) -> Response:
    """Those of the organisation; with ``ids`` or ``emails`` the ones that any of them names."""
    _check_organization(call.query("organizationId") or "")
    ids, emails = uuids(call, "ids"), call.many("emails")
    wanted = [u for u in USERS if not (ids or emails) or u["id"] in ids or u["email"] in emails]
    return answer({"data": wanted})


def list_permissions(call: Call) -> Response:
    """Those of one user: of the caller unless ``userId`` names another, who is looked for in an organisation."""
    named = uuids(call, "userId")
    user = named[0] if named else OWNER
    if user != OWNER:
        organization = call.query("organizationId")
        if organization is None:
            raise ApiError(400, "Organization ID is required when getting someone else's permissions.")
        _check_organization(organization)
    return answer({"data": [_listed(permission) for permission in call.store.all("permission", userId=user)]})


def create_permission(call: Call) -> Response:
    """One that is there already is answered as it is."""
    sent = call.body(PermissionCreate).model_dump(mode="json", by_alias=True, exclude_none=True)
    if {"workspaceId", "organizationId"} <= sent.keys():
        raise ApiError(400, "A permission cannot target both a workspace and an organization.")
    if "workspaceId" in sent:
        workspace_of(call.store, sent["workspaceId"])
    elif "organizationId" in sent:
        _check_organization(sent["organizationId"])
    else:
        raise ApiError(400, "Workspace ID or Organization ID must be provided in order to create a permission.")
    _check_role(sent["permissionType"], sent)
    if sent["userId"] not in {user["id"] for user in USERS}:
        raise not_found("user", sent["userId"])
    known = call.store.first("permission", **sent)
    if known is None:
        known = {"permissionId": str(uuid4()), **sent}
        call.store.put("permission", known["permissionId"], known)
    return answer(known)


def read_permission(call: Call) -> Response:
    return answer(_permission(call))


def update_permission(call: Call) -> Response:
    """Only the role can be changed."""
    permission = _permission(call) | call.body(PermissionUpdate).sent()
    _check_role(permission["permissionType"], permission)
    return answer(call.store.put("permission", permission["permissionId"], permission))


def delete_permission(call: Call) -> Response:
    call.store.delete("permission", _permission(call)["permissionId"])
    return Response(status_code=204)


def _permission(call: Call) -> Document:
    identifier = call.path("id")
    permission = call.store.get("permission", identifier)
    if permission is None:
        raise not_found("permission", identifier)
    return permission


def _listed(permission: Document) -> Document:
    """A list names the scope where single permissions name the workspace or the organisation."""
    scope = "workspace" if "workspaceId" in permission else "organization"
    shown = {name: permission[name] for name in ("permissionId", "permissionType", "userId")}
    return shown | {"scope": scope, "scopeId": permission[f"{scope}Id"]}


def _check_role(role: str, permission: Document) -> None:
    """A role of workspaces is for a workspace, one of organisations for the organisation (the database's constraint)."""
    scope = role.partition("_")[0]
    if f"{scope}Id" not in permission:
        raise ApiError(400, f"{role} can be given only with a {scope}Id.")


def _check_organization(identifier: str) -> None:
    if identifier != ORGANIZATION:
        raise not_found("organization", identifier)
