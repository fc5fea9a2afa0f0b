"""API keys: of the organisation or of a workspace, for a service or for a user; rotated with a time of transition.

The sandbox keeps no key, only digests. Nothing rotates by itself here: a rotation policy is kept, and not acted on.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self
from uuid import uuid4

from pydantic import Field, model_validator
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, digest, merged
from sandbox.portkey import members
from sandbox.portkey.access import ORGANISATION, caller, demand, narrowed, now, past, placed, reaches, timestamp
from sandbox.portkey.errors import hidden
from sandbox.portkey.limits import KeyRateLimits, UsageLimits
from sandbox.portkey.lists import page, picked, without_nothing
from sandbox.portkey.scopes import ORGANISATION_SCOPES, USER_SCOPES, WORKSPACE_SCOPES
from sandbox.store import Document, Store

_SHORTEST_TRANSITION = 30 * 60 * 1000
_PERIODS = {"weekly": 7, "monthly": 28}
"""The least number of days from one rotation to the next."""
_SCOPES = {
    "organisation-service": ORGANISATION_SCOPES,
    "workspace-service": WORKSPACE_SCOPES,
    "workspace-user": USER_SCOPES,
}
_SCOPE_PREFIX = {sort: f"{sort.replace('-', '_')}_api_keys" for sort in _SCOPES}


class RotationPolicy(Body):
    rotation_period: Literal["weekly", "monthly"] | None = None
    rotation_period_days: int | None = Field(None, ge=1, le=365)
    next_rotation_at: datetime | None = None
    key_transition_period_ms: int | None = Field(None, ge=_SHORTEST_TRANSITION)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not (self.rotation_period or self.rotation_period_days or self.next_rotation_at):
            raise ValueError("rotation_period, rotation_period_days or next_rotation_at is needed")
        if self.rotation_period and self.rotation_period_days:
            raise ValueError("rotation_period and rotation_period_days exclude each other")
        return self


class KeyDefaults(Body):
    metadata: dict[str, Any] | None = None
    config_id: str | None = None
    allow_config_override: bool | None = None


class KeyUpdate(Body):
    name: str | None = Field(None, min_length=1)
    description: str | None = None
    rate_limits: list[KeyRateLimits] | None = None
    usage_limits: UsageLimits | None = None
    reset_usage: bool | None = None
    scopes: list[str] | None = None
    defaults: KeyDefaults | None = None
    alert_emails: list[str] | None = None
    expires_at: datetime | None = None
    rotation_policy: RotationPolicy | None = None


class KeyCreate(KeyUpdate):
    name: str = Field(min_length=1)
    scopes: list[str]
    workspace_id: str | None = None
    organisation_id: str | None = None
    user_id: str | None = None


class Rotation(Body):
    key_transition_period_ms: int | None = Field(None, ge=_SHORTEST_TRANSITION)


def list_keys(call: Call) -> Response:
    """Those of the kinds that the caller may list; of one workspace, where that is named."""
    workspace, who = narrowed(call, call.query("workspace_id")), caller(call)
    sorts = [sort for sort, prefix in _SCOPE_PREFIX.items() if who.may(f"{prefix}.list")]
    if not sorts:
        demand(call, *(f"{prefix}.list" for prefix in _SCOPE_PREFIX.values()))
    found = call.store.all("key") if workspace is None else call.store.all("key", workspace_id=workspace)
    return page(call, [_shown(key) for key in found if key["type"] in sorts])


def create_key(call: Call) -> Response:
    """Names are not unique. The value is in this answer, and nowhere again."""
    sort = f"{call.path('type')}-{call.path('sub_type')}"
    if sort not in _SCOPES:
        raise ApiError(400, f"type: there are no API keys of the kind {sort}; {', '.join(_SCOPES)} are")
    demand(call, f"{_SCOPE_PREFIX[sort]}.create")
    sent = call.body(KeyCreate)
    workspace = placed(call, sent.workspace_id) if call.path("type") == "workspace" else None
    if sent.organisation_id not in (None, ORGANISATION):
        raise hidden("organisation", str(sent.organisation_id))
    user = sent.user_id if sort == "workspace-user" else None
    if sort == "workspace-user" and not (workspace and user and members.is_member(call.store.latest, workspace, user)):
        raise ApiError(400, "user_id: a member of the workspace is expected")
    _check(call.store.latest, sort, workspace, sent)
    value = f"pk-{secrets.token_urlsafe(24)}"
    key: Document = {
        "id": str(uuid4()),
        "type": sort,
        "organisation_id": ORGANISATION,
        "workspace_id": workspace,
        "user_id": user,
        **_values(sent),
        "masked": f"{value[:5]}****{value[-3:]}",
        "creation_mode": "api",
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("key", key["id"], key)
    _keep(call.store, key, value)
    return answer({"id": key["id"], "key": value, "object": "api-key"})


def read_key(call: Call) -> Response:
    return answer(_shown(_key(call, "read")))


def update_key(call: Call) -> Response:
    """``null`` takes away. Kind, workspace and user stay: they are ignored here."""
    key, sent = _key(call, "update"), call.body(KeyUpdate)
    _check(call.store.latest, key["type"], key["workspace_id"], sent)
    values = _values(sent)
    if values.get("defaults"):
        values["defaults"] = merged(key.get("defaults") or {}, values["defaults"])
    for name in ("name", "scopes"):
        if values.get(name) is None:
            values.pop(name, None)
    call.store.put("key", key["id"], key | values | {"last_updated_at": now()})
    return answer({})


def delete_key(call: Call) -> Response:
    key = _key(call, "delete")
    for value in call.store.all("key-value", key=key["id"]):
        call.store.delete("key-value", value["id"])
    call.store.delete("key", key["id"])
    return answer({})


def rotate_key(call: Call) -> Response:
    """Another value for the same key; the former one opens until the transition ends. Refused during a transition."""
    key = _key(call, "update", "rotate")
    sent = call.body(Rotation) if call.payload else Rotation()
    values = call.store.all("key-value", key=key["id"])
    if any(value["expires_at"] and not past(value["expires_at"]) for value in values):
        raise ApiError(400, "A previous version of this API key is still in transition: rotate when that has ended")
    policy = key.get("rotation_policy") or {}
    transition = sent.key_transition_period_ms or policy.get("key_transition_period_ms") or _SHORTEST_TRANSITION
    _check_transition(policy, transition)
    ends = timestamp(datetime.now(UTC) + _lasting(transition))
    for value in values:
        if value["expires_at"]:
            call.store.delete("key-value", value["id"])
        else:
            call.store.put("key-value", value["id"], value | {"expires_at": ends})
    fresh = f"pk-{secrets.token_urlsafe(24)}"
    _keep(call.store, key, fresh)
    changed = {"masked": f"{fresh[:5]}****{fresh[-3:]}", "last_rotated_at": now(), "last_updated_at": now()}
    call.store.put("key", key["id"], key | changed)
    return answer({"id": key["id"], "key": fresh, "key_transition_expires_at": ends})


def _lasting(transition: int) -> timedelta:
    """A test cannot wait for half an hour: SANDBOX_PORTKEY_TRANSITION_SECONDS says how long a transition is here."""
    seconds = os.environ.get("SANDBOX_PORTKEY_TRANSITION_SECONDS")
    return timedelta(seconds=float(seconds)) if seconds else timedelta(milliseconds=transition)


def _keep(store: Store, key: Document, value: str) -> None:
    document = {"id": digest(value), "key": key["id"], "workspace_id": key["workspace_id"], "expires_at": None}
    store.put("key-value", document["id"], document)


def _values(sent: KeyUpdate) -> Document:
    left_out = ("workspace_id", "organisation_id", "user_id", "reset_usage")
    values = {name: value for name, value in sent.sent().items() if name not in left_out}
    policy = values.get("rotation_policy")
    if policy:
        values["rotation_policy"] = {"next_rotation_at": _next_rotation(policy)} | without_nothing(policy)
    return values


def _check(store: Store, sort: str, workspace: str | None, sent: KeyUpdate) -> None:
    wrong = sorted(set(sent.scopes or ()) - _SCOPES[sort])
    if wrong:
        raise ApiError(400, f"scopes: {', '.join(wrong)} is no scope of a key of the kind {sort}")
    if sent.expires_at is not None and past(timestamp(sent.expires_at)):
        raise ApiError(400, "expires_at: a time in the future is expected")
    config = sent.defaults.config_id if sent.defaults else None
    found = picked(store, "config", config) if config else None
    if config and (found is None or found["workspace_id"] != workspace):
        raise ApiError(400, f"defaults.config_id: there is no config {config} in the workspace of the key")
    if sent.rotation_policy:
        policy = sent.rotation_policy.sent()
        _check_transition(policy, policy.get("key_transition_period_ms") or _SHORTEST_TRANSITION)


def _check_transition(policy: Document, transition: int) -> None:
    days = policy.get("rotation_period_days") or _PERIODS.get(policy.get("rotation_period") or "")
    if days and timedelta(milliseconds=transition) >= timedelta(days=days):
        raise ApiError(400, "key_transition_period_ms: has to be shorter than the rotation period")


def _next_rotation(policy: Document) -> str:
    """Monday, or the first of the month, at midnight UTC; or so many days from now."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if policy.get("rotation_period") == "weekly":
        return timestamp(today + timedelta(days=7 - today.weekday()))
    if policy.get("rotation_period") == "monthly":
        return timestamp((today.replace(day=1) + timedelta(days=32)).replace(day=1))
    return timestamp(today + timedelta(days=policy.get("rotation_period_days") or 1))


def _key(call: Call, *actions: str) -> Document:
    key = call.store.get("key", call.path("id"))
    if key is None or not reaches(call, key) or (key["workspace_id"] is None and caller(call).workspace):
        raise hidden("API key", call.path("id"))
    demand(call, *(f"{_SCOPE_PREFIX[key['type']]}.{action}" for action in actions))
    return key


def _shown(key: Document) -> Document:
    shown = without_nothing({name: value for name, value in key.items() if name != "masked"})
    defaults = without_nothing(shown.pop("defaults", {}))
    override = defaults.pop("allow_config_override", None)
    # Written inside the defaults, read beside them, and as a number.
    beside = {} if override is None else {"allow_config_override": int(override)}
    shown |= {"defaults": defaults} if defaults else {}
    return shown | beside | {"key": key["masked"], "status": "active", "object": "api-key"}
