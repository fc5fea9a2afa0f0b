"""GitHub's REST API: the rate limit, and a repository's deploy keys, which only its administrators see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes
from sandbox.official.github import OWNER
from sandbox.store import Document

TOKEN = "sandbox-github-token"  # noqa: S105 - opens nothing but a sandbox on this machine

_REPOSITORY = "github:index/repository:Repository"
_AN_HOUR = 5000
_LIFETIME = timedelta(days=366)
"""The longest that a fine-grained token lasts."""


def render(error: ApiError) -> Response:
    return JSONResponse({"message": error.message, "status": str(error.status)}, error.status)


def _admit(call: Call) -> str:
    if call.bearer() != TOKEN or datetime.fromisoformat(_token(call)["expires"]) <= datetime.now(UTC):
        raise ApiError(401, "Bad credentials")
    return TOKEN


def _token(call: Call) -> Document:
    """What is known of the token; it is made when it is first used."""
    made = datetime.now(UTC)
    token = {"id": "current", "expires": (made + _LIFETIME).isoformat(timespec="seconds")}
    return call.store.latest.get("token", "current") or call.store.put("token", "current", token)


def _answer(call: Call, document: object) -> Response:
    expires = datetime.fromisoformat(_token(call)["expires"]).astimezone(UTC)
    headers = {
        "X-RateLimit-Limit": str(_AN_HOUR),
        "X-RateLimit-Remaining": str(_AN_HOUR),
        "GitHub-Authentication-Token-Expiration": f"{expires:%Y-%m-%d %H:%M:%S} UTC",
    }
    return JSONResponse(document, headers=headers)


def _limits(call: Call) -> Response:
    """Nothing is counted here."""
    core = {"limit": _AN_HOUR, "used": 0, "remaining": _AN_HOUR, "reset": int(datetime.now(UTC).timestamp()) + 3600}
    return _answer(call, {"resources": {"core": core}, "rate": core})


def _deploy_keys(call: Call) -> Response:
    """None: the estate has no deploy keys."""
    wanted = call.path("repository").lower()
    names = [str(repository["properties"]["name"]).lower() for repository in call.store.all(_REPOSITORY)]
    if call.path("owner").lower() != OWNER or wanted not in names:
        raise ApiError(404, "Not Found")
    return _answer(call, [])


_routes = Routes("github", _admit, render)

ROUTES = [_routes("/rate_limit", GET=_limits), _routes("/repos/{owner}/{repository}/keys", GET=_deploy_keys)]
