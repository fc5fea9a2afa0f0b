"""Who asks, how Asana says no, and what its accounts have from the start.

Each stage has a workspace of its own, an organisation, which the stage's personal access token sees. What the workspace's
plan has is its member ``plan``: tests change it there.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Body, Call, digest
from sandbox.store import Document, Store

STAGES = ("dev", "staging", "prod")
PLANS = ("personal", "starter", "advanced", "enterprise")
HELP = (
    "For more information on API status codes and how to handle them, "
    "read the docs on errors: https://developers.asana.com/docs/errors"
)
WORKSPACES = {"dev": "Pay Ready Development", "staging": "Pay Ready Staging", "prod": "Pay Ready"}
PEOPLE = (
    ("automation@payready.com", "Sophia automation"),
    ("platform@payready.com", "Platform on call"),
    ("collections@payready.com", "Collections lead"),
    ("security@payready.com", "Security lead"),
)
"""The members of every workspace; the first one's are the tokens."""

_NO_PLAN = {
    "custom fields": "Custom Fields are not available for free users or guests.",
    "search": "Search is only available to premium users.",
}

M = TypeVar("M", bound=Body)


def access_token(stage: str) -> str:
    """The personal access token with which a stage is managed, as a person made it in the developer console."""
    return f"sandbox-asana-{stage}-access-token"


def workspace_gid(stage: str) -> str:
    return f"12000000000000{STAGES.index(stage)}0"


def user_gid(stage: str, number: int) -> str:
    return f"12000000000000{STAGES.index(stage)}{number + 1}"


def render(error: ApiError) -> Response:
    told = {"message": error.message, "help": HELP}
    if error.status >= 500:
        told = {**told, "phrase": "6 sad squid snuggle softly"}
    return JSONResponse({"errors": [told]}, error.status)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_gid() -> str:
    """Sixteen digits, as Asana's are."""
    return f"12{secrets.randbelow(10**14):014}"


def ensure(store: Store) -> None:
    """Makes the stages' workspaces with the first request: their people, and a token of the first of them."""
    for stage in STAGES:
        gid = workspace_gid(stage)
        if store.latest.get("workspace", gid) is not None:
            continue
        workspace: Document = {"gid": gid, "resource_type": "workspace", "name": WORKSPACES[stage], "stage": stage}
        store.put("workspace", gid, workspace | {"is_organization": True, "plan": "advanced"})
        for number, (email, name) in enumerate(PEOPLE):
            user = {"gid": user_gid(stage, number), "resource_type": "user", "name": name, "email": email}
            store.put("user", user["gid"], user | {"workspaces": [gid], "stage": stage})
        token = {"stage": stage, "user": user_gid(stage, 0)}
        store.put("token", digest(access_token(stage)), token)


def admit(call: Call) -> str:
    """The stage whose token is shown."""
    ensure(call.store)
    token = call.store.latest.get("token", digest(call.bearer())) if call.bearer() else None
    if token is None:
        raise ApiError(401, "Not Authorized")
    return str(token["stage"])


def caller(call: Call) -> Document:
    """The user whose token is shown."""
    token = call.store.latest.get("token", digest(call.bearer())) or {}
    return call.store.latest.get("user", str(token.get("user"))) or {}


def sent(call: Call, model: type[M]) -> M:
    """What stands under ``data`` of the body; the first mistake in Asana's words."""
    try:
        document = json.loads(call.payload or b"{}")
    except ValueError as error:
        raise ApiError(400, "Could not parse request data, invalid JSON") from error
    data = document.get("data") if isinstance(document, dict) else None
    try:
        return model.model_validate_json(json.dumps(data if data is not None else {}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "data"
    raise ApiError(400, f"{where}: Missing input" if first["type"] == "missing" else f"{where}: {first['msg']}")


def found(call: Call, kind: str, gid: str, name: str = "") -> Document:
    """The object of the caller's workspace; ``name`` is the parameter to blame, where it is not the object's kind."""
    document = _of_caller(call, call.store, kind, gid)
    if document is None:
        blamed = name or kind
        if not gid.isdigit():
            raise ApiError(400, f"{blamed}: Not a recognized ID: {gid}")
        raise ApiError(404, f"{blamed}: Unknown object: {gid}")
    return document


def meant(call: Call, kind: str, gid: str, name: str) -> Document:
    """An object that a body or a query refers to: one that is not there is a mistake of the request."""
    document = _of_caller(call, call.store.latest, kind, gid)
    if document is None:
        raise ApiError(400, f"{name}: Not a recognized ID: {gid}")
    return document


def _of_caller(call: Call, store: Store, kind: str, gid: str) -> Document | None:
    document = store.get(kind, gid)
    return document if document is not None and document["stage"] == call.caller else None


def workspace(call: Call, gid: str, name: str = "workspace") -> Document:
    return meant(call, "workspace", gid, name)


def require_plan(call: Call, what: str) -> None:
    """Refuses what a free plan does not have, as Asana does: 402."""
    own = call.store.latest.get("workspace", workspace_gid(call.caller)) or {}
    if own.get("plan") == PLANS[0]:
        raise ApiError(402, _NO_PLAN[what])


def without_stage(document: Document) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "stage"}
