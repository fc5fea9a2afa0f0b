"""Who asks and how often, how Gong says no, and what the company has from the start.

One company serves every stage, as at Gong: its limits are shared by all keys. Requests are counted in the process: one that
is refused and leaves nothing behind counts all the same.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.gong import seed
from sandbox.http import ApiError, Body, Call, answer, digest
from sandbox.store import Database, Document, Store

LIMITS = ("limits", "company")
"""What the company may do; tests change it as any other object: requests, and how many users a page has."""

_DEFAULTS: Document = {"per_second": 3, "per_day": 10_000, "page": 100}
_WINDOW_SECONDS = 1.0

_SCOPES = {
    ("GET", "/v2/workspaces"): "api:workspaces:read",
    ("GET", "/v2/users"): "api:users:read",
    ("GET", "/v2/users/{id}"): "api:users:read",
    ("POST", "/v2/users/extensive"): "api:users:read",
    ("GET", "/v2/permission-profile/users"): "api:users:read",
    ("GET", "/v2/settings/trackers"): "api:settings:trackers:read",
    ("GET", "/v2/settings/scorecards"): "api:settings:scorecards:read",
    ("GET", "/v2/library/folders"): "api:library:read",
    ("GET", "/v2/crm/integrations"): "api:crm:integrations:read",
    ("PUT", "/v2/crm/integrations"): "api:crm:integration:register",
}
"""As Gong's description names them. It names none for permission profiles."""

_FORBIDDEN = ("/v2/workspaces", "/v2/users")
"""Where what a key may not do is 403; elsewhere it is 401."""

M = TypeVar("M", bound=Body)


@dataclass
class _Count:
    moments: deque[float] = field(default_factory=deque)
    day: str = ""
    of_day: int = 0


_counts: WeakKeyDictionary[Database, _Count] = WeakKeyDictionary()


def access_key(stage: str) -> str:
    """The name of the key that an administrator has made for a stage."""
    return f"SANDBOXGONG-{stage}-access-key"


def access_key_secret(stage: str) -> str:
    return f"sandbox-gong-{stage}-access-key-secret"


def render(error: ApiError) -> Response:
    """``{"requestId", "errors"}``; a refusal for its rate says when to come again."""
    headers = {"Retry-After": str(error.details.get("retry_after", 1))} if error.status == 429 else {}
    return JSONResponse({"requestId": request_id(), "errors": [error.message]}, error.status, headers=headers)


def told(**members: Any) -> Response:
    """A good answer."""
    return answer({"requestId": request_id(), **members})


def request_id() -> str:
    return secrets.token_hex(10)


def limits(store: Store) -> Document:
    return _DEFAULTS | (store.latest.get(*LIMITS) or {})


def admit(call: Call) -> str:
    """The stage whose key is shown (Basic, RFC 7617)."""
    ensure(call.store)
    key = call.store.latest.get("key", _shown(call))
    if key is None:
        raise ApiError(401, "Access denied: the access key or its secret is not valid")
    _counted(call)
    path = call.request.scope["path"].removeprefix("/gong")
    if call.request.method == "GET" and path.startswith("/v2/users/"):
        path = "/v2/users/{id}"
    scope = _SCOPES.get((call.request.method, path))
    if scope is not None and scope in key["withheld"]:
        raise ApiError(403 if path in _FORBIDDEN else 401, f"Access denied: {scope} is required")
    return str(key["stage"])


def sent(call: Call, model: type[M], status: int = 400) -> M:
    """The body; a refusal that names what is wrong with it."""
    try:
        return model.model_validate_json(call.payload or b"{}")
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    raise ApiError(status, f"Invalid argument - {said}")


def asked(call: Call, name: str) -> str:
    """A parameter that Gong requires."""
    value = call.query(name)
    if not value:
        raise ApiError(400, f"Required parameter '{name}' is not present")
    return value


def ensure(store: Store) -> None:
    """Makes the company with the first request, and a key for each stage; tests say what is ``withheld`` from one."""
    if store.latest.get("key", _digest(access_key("dev"), access_key_secret("dev"))) is not None:
        return
    for stage in seed.STAGES:
        key = {"stage": stage, "withheld": []}
        store.put("key", _digest(access_key(stage), access_key_secret(stage)), key)
    store.put(*LIMITS, _DEFAULTS)
    seed.fill(store)


def _shown(call: Call) -> str:
    scheme, _, given = call.request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return _digest(name, secret) if scheme.lower() == "basic" else ""


def _digest(name: str, secret: str) -> str:
    return digest(f"{name}:{secret}")


def _counted(call: Call) -> None:
    most, now = limits(call.store), time.monotonic()
    count = _counts.setdefault(call.store.database, _Count())
    today = datetime.now(UTC)
    if count.day != f"{today:%F}":
        count.day, count.of_day = f"{today:%F}", 0
    while count.moments and count.moments[0] <= now - _WINDOW_SECONDS:
        count.moments.popleft()
    if count.of_day >= most["per_day"]:
        midnight = (today + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        wait = round((midnight - today).total_seconds()) + 1
        raise ApiError(429, "Limit exceeded: API calls per day", retry_after=wait)
    if len(count.moments) >= most["per_second"]:
        raise ApiError(429, "Limit exceeded: API calls per second", retry_after=1)
    count.moments.append(now)
    count.of_day += 1
