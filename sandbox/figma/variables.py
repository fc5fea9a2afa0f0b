"""Variables: what one request may do to the collections of a file, all of it or nothing."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.figma.access import file, plan_of, require, token_of
from sandbox.figma.variable_rules import Scene
from sandbox.http import ApiError, Call, answer, document_of
from sandbox.store import Document

_LARGEST = 4 * 1024 * 1024


def read_local(call: Call) -> Response:
    require(call, "file_variables:read")
    _planned(call)
    kept = _kept(call)
    return answer(
        {
            "status": 200,
            "error": False,
            "meta": {"variableCollections": kept["collections"], "variables": kept["variables"]},
        }
    )


def write(call: Call) -> Response:
    require(call, "file_variables:write", tier=3)
    _planned(call)
    if token_of(call)["seat"] != "full":
        raise ApiError(403, "You do not have a full seat with edit access to this file")
    if len(call.payload) > _LARGEST:
        raise ApiError(400, "Request body must be 4MB or less")
    body: Any = document_of(call.payload)
    if not isinstance(body, dict) or not body:
        raise ApiError(400, "Request body must contain at least one of the top-level arrays")
    key = file(call, call.path("file"))["key"]
    scene = Scene(_kept(call))
    scene.apply(body)
    call.store.put("variables", key, scene.document)
    return answer({"status": 200, "error": False, "meta": {"tempIdToRealId": scene.real}})


def _planned(call: Call) -> None:
    """Variables are for people of Enterprise organisations: no other plan, and no plan's token."""
    if plan_of(call)["tier"] != "enterprise":
        raise ApiError(403, "Limited by Figma plan")
    if token_of(call)["kind"] != "personal":
        raise ApiError(403, "Plan access tokens are not accepted here")


def _kept(call: Call) -> Document:
    key = file(call, call.path("file"))["key"]
    return call.store.get("variables", key) or {"next": 1, "collections": {}, "variables": {}}
