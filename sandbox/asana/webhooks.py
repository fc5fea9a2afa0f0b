"""Webhooks: the handshake while the request waits, and the events that follow."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field
from starlette.responses import Response

from sandbox.asana import answers
from sandbox.asana.access import caller, found, meant, new_gid, now, sent, without_stage, workspace
from sandbox.http import ApiError, Body, Call, digest
from sandbox.receiver import receiver_of
from sandbox.sealing import opened, sealed
from sandbox.store import Document

_HIGHER = ("workspace", "team", "portfolio")
"""Resources with so many events that Asana asks for filters."""

_RESOURCES = ("project", "task", "team", "workspace", "tag")
_ACTIONS = ("changed", "added", "removed", "deleted", "undeleted")
_MOST_PER_RESOURCE = 1000
_GIVEN_UP_AFTER = timedelta(hours=24)
_SECRET = "X-Hook-Secret"  # noqa: S105 - the name of a header


class Filter(Body):
    resource_type: str | None = None
    resource_subtype: str | None = None
    action: str | None = None
    fields: list[str] | None = None


class WebhookBody(Body):
    resource: str
    target: str = Field(min_length=1)
    filters: list[Filter] | None = None


class FiltersBody(Body):
    filters: list[Filter]


def list_webhooks(call: Call) -> Response:
    """Those that the caller's own token has made."""
    if not (gid := call.query("workspace")):
        raise ApiError(400, "workspace: Missing input")
    workspace(call, gid)
    hooks = call.store.all("webhook", stage=call.caller)
    if resource := call.query("resource"):
        hooks = [one for one in hooks if one["resource"] == resource]
    return answers.page(call, [_webhook(call, one) for one in hooks])


def create_webhook(call: Call) -> Response:
    """The target must send the secret back before this request is answered."""
    body = sent(call, WebhookBody)
    kind = _kind(call, body.resource)
    _check_target(body.target)
    filters = [one.sent() for one in body.filters or []]
    _check_filters(kind, filters)
    if len(call.store.latest.all("webhook", resource=body.resource)) >= _MOST_PER_RESOURCE:
        raise ApiError(403, f"There may be {_MOST_PER_RESOURCE} webhooks on one resource")
    secret = secrets.token_hex(32)
    said = receiver_of(call.request).deliver("asana", body.target, b"", {_SECRET: secret})
    if said.status not in (200, 204) or said.headers.get(_SECRET.lower()) != secret:
        raise ApiError(
            400, "The remote server which is intended to receive the webhook did not respond with the handshake secret."
        )
    gid = new_gid()
    hook: Document = {"gid": gid, "resource": body.resource, "resource_kind": kind, "target": body.target}
    state = {"active": True, "created_at": now(), "last_success_at": now(), "last_failure_at": None}
    failing = {"last_failure_content": "", "delivery_retry_count": 0, "failure_deletion_timestamp": None}
    hook |= state | failing | {"filters": filters, "next_attempt_after": None, "stage": call.caller}
    call.store.put("webhook", gid, hook)
    call.store.put(
        "webhook_secret", gid, {"secret": sealed(call.request.app.state.vault, secret), "digest": digest(secret)}
    )
    return answers.one(call, _webhook(call, hook), 201, **{_SECRET: secret})


def _kind(call: Call, gid: str) -> str:
    for kind in _RESOURCES:
        document = call.store.latest.get(kind, gid)
        if document is not None and document["stage"] == call.caller:
            return kind
    raise ApiError(400, f"resource: Not a recognized ID: {gid}")


def _check_target(target: str) -> None:
    """Asana calls no machine by a name of its own network. (A loopback address is for trying a receiver here.)"""
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ApiError(400, f"target: Not a valid URI: {target}")
    if parts.hostname == "localhost" or (parts.scheme == "http" and parts.hostname != "127.0.0.1"):
        raise ApiError(403, "Forbidden: the target must be a public https address")


def _check_filters(kind: str, filters: list[Document]) -> None:
    if kind in _HIGHER and not filters:
        raise ApiError(400, f"filters: A webhook on a {kind} needs filters")
    for one in filters:
        if one.get("action") not in (None, *_ACTIONS):
            raise ApiError(400, f"filters.action: Not one of {', '.join(_ACTIONS)}: {one['action']}")
        if one.get("fields") and one.get("action") != "changed":
            raise ApiError(400, "filters.fields: Only filters with the action changed have fields")
        if one.get("fields") and kind in _HIGHER:
            raise ApiError(400, f"filters.fields: A webhook on a {kind} takes no fields")


def read_webhook(call: Call) -> Response:
    return answers.one(call, _webhook(call, found(call, "webhook", call.path("gid"))))


def update_webhook(call: Call) -> Response:
    hook, body = found(call, "webhook", call.path("gid")), sent(call, FiltersBody)
    filters = [one.sent() for one in body.filters]
    _check_filters(hook["resource_kind"], filters)
    return answers.one(call, _webhook(call, call.store.put("webhook", hook["gid"], hook | {"filters": filters})))


def delete_webhook(call: Call) -> Response:
    gid = found(call, "webhook", call.path("gid"))["gid"]
    call.store.delete("webhook", gid)
    call.store.delete("webhook_secret", gid)
    return answers.nothing()


def _webhook(call: Call, document: Document) -> Document:
    resource = call.store.latest.get(document["resource_kind"], document["resource"]) or {}
    shown = {name: value for name, value in without_stage(document).items() if name != "resource_kind"}
    for name in ("failure_deletion_timestamp", "last_failure_at", "next_attempt_after", "last_success_at"):
        if shown[name] is None:
            del shown[name]
    return shown | {"resource_type": "webhook", "resource": answers.compact(resource)}


def happened(call: Call, action: str, resource: Document, parent: Document, *, fields: list[str] | None = None) -> None:
    """Delivers an event to the webhooks on its parent, and on the parent's team and workspace, whose filters it passes."""
    event: dict[str, Any] = {
        "user": answers.compact(caller(call)),
        "created_at": now(),
        "action": action,
        "resource": answers.compact(resource),
        "parent": answers.compact(parent) if action == "added" else None,
    }
    if action == "changed":
        event["change"] = {"field": (fields or ["name"])[0], "action": "changed"}
    places = {parent["gid"], parent.get("team"), parent.get("workspace"), resource["gid"]}
    for hook in call.store.latest.all("webhook", stage=call.caller):
        if hook["active"] and hook["resource"] in places and _passes(hook["filters"], event, fields or []):
            _deliver(call, hook, event)


def _passes(filters: list[Document], event: dict[str, Any], fields: list[str]) -> bool:
    return not filters or any(
        one.get("resource_type") in (None, event["resource"]["resource_type"])
        and one.get("resource_subtype") in (None, event["resource"].get("resource_subtype"))
        and one.get("action") in (None, event["action"])
        and (not one.get("fields") or set(one["fields"]) & set(fields))
        for one in filters
    )


def _deliver(call: Call, hook: Document, event: dict[str, Any]) -> None:
    """Signed with the secret of the handshake. One that fails is noted; the sandbox does not try again by itself."""
    body = json.dumps({"events": [event]}).encode()
    key = opened(call.request.app.state.vault, (call.store.latest.get("webhook_secret", hook["gid"]) or {})["secret"])
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    said = receiver_of(call.request).deliver(
        "asana", hook["target"], body, {"X-Hook-Signature": signature, "Content-Type": "application/json"}
    )
    if said.ok:
        changes: Document = {"last_success_at": now(), "delivery_retry_count": 0, "failure_deletion_timestamp": None}
    else:
        given_up = (datetime.now(UTC) + _GIVEN_UP_AFTER).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        changes = {
            "last_failure_at": now(),
            "last_failure_content": said.problem or str(said.status),
            "delivery_retry_count": hook["delivery_retry_count"] + 1,
            "failure_deletion_timestamp": hook["failure_deletion_timestamp"] or given_up,
        }
    call.store.put("webhook", hook["gid"], meant(call, "webhook", hook["gid"], "webhook") | changes)
