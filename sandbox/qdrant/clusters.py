"""Clusters: made and changed while one waits, healthy at the next look at them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer
from sandbox.qdrant import booking
from sandbox.qdrant.access import ACCOUNT, now
from sandbox.qdrant.wire import Wire
from sandbox.store import Document, Store

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_BYTES_PER_DIMENSION = 6
"""Four of a 32-bit number, and half as much again: Qdrant's own rule of thumb for memory."""

_NO_RISK, _EXCEEDS = (f"CLUSTER_DOWNSCALE_RISK_STATUS_{word}" for word in ("NO_RISK", "USAGE_EXCEEDS_TARGET"))


class Configuration(Wire):
    number_of_nodes: int = Field(ge=1, le=100)
    package_id: str
    version: str | None = None
    additional_resources: dict[str, int] | None = None
    database_configuration: dict[str, Any] | None = None
    allowed_ip_source_ranges: list[str] | None = None
    reserved_cpu_percentage: int | None = Field(None, ge=1, le=80)
    reserved_memory_percentage: int | None = Field(None, ge=1, le=80)
    restart_policy: str | None = Field(None, pattern="^CLUSTER_CONFIGURATION_RESTART_POLICY_")
    rebalance_strategy: str | None = Field(None, pattern="^CLUSTER_CONFIGURATION_REBALANCE_STRATEGY_")
    cluster_storage_configuration: dict[str, str] | None = None


class Label(Wire):
    key: str
    value: str = ""


class Cluster(Wire):
    name: str
    cloud_provider_id: str
    cloud_provider_region_id: str
    labels: list[Label] | None = None
    cost_allocation_label: str | None = None
    configuration: Configuration


class Sent(Wire):
    cluster: Cluster


def list_clusters(call: Call) -> Response:
    provider, region = call.query("cloudProviderId"), call.query("cloudProviderRegionId")
    found = [
        shown(call, one)
        for one in call.store.all("cluster")
        if provider in (None, one["cloudProviderId"]) and region in (None, one["cloudProviderRegionId"])
    ]
    return answer(paged(call, found))


def create_cluster(call: Call) -> Response:
    """Names are not unique."""
    sent = call.body(Sent).cluster
    _refuse_wrong(sent)
    configuration = sent.configuration.sent()
    made: Document = {
        **sent.sent(),
        "id": str(uuid4()),
        "accountId": ACCOUNT,
        "createdAt": now(),
        "configuration": {"version": booking.RELEASES[-1], **configuration, "lastModifiedAt": now()},
        "phase": "CREATING",
    }
    return answer({"cluster": shown(call, call.store.put("cluster", made["id"], made))})


def read_cluster(call: Call) -> Response:
    """Whatever was going on is done when somebody looks at a cluster by itself."""
    found = cluster_of(call)
    if found["phase"] not in ("HEALTHY", "SUSPENDED"):
        found = call.store.put("cluster", found["id"], found | {"phase": "HEALTHY"})
    return answer({"cluster": shown(call, found)})


def update_cluster(call: Call) -> Response:
    """Replaces the whole; a cluster does not move."""
    found, sent = cluster_of(call), call.body(Sent).cluster
    if (sent.cloud_provider_id, sent.cloud_provider_region_id) != (
        found["cloudProviderId"],
        found["cloudProviderRegionId"],
    ):
        raise ApiError(400, "cluster.cloud_provider_id and cloud_provider_region_id cannot be changed after creation")
    _refuse_wrong(sent)
    kept = {name: found[name] for name in ("id", "accountId", "createdAt")}
    configuration = {"version": found["configuration"]["version"], **sent.configuration.sent(), "lastModifiedAt": now()}
    scaled = configuration["numberOfNodes"] != found["configuration"]["numberOfNodes"]
    changed = {**sent.sent(), **kept, "configuration": configuration, "phase": "SCALING" if scaled else "UPDATING"}
    return answer({"cluster": shown(call, call.store.put("cluster", found["id"], changed))})


def delete_cluster(call: Call) -> Response:
    """With its keys, its schedules and all that is in its database."""
    id_ = cluster_of(call)["id"]
    for kind in ("database_key", "schedule"):
        for one in call.store.all(kind, clusterId=id_):
            call.store.delete(kind, one["id"])
    for kind in ("collection", "alias"):
        for one in call.store.all(kind, cluster=id_):
            call.store.delete(kind, f"{id_}/{one['name']}")
    call.store.delete("cluster", id_)
    return answer({})


def read_downscale_risk(call: Call) -> Response:
    """Whether the vectors that are there fit into the memory of another package."""
    found = cluster_of(call)
    wanted = booking.package(found["cloudProviderId"], found["cloudProviderRegionId"], call.query("packageId") or "")
    if wanted is None:
        raise ApiError(400, "packageId: there is no such package in the cluster's region")
    memory = int(wanted["resourceConfiguration"]["ram"].removesuffix("GiB")) << 30
    used = _memory_used(call.store.latest, found["id"]) // found["configuration"]["numberOfNodes"]
    reason = f"{used / 2**30:.1f} GiB of memory are used, the package has {memory >> 30} GiB" if used > memory else ""
    risk = {"resource": "CLUSTER_DOWNSCALE_RISK_RESOURCE_MEMORY", "status": _EXCEEDS if reason else _NO_RISK}
    return answer({"downscaleRisks": [{**risk, "reason": reason}]})


def cluster_of(call: Call, id_: str | None = None) -> Document:
    found = call.store.get("cluster", id_ or call.path("cluster"))
    if found is None:
        raise ApiError(404, "cluster not found")
    return found


def shown(call: Call, cluster: Document) -> Document:
    """A cluster as the API tells of it; its database is at an address of the sandbox."""
    healthy = cluster["phase"] == "HEALTHY"
    base = call.request.base_url
    endpoint = {
        "url": str(base.replace(path=f"/qdrant/databases/{cluster['id']}", port=None)),
        "restPort": base.port,
        "grpcPort": 6334,
    }
    state = {
        "version": cluster["configuration"]["version"],
        "nodesUp": cluster["configuration"]["numberOfNodes"] if healthy else 0,
        "phase": f"CLUSTER_PHASE_{cluster['phase']}",
        "reason": "",
        "endpoint": endpoint,
        "jwtRbac": True,
    }
    return {name: value for name, value in cluster.items() if name != "phase"} | {"state": state}


def paged(call: Call, items: list[Document]) -> Document:
    """One page where the client asks for pages, else everything."""
    if call.query("pageSize") is None:
        return {"items": items}
    size, start = call.number("pageSize", 100, 1, 1000), call.number("pageToken", 0, 0)
    page: Document = {"items": items[start : start + size], "totalSize": len(items)}
    return page | ({"nextPageToken": str(start + size)} if start + size < len(items) else {})


def _refuse_wrong(sent: Cluster) -> None:
    if mistakes := list(_mistakes(sent)):
        raise ApiError(400, "validation error: " + "; ".join(mistakes))


def _mistakes(sent: Cluster) -> Iterable[str]:
    if not _NAME.fullmatch(sent.name):
        yield "cluster.name: only letters, numbers, underscores and dashes are allowed"
    if sent.cloud_provider_region_id not in booking.REGIONS.get(sent.cloud_provider_id, ()):
        yield "cluster.cloud_provider_region_id: there is no such region"
        return
    package = booking.package(sent.cloud_provider_id, sent.cloud_provider_region_id, sent.configuration.package_id)
    if package is None:
        yield "cluster.configuration.package_id: there is no such package in this region"
    elif package["type"] == "free" and sent.configuration.number_of_nodes > 1:
        yield "cluster.configuration.number_of_nodes: a free cluster has one node"
    if sent.configuration.version not in (None, *booking.RELEASES):
        yield f"cluster.configuration.version: available are {', '.join(booking.RELEASES)}"


def _memory_used(store: Store, cluster: str) -> int:
    return sum(
        one["points"] * size * _BYTES_PER_DIMENSION
        for one in store.all("collection", cluster=cluster)
        for size in one["sizes"]
    )
