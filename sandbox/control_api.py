"""The control API under ``/_sandbox``: what the ``sophia sandbox`` command and the tests ask of the sandbox itself.

All of it but ``health`` needs the sandbox's access token. A page in a browser does not have it, whatever its origin,
and neither has another user of the machine.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.faults import Rule
from sandbox.pulumi_cloud.calls import expire_leases
from sandbox.receiver import Failing
from sandbox.store import Document, Store

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def application(access_token: str) -> ASGIApp:
    """The control API; ``access_token`` is what callers must send as ``Authorization: token …``."""
    return _Authorized(Router(_ROUTES, redirect_slashes=False), access_token)


class _Authorized:
    def __init__(self, app: ASGIApp, access_token: str) -> None:
        self.app = app
        self.expected = f"token {access_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["path"] == "/_sandbox/health" or secrets.compare_digest(given, self.expected):
            await self.app(scope, receive, send)
        else:
            await _refusal(401, "the control API needs the sandbox's access token")(scope, receive, send)


def _refusal(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


async def _health(request: Request) -> Response:
    return JSONResponse({"instance": request.app.state.instance, "status": "ok"})


async def _journal(request: Request) -> Response:
    query, journal = request.query_params, request.app.state.journal
    try:
        since, limit = int(query.get("since", 0)), int(query.get("limit", 1000))
    except ValueError:
        return _refusal(400, "since and limit are numbers")
    chosen = {"platforms": query.getlist("platform"), "methods": query.getlist("method"), "since": since}
    return JSONResponse(
        {
            "last": journal.last(),
            "counts": journal.counts(**chosen),
            "entries": journal.entries(**chosen, limit=limit) if limit > 0 else [],
        }
    )


async def _clear_journal(request: Request) -> Response:
    request.app.state.journal.clear()
    return Response(status_code=204)


async def _list_faults(request: Request) -> Response:
    return JSONResponse({"faults": request.app.state.faults.list()})


async def _add_fault(request: Request) -> Response:
    try:
        rule = Rule.model_validate_json(await request.body())
    except ValidationError as error:
        return _refusal(400, _mistakes(error))
    known = {"*", "pulumi", *(platform.name for platform in request.app.state.platforms if platform.routes)}
    if rule.platform not in known:
        return _refusal(400, f"no HTTP platform is called {rule.platform!r}; there are {', '.join(sorted(known))}")
    return JSONResponse(request.app.state.faults.add(rule).model_dump(), 201)


def _mistakes(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'rule'}: {e['msg']}" for e in error.errors())


async def _remove_faults(request: Request) -> Response:
    identifier = request.query_params.get("id")
    if not request.app.state.faults.remove(identifier) and identifier is not None:
        return _refusal(404, f"no fault has the id {identifier}")
    return Response(status_code=204)


async def _deliveries(request: Request) -> Response:
    return JSONResponse({"deliveries": request.app.state.receiver.deliveries(request.query_params.get("address", "*"))})


async def _clear_deliveries(request: Request) -> Response:
    request.app.state.receiver.clear()
    return Response(status_code=204)


async def _list_failing(request: Request) -> Response:
    return JSONResponse({"failing": request.app.state.receiver.failing()})


async def _add_failing(request: Request) -> Response:
    try:
        rule = Failing.model_validate_json(await request.body())
    except ValidationError as error:
        return _refusal(400, _mistakes(error))
    return JSONResponse(request.app.state.receiver.fail(rule).model_dump(), 201)


async def _restore_receivers(request: Request) -> Response:
    identifier = request.query_params.get("id")
    if not request.app.state.receiver.restore(identifier) and identifier is not None:
        return _refusal(404, f"no failing receiver has the id {identifier}")
    return Response(status_code=204)


async def _reset(request: Request) -> Response:
    platform = (json.loads(await request.body() or b"{}")).get("platform")
    known = {"pulumi", *(p.name for p in request.app.state.platforms)}
    if platform is not None and platform not in known:
        return _refusal(404, f"no platform is called {platform!r}; there are {', '.join(sorted(known))}")
    request.app.state.reset(platform)
    return Response(status_code=204)


async def _platforms(request: Request) -> Response:
    database = request.app.state.database
    with database.lock:
        counts = dict(database.connection.execute("SELECT platform, COUNT(*) FROM objects GROUP BY 1").fetchall())
    return JSONResponse(
        {
            "platforms": [
                {"name": p.name, "title": p.title, "simulated": p.simulated, "objects": counts.get(p.name, 0)}
                for p in request.app.state.platforms
            ]
        }
    )


async def _objects(request: Request) -> Response:
    store: Store = request.app.state.stores(request.path_params["platform"])
    with store.database.lock:
        rows = store.database.connection.execute(
            "SELECT kind, id, document FROM objects WHERE platform = ? ORDER BY kind, position", (store.platform,)
        ).fetchall()
    objects: dict[str, dict[str, Document]] = {}
    for kind, identifier, document in rows:
        objects.setdefault(kind, {})[identifier] = json.loads(document)
    return JSONResponse({"counts": {kind: len(found) for kind, found in objects.items()}, "objects": objects})


def _named(request: Request) -> tuple[str, str]:
    """Which object is meant. Kinds and ids may have any characters in them, slashes too, so the path has no room."""
    return request.query_params.get("kind", ""), request.query_params.get("id", "")


async def _delete_object(request: Request) -> Response:
    store: Store = request.app.state.stores(request.path_params["platform"])
    kind, identifier = _named(request)
    if not store.delete(kind, identifier):
        return _refusal(404, f"{store.platform} has no {kind} {identifier}")
    return Response(status_code=204)


async def _change_object(request: Request) -> Response:
    store: Store = request.app.state.stores(request.path_params["platform"])
    kind, identifier = _named(request)
    document = store.get(kind, identifier)
    if document is None:
        return _refusal(404, f"{store.platform} has no {kind} {identifier}")
    return JSONResponse(store.put(kind, identifier, {**document, **(await request.json())}))


async def _expire_leases(request: Request) -> Response:
    with request.app.state.database.transaction() as connection:
        expire_leases(connection)
    return Response(status_code=204)


async def _stop(request: Request) -> Response:
    request.app.state.stop()
    return Response(status_code=202)


def _route(method: str, path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=[method])


_ROUTES = [
    _route("GET", "/health", _health),
    _route("GET", "/platforms", _platforms),
    _route("GET", "/journal", _journal),
    _route("DELETE", "/journal", _clear_journal),
    _route("GET", "/faults", _list_faults),
    _route("POST", "/faults", _add_fault),
    _route("DELETE", "/faults", _remove_faults),
    _route("GET", "/deliveries", _deliveries),
    _route("DELETE", "/deliveries", _clear_deliveries),
    _route("GET", "/receivers", _list_failing),
    _route("POST", "/receivers", _add_failing),
    _route("DELETE", "/receivers", _restore_receivers),
    _route("POST", "/reset", _reset),
    _route("GET", "/objects/{platform}", _objects),
    _route("DELETE", "/objects/{platform}", _delete_object),
    _route("PATCH", "/objects/{platform}", _change_object),
    _route("POST", "/expire-leases", _expire_leases),
    _route("POST", "/stop", _stop),
]
