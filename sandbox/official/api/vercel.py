"""Vercel's REST API: who calls, the team, tokens, webhooks; the rest is in ``vercel_projects.py`` and ``vercel_drains.py``.

An object is the same one whether it was made here or through the package's stand-in: both keep it in one store.
"""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes, answer
from sandbox.official.api import vercel_drains, vercel_projects
from sandbox.official.api.vercel_access import CamelBody, created, objects, require_team, sent
from sandbox.official.values import Properties, unsealed
from sandbox.official.vercel import TEAM
from sandbox.official.vercel_projects import PLAN_KIND
from sandbox.official.vercel_security import USER_TOKEN, WEBHOOK
from sandbox.store import Document

TOKEN = "sandboxVercelToken0000000000"  # noqa: S105 - opens nothing but a sandbox on this machine

_CODES = {400: "bad_request", 402: "payment_required", 403: "forbidden", 404: "not_found", 409: "conflict"}
_EVENTS = frozenset(
    [
        *("budget.reached", "budget.reset", "firewall.attack"),
        *(
            f"deployment.{what}"
            for what in ("canceled", "cleanup", "created", "error", "promoted", "ready", "succeeded")
        ),
        *(f"deployment.{what}" for what in ("check-rerequested", "checks.failed", "checks.succeeded")),
        *(f"deployment.checkrun.{what}" for what in ("start", "cancel")),
        *(f"deployment.integration.action.{what}" for what in ("start", "cancel", "cleanup")),
        *(f"domain.{what}" for what in ("auto-renew.changed", "created", "dns.records.changed")),
        *(f"domain.{what}" for what in ("renewal", "renewal.failed")),
        *(f"domain.certificate.{what}" for what in ("add", "add.failed", "deleted", "renew", "renew.failed")),
        *(f"domain.transfer-in.{what}" for what in ("started", "completed", "failed")),
        *(f"edge-config.{what}" for what in ("created", "deleted", "items.updated")),
        *(f"integration-configuration.{what}" for what in ("permission-upgraded", "removed")),
        *(f"integration-resource.project-{what}" for what in ("connected", "disconnected")),
        "integration-configuration.scope-change-confirmed",
        *("marketplace.member.changed", "test-webhook"),
        *(f"marketplace.invoice.{what}" for what in ("created", "notpaid", "paid", "refunded")),
        *(f"observability.{what}" for what in ("anomaly", "anomaly-error", "usage-anomaly", "error-anomaly")),
        *(f"project.{what}" for what in ("created", "removed")),
        *(f"project.domain.{what}" for what in ("created", "deleted", "moved", "unverified", "updated", "verified")),
        *(f"project.rolling-release.{what}" for what in ("aborted", "approved", "completed", "started")),
    ]
)


def render(error: ApiError) -> Response:
    details = dict(error.details)
    code = details.pop("code", None) or _CODES.get(error.status, "sandbox_fault")
    return JSONResponse({"error": {"code": code, "message": error.message} | details}, error.status)


def _admit(call: Call) -> str:
    """The id of the token that calls. One that is wrong or has expired is a 403, which says so."""
    if call.bearer() == TOKEN:
        expires, key = _own(call).get("expiresAt"), "current"
    else:
        minted = _minted(call)
        expires, key = (minted["properties"].get("expiresAt"), str(minted["id"])) if minted else (0, "")
    if expires is not None and expires <= _now():
        raise ApiError(403, "Not authorized", invalidToken=True)
    return key


def _minted(call: Call) -> Document | None:
    """The token that somebody has made here: of its value only a salted hash is kept."""
    given = {"bearerToken": call.bearer()}
    for document in call.store.latest.all(USER_TOKEN):
        if given["bearerToken"] and "bearerToken" in unsealed(document["properties"], given):
            return document
    return None


def _own(call: Call) -> Document:
    """What is known of the sandbox's token; it is made when it is first used, and does not expire."""
    now = _now()
    token = {"id": "current", "name": "sandbox", "type": "token", "origin": "manual", "activeAt": now, "createdAt": now}
    return call.store.latest.get("token", "current") or call.store.put("token", "current", token)


def _now() -> int:
    return int(time.time() * 1000)


def _shown_token(document: Document) -> Document:
    members = ("name", "type", "origin", "createdAt", "activeAt", "expiresAt")
    shown = {name: document["properties"][name] for name in members if name in document["properties"]}
    return {"id": document["id"], **shown}


def _read_token(call: Call) -> Response:
    key = call.caller if call.path("token") == "current" else call.path("token")
    if key == "current":
        return answer({"token": _own(call)})
    document = call.store.get(USER_TOKEN, key)
    if document is None:
        raise ApiError(404, "The requested token was not found")
    return answer({"token": _shown_token(document)})


def _list_tokens(call: Call) -> Response:
    """The newest first, a hundred at most at a time; ``until`` is where the page before ended."""
    until = call.number("until", _now() + 1, 0)
    tokens = [_own(call), *(_shown_token(document) for document in call.store.all(USER_TOKEN))]
    older = sorted((t for t in tokens if t["createdAt"] < until), key=lambda token: token["createdAt"], reverse=True)
    page = older[: call.number("limit", 100, 1, 100)]
    following = page[-1]["createdAt"] if len(older) > len(page) else None
    return answer({"tokens": page, "pagination": {"count": len(page), "next": following, "prev": None}})


class _NewToken(CamelBody):
    name: str
    expires_at: int | float | None = None
    project_id: str | None = None


def _create_token(call: Call) -> Response:
    """The value is shown here and never again. A token that was made for one team makes no tokens."""
    if call.caller != "current":
        raise ApiError(403, "Not authorized: this token cannot create tokens")
    wanted = sent(call, _NewToken)
    asked: Properties = {name: value for name, value in wanted.sent().items() if value is not None}
    key, properties = created(call, USER_TOKEN, {**asked, "teamId": call.query("teamId") or TEAM})
    document = {"id": key, "properties": properties}
    return answer({"token": _shown_token(document), "bearerToken": properties["bearerToken"]})


def _delete_token(call: Call) -> Response:
    key = call.path("token")
    if call.store.get(USER_TOKEN, key) is None:
        raise ApiError(404, "The requested token was not found")
    objects(call).delete(USER_TOKEN, key)
    return answer({"tokenId": key})


def _shown_webhook(document: Document) -> Document:
    properties = document["properties"]
    made = document.get("made") or 0
    projects = {"projectIds": properties["projectIds"]} if properties.get("projectIds") else {}
    return {
        "id": document["id"],
        "url": properties["endpoint"],
        "events": properties["events"],
        "ownerId": TEAM,
        "createdAt": made,
        "updatedAt": made,
        **projects,
    }


class _NewWebhook(CamelBody):
    url: str
    events: list[str]
    project_ids: list[str] | None = None


def _create_webhook(call: Call) -> Response:
    """The secret is shown here and never again."""
    require_team(call)
    wanted = sent(call, _NewWebhook)
    if not wanted.events or not set(wanted.events) <= _EVENTS:
        odd = ", ".join(sorted(set(wanted.events) - _EVENTS)) or "none"
        raise ApiError(400, f"Invalid request: `events` should be equal to one of the allowed values, not {odd}")
    if wanted.project_ids is not None and not 1 <= len(wanted.project_ids) <= 20:
        raise ApiError(400, "Invalid request: `projectIds` should have 1 to 20 items")
    projects: Properties = {"projectIds": wanted.project_ids} if wanted.project_ids else {}
    key, properties = created(
        call, WEBHOOK, {"endpoint": wanted.url, "events": wanted.events, "teamId": TEAM, **projects}
    )
    document = {"id": key, "properties": properties, "made": _now()}
    kept = call.store.latest.get(WEBHOOK, key) or {}
    call.store.put(WEBHOOK, key, {**kept, "made": document["made"]})
    return answer({**_shown_webhook(document), "secret": properties["secret"]})


def _webhook(call: Call) -> Document:
    require_team(call)
    document = call.store.get(WEBHOOK, call.path("webhook"))
    if document is None:
        raise ApiError(404, "The webhook was not found")
    return document


def _list_webhooks(call: Call) -> Response:
    require_team(call)
    project = call.query("projectId")
    shown = [_shown_webhook(document) for document in call.store.all(WEBHOOK)]
    return answer([one for one in shown if project is None or project in one.get("projectIds", ())])


def _delete_webhook(call: Call) -> Response:
    objects(call).delete(WEBHOOK, str(_webhook(call)["id"]))
    return Response(status_code=204)


def _team(call: Call) -> Response:
    if call.path("team") not in (TEAM, "sandbox"):
        raise ApiError(404, "Team not found")
    membership = {"role": "OWNER", "confirmed": True, "created": 0, "createdAt": 0}
    noted: dict[str, Any] = call.store.get(PLAN_KIND, TEAM) or {}
    policy = noted.get("sensitiveEnvironmentVariablePolicy", "off")
    team = {"id": TEAM, "slug": "sandbox", "name": "Sandbox", "membership": membership}
    return answer({**team, "sensitiveEnvironmentVariablePolicy": policy, "billing": {"plan": noted.get("plan", "pro")}})


def _members(call: Call) -> Response:
    """The service seat whose token it is, and whoever else was noted."""
    seat = {"uid": "user_sandbox", "email": "automation@payready.com", "username": "automation", "role": "OWNER"}
    members = [seat | {"confirmed": True, "createdAt": 0}, *call.store.all("member")]
    return answer(
        {"members": members, "pagination": {"hasNext": False, "count": len(members), "next": None, "prev": None}}
    )


_routes = Routes("vercel", _admit, render)

ROUTES = [
    _routes("/v3/user/tokens", POST=_create_token),
    _routes("/v3/user/tokens/{token}", DELETE=_delete_token),
    _routes("/v5/user/tokens", GET=_list_tokens),
    _routes("/v5/user/tokens/{token}", GET=_read_token),
    _routes("/v1/webhooks", GET=_list_webhooks, POST=_create_webhook),
    _routes("/v1/webhooks/{webhook}", GET=lambda call: answer(_shown_webhook(_webhook(call))), DELETE=_delete_webhook),
    _routes("/v2/teams/{team}", GET=_team),
    _routes("/v3/teams/{team}/members", GET=_members),
    *vercel_drains.routes(_routes),
    *vercel_projects.routes(_routes),
]
