"""Who calls: the account's management keys at the cloud's API, a cluster's database keys at its database."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.http import ApiError, Call, digest
from sandbox.store import Document

ACCOUNT = "5a4d0c1e-0000-4000-8000-000000000001"
MANAGEMENT_KEY = "sandbox-qdrant-management-key"
MANAGER_ID = "5a4d0c1e-0000-4000-8000-000000000002"

_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 429: 8, 500: 13, 501: 12, 502: 14, 503: 14, 504: 4}
"""The codes of gRPC by the status that its gateway makes of them."""


class NoEntryError(ApiError):
    """What stands before a cluster's database refuses a key that it does not know."""


def render(error: ApiError) -> Response:
    """Errors are ``{"code", "message", "details"}``, the code being gRPC's."""
    document = {"code": _CODES.get(error.status, 2), "message": error.message, "details": []}
    return JSONResponse(document, error.status)


def render_database(error: ApiError) -> Response:
    """Errors of a database are ``{"status": {"error"}, "time"}``; those about keys come from before it."""
    if isinstance(error, NoEntryError):
        return JSONResponse({"error": error.message}, error.status)
    if error.status == 401:
        return PlainTextResponse(error.message, 401)
    return JSONResponse({"status": {"error": error.message}, "time": 0.0}, error.status)


def failure(status: int, message: str) -> Response:
    """A fault on demand is not told for which of the two APIs it is: it has the members of both."""
    return JSONResponse(
        {"code": _CODES.get(status, 2), "message": message, "details": [], "status": {"error": message}, "time": 0.0},
        status,
    )


def admit_manager(call: Call) -> str:
    """A management key, for its own account only."""
    scheme, _, key = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "apikey" or not key:
        raise ApiError(401, "authentication required")
    found = call.store.latest.first("management_key", digest=digest(key))
    if key != MANAGEMENT_KEY and found is None:
        raise ApiError(401, "invalid api key")
    if call.request.path_params.get("account") != ACCOUNT:
        raise ApiError(403, "permission denied: the key does not belong to this account")
    return found["id"] if found else MANAGER_ID


def admit_to_database(call: Call) -> str:
    """The id of a key of this very cluster; what it may do is judged by ``demand``."""
    key = call.request.headers.get("api-key") or call.bearer()
    if not key:
        raise ApiError(401, "Must provide an API key or an Authorization bearer token")
    found = call.store.latest.first("database_key", digest=digest(key), clusterId=call.path("cluster"))
    if found is None or _expired(found):
        raise NoEntryError(403, "forbidden")
    return str(found["id"])


def demand(call: Call, collection: str | None = None, *, writing: bool) -> None:
    """Refuses a key whose rules do not allow this: what is about the whole database, or about one collection."""
    rules = (call.store.latest.get("database_key", call.caller) or {}).get("accessRules") or []
    if not rules:
        return
    for rule in rules:
        everywhere = (rule.get("globalAccess") or {}).get("accessType", "")
        if everywhere.endswith("_MANAGE") or (everywhere and not writing):
            return
        if not writing and collection and (rule.get("collectionAccess") or {}).get("collectionName") == collection:
            return
    raise ApiError(403, f"Forbidden: Global {'manage ' if writing else ''}access is required")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _expired(key: Document) -> bool:
    return bool(key.get("expiresAt")) and datetime.fromisoformat(key["expiresAt"]) <= datetime.now(UTC)
