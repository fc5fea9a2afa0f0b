"""What a workspace of Airbyte and a permission are made of, and how that is spelled on the wire.

The resources are in ``airbyte.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from providers import base
from providers.airbyte_connections import AirbyteInputs
from providers.base import Carried, Immutable, Json, WriteOnly
from providers.base.inputs import merged


class Channel(AirbyteInputs):
    enabled: bool


class Notification(AirbyteInputs):
    """By which ways an event is told. The address of the webhook stands in ``notification_urls``."""

    email: Channel
    webhook: Channel


class Notifications(AirbyteInputs):
    failure: Notification
    success: Notification
    connection_update: Notification
    connection_update_action_required: Notification
    sync_disabled: Notification
    sync_disabled_warning: Notification


_BY_EMAIL = {"email": {"enabled": True}, "webhook": {"enabled": False}}
AS_IN_A_NEW_WORKSPACE = {
    info.alias: {**_BY_EMAIL, "email": {"enabled": name != "success"}}
    for name, info in Notifications.model_fields.items()
}


class WorkspaceInputs(AirbyteInputs):
    name: str = Field(min_length=1, max_length=255)
    organization_id: Immutable[str | None] = None
    notifications: Notifications | None = None
    notification_urls: WriteOnly[dict[str, str] | None] = Field(default=None, description="by event")


def with_urls(payload: Json, wanted: base.Inputs) -> Json:
    """The notifications as Airbyte takes them: each with the address of its webhook."""
    body = {key: value for key, value in payload.items() if key != "notificationUrls"}
    if payload.keys() & {"notifications", "notificationUrls"}:
        wire = wanted.wire()
        addresses = wire.get("notificationUrls", {})
        urls = {Notifications.wire_name(event): {"webhook": {"url": url}} for event, url in addresses.items()}
        if told := wire.get("notifications") or payload.get("notifications"):
            body["notifications"] = merged(told, urls)
    return body


def without_urls(document: Json) -> Json:
    """Airbyte shows the addresses of webhooks in clear to whoever may read the workspace: they come no further."""
    events = {
        event: {way: {k: v for k, v in (how or {}).items() if k != "url"} for way, how in (ways or {}).items()}
        for event, ways in (document.get("notifications") or {}).items()
    }
    return {**document, "notifications": events} if "notifications" in document else document


class PermissionInputs(AirbyteInputs):
    organization_id: Carried[str] = Field(description="the user's organisation: permissions are listed by both")
    user_id: Immutable[str]
    scope: Immutable[Literal["workspace", "organization"]]
    scope_id: Immutable[str]
    permission_type: Literal[
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


PERMISSION_OF_A_USER = base.Pick(
    base.Call("GET", "/permissions", params={"userId": "{user_id}", "organizationId": "{organization_id}"}),
    items="data",
    by={"userId": "user_id", "scopeId": "scope_id"},
)


@dataclass(frozen=True)
class OfPermission:
    """A call on one permission, whose id is looked up among those of its user."""

    method: str
    auth: None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        found = PERMISSION_OF_A_USER.send(api, values)
        return base.Call(self.method, "/permissions/{permissionId}").send(api, {**values, **found}, payload)


def permission_body(payload: Json, wanted: base.Inputs) -> Json:
    """A payload as the API takes it: the scope's id under the scope's name."""
    wire = wanted.wire()
    scope = {f"{wire['scope']}Id": wire["scopeId"]} if "scopeId" in payload else {}
    return {key: payload[key] for key in ("permissionType", "userId") if key in payload} | scope


def permission_shown(document: Json) -> Json:
    """One permission names its workspace or organisation; a list of them says ``scope`` and ``scopeId``."""
    scopes = {scope: document.get(f"{scope}Id") for scope in ("workspace", "organization")}
    named = {key: value for scope, id_ in scopes.items() if id_ for key, value in (("scope", scope), ("scopeId", id_))}
    return {**{key: value for key, value in document.items() if key != "organizationId"}, **named}
