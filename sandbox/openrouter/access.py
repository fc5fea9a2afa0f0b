"""Who calls: the management key (made in the web interface only) or an inference key that the API has made."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, digest
from sandbox.store import Document

MANAGEMENT_KEY = "sk-or-v1-sandbox-management-key"
USER = "user_2sandbox00000000000000000"


def render(error: ApiError) -> Response:
    """Errors are ``{"error": {"code", "message"}}``, the code being the HTTP status."""
    return JSONResponse({"error": {"code": error.status, "message": error.message}}, error.status)


def admit_manager(call: Call) -> str:
    """Administrative endpoints take the management key only; an inference key that is good elsewhere gets 403."""
    if admit_anyone(call) != MANAGEMENT_KEY:
        raise ApiError(403, "Only management keys can perform this operation")
    return MANAGEMENT_KEY


def admit_anyone(call: Call) -> str:
    """The management key, or the hash of an inference key that is neither disabled nor expired; 401 otherwise."""
    token = call.bearer()
    if not token:
        raise ApiError(401, "Missing Authentication header")
    if token == MANAGEMENT_KEY:
        return MANAGEMENT_KEY
    key = call.store.latest.get("key", digest(token))
    if key is None or key["disabled"] or _expired(key):
        raise ApiError(401, "User not found.")
    return str(key["hash"])


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _expired(key: Document) -> bool:
    return key["expires_at"] is not None and datetime.fromisoformat(key["expires_at"]) <= datetime.now(UTC)
