"""Who asks, how HubSpot says no, and what its accounts have from the start.

Each stage has an account of its own (a portal), which the stage's token sees with the scopes that the token's document has:
tests change them there. What the account's subscription has is the member ``plan`` of the object ``portal``.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Body, Call, digest
from sandbox.store import Document, Store

PORTALS = {"dev": "24681011", "staging": "24681012", "prod": "24681010"}
APP = "2468100"
"""The one public app of the sandbox's developer account."""

STANDARD = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}
SINGULAR = {"contact": "0-1", "company": "0-2", "deal": "0-3", "ticket": "0-5"}
SCOPES = (
    *(f"crm.{area}.{kind}.{right}" for area in ("schemas", "objects")
      for kind in ("contacts", "companies", "deals", "custom") for right in ("read", "write")),
    "tickets", "crm.lists.read", "crm.lists.write", "oauth",
)  # fmt: skip

_CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMITS",
}

M = TypeVar("M", bound=Body)


def access_token(stage: str) -> str:
    """The token with which a stage is managed, as a person made it in HubSpot's pages."""
    return f"pat-sandbox-hubspot-{stage}-access-token"


def developer_key() -> str:
    return "sandbox-hubspot-developer-api-key"


def render(error: ApiError) -> Response:
    correlation = str(uuid.uuid4())
    category = _CATEGORIES.get(error.status, "INTERNAL_ERROR")
    body = {"status": "error", "message": error.message, "correlationId": correlation, "category": category}
    return JSONResponse({**body, **error.details}, error.status, {"X-HubSpot-Correlation-Id": correlation})


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id(call: Call, counter: str, first: int) -> str:
    """Numbers that rise, as HubSpot's do."""
    count = (call.store.latest.get("counter", counter) or {"next": first})["next"]
    call.store.put("counter", counter, {"next": count + 1})
    return str(count)


def ensure(store: Store) -> None:
    """Makes the stages' accounts with the first request: a token each, and the developer's key."""
    if store.latest.get("developer_key", digest(developer_key())) is None:
        store.put("developer_key", digest(developer_key()), {"apps": [APP]})
    for stage, portal in PORTALS.items():
        if store.latest.get("portal", portal) is None:
            store.put("portal", portal, {"portalId": int(portal), "stage": stage, "plan": "enterprise"})
            token = {"portal": portal, "scopes": list(SCOPES), "userId": 7, "appId": 1357900 + int(portal[-1])}
            store.put("token", digest(access_token(stage)), token)


def admit(call: Call) -> str:
    """The account whose token is shown."""
    ensure(call.store)
    token = call.store.latest.get("token", digest(call.bearer())) if call.bearer() else None
    if token is None:
        said = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
        raise ApiError(401, said)
    return str(token["portal"])


def admit_developer(call: Call) -> str:
    """The app of the path, if it is the developer's whose key is shown."""
    ensure(call.store)
    key = call.query("hapikey")
    known = call.store.latest.get("developer_key", digest(key)) if key else None
    if known is None:
        raise ApiError(401, "The API key provided is invalid. View or manage your API key in your developer account.")
    if call.path("app") not in known["apps"]:
        raise ApiError(404, f"No app with id {call.path('app')} belongs to this developer account")
    return call.path("app")


def require(call: Call, *scopes: str) -> None:
    """Refuses a token that has none of these scopes, and says which it lacks, as HubSpot does."""
    token = call.store.latest.get("token", digest(call.bearer())) or {}
    if not set(scopes) & set(token["scopes"]):
        said = (
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes here."
        )
        error = {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": list(scopes)},
        }
        raise ApiError(403, said, errors=[error])


def require_type(call: Call, object_type: Document, right: str) -> None:
    """The scope for the definitions of an object type."""
    name = object_type["name"]
    if name == "tickets":
        return require(call, "tickets")
    return require(call, f"crm.schemas.{name if name in STANDARD else 'custom'}.{right}")


def require_enterprise(call: Call) -> None:
    if (call.store.latest.get("portal", call.caller) or {})["plan"] != "enterprise":
        raise ApiError(403, "Custom objects need an Enterprise subscription", category="BANNED")


def sent(call: Call, model: type[M]) -> M:
    """The body; every mistake in it in HubSpot's words."""
    try:
        return model.model_validate_json(call.payload or b"{}")
    except ValidationError as error:
        found = error.errors(include_url=False)
    errors = [{"message": f"{_path(one['loc'])}: {one['msg']}", "in": _path(one["loc"])} for one in found]
    missing = ", ".join(_path(one["loc"]) for one in found if one["type"] == "missing")
    said = f"Some required fields were not set: [{missing}]" if missing else errors[0]["message"]
    raise ApiError(400, f"Invalid input JSON: {said}", errors=errors)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"


def type_of(call: Call, text: str) -> Document:
    """The object type that an address or a body means: by id, by name, or by its fully qualified name."""
    names = {**STANDARD, **SINGULAR}
    for name, id_ in STANDARD.items():
        if names.get(text.lower()) == id_ or text == id_:
            return {"objectTypeId": id_, "name": name}
    for schema in call.store.all("schema", portal=call.caller):
        if text in (schema["objectTypeId"], schema["name"], schema["fullyQualifiedName"]) and not schema["archived"]:
            return schema
    raise ApiError(400, f"Unable to infer object type from: {text}")


def key_of(call: Call, *parts: str) -> str:
    return "/".join((call.caller, *parts))
