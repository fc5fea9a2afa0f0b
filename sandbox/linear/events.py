"""What webhooks are told of changes, signed as Linear signs it.

Source of facts: Linear's webhook client (linear/linear, ``packages/sdk/src/webhooks``) and its developer pages.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid

from sandbox.http import Call
from sandbox.linear.objects import ORGANIZATION, live_ones, now, title_of
from sandbox.receiver import receiver_of
from sandbox.sealing import opened
from sandbox.store import Document

_PATIENCE = 3
"""So many deliveries in a row may fail. (Linear itself tries each again for hours before it switches a webhook off.)"""


def announce(call: Call, kind: str, action: str, document: Document) -> None:
    """Delivers an event to every webhook that is told of such objects in that team."""
    for webhook in list(live_ones(call, "webhook")):
        if webhook["enabled"] and title_of(kind) in webhook["resourceTypes"] and _concerns(call, webhook, document):
            _deliver(call, webhook, title_of(kind), action, document)


def _concerns(call: Call, webhook: Document, document: Document) -> bool:
    teams = [document["teamId"]] if document.get("teamId") else document.get("teamIds") or []
    if webhook.get("teamId"):
        return webhook["teamId"] in teams
    found = [call.store.latest.get("team", team) for team in teams]
    return not teams or any(team is not None and not team["private"] for team in found)


def _deliver(call: Call, webhook: Document, type_: str, action: str, document: Document) -> None:
    event = {
        "action": action,
        "type": type_,
        "createdAt": now(),
        "data": document,
        "organizationId": ORGANIZATION["id"],
        "webhookId": webhook["id"],
        "webhookTimestamp": int(time.time() * 1000),
    }
    body = json.dumps(event).encode()
    signature = hmac.new(
        opened(call.request.app.state.vault, webhook["secret"]).encode(), body, hashlib.sha256
    ).hexdigest()
    delivery = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Linear-Webhook",
        "Linear-Delivery": delivery,
        "Linear-Event": type_,
        "Linear-Signature": signature,
    }
    answer = receiver_of(call.request).deliver("linear", webhook["url"], body, headers, timeout=5)
    webhook = dict(webhook)
    if answer.ok:
        webhook["failed"] = 0
    else:
        failure = {
            "id": str(uuid.uuid4()),
            "url": webhook["url"],
            "httpStatus": answer.status,
            "responseOrError": answer.problem or None,
            "executionId": delivery,
            "createdAt": now(),
        }
        webhook |= {"failed": webhook.get("failed", 0) + 1, "failures": [*webhook["failures"], failure][-50:]}
        webhook["enabled"] = webhook["failed"] < _PATIENCE
    call.store.put("webhook", webhook["id"], webhook)
