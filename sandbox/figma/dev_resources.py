"""Dev resources: links from nodes to code. Calls take many, and say in a 200 which of them failed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sandbox.figma.access import file, require, sent
from sandbox.http import ApiError, Call, answer
from sandbox.store import Document

_PER_NODE = 10


class _Link(BaseModel):
    model_config = ConfigDict(strict=True)

    name: str = Field(min_length=1)
    url: str = Field(min_length=1)
    file_key: str
    node_id: str


class _Links(BaseModel):
    dev_resources: list[_Link]


class _Change(BaseModel):
    model_config = ConfigDict(strict=True)

    id: str
    name: str | None = Field(None, min_length=1)
    url: str | None = Field(None, min_length=1)


class _Changes(BaseModel):
    dev_resources: list[_Change]


def list_dev_resources(call: Call) -> Response:
    require(call, "file_dev_resources:read")
    key = file(call, call.path("file"))["key"]
    nodes = call.many("node_ids")
    found = [one for one in call.store.all("dev_resource", file_key=key) if not nodes or one["node_id"] in nodes]
    return answer({"dev_resources": found})


def create_dev_resources(call: Call) -> Response:
    require(call, "file_dev_resources:write")
    created: list[Document] = []
    errors: list[dict[str, Any]] = []
    for wanted in sent(call, _Links).dev_resources:
        if problem := _problem(call, wanted):
            errors.append({"file_key": wanted.file_key, "node_id": wanted.node_id, "error": problem})
            continue
        link = {"id": str(uuid4()), **wanted.model_dump()}
        created.append(call.store.put("dev_resource", link["id"], link))
    return answer({"links_created": created, "errors": errors})


def _problem(call: Call, wanted: _Link) -> str:
    """Why a link cannot be made; "" if it can."""
    if call.store.latest.get("file", wanted.file_key) is None:
        return "File not found"
    others = call.store.latest.all("dev_resource", file_key=wanted.file_key, node_id=wanted.node_id)
    if any(other["url"] == wanted.url for other in others):
        return "Another dev resource for the node has the same url"
    if len(others) >= _PER_NODE:
        return f"The node already has the maximum of {_PER_NODE} dev resources"
    return ""


def update_dev_resources(call: Call) -> Response:
    require(call, "file_dev_resources:write")
    updated: list[Document] = []
    errors: list[dict[str, Any]] = []
    for wanted in sent(call, _Changes).dev_resources:
        link = call.store.latest.get("dev_resource", wanted.id)
        if link is None:
            errors.append({"id": wanted.id, "error": "Dev resource not found"})
            continue
        changed = link | wanted.model_dump(exclude_none=True)
        others = call.store.latest.all("dev_resource", file_key=link["file_key"], node_id=link["node_id"])
        if any(other["url"] == changed["url"] and other["id"] != link["id"] for other in others):
            errors.append({"id": wanted.id, "error": "Another dev resource for the node has the same url"})
            continue
        updated.append(call.store.put("dev_resource", link["id"], changed))
    # Figma's description calls the one member required and describes the other.
    return answer({"links_updated": updated, "links_created": [], "errors": errors})


def delete_dev_resource(call: Call) -> Response:
    require(call, "file_dev_resources:write")
    link = call.store.get("dev_resource", call.path("id"))
    if link is None or link["file_key"] != call.path("file"):
        raise ApiError(404, "Dev resource not found")
    call.store.delete("dev_resource", link["id"])
    return Response()
