"""Who asks, how lists are cut into pages, and how n8n says no.

A stage's instance is told by its API key, as if each were a server of its own. What the instance's licence has is an
object of kind ``instance``: tests change it there.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import string
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Body, Call, answer, digest
from sandbox.store import Document, Store

STAGES = ("dev", "staging", "prod")
FEATURES = ("variables", "projectRole:admin")
"""What the sandbox's licence has, by the names that n8n's refusals say."""

SCOPES = (
    *(f"workflow:{verb}" for verb in ("create", "read", "update", "delete", "list", "activate", "deactivate", "move")),
    *(f"credential:{verb}" for verb in ("create", "read", "update", "delete", "list", "move")),
    *(f"tag:{verb}" for verb in ("create", "read", "update", "delete", "list")),
    *(f"variable:{verb}" for verb in ("create", "update", "delete", "list")),
    *(f"project:{verb}" for verb in ("create", "update", "delete", "list")),
    *(f"user:{verb}" for verb in ("read", "list")),
    *(f"execution:{verb}" for verb in ("read", "list")),
    "workflowTags:list",
    "workflowTags:update",
)

_ALPHABET = string.ascii_letters + string.digits
_PAGE = 100
_LARGEST_PAGE = 250

M = TypeVar("M", bound=Body)


class Strict(Body):
    """A body with n8n's names on the wire, which refuses every member that is not declared."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


def api_key(stage: str) -> str:
    """The API key of a stage's instance, as an owner made it in n8n's pages."""
    return f"n8n_api_sandbox-{stage}-key"


def render(error: ApiError) -> Response:
    return JSONResponse({"message": error.message, **error.details}, error.status)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    """As n8n makes them (nanoid): 16 letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def ensure(store: Store) -> None:
    """Makes the stages' instances with the first request: an owner with a personal project, and an API key."""
    for stage in STAGES:
        if store.latest.get("instance", stage) is not None:
            continue
        store.put("instance", stage, {"stage": stage, "features": list(FEATURES)})
        store.put("key", digest(api_key(stage)), {"stage": stage, "scopes": list(SCOPES)})
        for number, email in enumerate(("owner@payready.example", "ai-platform@payready.example"), 1):
            user: Document = {
                "id": f"00000000-0000-4000-8000-{STAGES.index(stage):06}{number:06}",
                "email": email,
                "firstName": "Pay",
                "lastName": "Ready",
                "isPending": False,
                "role": "global:owner" if number == 1 else "global:member",
                "createdAt": now(),
                "updatedAt": now(),
            }
            store.put("user", user["id"], user | {"stage": stage})
        put_project(store, stage, f"personal{stage}000000"[:16], "Pay Ready <owner@payready.example>", "personal")


def put_project(store: Store, stage: str, id_: str, name: str, type_: str) -> Document:
    project: Document = {
        "id": id_,
        "name": name,
        "type": type_,
        "icon": None,
        "description": None,
        "customTelemetryTags": [],
    }
    made: Document = {
        "customTelemetryTags": [],
        "creatorId": None,
        "createdAt": now(),
        "updatedAt": now(),
        "stage": stage,
    }
    return store.put("project", id_, project | made)


def personal_project(call: Call) -> Document:
    found = call.store.latest.first("project", stage=call.caller, type="personal")
    return found or {}


def admit(call: Call) -> str:
    """The stage whose API key is shown."""
    ensure(call.store)
    value = call.request.headers.get("x-n8n-api-key", "")
    key = call.store.latest.get("key", digest(value)) if value else None
    if key is None:
        raise ApiError(401, "'X-N8N-API-KEY' header required" if not value else "unauthorized")
    return str(key["stage"])


def require(call: Call, scope: str) -> None:
    """The key's scope; n8n's refusal says no more than this."""
    key = call.store.latest.get("key", digest(call.request.headers.get("x-n8n-api-key", ""))) or {}
    if scope not in key.get("scopes", []):
        raise ApiError(403, "Forbidden")


def require_licence(call: Call, feature: str) -> None:
    instance = call.store.latest.get("instance", call.caller) or {}
    if feature not in instance.get("features", []):
        said = f"Your license does not allow for feat:{feature}. To enable feat:{feature}, please upgrade to a license"
        raise ApiError(403, f"{said} that supports this feature.")


def sent(call: Call, model: type[M]) -> M:
    """The body; n8n names the first member that it does not take, in the words of its validator."""
    try:
        return model.model_validate_json(call.payload or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    where = "/".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        raise ApiError(400, "request/body must NOT have additional properties")
    if first["type"] == "missing":
        raise ApiError(400, f"request/body must have required property '{first['loc'][-1]}'")
    raise ApiError(400, f"request/body/{where} {first['msg']}" if where else "request/body must be object")


def found(call: Call, kind: str, name: str = "id") -> Document:
    document = call.store.get(kind, call.path(name))
    if document is None or document["stage"] != call.caller:
        raise ApiError(404, "Not Found")
    return document


def page(call: Call, documents: list[dict[str, Any]]) -> Response:
    """One page of a list, and the cursor of the next: what it says of itself is n8n's own business."""
    limit = min(call.number("limit", _PAGE, 1), _LARGEST_PAGE)
    start, cursor = 0, call.query("cursor")
    if cursor:
        try:
            told = json.loads(base64.b64decode(cursor, validate=True))
            limit, start = int(told["limit"]), int(told["offset"])
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            raise ApiError(400, "An invalid cursor was provided") from error
    after = start + limit
    following = None
    if after < len(documents):
        following = base64.b64encode(json.dumps({"limit": limit, "offset": after}).encode()).decode()
    return answer({"data": documents[start:after], "nextCursor": following})


def shown(document: Document, *without: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("stage", *without)}
