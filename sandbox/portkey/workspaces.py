"""Workspaces: what everything but the organisation's integrations, users and keys lives in."""

from __future__ import annotations

from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, merged
from sandbox.portkey import members, providers
from sandbox.portkey.access import caller, now, workspace_of
from sandbox.portkey.errors import taken
from sandbox.portkey.limits import RateLimits, UsageLimits
from sandbox.portkey.lists import page, picked, slug_of, without_nothing
from sandbox.store import Document, Store

_INSIDE = ("provider", "config", "key")
"""What keeps a workspace from being deleted."""
_WITH_IT = (
    *_INSIDE,
    "integration",
    "guardrail",
    "prompt",
    "prompt-version",
    "partial",
    "partial-version",
    "collection",
    "label",
    "member",
    "usage-policy",
    "rate-policy",
    "integration-workspace",
    "config-version",
)


class Defaults(Body):
    metadata: dict[str, str] | None = None
    input_guardrails: list[str] | None = None
    output_guardrails: list[str] | None = None
    user_api_key_config: str | None = None


class WorkspaceUpdate(Body):
    name: str | None = Field(None, min_length=1)
    description: str | None = None
    icon: str | None = None
    defaults: Defaults | None = None
    usage_limits: list[UsageLimits] | None = Field(None, max_length=1)
    rate_limits: list[RateLimits] | None = Field(None, max_length=1)


class WorkspaceCreate(WorkspaceUpdate):
    name: str = Field(min_length=1)
    users: list[str] = Field(default_factory=list)


class WorkspaceDelete(Body):
    """``force_delete`` is what the vendor's Terraform provider sends; the specification does not have it."""

    name: str
    force_delete: bool = False


def list_workspaces(call: Call) -> Response:
    """``name`` is contained in the name, ``exact_name`` is the name; a workspace's key sees its own."""
    own, part, whole = caller(call).workspace, call.query("name") or "", call.query("exact_name")
    found = [
        _shown(workspace)
        for workspace in call.store.all("workspace")
        if own in (None, workspace["id"]) and part in workspace["name"] and whole in (None, workspace["name"])
    ]
    return page(call, found if "archived" not in (call.query("status") or "active").split(",") else [])


def create_workspace(call: Call) -> Response:
    """With a collection to start with, and the integrations that are for every workspace to come."""
    sent = call.body(WorkspaceCreate)
    _check_name(call.store, sent.name)
    workspace: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name, "ws"),
        **sent.model_dump(mode="json", exclude_unset=True, exclude={"users"}),
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("workspace", workspace["id"], workspace)
    for user in sent.users:
        members.join(call.store, workspace["id"], user, "member")
    collection = {
        "id": str(uuid4()),
        "slug": slug_of("default"),
        "name": "Default",
        "workspace_id": workspace["id"],
        "parent_collection_id": None,
        "is_default": 1,
        "status": "active",
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("collection", collection["id"], collection)
    _grant_global_integrations(call.store, workspace["id"])
    return answer(_shown(workspace))


def read_workspace(call: Call) -> Response:
    workspace = _reached(call)
    return answer(_shown(workspace) | {"users": members.of_workspace(call.store, workspace["id"])})


def update_workspace(call: Call) -> Response:
    """``null`` takes limits away."""
    workspace, sent = _reached(call), call.body(WorkspaceUpdate).sent()
    if sent.get("name") not in (None, workspace["name"]):
        _check_name(call.store, sent["name"])
    defaults = merged(workspace.get("defaults") or {}, sent.pop("defaults", None) or {})
    _check_defaults(call.store, workspace["id"], defaults)
    workspace |= {**sent, "defaults": defaults or None, "last_updated_at": now()}
    call.store.put("workspace", workspace["id"], workspace)
    return answer({})


def delete_workspace(call: Call) -> Response:
    """Its name is sent once more, to be sure. Refused while something is in use in it, unless that is forced."""
    workspace, sent = _reached(call), call.body(WorkspaceDelete)
    if sent.name != workspace["name"]:
        raise ApiError(400, "name: the name of the workspace that is to be deleted is expected")
    if not sent.force_delete and any(call.store.first(kind, workspace_id=workspace["id"]) for kind in _INSIDE):
        raise ApiError(409, "Unable to delete. Please ensure that all Virtual Keys, Configs and API Keys are deleted")
    for kind in _WITH_IT:
        for found in call.store.all(kind, workspace_id=workspace["id"]):
            call.store.delete(kind, found["id"])
    call.store.delete("workspace", workspace["id"])
    return answer({})


def _reached(call: Call) -> Document:
    workspace = workspace_of(call.store, call.path("workspace"))
    if caller(call).workspace not in (None, workspace["id"]):
        raise ApiError(403, "You do not have enough permissions to execute this request: it is another workspace")
    return workspace


def _shown(workspace: Document) -> Document:
    return without_nothing(workspace) | {"object": "workspace"}


def _check_name(store: Store, name: str) -> None:
    if store.first("workspace", name=name):
        raise taken("workspace", "the name", name)


def _check_defaults(store: Store, workspace: str, defaults: Document) -> None:
    for side in ("input_guardrails", "output_guardrails"):
        for named in defaults.get(side) or ():
            guardrail = picked(store.latest, "guardrail", named)
            if guardrail is None or guardrail["workspace_id"] not in (None, workspace):
                raise ApiError(400, f"defaults.{side}: there is no guardrail {named} in this workspace")
    config = defaults.get("user_api_key_config")
    found = picked(store.latest, "config", config) if config else None
    if config and (found is None or found["workspace_id"] != workspace):
        raise ApiError(400, f"defaults.user_api_key_config: there is no config {config} in this workspace")


def _grant_global_integrations(store: Store, workspace: str) -> None:
    for integration in store.all("integration", workspace_id=None):
        access = integration["global_workspace_access_settings"]
        if access["enabled"]:
            providers.grant(store, integration, workspace, access)
            if integration["creates_providers"]:
                providers.create_default(store, integration, workspace, None)
