"""Labels that versions of prompts are known by, such as "production"."""

from __future__ import annotations

import re
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey.access import ORGANISATION, caller, narrowed, now, reaches
from sandbox.portkey.errors import missing, taken
from sandbox.portkey.lists import page, without_nothing
from sandbox.store import Document, Store

_NAME = re.compile(r"[a-zA-Z0-9_-]*[^@\s]?[a-zA-Z0-9_-]*")
_TAKEN = re.compile(r"latest|default|\d+")
"""What a version may be asked for by anyway."""


class LabelUpdate(Body):
    name: str | None = Field(None, min_length=1)
    description: str | None = None
    color_code: str | None = None


class LabelCreate(LabelUpdate):
    name: str = Field(min_length=1)
    workspace_id: str | None = None
    organisation_id: str | None = None


def list_labels(call: Call) -> Response:
    """Those of a workspace, and the organisation's, which are for every one."""
    workspace, part = narrowed(call, call.query("workspace_id")), call.query("search") or ""
    found = [
        label
        for label in call.store.all("label")
        if part in label["name"] and (workspace is None or label["workspace_id"] in (None, workspace))
    ]
    return page(call, [_shown(label) for label in found])


def create_label(call: Call) -> Response:
    sent = call.body(LabelCreate)
    workspace = narrowed(call, sent.workspace_id)
    if workspace is None and sent.organisation_id not in (None, ORGANISATION):
        raise ApiError(403, f"You do not have enough permissions to execute this request: {sent.organisation_id}")
    _check(call.store, workspace, sent.name)
    label: Document = {
        "id": str(uuid4()),
        "name": sent.name,
        "description": sent.description,
        "color_code": sent.color_code,
        "organisation_id": ORGANISATION,
        "workspace_id": workspace,
        "is_universal": workspace is None,
        "status": "active",
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("label", label["id"], label)
    return answer({"id": label["id"]})


def read_label(call: Call) -> Response:
    return answer(_shown(_label(call)))


def update_label(call: Call) -> Response:
    label, sent = _label(call), call.body(LabelUpdate).sent()
    if sent.get("name") not in (None, label["name"]):
        _check(call.store, label["workspace_id"], sent["name"])
    call.store.put("label", label["id"], label | without_nothing(sent) | {"last_updated_at": now()})
    return answer({})


def delete_label(call: Call) -> Response:
    """The versions that have it lose it."""
    label = _label(call)
    for version in call.store.all("prompt-version", label_id=label["id"]):
        call.store.put("prompt-version", version["id"], version | {"label_id": None})
    call.store.delete("label", label["id"])
    return answer({})


def label_in(store: Store, workspace: str, identifier: str) -> Document:
    label = store.get("label", identifier)
    if label is None or label["workspace_id"] not in (None, workspace):
        raise missing("label", identifier)
    return label


def _label(call: Call) -> Document:
    label = call.store.get("label", call.path("label"))
    if label is None or not reaches(call, label):
        raise missing("label", call.path("label"))
    if label["workspace_id"] is None and caller(call).workspace and call.request.method != "GET":
        raise ApiError(403, "Only an organisation's API key changes the organisation's labels")
    return label


def _check(store: Store, workspace: str | None, name: str) -> None:
    if not _NAME.fullmatch(name) or _TAKEN.fullmatch(name):
        raise ApiError(
            400, f"name: {name} cannot be a label's: letters, digits, _ and - are, without latest and default"
        )
    if store.latest.first("label", workspace_id=workspace, name=name):
        raise taken("label", "the name", name)


def _shown(label: Document) -> Document:
    return without_nothing(label)
