"""Aliases of collections: a list of changes is made as a whole, or not at all."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Body, Call
from sandbox.qdrant.access import demand
from sandbox.qdrant.database import collection_of, find, result
from sandbox.store import Document


class Create(Body):
    collection_name: str
    alias_name: str


class Delete(Body):
    alias_name: str


class Rename(Body):
    old_alias_name: str
    new_alias_name: str


class Action(Body):
    create_alias: Create | None = None
    delete_alias: Delete | None = None
    rename_alias: Rename | None = None


class Actions(Body):
    actions: list[Action]


def list_aliases(call: Call) -> Response:
    demand(call, writing=False)
    return result({"aliases": [_shown(alias) for alias in call.store.all("alias", cluster=call.path("cluster"))]})


def list_aliases_of(call: Call) -> Response:
    demand(call, call.path("name"), writing=False)
    name = collection_of(call)["name"]
    aliases = call.store.all("alias", cluster=call.path("cluster"), collection=name)
    return result({"aliases": [_shown(alias) for alias in aliases]})


def change_aliases(call: Call) -> Response:
    """Creating one that exists points it elsewhere; deleting one that does not is no error."""
    demand(call, writing=True)
    for action in call.body(Actions).actions:
        if action.create_alias:
            _create(call, action.create_alias)
        if action.delete_alias:
            call.store.delete("alias", _key(call, action.delete_alias.alias_name))
        if action.rename_alias:
            _rename(call, action.rename_alias)
    return result(True)


def _create(call: Call, sent: Create) -> None:
    if find(call, sent.collection_name) is None:
        raise ApiError(404, f"Not found: Collection `{sent.collection_name}` doesn't exist!")
    if find(call, sent.alias_name) is not None:
        raise ApiError(409, f"Wrong input: Collection `{sent.alias_name}` already exists!")
    made = {"cluster": call.path("cluster"), "name": sent.alias_name, "collection": sent.collection_name}
    call.store.put("alias", _key(call, sent.alias_name), made)


def _rename(call: Call, sent: Rename) -> None:
    found = call.store.get("alias", _key(call, sent.old_alias_name))
    if found is None:
        raise ApiError(404, f"Not found: Alias {sent.old_alias_name} does not exists!")
    call.store.delete("alias", _key(call, sent.old_alias_name))
    call.store.put("alias", _key(call, sent.new_alias_name), found | {"name": sent.new_alias_name})


def _key(call: Call, name: str) -> str:
    return f"{call.path('cluster')}/{name}"


def _shown(alias: Document) -> Document:
    return {"alias_name": alias["name"], "collection_name": alias["collection"]}
