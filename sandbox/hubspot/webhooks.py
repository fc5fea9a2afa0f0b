"""The webhooks of a public app, which its developer's API key opens. Nothing is delivered: the sandbox has no records."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot.access import new_id, now, sent
from sandbox.store import Document

_MOST = 1000
_OBJECTS = ("contact", "company", "deal", "ticket", "product", "line_item")
_EVENTS = (
    *(f"{one}.{event}" for one in (*_OBJECTS, "object") for event in
      ("propertyChange", "creation", "deletion", "merge", "restore", "associationChange")),
    "contact.privacyDeletion", "conversation.creation", "conversation.deletion", "conversation.newMessage",
    "conversation.privacyDeletion", "conversation.propertyChange",
)  # fmt: skip


class ThrottlingBody(Body):
    max_concurrent_requests: int = Field(alias="maxConcurrentRequests", ge=5, le=100)


class SettingsBody(Body):
    target_url: str = Field(alias="targetUrl")
    throttling: ThrottlingBody


class SubscriptionBody(Body):
    event_type: str = Field(alias="eventType")
    property_name: str | None = Field(None, alias="propertyName")
    object_type_id: str | None = Field(None, alias="objectTypeId")
    active: bool = False


class SubscriptionPatch(Body):
    active: bool


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "app" and value is not None}


def _settings(call: Call) -> Document:
    found = call.store.get("webhook_settings", call.caller)
    if found is None:
        raise ApiError(404, "The app has no webhook settings")
    return found


def read_settings(call: Call) -> Response:
    return answer(_shown(_settings(call)))


def write_settings(call: Call) -> Response:
    body = sent(call, SettingsBody)
    if urlsplit(body.target_url).scheme != "https":
        raise ApiError(400, "The target URL must be https", context={"targetUrl": [body.target_url]})
    known = call.store.latest.get("webhook_settings", call.caller) or {"createdAt": now()}
    document = {**body.model_dump(mode="json", by_alias=True), "createdAt": known["createdAt"], "updatedAt": now()}
    return answer(_shown(call.store.put("webhook_settings", call.caller, document)))


def delete_settings(call: Call) -> Response:
    _settings(call)
    call.store.delete("webhook_settings", call.caller)
    return Response(status_code=204)


def list_subscriptions(call: Call) -> Response:
    return answer({"results": [_shown(one) for one in call.store.all("webhook_subscription", app=call.caller)]})


def create_subscription(call: Call) -> Response:
    body = sent(call, SubscriptionBody)
    if call.store.latest.get("webhook_settings", call.caller) is None:
        raise ApiError(400, "The app needs webhook settings with a target URL first")
    if body.event_type not in _EVENTS:
        raise ApiError(400, f"{body.event_type} is no event", context={"eventType": [body.event_type]})
    if body.event_type.endswith(".propertyChange") != (body.property_name is not None):
        raise ApiError(400, "propertyName goes with events of the type propertyChange")
    if body.event_type.startswith("object.") != (body.object_type_id is not None):
        raise ApiError(400, "objectTypeId goes with events of the type object")
    document: Document = body.model_dump(mode="json", by_alias=True)
    mine = call.store.latest.all("webhook_subscription", app=call.caller)
    same = ("eventType", "propertyName", "objectTypeId")
    if any(all(one[name] == document[name] for name in same) for one in mine):
        raise ApiError(409, f"The app is subscribed to {body.event_type} already")
    if len(mine) >= _MOST:
        raise ApiError(400, f"An app can have at most {_MOST} subscriptions")
    id_ = new_id(call, "subscription", 1_900_001)
    made = {"id": id_, **document, "createdAt": now(), "updatedAt": now(), "app": call.caller}
    return answer(_shown(call.store.put("webhook_subscription", id_, made)), 201)


def _found(call: Call) -> Document:
    found = call.store.get("webhook_subscription", call.path("id"))
    if found is None or found["app"] != call.caller:
        raise ApiError(404, f"There is no subscription {call.path('id')}")
    return found


def read_subscription(call: Call) -> Response:
    return answer(_shown(_found(call)))


def update_subscription(call: Call) -> Response:
    changed = _found(call) | sent(call, SubscriptionPatch).sent() | {"updatedAt": now()}
    return answer(_shown(call.store.put("webhook_subscription", changed["id"], changed)))


def delete_subscription(call: Call) -> Response:
    call.store.delete("webhook_subscription", _found(call)["id"])
    return Response(status_code=204)
