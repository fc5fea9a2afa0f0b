"""Who calls: an organisation's (admin) key or a workspace's, each with scopes; and what each of them may reach."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from sandbox.http import ApiError, Call, digest
from sandbox.portkey.errors import hidden
from sandbox.portkey.scopes import ORGANISATION_SCOPES
from sandbox.store import Document, Store

ADMIN_API_KEY = "pk-sandbox-portkey-admin-key"
ORGANISATION = "2f9d3c1e-0000-4000-8000-000000000001"
OWNER = "2f9d3c1e-0000-4000-8000-0000000000a1"
"""The user who owns the organisation, and with it whatever an admin key makes."""
_HEADER = "x-portkey-api-key"


@dataclass(frozen=True)
class Caller:
    """``workspace`` is the only one that a workspace's key reaches; ``None`` for an organisation's key."""

    key: str
    workspace: str | None
    scopes: frozenset[str]

    def may(self, *any_of: str) -> bool:
        return not self.scopes.isdisjoint(any_of)


def admit(call: Call) -> str:
    """The id of the key in the header (or "admin"); 401 without one, with an unknown, an expired, a revoked one."""
    token = call.request.headers.get(_HEADER, "")
    if not token:
        raise ApiError(401, f"Unauthorized access: the header {_HEADER} is missing")
    if secrets.compare_digest(token.encode(), ADMIN_API_KEY.encode()):
        return "admin"
    value = call.store.latest.get("key-value", digest(token))
    key = call.store.latest.get("key", value["key"]) if value and not past(value["expires_at"]) else None
    if key is None or past(key.get("expires_at")):
        raise ApiError(401, "Unauthorized access: the API key is unknown or has expired")
    return str(key["id"])


def caller(call: Call) -> Caller:
    key = call.store.latest.get("key", call.caller)
    if key is None:
        return Caller("admin", None, ORGANISATION_SCOPES)
    return Caller(key["id"], key.get("workspace_id"), frozenset(key["scopes"]))


def needs(handler: Callable[[Call], Response], *any_of: str) -> Callable[[Call], Response]:
    """The handler for keys that have one of these scopes; others get 403."""

    def scoped(call: Call) -> Response:
        demand(call, *any_of)
        return handler(call)

    return scoped


def demand(call: Call, *any_of: str) -> None:
    if not caller(call).may(*any_of):
        scopes = " or ".join(any_of)
        raise ApiError(403, f"You do not have enough permissions to execute this request: {scopes} is needed")


def workspace_of(store: Store, named: str) -> Document:
    """By id or by slug; 403 where there is none."""
    found = store.get("workspace", named) or store.first("workspace", slug=named)
    if found is None:
        raise hidden("workspace", named)
    return found


def placed(call: Call, named: str | None) -> str:
    """The workspace that a call is about: a workspace key's own, or the one that an organisation's key names."""
    own = caller(call).workspace
    if own is None:
        if not named:
            raise ApiError(400, "workspace_id: an organisation's API key has to say which workspace")
        return str(workspace_of(call.store.latest, named)["id"])
    if named and workspace_of(call.store.latest, named)["id"] != own:
        raise hidden("workspace", named)
    return own


def narrowed(call: Call, named: str | None) -> str | None:
    """As `placed`, where an organisation's key need not say: ``None`` is every workspace."""
    return placed(call, named) if named or caller(call).workspace else None


def reaches(call: Call, document: Document) -> bool:
    """Whether the caller may see an object; what belongs to no workspace is the organisation's, and seen by all."""
    own = caller(call).workspace
    return own is None or document.get("workspace_id") in (None, own)


def now() -> str:
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def past(moment: str | None) -> bool:
    return moment is not None and datetime.fromisoformat(moment) <= datetime.now(UTC)
