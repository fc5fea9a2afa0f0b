"""How Pinecone spells an index: flat inputs on our side; nested by deployment, and two ways to create one, on its own.

Source of facts: Pinecone's control plane description (pinecone-io/pinecone-api, 2026-04) and its pages on deletion
protection and tags. ``providers/pinecone.py`` has the resources.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import KNOWN, Api, Bearer, Call, Json, Listing, PlatformError, Trouble
from providers.base.ownership import marked, owner

OWNER_TAG = "managed_by"
"""The tag with the stack that manages an index. A tag's value may have no slash: ``sophia-ai;dev``."""

GONE_PATIENCE_SECONDS = 300.0
_LOOK_EVERY_SECONDS = 1.0

_EMBEDDING = ("field_map", "read_parameters", "write_parameters")
_READ = Call("GET", "/indexes/{id}")
_CONFIGURE = Call("PATCH", "/indexes/{id}")


@dataclass(frozen=True)
class Indexes(Listing):
    """The indexes of the project that are deployed in one way: ``serverless`` or ``pod``."""

    deployment: str = "serverless"

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        return (index for index in super().fetch(api, values) if self.deployment in index["spec"])


@dataclass(frozen=True)
class Create:
    """Makes an index; one with a model of Pinecone's own by the call that exists for these."""

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        given = dict(payload or {})
        body: Json = {name: given[name] for name in ("name", "deletion_protection") if name in given}
        if tags := _tags(given):
            body["tags"] = tags
        if "model" in given:
            embed = {name: given[name] for name in ("model", "metric", "dimension", *_EMBEDDING) if name in given}
            return Call("POST", "/indexes/create-for-model").send(
                api, values, {**body, **_place(given), "embed": embed}
            )
        body |= {name: given[name] for name in ("dimension", "metric", "vector_type") if name in given}
        spec = {"pod": _pods(given)} if "environment" in given else {"serverless": _place(given)}
        return Call("POST", "/indexes").send(api, values, {**body, "spec": spec})


@dataclass(frozen=True)
class Configure:
    """Changes what can be changed. Tags are merged by Pinecone: one that is to go is set to nothing."""

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        given = dict(payload or {})
        body: Json = {name: given[name] for name in ("deletion_protection",) if name in given}
        former = (values.get(KNOWN) or {}).get("tags") or {} if "tags" in given else {}
        if tags := {**dict.fromkeys(former, ""), **_tags(given)}:
            body["tags"] = tags
        if "read_capacity" in given:
            body["spec"] = {"serverless": {"read_capacity": _capacity(given["read_capacity"])}}
        if pods := {name: given[name] for name in ("pod_type", "replicas") if name in given}:
            body["spec"] = {"pod": pods}
        if any(name in given for name in _EMBEDDING):
            whole = {name: values[name] for name in ("model", *_EMBEDDING) if values.get(name) is not None}
            body["embed"] = whole
        return _CONFIGURE.send(api, values, body)


@dataclass(frozen=True)
class Delete:
    """Lifts the deletion protection, deletes, and waits until the index is gone: its name is free only then.

    Whether an index may be deleted is decided before: in prod the resource is protected and retained.
    """

    auth: Bearer | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - an Operation's signature
        index = _READ.send(api, values)
        if index["status"]["state"] != "Terminating":
            if index.get("deletion_protection") == "enabled":
                _CONFIGURE.send(api, values, {"deletion_protection": "disabled"})
            Call("DELETE", "/indexes/{id}").send(api, values)
        deadline = time.monotonic() + GONE_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if _is_gone(api, str(values["id"])):
                return {}
            time.sleep(_LOOK_EVERY_SECONDS)
        raise PlatformError(Trouble.BUSY, f"it is still being deleted after {GONE_PATIENCE_SECONDS:.0f} s")


def shown(document: Json) -> Json:
    """An index as its inputs spell it."""
    ((deployment, spec),) = document["spec"].items()
    tags = dict(document.get("tags") or {})
    stack = tags.pop(OWNER_TAG, "").replace(";", "/")
    flat = {**document, "tags": tags, "note": marked("", stack) if stack else ""}
    flat.pop("spec")
    if deployment == "pod":
        indexed = (spec.get("metadata_config") or {}).get("indexed")
        return {**spec, **flat, **({"filterable": indexed} if indexed else {})}
    embed = document.get("embed") or {}
    flat |= {name: embed[name] for name in ("model", *_EMBEDDING) if name in embed}
    fields = (spec.get("schema") or {}).get("fields")
    if fields:
        flat["filterable"] = [name for name, field in fields.items() if field.get("filterable")]
    if spec.get("read_capacity"):
        flat["read_capacity"] = _capacity_shown(spec["read_capacity"])
    return {**flat, "cloud": spec.get("cloud"), "region": spec.get("region")}


def readiness(document: Json) -> bool | str:
    """Whether an index can be used; a text where it never will be."""
    status = document["status"]
    if status["state"] == "InitializationFailed":
        return "Pinecone could not initialize it (InitializationFailed): remove it, or ask Pinecone's support"
    # One whose dedicated replicas were set to 0 is switched off on purpose.
    return bool(status["ready"]) or status["state"] == "Disabled"


def _tags(given: Json) -> dict[str, str]:
    """The tags to be written, with the one that says who manages the index."""
    stack = owner(given.get("note"))
    return {**(given.get("tags") or {}), **({OWNER_TAG: stack.replace("/", ";")} if stack else {})}


def _place(given: Json) -> Json:
    """What says where a serverless index is and how it is read."""
    place: Json = {"cloud": given["cloud"], "region": given["region"]}
    if given.get("filterable"):
        place["schema"] = {"fields": {name: {"filterable": True} for name in given["filterable"]}}
    if given.get("read_capacity"):
        place["read_capacity"] = _capacity(given["read_capacity"])
    return place


def _pods(given: Json) -> Json:
    names = ("environment", "pod_type", "replicas", "shards", "source_collection")
    pods: Json = {name: given[name] for name in names if name in given}
    pods["pods"] = given["replicas"] * given["shards"]
    if given.get("filterable"):
        pods["metadata_config"] = {"indexed": given["filterable"]}
    return pods


def _capacity(wanted: Json) -> Json:
    if wanted["mode"] == "OnDemand":
        return {"mode": "OnDemand"}
    manual = {name: wanted[name] for name in ("replicas", "shards")}
    return {"mode": "Dedicated", "dedicated": {"node_type": wanted["node_type"], "scaling": "Manual", "manual": manual}}


def _capacity_shown(capacity: Json) -> Json:
    dedicated = capacity.get("dedicated") or {}
    node = {"node_type": dedicated["node_type"]} if "node_type" in dedicated else {}
    return {"mode": capacity["mode"], **node, **(dedicated.get("manual") or {})}


def _is_gone(api: Api, name: str) -> bool:
    try:
        # Not by a Call: one that mentions what this process has made would not believe that it is gone.
        api.request("GET", f"/indexes/{name}")
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return True
        raise
    return False
