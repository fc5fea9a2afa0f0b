"""A Qdrant database: each has an address and keys of its own, which the objects in it have as inputs.

Source of facts: Qdrant's OpenAPI description (qdrant/qdrant, ``docs/redoc/master/openapi.json``, 1.19).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from providers import base
from providers.base import KNOWN, Call, Input, Json, PlatformError, Trouble, trouble_of
from providers.base.calls import Operation

_MAY_NOT_ENTER = {"error": "forbidden"}
"""What stands before a cluster in the cloud answers, with 403, to a key that it does not know."""


def _said(response: httpx.Response) -> str:
    """Errors of the database are ``{"status": {"error": …}}``; those about keys are plain text."""
    if "json" not in response.headers.get("content-type", ""):
        return response.text
    document = response.json()
    return str(document["error"] if "error" in document else document["status"]["error"])


def _trouble(response: httpx.Response) -> Trouble | None:
    if not response.is_error:
        return None
    if response.status_code == httpx.codes.FORBIDDEN and "forbidden" in response.text and len(response.text) < _SHORT:
        return Trouble.CREDENTIALS if response.json() == _MAY_NOT_ENTER else Trouble.FORBIDDEN
    # Before 1.10 an existing collection was refused with 400.
    if response.status_code == httpx.codes.BAD_REQUEST and "already exists" in response.text:
        return Trouble.CONFLICT
    return trouble_of(response.status_code)


_SHORT = 100

DATABASE = base.Api(
    name="qdrant",
    title="Qdrant",
    base_url=Input("address"),
    auth=base.Bearer(Input("api_key"), header="api-key", prefix=""),
    said=_said,
    trouble=_trouble,
    limit=base.Unpublished(),
)


def address(url: str, port: int | float | None) -> str:
    """Where a cluster's REST API is: the cloud tells its address without the port, and the port."""
    found = httpx.URL(url)
    return str(found.copy_with(port=int(port))) if port else str(found)


UNNAMED = "-"
"""The key of a vector without a name: Qdrant's own one, the empty text, is no key of a property."""

_PLACE = ("cluster", "address", "api_key")
_FIXED = ("size", "distance", "datatype", "multivector_config")
_IN_PARAMS = ("replication_factor", "write_consistency_factor", "on_disk_payload")
_PURPOSE = "purpose"


def collection_body(payload: Json, _wanted: base.Inputs) -> Json:
    """A collection as it is created: what is fixed of a vector and what is not stands together."""
    body = {name: value for name, value in payload.items() if name not in (*_PLACE, "name", "tuning", _PURPOSE)}
    tuning = payload.get("tuning") or {}
    if "vectors" in payload or tuning:
        fixed = payload.get("vectors") or {}
        body["vectors"] = {name: {**fixed.get(name, {}), **tuning.get(name, {})} for name in {**fixed, **tuning}}
    if _PURPOSE in payload:
        body["metadata"] = {**(body.get("metadata") or {}), _PURPOSE: payload[_PURPOSE]}
    return body


@dataclass(frozen=True)
class CreateCollection:
    """A single vector without a name is not in a map."""

    call: Call
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        body = dict(payload or {})
        vectors = body.get("vectors") or {}
        return self.call.send(api, values, {**body, "vectors": vectors.get(UNNAMED, vectors)})


@dataclass(frozen=True)
class ChangeCollection:
    """What can be changed is spelled otherwise than when it is created; metadata are merged, so that null removes."""

    call: Call
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        body = {name: value for name, value in (payload or {}).items() if name not in _IN_PARAMS}
        params = {name: value for name, value in (payload or {}).items() if name in _IN_PARAMS}
        if params:
            body["params"] = params
        if "vectors" in body:
            body["vectors"] = {"" if name == UNNAMED else name: vector for name, vector in body["vectors"].items()}
        if "metadata" in body:
            known = (values.get(KNOWN) or {}).get("metadata") or {}
            body["metadata"] = {**dict.fromkeys(known), **body["metadata"]}
        return self.call.send(api, values, body)


def collection_shown(document: Json) -> Json:
    """A collection in the words of our inputs."""
    config = document.get("config") or {}
    params = config.get("params") or {}
    vectors = params.get("vectors") or {}
    if "size" in vectors and not isinstance(vectors["size"], Mapping):
        vectors = {UNNAMED: vectors}
    metadata = dict(config.get("metadata") or {})
    return {
        **{name: params.get(name) for name in ("shard_number", "sparse_vectors", *_IN_PARAMS)},
        "sharding_method": params.get("sharding_method") or "auto",
        "vectors": {n: {k: v for k, v in vector.items() if k in _FIXED} for n, vector in vectors.items()},
        "tuning": {n: {k: v for k, v in vector.items() if k not in _FIXED} for n, vector in vectors.items()},
        "hnsw_config": config.get("hnsw_config"),
        "optimizers_config": config.get("optimizer_config"),
        "wal_config": config.get("wal_config"),
        "quantization_config": config.get("quantization_config"),
        "strict_mode_config": config.get("strict_mode_config"),
        _PURPOSE: metadata.pop(_PURPOSE, ""),
        "metadata": metadata,
    }


@dataclass(frozen=True)
class ReadIndex:
    """The index on one field, which the collection shows."""

    call: Call
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        field, indexes = values["field"], self.call.send(api, values, payload).get("payload_schema") or {}
        if field not in indexes:
            raise PlatformError(Trouble.NOT_FOUND, f"{values['collection']} has no index on {field}")
        index: Json = indexes[field]
        return index


def index_body(_payload: Json, wanted: base.Inputs) -> Json:
    given = wanted.state()
    return {"field_name": given["field"], "field_schema": given["field_schema"]}


def index_shown(document: Json) -> Json:
    return {"field_schema": {**(document.get("params") or {}), "type": document.get("data_type")}}


@dataclass(frozen=True)
class Mint:
    """Makes a database key. The cluster learns of it a little later: that it is refused at first is no lasting no."""

    call: Operation
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        made = self.call.send(api, values, payload)
        if made.get("key"):
            DATABASE.has_made(made["key"])
        return made
