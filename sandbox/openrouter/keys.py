"""API keys for inference. The key itself is shown once; afterwards it is known by its hash."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, cut, digest
from sandbox.openrouter.access import MANAGEMENT_KEY, USER, now
from sandbox.openrouter.workspaces import placed
from sandbox.store import Document

_PAGE = 100
_USAGE = dict.fromkeys(
    (
        "usage",
        "usage_daily",
        "usage_weekly",
        "usage_monthly",
        "byok_usage",
        "byok_usage_daily",
        "byok_usage_weekly",
        "byok_usage_monthly",
    ),
    0,
)


class KeyUpdate(Body):
    name: str = Field("", min_length=1)
    disabled: bool = False
    include_byok_in_limit: bool = False
    limit: float | None = Field(None, ge=0)
    limit_reset: Literal["daily", "weekly", "monthly"] | None = None


class KeyCreate(Body):
    name: str = Field(min_length=1)
    include_byok_in_limit: bool = False
    limit: float | None = Field(None, ge=0)
    limit_reset: Literal["daily", "weekly", "monthly"] | None = None
    expires_at: datetime | None = None
    workspace_id: UUID | None = None
    creator_user_id: str | None = Field(None, min_length=1)


def list_keys(call: Call) -> Response:
    """Of one workspace (the default one unless said), a hundred a page; disabled ones only where asked for."""
    workspace = placed(call.store, call.query("workspace_id"))
    keys = [
        _shown(key)
        for key in call.store.all("key", workspace_id=workspace)
        if call.flag("include_disabled") or not key["disabled"]
    ]
    return answer({"data": cut(keys, _PAGE, call.number("offset", 0, 0))})


def create_key(call: Call) -> Response:
    """Names are not unique."""
    # The vendor's SDK insists on last_used_at and external_user, which are newer than its specification's last issue.
    sent = call.body(KeyCreate)
    value = f"sk-or-v1-{secrets.token_hex(32)}"
    key: Document = {
        "hash": digest(value),
        "name": sent.name,
        "label": f"{value[:12]}...{value[-3:]}",
        "disabled": False,
        "limit": sent.limit,
        "limit_reset": sent.limit_reset,
        "include_byok_in_limit": sent.include_byok_in_limit,
        **_USAGE,
        "created_at": now(),
        "updated_at": None,
        "expires_at": _expiry(sent.expires_at),
        "last_used_at": None,
        "external_user": None,
        "creator_user_id": sent.creator_user_id or USER,
        "workspace_id": placed(call.store, sent.workspace_id),
    }
    call.store.put("key", key["hash"], key)
    return answer({"data": _shown(key), "key": value}, 201)


def read_key(call: Call) -> Response:
    return answer({"data": _shown(_key(call))})


def update_key(call: Call) -> Response:
    """Expiry, workspace and creator cannot be changed: the platform ignores them here."""
    key = _key(call) | call.body(KeyUpdate).sent() | {"updated_at": now()}
    return answer({"data": _shown(call.store.put("key", key["hash"], key))})


def delete_key(call: Call) -> Response:
    key = _key(call)["hash"]
    call.store.delete("key", key)
    call.store.delete("assignment", key)
    return answer({"deleted": True})


def read_current_key(call: Call) -> Response:
    """About the key that calls."""
    managing = call.caller == MANAGEMENT_KEY
    key = call.store.get("key", call.caller) or _management()
    kept = ("label", "limit", "limit_reset", "include_byok_in_limit", "creator_user_id", "expires_at", *_USAGE)
    return answer(
        {
            "data": {name: key[name] for name in kept}
            | {
                "limit_remaining": _remaining(key),
                "is_free_tier": False,
                "is_management_key": managing,
                "is_provisioning_key": managing,
                "rate_limit": {"requests": -1, "interval": "10s", "note": "Deprecated; safe to ignore."},
            }
        }
    )


def read_credits(call: Call) -> Response:
    usage = sum(key["usage"] for key in call.store.all("key"))
    return answer({"data": {"total_credits": 1000, "total_usage": usage}})


def _management() -> Document:
    return {
        "label": "sk-or-v1-san...key",
        "limit": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "creator_user_id": USER,
        "expires_at": None,
        **_USAGE,
    }


def _key(call: Call) -> Document:
    key = call.store.get("key", call.path("hash"))
    if key is None:
        raise ApiError(404, "API key not found")
    return key


def _shown(key: Document) -> Document:
    return key | {"limit_remaining": _remaining(key)}


def _remaining(key: Document) -> float | None:
    return None if key["limit"] is None else max(key["limit"] - key["usage"], 0)


def _expiry(sent: datetime | None) -> str | None:
    if sent is None:
        return None
    if sent.utcoffset() != timedelta(0):
        raise ApiError(400, "expires_at: a UTC time is expected, such as 2027-12-31T23:59:59Z")
    return sent.astimezone(UTC).isoformat().replace("+00:00", "Z")
