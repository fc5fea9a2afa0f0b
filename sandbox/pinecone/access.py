"""Who calls: a service account, by a token for half an hour, or a program, by an API key of a project.

The sandbox's organisation has what a person makes in the console: a project for each stage, with the API key by which the
stage's indexes are managed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Body, Call, answer, digest
from sandbox.store import Store

CLIENT_ID = "sandbox-pinecone-client-id"
CLIENT_SECRET = "sandbox-pinecone-client-secret"  # noqa: S105 - opens nothing but the sandbox
AUDIENCE = "https://api.pinecone.io/"
ORGANIZATION = "-NsandboxOrganization"
TOKEN_SECONDS = 1800

DATABASE_VERSIONS = frozenset({"2025-10", "2026-01", "2026-04"})
SCHEDULE_VERSIONS = frozenset({"2026-07"})
ADMIN_VERSIONS = DATABASE_VERSIONS | SCHEDULE_VERSIONS
_HEADER = "x-pinecone-api-version"

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    422: "UNPROCESSABLE_ENTITY",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
_READERS = {"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"}
_WRITERS = {"ProjectEditor", "ControlPlaneEditor"}
STAGES = ("dev", "staging", "prod")

M = TypeVar("M", bound=Body)


def control_key(stage: str) -> str:
    """The API key of a stage's project, as a person made it."""
    return f"pckey_sandbox-{stage}_control-plane-key"


def render(error: ApiError) -> Response:
    """``{"status", "error": {"code", "message"}}``; a ``code`` among the details is more precise than the status."""
    code = error.details.get("code") or _CODES.get(error.status, "UNKNOWN")
    return JSONResponse({"status": error.status, "error": {"code": code, "message": error.message}}, error.status)


def render_login(error: ApiError) -> Response:
    """The login's errors are OAuth's."""
    code = {400: "invalid_request", 401: "access_denied"}.get(error.status, "server_error")
    return JSONResponse({"error": code, "error_description": error.message}, error.status)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ensure(store: Store) -> None:
    """Makes the organisation with the first request."""
    if store.latest.get("organization", ORGANIZATION) is not None:
        return
    organization = {"id": ORGANIZATION, "name": "Pay Ready", "plan": "Standard", "payment_status": "Active"}
    store.put("organization", ORGANIZATION, organization | {"support_tier": "Developer", "created_at": now()})
    for stage in STAGES:
        project = str(uuid5(NAMESPACE_URL, f"https://pinecone.io/projects/sophia-{stage}"))
        put_project(store, project, f"sophia-{stage}")
        key = str(uuid5(NAMESPACE_URL, f"https://pinecone.io/api-keys/sophia-{stage}"))
        put_key(store, key, "control plane", project, ["ControlPlaneEditor"], control_key(stage))


def put_project(store: Store, id_: str, name: str, **members: Any) -> dict[str, Any]:
    project = {"id": id_, "name": name, "max_pods": 0, "force_encryption_with_cmek": False} | members
    return store.put("project", id_, project | {"organization_id": ORGANIZATION, "created_at": now()})


def put_key(store: Store, id_: str, name: str, project: str, roles: list[str], value: str) -> dict[str, Any]:
    """Of a key's value only the digest is kept."""
    key = {"id": id_, "name": name, "project_id": project, "roles": roles, "digest": digest(value)}
    return store.put("api_key", id_, key)


class TokenRequest(Body):
    client_id: str
    client_secret: str
    grant_type: str
    audience: str


def create_token(call: Call) -> Response:
    """``POST /oauth/token``, as JSON: the service account's credentials for a token."""
    _check_version(call, ADMIN_VERSIONS)
    ensure(call.store)
    sent = call.body(TokenRequest)
    if (sent.grant_type, sent.audience) != ("client_credentials", AUDIENCE):
        raise ApiError(400, f"grant_type client_credentials and audience {AUDIENCE} are expected")
    if (sent.client_id, sent.client_secret) != (CLIENT_ID, CLIENT_SECRET):
        raise ApiError(401, "Unauthorized")
    token = secrets.token_urlsafe(48)
    call.store.put("token", digest(token), {"until": time.time() + TOKEN_SECONDS})
    return answer({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})


def admit_administrator(call: Call) -> str:
    """The Admin API takes a service account's token, and no API key."""
    _check_version(call, ADMIN_VERSIONS)
    ensure(call.store)
    token = call.store.latest.get("token", digest(call.bearer())) if call.bearer() else None
    if token is None or token["until"] <= time.time():
        raise ApiError(401, "Invalid access token.")
    return CLIENT_ID


def admit_program(versions: frozenset[str]) -> Callable[[Call], str]:
    """The control plane takes an API key whose roles reach it, and no service account's token; the project's id."""

    def admit(call: Call) -> str:
        _check_version(call, versions)
        ensure(call.store)
        value = call.request.headers.get("api-key", "")
        keys = {key["digest"]: key for key in call.store.latest.all("api_key")}
        key = keys.get(digest(value))
        if key is None:
            raise ApiError(401, "Invalid API key.")
        if not set(key["roles"]) & (_READERS if call.request.method in ("GET", "HEAD") else _WRITERS):
            raise ApiError(403, f"API key {key['name']} does not have a role for this operation on the control plane.")
        organization = call.store.latest.get("organization", ORGANIZATION) or {}
        if call.request.method in ("POST", "PATCH") and organization["payment_status"] not in (
            "Active",
            "PaymentPending",
        ):
            raise ApiError(402, "Request failed. Pay all past due invoices to lift restrictions on your account.")
        return str(key["project_id"])

    return admit


def sent(call: Call, model: type[M]) -> M:
    """The body. What is no JSON of the right types is refused with 422, wrong values with 400."""
    try:
        return model.model_validate_json(call.payload)
    except ValidationError as error:
        found = error.errors(include_url=False)
    first = found[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        raise ApiError(422, f"Failed to deserialize the JSON body into the target type: missing field `{where}`")
    if first["type"].endswith("_type") or first["type"] == "json_invalid":
        raise ApiError(422, f"Failed to deserialize the JSON body into the target type: {where}: {first['msg']}")
    raise ApiError(400, f"Bad request. {where}: {first['msg']}")


def _check_version(call: Call, versions: frozenset[str]) -> None:
    version = call.request.headers.get(_HEADER)
    if version is None:
        raise ApiError(400, "The header X-Pinecone-Api-Version is required.")
    if version not in versions:
        there_are = ", ".join(sorted(versions))
        raise ApiError(400, f"X-Pinecone-Api-Version {version}: the sandbox answers {there_are} here.")
