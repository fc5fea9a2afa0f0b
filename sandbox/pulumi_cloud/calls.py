"""How a request reaches the code that answers it: authentication, bodies, errors, one transaction a call."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.pulumi_cloud.vault import Vault

Json = dict[str, Any]

_UNDER_LEASE = re.compile(r"/update/[^/]+/(checkpoint|journalentries|events/batch|renew_lease|complete)$")


class ApiError(Exception):
    """A refusal in Pulumi Cloud's shape. Deliberate ones are 4xx: the command line retries 5xx for seven seconds."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def failure(status: int, message: str) -> Response:
    """The error document that Pulumi's command line prints as ``[status] message``."""
    return JSONResponse({"code": status, "message": message}, status)


def render_error(_request: Request, error: Exception) -> Response:
    """For Starlette's ``exception_handlers``."""
    if not isinstance(error, ApiError):
        raise error
    return failure(error.status, error.message)


class Authentication:
    """Refuses callers without the sandbox's access token, as Pulumi Cloud does: 401.

    Calls under a lease carry ``update-token`` instead; the update that they name checks it (updates.py).
    """

    def __init__(self, app: ASGIApp, access_token: str) -> None:
        self.app = app
        self.expected = f"token {access_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = dict(scope.get("headers", ())).get(b"authorization", b"")
        leased = authorization.startswith(b"update-token ") and _UNDER_LEASE.search(scope["path"])
        if leased or secrets.compare_digest(authorization, self.expected):
            await self.app(scope, receive, send)
        else:
            answer = failure(401, "Unauthorized: No credentials provided or are invalid")
            await answer(scope, receive, send)


@dataclass(frozen=True)
class Call:
    """One request: where it points, what it carries, and the transaction in which it is answered."""

    request: Request
    connection: sqlite3.Connection
    raw: bytes
    body: bytes

    @property
    def vault(self) -> Vault:
        vault: Vault = self.request.app.state.vault
        return vault

    @property
    def now(self) -> float:
        return time.time()

    @property
    def gzipped(self) -> bool:
        return self.request.headers.get("content-encoding", "").lower() == "gzip"

    def parameter(self, name: str) -> str:
        return str(self.request.path_params[name])

    def document(self) -> Json:
        """The JSON object of the body; an empty body is an empty object. 400 for anything else."""
        if not self.body:
            return {}
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise ApiError(400, f"Bad Request: the body is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise ApiError(400, "Bad Request: the body must be a JSON object")
        return document


Answer = Json | Response | None
Action = Callable[[Call], Answer]


def route(path: str, method: str, action: Action) -> Route:
    """Answers ``method path`` by ``action``, inside one transaction; None becomes 204.

    Leases that have run out are ended first, so that every call sees the truth about who holds which lock.
    """

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        body = _decoded(raw, request.headers.get("content-encoding", ""))
        with request.app.state.database.transaction() as connection:
            end_lost_leases(connection, time.time())
            answer = action(Call(request, connection, raw, body))
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return Route(path, endpoint, methods=[method])


def routes(entries: Sequence[tuple[str, str, Action]]) -> list[Route]:
    """Routes from (method, path, action), in order: literal segments stand before parameters."""
    return [route(path, method, action) for method, path, action in entries]


def end_lost_leases(connection: sqlite3.Connection, now: float) -> None:
    """An engine that stopped renewing its lease is gone: its update has failed, and its stack is free."""
    connection.execute(
        "UPDATE stack_updates SET status = 'failed', ended = lease_expires WHERE status = 'running' AND lease_expires < ?",
        (now,),
    )


def expire_leases(connection: sqlite3.Connection) -> None:
    """Ends every lease now, as if the engines that hold them had been gone for long enough."""
    connection.execute("UPDATE stack_updates SET lease_expires = ? WHERE status = 'running'", (time.time(),))


def _decoded(raw: bytes, encoding: str) -> bytes:
    if encoding.lower() != "gzip":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ApiError(400, f"Bad Request: the body is not gzip: {error}") from error
