"""Webhooks: one kind of event each, of a team, a project or a file, with a ``PING`` to the receiver when one is made."""

from __future__ import annotations

import json
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sandbox.figma.access import PLAN, TEAM, now, require, sent, shown
from sandbox.figma.places import exists, plan_matches
from sandbox.http import ApiError, Call, answer, cut, digest
from sandbox.receiver import receiver_of
from sandbox.store import Document

_CAPS = {"team": 20, "project": 5, "file": 3}
_PAGE = 10

Event = Literal[
    "FILE_UPDATE",
    "FILE_VERSION_UPDATE",
    "FILE_DELETE",
    "LIBRARY_PUBLISH",
    "FILE_COMMENT",
    "DEV_MODE_STATUS_UPDATE",
]


class _Written(BaseModel):
    model_config = ConfigDict(extra="ignore")

    event_type: Event
    endpoint: str = Field(min_length=1, max_length=2048, pattern=r"^https?://[^/\s]+")
    passcode: str = Field(min_length=1, max_length=100)
    status: Literal["ACTIVE", "PAUSED"] = "ACTIVE"
    description: str | None = Field(None, max_length=150)


class _Created(_Written):
    context: Literal["team", "project", "file"]
    context_id: str = Field(min_length=1)


class _Changed(_Written):
    status: Literal["ACTIVE", "PAUSED"] | None = None  # type: ignore[assignment] # left out, it stays as it is


def list_webhooks(call: Call) -> Response:
    """Of a context at once, or of the whole plan in pages."""
    require(call, "webhooks:read")
    plan, context, context_id = call.query("plan_api_id"), call.query("context"), call.query("context_id")
    if plan is not None and (context or context_id):
        raise ApiError(400, "plan_api_id cannot be used with context or context_id")
    if plan is not None:
        return _of_plan(call, plan)
    if not (context and context_id):
        raise ApiError(400, "context and context_id, or plan_api_id, are expected")
    if context.lower() not in _CAPS:
        raise ApiError(400, "Invalid parameter context: team, project or file is expected")
    found = call.store.all("webhook", context=context.upper(), context_id=context_id)
    return answer({"webhooks": [_shown(one) for one in found]})


def _of_plan(call: Call, plan: str) -> Response:
    if not plan_matches(plan):
        raise ApiError(403, "Forbidden")
    text = call.query("cursor") or "0"
    if not text.isdecimal():
        raise ApiError(400, "Invalid parameter cursor")
    start, found = int(text), call.store.all("webhook")
    address = f"{call.request.url.remove_query_params('cursor')}"
    links = {
        **({"next_page": f"{address}&cursor={start + _PAGE}"} if start + _PAGE < len(found) else {}),
        **({"prev_page": f"{address}&cursor={max(start - _PAGE, 0)}"} if start else {}),
    }
    return answer({"webhooks": [_shown(one) for one in cut(found, _PAGE, start)], "pagination": links})


def create_webhook(call: Call) -> Response:
    require(call, "webhooks:write")
    wanted = sent(call, _Created)
    if not exists(call, wanted.context, wanted.context_id):
        raise ApiError(404, f"{wanted.context.capitalize()} not found")
    context = wanted.context.upper()
    if len(call.store.latest.all("webhook", context=context, context_id=wanted.context_id)) >= _CAPS[wanted.context]:
        said = f"a {wanted.context} can have {_CAPS[wanted.context]} webhooks at most"
        raise ApiError(400, f"Maximum number of webhooks reached: {said}")
    webhook: Document = {
        "id": str(uuid4().int)[:7],
        "event_type": wanted.event_type,
        "team_id": TEAM,
        "context": context,
        "context_id": wanted.context_id,
        "plan_api_id": PLAN,
        "status": wanted.status,
        "client_id": None,
        "endpoint": wanted.endpoint,
        "description": wanted.description,
        "passcode_digest": digest(wanted.passcode),
    }
    call.store.put("webhook", webhook["id"], webhook)
    if wanted.status == "ACTIVE":
        _ping(call, webhook, wanted.passcode)
    return answer(_shown(webhook) | {"passcode": wanted.passcode})


def read_webhook(call: Call) -> Response:
    require(call, "webhooks:read")
    return answer(_shown(_found(call)))


def update_webhook(call: Call) -> Response:
    """All of event, endpoint and passcode are expected each time; no delivery tells the receiver of it."""
    require(call, "webhooks:write")
    webhook, wanted = _found(call), sent(call, _Changed)
    changed = {
        "event_type": wanted.event_type,
        "endpoint": wanted.endpoint,
        "passcode_digest": digest(wanted.passcode),
        "status": wanted.status or webhook["status"],
        "description": wanted.description if "description" in wanted.model_fields_set else webhook["description"],
    }
    call.store.put("webhook", webhook["id"], webhook | changed)
    return answer(_shown(webhook | changed) | {"passcode": wanted.passcode})


def delete_webhook(call: Call) -> Response:
    require(call, "webhooks:write")
    webhook = _found(call)
    call.store.delete("webhook", webhook["id"])
    return answer(_shown(webhook))


def list_requests(call: Call) -> Response:
    """What was delivered, and what the receiver said."""
    require(call, "webhooks:read")
    requests = call.store.all("request", webhook_id=_found(call)["id"])
    return answer({"requests": [shown(request, "id") for request in reversed(requests)]})


def _ping(call: Call, webhook: Document, passcode: str) -> None:
    payload = {"event_type": "PING", "passcode": passcode, "timestamp": now(), "webhook_id": webhook["id"]}
    headers = {"content-type": "application/json"}
    receiver = receiver_of(call.request)
    sent_at = now()
    said = receiver.deliver("figma", webhook["endpoint"], json.dumps(payload).encode(), headers)
    id_ = uuid4().hex
    request: Document = {
        "id": id_,
        "webhook_id": webhook["id"],
        "request_info": {
            "id": webhook["id"],
            "endpoint": webhook["endpoint"],
            "payload": payload | {"passcode": ""},
            "sent_at": sent_at,
        },
        "response_info": None if said.status is None else {"status": str(said.status), "received_at": now()},
        "error_msg": None if said.ok else said.problem or f"the receiver answered with {said.status}",
    }
    call.store.put("request", id_, request)


def _found(call: Call) -> Document:
    webhook = call.store.get("webhook", call.path("id"))
    if webhook is None:
        raise ApiError(404, "Webhook not found")
    return webhook


def _shown(webhook: Document) -> Document:
    """As those that read see it: without the passcode."""
    return shown(webhook, "passcode_digest") | {"passcode": ""}
