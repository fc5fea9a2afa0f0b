"""Vercel's drains: where logs, traces, web analytics and speed insights go. Log drains of the package are among them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response
from starlette.routing import Route

from sandbox.http import ApiError, Call, Routes, answer
from sandbox.official.api.vercel_access import CamelBody, objects, require_team, sent
from sandbox.official.vercel_projects import PROJECT, TEAM
from sandbox.official.vercel_security import LOG_DRAIN
from sandbox.receiver import receiver_of
from sandbox.store import Document

_KIND = "drain"
_SCHEMAS = frozenset({"log", "trace", "analytics", "speed_insights"})
_SHORTEST_SECRET = 32
_MOST_HEADERS = 5


class _Sampling(CamelBody):
    type: Literal["head_sampling"]
    rate: float = Field(ge=0, le=1)
    env: Literal["production", "preview"] | None = None
    request_path: str | None = None


class _Changes(CamelBody):
    name: str | None = Field(None, min_length=1)
    projects: Literal["some", "all"] | None = None
    project_ids: list[str] | None = None
    filter: dict[str, Any] | None = None
    schemas: dict[str, dict[str, Any]] | None = None
    delivery: dict[str, Any] | None = None
    sampling: list[_Sampling] | None = None
    transforms: list[dict[str, Any]] | None = None
    status: Literal["enabled", "disabled"] | None = None
    source: dict[str, Any] | None = None


class _New(_Changes):
    name: str = Field(min_length=1)
    projects: Literal["some", "all"]
    schemas: dict[str, dict[str, Any]]
    status: None = None


class _Test(CamelBody):
    schemas: dict[str, dict[str, Any]]
    delivery: dict[str, Any]


def _require_delivery(delivery: dict[str, Any]) -> None:
    wrong = None
    encodings = {"http": ("json", "ndjson"), "otlphttp": ("json", "proto")}.get(str(delivery.get("type")))
    if encodings is None:
        wrong = "`delivery.type` should be http or otlphttp"
    elif delivery.get("encoding") not in encodings:
        wrong = f"`delivery.encoding` should be one of {', '.join(encodings)}"
    elif not str(_endpoint(delivery)).startswith("https://"):
        wrong = "`delivery.endpoint` should be an https address"
    elif not isinstance(delivery.get("headers"), dict):
        wrong = "missing required property `delivery.headers`"
    elif len(delivery["headers"]) > _MOST_HEADERS:
        wrong = f"`delivery.headers` should have at most {_MOST_HEADERS} members"
    elif delivery.get("secret") is not None and len(str(delivery["secret"])) < _SHORTEST_SECRET:
        wrong = f"`delivery.secret` should have at least {_SHORTEST_SECRET} characters"
    if wrong:
        raise ApiError(400, f"Invalid request: {wrong}")


def _endpoint(delivery: dict[str, Any]) -> Any:
    endpoint = delivery.get("endpoint")
    return endpoint.get("traces") if isinstance(endpoint, dict) else endpoint


def _require_good(call: Call, wanted: _Changes) -> None:
    if wanted.schemas is not None and not (wanted.schemas and set(wanted.schemas) <= _SCHEMAS):
        raise ApiError(400, f"Invalid request: `schemas` should have some of {', '.join(sorted(_SCHEMAS))}")
    if wanted.delivery is not None:
        _require_delivery(wanted.delivery)
    if wanted.projects == "some" and not wanted.project_ids:
        raise ApiError(400, "Invalid request: `projectIds` is needed where `projects` is some")
    for project in wanted.project_ids or ():
        if call.store.latest.get(PROJECT, project) is None:
            raise ApiError(400, f"Project not found: {project}", code="project_not_found")


def _members(wanted: _Changes) -> Document:
    """As a drain is kept: a filter is shown under another name than it is written."""
    given = wanted.sent()
    if "filter" in given:
        given["filterV2"] = given.pop("filter")
    if given.get("projects") == "all":
        given["projectIds"] = []
    given.pop("projects", None)
    given.pop("transforms", None)
    return {name: value for name, value in given.items() if value is not None}


def _create(call: Call) -> Response:
    require_team(call)
    wanted = sent(call, _New)
    _require_good(call, wanted)
    if wanted.delivery is None:
        raise ApiError(400, "Invalid request: `delivery` is needed for a drain that no integration made")
    now = int(time.time() * 1000)
    drain: Document = {
        "id": f"drn_{secrets.token_hex(8)}",
        "ownerId": TEAM,
        "createdAt": now,
        "updatedAt": now,
        "createdFrom": "self-served",
        "status": "enabled",
        **_members(wanted),
        "source": {"kind": "self-served"},
    }
    drain["delivery"] = _with_secret(drain["delivery"])
    call.store.put(_KIND, drain["id"], drain)
    return answer(_shown(drain))


def _with_secret(delivery: dict[str, Any]) -> dict[str, Any]:
    """Of a secret only a hash is kept here; nobody reads it back."""
    kept = dict(delivery)
    secret = kept.pop("secret", None) or secrets.token_hex(20)
    return {**kept, "digest": hashlib.sha256(secret.encode()).hexdigest()}


def _shown(drain: Document) -> Document:
    delivery = {name: value for name, value in drain["delivery"].items() if name != "digest"}
    delivery["headers"] = dict.fromkeys(delivery.get("headers") or {}, "[redacted]")
    return {**drain, "delivery": delivery}


def _of_package(document: Document) -> Document:
    """A log drain that was made through the package."""
    made = document["properties"]
    filtered = {
        "type": "basic",
        "log": {"sources": made["sources"]},
        "deployment": {"environments": made["environments"]},
    }
    delivery = {"type": "http", "endpoint": made["endpoint"], "encoding": made["deliveryFormat"], "headers": {}}
    rate = made.get("samplingRate")
    return {
        "id": document["id"],
        "ownerId": TEAM,
        "name": made.get("name", ""),
        "createdAt": 0,
        "updatedAt": 0,
        "createdFrom": "self-served",
        "status": "enabled",
        "projectIds": made.get("projectIds", []),
        "schemas": {"log": {"version": "v1"}},
        "delivery": delivery,
        "filterV2": {"version": "v2", "filter": filtered},
        "sampling": [{"type": "head_sampling", "rate": rate}] if rate is not None else [],
        "source": {"kind": "self-served"},
    }


def _list(call: Call) -> Response:
    require_team(call)
    drains = [*map(_shown, call.store.all(_KIND)), *map(_of_package, call.store.all(LOG_DRAIN))]
    project = call.query("projectId")
    return answer({"drains": [one for one in drains if project is None or project in (one.get("projectIds") or ())]})


def _found(call: Call) -> Document:
    require_team(call)
    drain = call.store.get(_KIND, call.path("drain"))
    if drain is None:
        raise ApiError(404, "The drain was not found")
    return drain


def _read(call: Call) -> Response:
    require_team(call)
    made = call.store.get(LOG_DRAIN, call.path("drain"))
    return answer(_of_package(made) if made else _shown(_found(call)))


def _update(call: Call) -> Response:
    drain, wanted = _found(call), sent(call, _Changes)
    _require_good(call, wanted)
    changes = _members(wanted)
    if "delivery" in changes:
        changes["delivery"] = _with_secret(changes["delivery"])
    return answer(
        _shown(call.store.put(_KIND, drain["id"], {**drain, **changes, "updatedAt": int(time.time() * 1000)}))
    )


def _delete(call: Call) -> Response:
    if call.store.get(LOG_DRAIN, call.path("drain")):
        require_team(call)
        objects(call).delete(LOG_DRAIN, call.path("drain"))
    else:
        call.store.delete(_KIND, _found(call)["id"])
    return Response(status_code=204)


def _test(call: Call) -> Response:
    """Sends a made-up event, signed as a real one is."""
    require_team(call)
    wanted = sent(call, _Test)
    _require_delivery(wanted.delivery)
    body = json.dumps([{"id": "sandbox", "message": "a test", "source": "build", "timestamp": 0}]).encode()
    signature = hmac.new(str(wanted.delivery.get("secret") or "").encode(), body, hashlib.sha1).hexdigest()
    headers = {"content-type": "application/json", "x-vercel-signature": signature}
    endpoint = str(_endpoint(wanted.delivery))
    said = receiver_of(call.request).deliver("vercel", endpoint, body, {**wanted.delivery["headers"], **headers})
    if said.ok:
        return answer({})
    problem = said.problem or f"the endpoint answered {said.status}"
    return answer({"status": "error", "error": problem, "endpoint": endpoint})


def routes(make: Routes) -> list[Route]:
    return [
        make("/v1/drains", GET=_list, POST=_create),
        make("/v1/drains/test", POST=_test),
        make("/v1/drains/{drain}", GET=_read, PATCH=_update, DELETE=_delete),
    ]
