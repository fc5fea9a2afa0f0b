"""Indexes: made, configured, protected and deleted; each takes a while. No vectors are kept.

A document has members of the emulator's own beside those that are shown: ``index_id``, ``project_id`` and ``looks``, how
often somebody has to look until what was asked for has come about.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from sandbox.http import ApiError, Call, answer, digest, merged
from sandbox.pinecone import access, bodies
from sandbox.store import Document, Store

INDEXES_LIMIT = 20
"""Serverless indexes in a project, of the plan Standard."""

LOOKS = 1
_TIMING = ("timing", "looks")
_OWN = ("index_id", "project_id", "looks")
_READY = {"ready": True, "state": "Ready"}
_OVER_QUOTA = "Increase your quota or upgrade to create more indexes."


def looks(store: Store) -> int:
    """How often somebody looks before something has come about; tests say otherwise."""
    timing = store.latest.get(*_TIMING)
    return int(timing["looks"]) if timing else LOOKS


def list_indexes(call: Call) -> Response:
    return answer({"indexes": [shown(index) for index in call.store.all("index", project_id=call.caller)]})


def create_index(call: Call) -> Response:
    """``dense`` needs a dimension, ``sparse`` has none and compares by dot product."""
    wanted = access.sent(call, bodies.IndexCreate)
    metric = wanted.metric or ("cosine" if wanted.vector_type == "dense" else "dotproduct")
    if wanted.vector_type == "sparse" and (wanted.dimension is not None or metric != "dotproduct"):
        raise ApiError(400, "Bad request. A sparse index has no dimension, and its metric must be dotproduct.")
    if wanted.vector_type == "dense" and wanted.dimension is None:
        raise ApiError(400, "Bad request. Dimension is required for dense indexes.")
    spec = _spec(call, wanted)
    members = {"dimension": wanted.dimension, "metric": metric, "vector_type": wanted.vector_type, "spec": spec}
    return answer(shown(put(call, wanted.name, wanted.deletion_protection, wanted.tags, members)), 201)


def create_index_for_model(call: Call) -> Response:
    """With a model of Pinecone's the vectors are the model's."""
    wanted = access.sent(call, bodies.IndexForModel)
    embed = wanted.embed
    model = bodies.MODELS.get(embed.model)
    if model is None:
        raise ApiError(404, f"Model {embed.model} not found.")
    if embed.metric is not None and embed.metric not in model.metrics:
        raise ApiError(400, f"Bad request. Metric {embed.metric} is not supported by model {embed.model}.")
    if embed.dimension is not None and embed.dimension not in model.dimensions:
        raise ApiError(400, f"Bad request. Dimension {embed.dimension} is not supported by model {embed.model}.")
    if not embed.field_map:
        raise ApiError(400, "Bad request. field_map must name the field with the text.")
    metric = embed.metric or model.metrics[0]
    dimension = embed.dimension or next(iter(model.dimensions), None)
    vectors = {"dimension": dimension, "metric": metric, "vector_type": model.vector_type}
    parameters = {
        "read_parameters": {"input_type": "query", "truncate": "END"} | (embed.read_parameters or {}),
        "write_parameters": {"input_type": "passage", "truncate": "END"} | (embed.write_parameters or {}),
    }
    spec = {"serverless": _serverless(call, bodies.Serverless.model_validate(wanted.sent()))}
    members = {**vectors, "spec": spec}
    members["embed"] = _without_none(vectors) | {"model": embed.model, "field_map": embed.field_map} | parameters
    return answer(shown(put(call, wanted.name, wanted.deletion_protection, wanted.tags, members)), 201)


def read_index(call: Call) -> Response:
    """Each look brings what is under way nearer to its end; one that was deleted ends in nothing."""
    index = found(call)
    if index["looks"]:
        index["looks"] -= 1
        if not index["looks"] and index["status"]["state"] == "Terminating":
            _remove(call.store, index)
            # An error that is raised would undo what the look has brought about.
            return access.render(_unknown(index["name"]))
        if not index["looks"]:
            index["status"] = dict(_READY)
        call.store.put("index", _key(call, index["name"]), index)
    return answer(shown(index))


def configure_index(call: Call) -> Response:
    """Name, vectors and place are not among what can be changed; pods may only grow."""
    index, wanted = found(call), access.sent(call, bodies.IndexUpdate)
    if index["status"]["state"] == "Terminating":
        raise ApiError(400, f"Bad request. Index {index['name']} is being deleted.")
    if wanted.deletion_protection:
        index["deletion_protection"] = wanted.deletion_protection
    tags = index["tags"] | (wanted.tags or {})
    index["tags"] = {key: value for key, value in tags.items() if value != ""}
    if wanted.spec:
        _scale(call, index, wanted.spec)
    if wanted.embed:
        _embed(index, wanted.embed)
    return answer(shown(call.store.put("index", _key(call, index["name"]), index)), 202)


def delete_index(call: Call) -> Response:
    index = found(call)
    if index["deletion_protection"] == "enabled":
        raise ApiError(
            403,
            "Deletion protection is enabled for this index. Disable deletion protection before retrying.",
        )
    collections = call.store.latest.all("collection", project_id=call.caller, source=index["name"])
    pending = [collection["name"] for collection in collections if collection["status"] == "Initializing"]
    if pending:
        raise ApiError(412, f"Unable to delete an index. There are pending collections for this index: {pending}")
    index |= {"status": {"ready": False, "state": "Terminating"}, "looks": looks(call.store)}
    if index["looks"]:
        call.store.put("index", _key(call, index["name"]), index)
    else:
        _remove(call.store, index)
    return Response(status_code=202)


def found(call: Call) -> Document:
    """The index of the path, in the caller's project; 404 if there is none."""
    index = call.store.get("index", _key(call, call.path("index")))
    if index is None:
        raise _unknown(call.path("index"))
    return index


def put(call: Call, name: str, protection: str, tags: dict[str, str], members: dict[str, Any]) -> Document:
    """A new index, which is not ready yet; 409 for a name that is taken, also by one that is still being deleted."""
    if call.store.latest.get("index", _key(call, name)) is not None:
        raise ApiError(409, "Resource already exists.")
    place = digest(call.caller)[:7]
    waits = looks(call.store)
    index = {
        "name": name,
        **_without_none(members),
        "host": f"{name}-{place}.svc.aped-4627-b74a.pinecone.io",
        "deletion_protection": protection,
        "tags": {key: value for key, value in tags.items() if value != ""},
        "status": {"ready": False, "state": "Initializing"} if waits else dict(_READY),
        "index_id": str(uuid4()),
        "project_id": call.caller,
        "looks": waits,
    }
    return call.store.put("index", _key(call, name), index)


def check_room(call: Call) -> None:
    """The plan's limit of serverless indexes."""
    serverless = [
        index for index in call.store.latest.all("index", project_id=call.caller) if "pod" not in index["spec"]
    ]
    if len(serverless) >= INDEXES_LIMIT:
        said = f"You've reached the max serverless indexes allowed in project ({INDEXES_LIMIT})."
        raise ApiError(403, said, code="QUOTA_EXCEEDED")


def shown(index: Document) -> Document:
    visible = {name: value for name, value in index.items() if name not in _OWN}
    if not index["tags"]:
        del visible["tags"]
    return visible


def _spec(call: Call, wanted: bodies.IndexCreate) -> Document:
    serverless, pod = wanted.spec.serverless, wanted.spec.pod
    if (serverless is None) == (pod is None):
        raise ApiError(400, "Bad request. The spec must have either serverless or pod.")
    if serverless:
        return {"serverless": _serverless(call, serverless)}
    if pod is None or wanted.vector_type == "sparse":
        raise ApiError(400, "Bad request. Pod-based indexes hold dense vectors only.")
    spec = _without_none(pod.model_dump(by_alias=True)) | {"pods": pod.replicas * pod.shards}
    if "metadata_config" in spec:
        spec["metadata_config"] = _without_none(spec["metadata_config"])
    _check_pods(call, spec["pods"])
    return {"pod": spec}


def _check_pods(call: Call, more: int) -> None:
    project = call.store.latest.get("project", call.caller) or {}
    others = [
        index["spec"]["pod"]["pods"]
        for index in call.store.latest.all("index", project_id=call.caller)
        if "pod" in index["spec"]
    ]
    if sum(others) + more > project["max_pods"]:
        raise ApiError(403, _OVER_QUOTA)


def _serverless(call: Call, wanted: bodies.Serverless) -> Document:
    if (wanted.cloud, wanted.region) not in bodies.REGIONS:
        raise ApiError(404, f"Resource cloud: {wanted.cloud} region: {wanted.region} not found.")
    check_room(call)
    spec = {"cloud": wanted.cloud, "region": wanted.region, "read_capacity": _capacity(wanted.read_capacity)}
    if wanted.schema_:
        spec["schema"] = wanted.schema_.model_dump()
    return spec


def _capacity(wanted: bodies.ReadCapacity | None) -> Document:
    if wanted is None or wanted.mode == "OnDemand":
        return {"mode": "OnDemand", "status": {"state": "Ready"}}
    if wanted.dedicated is None:
        raise ApiError(400, "Bad request. Mode Dedicated needs dedicated.node_type and dedicated.scaling.")
    manual = wanted.dedicated.manual
    status = {"state": "Ready", "current_replicas": manual.replicas, "current_shards": manual.shards}
    return {"mode": "Dedicated", "dedicated": wanted.dedicated.model_dump(), "status": status}


def _scale(call: Call, index: Document, wanted: bodies.SpecUpdate) -> None:
    ((deployment, spec),) = index["spec"].items()
    if wanted.serverless and deployment == "serverless":
        if wanted.serverless.read_capacity:
            spec["read_capacity"] = _capacity(wanted.serverless.read_capacity)
        return
    if wanted.pod is None or deployment != "pod":
        raise ApiError(400, f"Bad request. The index is deployed as {deployment}.")
    (kind, size), (new_kind, new_size) = (
        text.split(".") for text in (spec["pod_type"], wanted.pod.pod_type or spec["pod_type"])
    )
    if kind != new_kind or bodies.POD_SIZES.index(new_size) < bodies.POD_SIZES.index(size):
        raise ApiError(400, "Bad request. The pod type cannot be changed, and pods can only be scaled up in size.")
    replicas = wanted.pod.replicas or spec["replicas"]
    _check_pods(call, (replicas - spec["replicas"]) * spec["shards"])
    state = "ScalingUpPodSize" if new_size != size else "ScalingUp" if replicas > spec["replicas"] else "ScalingDown"
    spec |= {"pod_type": f"{new_kind}.{new_size}", "replicas": replicas, "pods": replicas * spec["shards"]}
    if waits := looks(call.store):
        index |= {"status": {"ready": False, "state": state}, "looks": waits}


def _embed(index: Document, wanted: bodies.EmbedUpdate) -> None:
    """An index becomes one of a model, whose vectors must be like its own; a model that is set stays."""
    embed = index.get("embed") or {
        "model": wanted.model,
        "metric": index["metric"],
        "vector_type": index["vector_type"],
    }
    model = bodies.MODELS.get(wanted.model or embed["model"] or "")
    if model is None:
        raise ApiError(404, f"Model {wanted.model} not found.")
    if wanted.model not in (None, embed["model"]):
        raise ApiError(400, "Bad request. The embedding model cannot be changed once set.")
    fits = model.vector_type == index["vector_type"] and index["metric"] in model.metrics
    if not fits or (model.dimensions and index["dimension"] not in model.dimensions):
        raise ApiError(400, f"Bad request. The index does not fit the vectors of {wanted.model}.")
    index["embed"] = merged(embed, {name: value for name, value in wanted.sent().items() if value is not None})


def _remove(store: Store, index: Document) -> None:
    """Its schedules go with it, its backups stay."""
    store.delete("index", f"{index['project_id']}/{index['name']}")
    for schedule in store.latest.all("schedule", index_id=index["index_id"]):
        store.delete("schedule", schedule["schedule_id"])


def _unknown(name: str) -> ApiError:
    return ApiError(404, f"Index {name} not found.")


def _key(call: Call, name: str) -> str:
    return f"{call.caller}/{name}"


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
