"""The database of a cluster: its collections and the indexes on what their points have besides vectors.

Points are counted, and that their vectors fit is checked; they are not kept, and nothing can be searched.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from sandbox.http import ApiError, Body, Call, answer, merged
from sandbox.qdrant.access import demand
from sandbox.store import Document

_NAME = re.compile(r"[^<>:\"/\\|?*\x00-\x1f]{1,255}")
_HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
_OPTIMIZERS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 10000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}
_TYPES = ("keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")

Config = dict[str, Any]


class VectorParams(Body):
    size: int = Field(ge=1, le=65_536)
    distance: Literal["Cosine", "Euclid", "Dot", "Manhattan"]
    hnsw_config: Config | None = None
    quantization_config: Config | None = None
    on_disk: bool | None = None
    memory: Literal["cold", "cached", "pinned"] | None = None
    datatype: Literal["float32", "uint8", "float16", "turbo4"] | None = None
    multivector_config: Config | None = None


class SparseParams(Body):
    index: Config | None = None
    modifier: Literal["none", "idf"] | None = None


class Collection(Body):
    vectors: VectorParams | dict[str, VectorParams] | None = None
    sparse_vectors: dict[str, SparseParams] | None = None
    shard_number: int | None = Field(None, ge=1)
    sharding_method: Literal["auto", "custom"] | None = None
    replication_factor: int | None = Field(None, ge=1)
    write_consistency_factor: int | None = Field(None, ge=1)
    on_disk_payload: bool | None = None
    hnsw_config: Config | None = None
    wal_config: Config | None = None
    optimizers_config: Config | None = None
    quantization_config: Config | None = None
    strict_mode_config: Config | None = None
    metadata: Config | None = None


class VectorDiff(Body):
    hnsw_config: Config | None = None
    quantization_config: Config | Literal["Disabled"] | None = None
    on_disk: bool | None = None
    memory: Literal["cold", "cached", "pinned"] | None = None


class ParamsDiff(Body):
    replication_factor: int | None = Field(None, ge=1)
    write_consistency_factor: int | None = Field(None, ge=1)
    read_fan_out_factor: int | None = Field(None, ge=0)
    on_disk_payload: bool | None = None


class CollectionDiff(Body):
    vectors: dict[str, VectorDiff] | None = None
    params: ParamsDiff | None = None
    hnsw_config: Config | None = None
    optimizers_config: Config | None = None
    quantization_config: Config | Literal["Disabled"] | None = None
    sparse_vectors: dict[str, SparseParams] | None = None
    strict_mode_config: Config | None = None
    metadata: Config | None = None


class Index(Body):
    field_name: str = Field(min_length=1)
    field_schema: str | Config | None = None


class Points(Body):
    points: list[Document] | None = None


def result(value: Any) -> Response:
    return answer({"result": value, "status": "ok", "time": 0.0})


def read_version(_call: Call) -> Response:
    return answer({"title": "qdrant - vector search engine", "version": "1.19.1", "commit": None})


def read_readiness(_call: Call) -> Response:
    return PlainTextResponse("all shards are ready")


def list_collections(call: Call) -> Response:
    demand(call, writing=False)
    return result(
        {"collections": [{"name": c["name"]} for c in call.store.all("collection", cluster=call.path("cluster"))]}
    )


def read_collection(call: Call) -> Response:
    demand(call, call.path("name"), writing=False)
    found = collection_of(call)
    return result(
        {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": found["points"],
            "indexed_vectors_count": 0,
            "segments_count": 2,
            "config": found["config"],
            "payload_schema": {n: index | {"points": 0} for n, index in found["indexes"].items()},
        }
    )


def collection_exists(call: Call) -> Response:
    demand(call, call.path("name"), writing=False)
    return result({"exists": find(call, call.path("name")) is not None})


def create_collection(call: Call) -> Response:
    demand(call, writing=True)
    cluster, name = call.path("cluster"), call.path("name")
    sent = call.body(Collection)
    if not _NAME.fullmatch(name):
        raise ApiError(422, f"Validation error in path: collection name {name!r} is not allowed")
    if find(call, name) is not None:
        raise ApiError(409, f"Wrong input: Collection `{name}` already exists!")
    if call.store.latest.get("alias", f"{cluster}/{name}"):
        raise ApiError(
            400, f"Wrong input: Can't create collection with name {name}. Alias with the same name already exists"
        )
    nodes = (call.store.latest.get("cluster", cluster) or {})["configuration"]["numberOfNodes"]
    vectors = {} if sent.vectors is None else sent.vectors
    named = vectors if isinstance(vectors, dict) else {"": vectors}
    params: Document = {
        "vectors": {n: v.sent() for n, v in vectors.items()} if isinstance(vectors, dict) else vectors.sent(),
        "shard_number": sent.shard_number or nodes,
        "replication_factor": sent.replication_factor or 1,
        "write_consistency_factor": sent.write_consistency_factor or 1,
        "on_disk_payload": True if sent.on_disk_payload is None else sent.on_disk_payload,
    }
    if sent.sharding_method:
        params["sharding_method"] = sent.sharding_method
    if sent.sparse_vectors:
        params["sparse_vectors"] = {n: v.sent() for n, v in sent.sparse_vectors.items()}
    config: Document = {
        "params": params,
        "hnsw_config": _HNSW | (sent.hnsw_config or {}),
        "optimizer_config": _OPTIMIZERS | (sent.optimizers_config or {}),
        "wal_config": _WAL | (sent.wal_config or {}),
        "quantization_config": sent.quantization_config,
        "strict_mode_config": {"enabled": False} | (sent.strict_mode_config or {}),
    }
    if sent.metadata:
        config["metadata"] = sent.metadata
    made: Document = {
        "cluster": cluster,
        "name": name,
        "config": config,
        "indexes": {},
        "points": 0,
        "sizes": [vector.size for vector in named.values()],
    }
    call.store.put("collection", f"{cluster}/{name}", made)
    return result(True)


def update_collection(call: Call) -> Response:
    """What is left out stays; what cannot be changed of a vector has no place here."""
    demand(call, writing=True)
    found, sent = collection_of(call), call.body(CollectionDiff).sent()
    config = found["config"]
    changes = {
        "params": sent.get("params"),
        "hnsw_config": sent.get("hnsw_config"),
        "optimizer_config": sent.get("optimizers_config"),
        "strict_mode_config": sent.get("strict_mode_config"),
    }
    config = merged(config, {name: change for name, change in changes.items() if change})
    if sent.get("quantization_config"):
        config["quantization_config"] = _enabled(sent["quantization_config"])
    if sent.get("metadata"):
        metadata = {**config.get("metadata", {}), **sent["metadata"]}
        config["metadata"] = {name: value for name, value in metadata.items() if value is not None}
    for name, change in (sent.get("vectors") or {}).items():
        config["params"]["vectors"] = _tuned(config["params"]["vectors"], name, change)
    call.store.put("collection", f"{found['cluster']}/{found['name']}", found | {"config": config})
    return result(True)


def delete_collection(call: Call) -> Response:
    """With the aliases that point at it. One that is not there is no error."""
    demand(call, writing=True)
    cluster, name = call.path("cluster"), call.path("name")
    for alias in call.store.all("alias", cluster=cluster, collection=name):
        call.store.delete("alias", f"{cluster}/{alias['name']}")
    return result(call.store.delete("collection", f"{cluster}/{name}"))


def create_index(call: Call) -> Response:
    demand(call, writing=True)
    found, sent = collection_of(call), call.body(Index)
    schema = {"type": sent.field_schema} if isinstance(sent.field_schema, str) else sent.field_schema or {}
    if schema.get("type") not in _TYPES:
        raise ApiError(
            400, f"Format error in JSON body: field_schema: unknown type, expected one of {', '.join(_TYPES)}"
        )
    index: Document = {"data_type": schema["type"]} | ({"params": schema} if len(schema) > 1 else {})
    indexes = {**found["indexes"], sent.field_name: index}
    call.store.put("collection", f"{found['cluster']}/{found['name']}", found | {"indexes": indexes})
    return result({"operation_id": len(indexes), "status": "completed"})


def delete_index(call: Call) -> Response:
    demand(call, writing=True)
    found = collection_of(call)
    indexes = {name: index for name, index in found["indexes"].items() if name != call.path("field")}
    call.store.put("collection", f"{found['cluster']}/{found['name']}", found | {"indexes": indexes})
    return result({"operation_id": 0, "status": "completed"})


def upsert_points(call: Call) -> Response:
    demand(call, call.path("name"), writing=True)
    found, points = collection_of(call), call.body(Points).points or []
    vectors = found["config"]["params"]["vectors"]
    sizes = {"": vectors["size"]} if "size" in vectors else {name: one["size"] for name, one in vectors.items()}
    for point in points:
        given = point.get("vector")
        for name, vector in ({"": given} if isinstance(given, list) else given or {}).items():
            if isinstance(vector, list) and len(vector) != sizes.get(name):
                expected = sizes.get(name, 0)
                raise ApiError(400, f"Wrong input: Vector dimension error: expected dim: {expected}, got {len(vector)}")
    counted = found | {"points": found["points"] + len(points)}
    call.store.put("collection", f"{found['cluster']}/{found['name']}", counted)
    return result({"operation_id": counted["points"], "status": "completed"})


def count_points(call: Call) -> Response:
    demand(call, call.path("name"), writing=False)
    return result({"count": collection_of(call)["points"]})


def find(call: Call, name: str) -> Document | None:
    return call.store.get("collection", f"{call.path('cluster')}/{name}")


def collection_of(call: Call) -> Document:
    """The collection of the path, by its name or by an alias."""
    name = call.path("name")
    alias = call.store.get("alias", f"{call.path('cluster')}/{name}")
    found = find(call, alias["collection"] if alias else name)
    if found is None:
        raise ApiError(404, f"Not found: Collection `{name}` doesn't exist!")
    return found


def _tuned(vectors: Document, name: str, change: Document) -> Document:
    unnamed = "size" in vectors
    old = vectors if unnamed and name == "" else vectors.get(name)
    if not isinstance(old, dict):
        raise ApiError(400, f"Wrong input: Vector params for {name or 'the default vector'} are not defined")
    new = merged(old, {key: value for key, value in change.items() if key != "quantization_config"})
    if "quantization_config" in change:
        new["quantization_config"] = _enabled(change["quantization_config"])
    return new if unnamed else {**vectors, name: new}


def _enabled(quantization: Any) -> Any:
    return None if quantization == "Disabled" else quantization
