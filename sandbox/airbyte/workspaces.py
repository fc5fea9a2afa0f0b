"""Workspaces and the tags in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from sandbox.airbyte.lists import page, selected, uuids
from sandbox.airbyte.problems import kind, not_found
from sandbox.http import Body, Call, answer, merged
from sandbox.sealing import opened, sealed
from sandbox.store import Document, Store

ORGANIZATION = "5a9dbb0c-0000-4000-8000-0000000000a0"
_EVENTS = (
    "failure",
    "success",
    "connectionUpdate",
    "connectionUpdateActionRequired",
    "syncDisabled",
    "syncDisabledWarning",
)
_AS_MADE = {event: {"email": {"enabled": event != "success"}, "webhook": {"enabled": False}} for event in _EVENTS}
"""People hear by e-mail of all but success, unless something else is said (patchNotificationSettingsWithDefaultValue)."""
_DEFINITIONS = ("source-definition", "destination-definition", "declarative-definition")
_TAGS_IN_A_WORKSPACE = 100
_TAG_NAME_LENGTH = 30


class Camel(Body):
    """A body whose members are written in camel case on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)


class EmailNotification(Camel):
    enabled: bool | None = None


class WebhookNotification(Camel):
    enabled: bool | None = None
    url: str | None = None


class Notification(Camel):
    email: EmailNotification | None = None
    webhook: WebhookNotification | None = None


class Notifications(Camel):
    failure: Notification | None = None
    success: Notification | None = None
    connection_update: Notification | None = None
    connection_update_action_required: Notification | None = None
    sync_disabled: Notification | None = None
    sync_disabled_warning: Notification | None = None


class WorkspaceUpdate(Camel):
    name: str | None = Field(None, min_length=1)
    notifications: Notifications | None = None
    region_id: UUID | None = None


class WorkspaceCreate(WorkspaceUpdate):
    name: str = Field(min_length=1)
    organization_id: UUID | None = None


class TagUpdate(Camel):
    name: str
    color: str


class TagCreate(TagUpdate):
    workspace_id: UUID


def workspace_of(store: Store, identifier: str) -> Document:
    workspace = store.get("workspace", identifier)
    if workspace is None or workspace["deleted"]:
        raise not_found("workspace", identifier)
    return workspace


def list_workspaces(call: Call) -> Response:
    return page(call, [_shown(call, workspace) for workspace in selected(call, call.store.all("workspace"))])


def create_workspace(call: Call) -> Response:
    """Names are not unique. There is one organisation in the sandbox, and one region, "auto"."""
    sent = call.body(WorkspaceCreate)
    if sent.organization_id and str(sent.organization_id) != ORGANIZATION:
        raise not_found("organization", str(sent.organization_id))
    workspace: Document = {
        "workspaceId": str(uuid4()),
        "name": sent.name,
        "dataResidency": "auto",
        "notifications": merged(_AS_MADE, _notifications(call, sent)),
        "deleted": False,
    }
    call.store.put("workspace", workspace["workspaceId"], workspace)
    return answer(_shown(call, workspace))


def read_workspace(call: Call) -> Response:
    return answer(_shown(call, workspace_of(call.store, call.path("id"))))


def update_workspace(call: Call) -> Response:
    workspace = workspace_of(call.store, call.path("id"))
    sent = call.body(WorkspaceUpdate)
    workspace["name"] = sent.name or workspace["name"]
    workspace["notifications"] = merged(workspace["notifications"], _notifications(call, sent))
    call.store.put("workspace", workspace["workspaceId"], workspace)
    return answer(_shown(call, workspace))


def delete_workspace(call: Call) -> Response:
    """Takes its connections, sources and destinations along (WorkspacesHandler.deleteWorkspace on the platform)."""
    workspace = workspace_of(call.store, call.path("id"))
    identifier = workspace["workspaceId"]
    call.store.put("workspace", identifier, workspace | {"deleted": True})
    for sort in ("source", "destination", "connection"):
        for found in call.store.all(sort, workspaceId=identifier):
            call.store.put(sort, found[f"{sort}Id"], found | {"deleted": True})
    for sort, name in (("tag", "tagId"), ("permission", "permissionId"), *((d, "id") for d in _DEFINITIONS)):
        for found in call.store.all(sort, workspaceId=identifier):
            call.store.delete(sort, found[name])
    return Response(status_code=204)


def list_tags(call: Call) -> Response:
    """Whole, without pages."""
    workspaces = uuids(call, "workspaceIds")
    return answer({"data": [t for t in call.store.all("tag") if not workspaces or t["workspaceId"] in workspaces]})


def create_tag(call: Call) -> Response:
    sent = call.body(TagCreate).sent()
    workspace = workspace_of(call.store, sent["workspaceId"])["workspaceId"]
    if len(call.store.all("tag", workspaceId=workspace)) >= _TAGS_IN_A_WORKSPACE:
        raise kind(
            400,
            "tag-limit-for-workspace-reached",
            "Tag limit for workspace reached",
            "The workspace has reached the maximum number of tags.",
        )
    tag = {"tagId": str(uuid4())} | sent
    _check_tag(call.store, tag)
    return answer(call.store.put("tag", tag["tagId"], tag))


def read_tag(call: Call) -> Response:
    return answer(_tag(call))


def update_tag(call: Call) -> Response:
    tag = _tag(call) | call.body(TagUpdate).sent()
    _check_tag(call.store, tag)
    return answer(call.store.put("tag", tag["tagId"], tag))


def delete_tag(call: Call) -> Response:
    """Connections that had the tag lose it."""
    tag = _tag(call)
    call.store.delete("tag", tag["tagId"])
    for connection in call.store.all("connection", workspaceId=tag["workspaceId"]):
        connection["tags"] = [identifier for identifier in connection["tags"] if identifier != tag["tagId"]]
        call.store.put("connection", connection["connectionId"], connection)
    return Response(status_code=204)


def _tag(call: Call) -> Document:
    identifier = call.path("id")
    tag = call.store.get("tag", identifier)
    if tag is None:
        raise not_found("tag", identifier)
    return tag


def _check_tag(store: Store, tag: Document) -> None:
    if len(tag["name"]) > _TAG_NAME_LENGTH:
        raise kind(400, "tag-name-too-long", "Tag name too long", "The tag name can be maximum 30 characters.")
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", tag["color"]):
        raise kind(400, "tag-invalid-hex-color", "Invalid hex color", "The hex color provided is invalid.")
    namesake = store.first("tag", workspaceId=tag["workspaceId"], name=tag["name"])
    if namesake is not None and namesake["tagId"] != tag["tagId"]:
        raise kind(
            409, "tag-already-exists", "Tag already exists", "A tag with this name already exists in this workspace."
        )


def _shown(call: Call, workspace: Document) -> Document:
    """Airbyte shows the addresses of webhooks in clear."""
    shown = {k: v for k, v in workspace.items() if k != "deleted"}
    told = {
        event: _with_address(channels, lambda url: opened(call.request.app.state.vault, url))
        for event, channels in shown["notifications"].items()
    }
    return shown | {"notifications": told}


def _notifications(call: Call, sent: WorkspaceUpdate) -> Document:
    """What is to change; a null changes nothing. Whoever knows an address can send there: it is kept encrypted."""
    given = sent.notifications.model_dump(by_alias=True, exclude_none=True) if sent.notifications else {}
    return {
        event: _with_address(channels, lambda url: sealed(call.request.app.state.vault, url))
        for event, channels in given.items()
    }


def _with_address(channels: Document, change: Callable[[str], str]) -> Document:
    webhook = channels.get("webhook") or {}
    return channels | {"webhook": webhook | {"url": change(webhook["url"])}} if webhook.get("url") else channels
