"""Partials: pieces of templates that prompts take in by ``{{>slug}}``, in versions of which one is published."""

from __future__ import annotations

from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import Body, Call, answer
from sandbox.portkey.access import narrowed, now, placed
from sandbox.portkey.collections import collection_in, first_collection
from sandbox.portkey.lists import enveloped, slug_of, without_nothing
from sandbox.portkey.versions import Versions, status_of
from sandbox.store import Document

_partials = Versions("partial")


class PartialUpdate(Body):
    name: str | None = Field(None, min_length=1)
    string: str | None = None
    description: str | None = None
    version_description: str | None = None


class PartialCreate(Body):
    name: str = Field(min_length=1)
    string: str
    version_description: str | None = None
    workspace_id: str | None = None


def list_partials(call: Call) -> Response:
    """All at once."""
    workspace, named = narrowed(call, call.query("workspace_id")), call.query("collection_id")
    collection = collection_in(call.store.latest, workspace, named)["id"] if named else None
    found = [
        _named(partial) | {"object": "partial"}
        for partial in call.store.all("partial")
        if workspace in (None, partial["workspace_id"]) and collection in (None, partial["collection_id"])
    ]
    return enveloped(found)


def create_partial(call: Call) -> Response:
    """The first version is published with it."""
    sent = call.body(PartialCreate)
    workspace = placed(call, sent.workspace_id)
    partial: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name, "pl"),
        "name": sent.name,
        "collection_id": first_collection(call.store.latest, workspace)["id"],
        "workspace_id": workspace,
        "status": "active",
        "created_at": now(),
        "last_updated_at": now(),
    }
    content = {"string": sent.string, "description": sent.version_description}
    version = _partials.add(call.store, partial, content)
    return answer({"id": partial["id"], "slug": partial["slug"], "version_id": version["id"]})


def read_partial(call: Call) -> Response:
    partial = _partials.found(call)
    version = _partials.asked(call, partial)
    shown = _named(partial) | {
        "string": version["content"]["string"],
        "version": version["number"],
        "version_description": version["content"]["description"],
        "prompt_partial_version_id": version["id"],
        "prompt_partial_version_status": status_of(partial, version),
    }
    return answer(without_nothing(shown))


def update_partial(call: Call) -> Response:
    """The name changes in place. Another text makes a new version, which is not published."""
    partial, sent = _partials.found(call), call.body(PartialUpdate)
    if sent.name:
        partial["name"] = sent.name
    call.store.put("partial", partial["id"], partial | {"last_updated_at": now()})
    if sent.string is None:
        return answer({})
    # The specification says "description" here, the vendor's Terraform provider says as on creation.
    content = {"string": sent.string, "description": sent.description or sent.version_description}
    return answer({"prompt_partial_version_id": _partials.add(call.store, partial, content)["id"]})


def delete_partial(call: Call) -> Response:
    """Prompts that take it in are left as they are."""
    _partials.delete(call.store, _partials.found(call))
    return answer({})


def publish_partial(call: Call) -> Response:
    _partials.publish(call)
    return answer({})


def list_versions(call: Call) -> Response:
    partial = _partials.found(call)
    found = [
        {
            "prompt_partial_id": partial["id"],
            "prompt_partial_version_id": version["id"],
            "slug": partial["slug"],
            "version": version["number"],
            "string": version["content"]["string"],
            "description": version["content"]["description"],
            "created_at": version["created_at"],
            "prompt_version_status": status_of(partial, version),
            "object": "partial",
        }
        for version in _partials.all(call.store, partial)
    ]
    return enveloped([without_nothing(version) for version in found])


def _named(partial: Document) -> Document:
    members = ("id", "slug", "name", "collection_id", "status", "created_at", "last_updated_at")
    return {name: partial[name] for name in members}
