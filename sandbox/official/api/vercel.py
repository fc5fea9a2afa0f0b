"""Vercel's REST API: the token that calls, and the team."""

from __future__ import annotations

import time

from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, Routes, answer
from sandbox.official.vercel import TEAM
from sandbox.store import Document

TOKEN = "sandbox-vercel-token"  # noqa: S105 - opens nothing but a sandbox on this machine


def render(error: ApiError) -> Response:
    codes = {403: "forbidden", 404: "not_found"}
    failure = {"code": codes.get(error.status, "sandbox_fault"), "message": error.message} | error.details
    return JSONResponse({"error": failure}, error.status)


def _admit(call: Call) -> str:
    """A token that is wrong or has expired is a 403, which says so."""
    expires = _token(call).get("expiresAt")
    if call.bearer() != TOKEN or (expires is not None and expires <= _now()):
        raise ApiError(403, "Not authorized", invalidToken=True)
    return TOKEN


def _token(call: Call) -> Document:
    """What is known of the token; it is made when it is first used, and does not expire."""
    now = _now()
    token = {"id": "current", "name": "sandbox", "type": "token", "origin": "manual", "activeAt": now, "createdAt": now}
    return call.store.latest.get("token", "current") or call.store.put("token", "current", token)


def _now() -> int:
    return int(time.time() * 1000)


def _current(call: Call) -> Response:
    return answer({"token": _token(call)})


def _team(call: Call) -> Response:
    if call.path("team") != TEAM:
        raise ApiError(404, "Team not found")
    membership = {"role": "OWNER", "confirmed": True, "created": 0, "createdAt": 0}
    return answer({"id": TEAM, "slug": "sandbox", "name": "Sandbox", "membership": membership})


_routes = Routes("vercel", _admit, render)

ROUTES = [_routes("/v5/user/tokens/current", GET=_current), _routes("/v2/teams/{team}", GET=_team)]
