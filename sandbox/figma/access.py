"""Who asks, what a token and its plan allow, how often, and how Figma says no.

The sandbox's organisation has one team with a project and files for each stage. What the plan is and what the token may do
are objects of the kinds ``plan`` and ``token``: tests change them there. Rate limits are imposed only while the plan's
``limited`` is true.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, digest
from sandbox.store import Document, Store

TOKEN = "figd_sandbox-personal-token"  # noqa: S105 - opens nothing but the sandbox
TEAM = "1034567890123456701"
PLAN = "organization::1134567890123456789"
STAGES = ("dev", "staging", "prod")
PROJECTS = {"dev": "501234501", "staging": "501234502", "prod": "501234503"}
FILES = {"design-system": "Design system", "resident-portal": "Resident portal"}

SCOPES = (
    "current_user:read",
    "projects:read",
    "file_metadata:read",
    "file_dev_resources:read",
    "file_dev_resources:write",
    "file_variables:read",
    "file_variables:write",
    "webhooks:read",
    "webhooks:write",
)
_A_MINUTE = 60
_LIMITS: Mapping[tuple[int, str], tuple[int, int, int]] = {
    (2, "high"): (25, 50, 100),
    (3, "high"): (50, 100, 150),
    (2, "low"): (5, 5, 5),
    (3, "low"): (10, 10, 10),
}
"""Requests a minute by tier of the endpoint and kind of seat, for each plan (help.figma.com, "What if I'm rate limited")."""
_PLANS = ("pro", "org", "enterprise")

B = TypeVar("B", bound=BaseModel)


def file_key(stage: str, file: str) -> str:
    """As Figma makes them: 22 letters and digits."""
    return f"{stage}{file.replace('-', '')}FigmaSandboxKey"[:22]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def render(error: ApiError) -> Response:
    """``{"status", "error", "message"}``, as variables and dev resources have it."""
    return JSONResponse(
        {"status": error.status, "error": True, "message": error.message}, error.status, _headers(error)
    )


def render_mixed(error: ApiError) -> Response:
    """Webhooks, projects and users say ``err`` instead, except for what is wrong or not there."""
    if error.status in (400, 404):
        return render(error)
    return render_plain(error)


def render_plain(error: ApiError) -> Response:
    return JSONResponse({"status": error.status, "err": error.message}, error.status, _headers(error))


def _headers(error: ApiError) -> dict[str, str]:
    return {str(name): str(value) for name, value in error.details.get("headers", {}).items()}


def failure(status: int, message: str) -> Response:
    """A fault on demand; one of too many requests says which limit it was."""
    headers = {"X-Figma-Plan-Tier": "enterprise", "X-Figma-Rate-Limit-Type": "high"} if status == 429 else {}
    return render_plain(ApiError(status, message, headers=headers))


def ensure(store: Store) -> None:
    """Makes the organisation with the first request."""
    if store.latest.get("plan", PLAN) is not None:
        return
    store.put("plan", PLAN, {"id": PLAN, "tier": "enterprise", "limited": False})
    user = {"id": "1001", "handle": "Sophia Design", "img_url": "https://www.figma.com/sophia.png"}
    store.put("user", user["id"], user | {"email": "design@payready.example"})
    token = {"kind": "personal", "seat": "full", "user": user["id"], "scopes": list(SCOPES)}
    store.put("token", digest(TOKEN), token)
    for stage, project in PROJECTS.items():
        store.put("project", project, {"id": project, "name": f"Sophia {stage}", "team": TEAM})
        for file, name in FILES.items():
            key = file_key(stage, file)
            store.put("file", key, {"key": key, "name": name, "project": project, "last_modified": now()})


def admit(call: Call) -> str:
    """The token's place; a wrong one is refused with 403."""
    return _admitted(call, 403)


def admit_or_401(call: Call) -> str:
    """The same where Figma describes 401 for it."""
    return _admitted(call, 401)


def _admitted(call: Call, status: int) -> str:
    ensure(call.store)
    shown = digest(call.request.headers.get("x-figma-token", ""))
    if call.store.latest.get("token", shown) is None:
        raise ApiError(status, "Invalid token")
    return shown


def token_of(call: Call) -> Document:
    return call.store.latest.get("token", call.caller) or {}


def plan_of(call: Call) -> Document:
    return call.store.latest.get("plan", PLAN) or {}


def require(call: Call, scope: str, *, tier: int = 2) -> None:
    """The token's scope, and room in the limit of the endpoint's tier."""
    scopes = token_of(call).get("scopes", [])
    if scope not in scopes:
        raise ApiError(403, f"Invalid scope(s): {', '.join(scopes)}. This endpoint requires the {scope} scope")
    if plan_of(call).get("limited"):
        _count(call, tier)


def _count(call: Call, tier: int) -> None:
    plan = str(plan_of(call)["tier"])
    kind = "high" if token_of(call).get("seat") in ("full", "dev") else "low"
    most = _LIMITS[tier, kind][_PLANS.index(plan)]
    moment = time.time()
    window = call.store.latest.get("window", str(tier)) or {"until": 0.0, "requests": 0}
    if window["until"] <= moment:
        window = {"until": moment + _A_MINUTE, "requests": 0}
    if window["requests"] >= most:
        wait = max(int(window["until"] - moment), 1)
        headers = {"Retry-After": wait, "X-Figma-Plan-Tier": plan, "X-Figma-Rate-Limit-Type": kind}
        raise ApiError(429, "Rate limit exceeded", headers=headers)
    call.store.put("window", str(tier), {**window, "requests": window["requests"] + 1})


def file(call: Call, key: str) -> Document:
    """A file that the token's owner sees."""
    found = call.store.latest.get("file", key)
    if found is None:
        raise ApiError(404, "File not found")
    return found


def sent(call: Call, model: type[B]) -> B:
    """The body; a mistake is named with its place."""
    try:
        return model.model_validate_json(call.payload or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    raise ApiError(400, f"Invalid parameter {place}: {first['msg']}" if place else "Invalid request body")


def shown(document: Document, *without: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in without}
