"""Collections: the folders of a workspace's prompts. Each workspace has one to start with, which stays."""

from __future__ import annotations

from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey.access import now, placed, reaches
from sandbox.portkey.errors import missing
from sandbox.portkey.lists import page, picked, slug_of
from sandbox.store import Document, Store


class CollectionUpdate(Body):
    name: str = Field(min_length=1)


class CollectionCreate(CollectionUpdate):
    workspace_id: str | None = None
    parent_collection_id: str | None = None


def list_collections(call: Call) -> Response:
    workspace, part = placed(call, call.query("workspace_id")), (call.query("search") or "").lower()
    found = [c for c in call.store.all("collection", workspace_id=workspace) if part in c["name"].lower()]
    return page(call, [one | {"collection_details": _details(call.store, one)} for one in found])


def create_collection(call: Call) -> Response:
    """Names are not unique. A parent is one of the same workspace."""
    sent = call.body(CollectionCreate)
    workspace = placed(call, sent.workspace_id)
    above = sent.parent_collection_id
    parent = collection_in(call.store.latest, workspace, above)["id"] if above else None
    collection: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name),
        "name": sent.name,
        "workspace_id": workspace,
        "parent_collection_id": parent,
        "is_default": 0,
        "status": "active",
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("collection", collection["id"], collection)
    return answer({"id": collection["id"], "slug": collection["slug"]})


def read_collection(call: Call) -> Response:
    collection = _collection(call)
    children = [
        {name: child[name] for name in ("id", "name", "last_updated_at")}
        | {"collection_details": _details(call.store, child)}
        for child in call.store.all("collection", parent_collection_id=collection["id"])
    ]
    return answer(collection | {"child_collections": children})


def update_collection(call: Call) -> Response:
    """The name only: workspace and parent stay."""
    collection = _collection(call) | {"name": call.body(CollectionUpdate).name, "last_updated_at": now()}
    call.store.put("collection", collection["id"], collection)
    return answer({})


def delete_collection(call: Call) -> Response:
    """Refused for the one to start with, and while there is something in it."""
    collection = _collection(call)
    if collection["is_default"]:
        raise missing("collection that may be deleted", collection["slug"])
    inside = call.store.first("prompt", collection_id=collection["id"])
    if inside or call.store.first("collection", parent_collection_id=collection["id"]):
        raise ApiError(409, "Unable to delete. Please ensure that the collection is empty")
    call.store.delete("collection", collection["id"])
    return answer({})


def collection_in(store: Store, workspace: str | None, named: str) -> Document:
    """The collection of that id or slug; 404 where there is none, or only one of another workspace."""
    collection = picked(store, "collection", named)
    if collection is None or workspace not in (None, collection["workspace_id"]):
        raise missing("collection", named)
    return collection


def first_collection(store: Store, workspace: str) -> Document:
    """The one that came with the workspace."""
    return store.all("collection", workspace_id=workspace, is_default=1)[0]


def _collection(call: Call) -> Document:
    collection = collection_in(call.store, None, call.path("collection"))
    if not reaches(call, collection):
        raise missing("collection", call.path("collection"))
    return collection


def _details(store: Store, collection: Document) -> Document:
    children = store.latest.all("collection", parent_collection_id=collection["id"])
    prompts = store.latest.all("prompt", collection_id=collection["id"])
    return {
        "child_collections_count": len(children),
        "prompts_count": len(prompts),
        "child_collections_last_updated_at": max((c["last_updated_at"] for c in children), default=None),
        "prompts_last_updated_at": max((p["last_updated_at"] for p in prompts), default=None),
    }
