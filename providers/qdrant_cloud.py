"""Qdrant Cloud's own API: where it is, which packages it sells, and how its clusters, schedules and keys are spelled.

Source of facts: qdrant/qdrant-cloud-public-api (``gen/openapiv2/qdrant/cloud``), whose paths have the account in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import httpx

from providers import base
from providers.base import Call, Environment, Json, PlatformError, Trouble
from providers.base.calls import at
from providers.base.inputs import merged


def _said(response: httpx.Response) -> str:
    return str(response.json()["message"])


CLOUD = base.Api(
    name="qdrant",
    title="Qdrant Cloud",
    base_url=Environment("QDRANT_CLOUD_URL"),
    auth=base.Bearer(Environment("QDRANT_CLOUD_MANAGEMENT_KEY"), prefix="apikey "),
    said=_said,
    limit=base.Unpublished(),
    constants={"account": Environment("QDRANT_CLOUD_ACCOUNT_ID")},
)

CLUSTERS = "/api/cluster/v1/accounts/{account}/clusters"
SCHEDULES = "/api/cluster/backup/v1/accounts/{account}/backup_schedules"
DATABASE_KEYS = "/api/cluster/auth/v2/accounts/{account}/database-api-keys"
MANAGEMENT_KEYS = "/api/auth/v1/accounts/{account}/management-keys"
_PACKAGES = Call("GET", "/api/booking/v1/accounts/{account}/packages")


class Size(base.Inputs):
    """What each node of a cluster has, in the words of Qdrant's packages: "4GiB", "1000m" (one CPU), "16GiB"."""

    ram: str
    cpu: str
    disk: str
    multi_az: bool = False


@cache
def _packages(_address: str, provider: str, region: str) -> list[Json]:
    """What can be bought in a region; one call in the life of a process."""
    params = {"cloudProviderId": provider, "cloudProviderRegionId": region}
    call = Call(_PACKAGES.method, _PACKAGES.path, params=params)
    items: list[Json] = call.send(CLOUD, {}).get("items", [])
    return items


def _size(package: Json) -> Json:
    resources = package["resourceConfiguration"]
    size = {name: resources[name] for name in ("ram", "cpu", "disk")}
    return {**size, "multi_az": bool(package.get("multiAz"))}


def _sold(provider: str, region: str) -> list[Json]:
    return _packages(CLOUD.base_url.value(), provider, region)


def _package_of(provider: str, region: str, size: Size) -> str:
    """The id of the package with these resources, the cheapest if several have them. Raises ``PlatformError``."""
    active = [one for one in _sold(provider, region) if one.get("status", _ACTIVE) == _ACTIVE]
    fitting = [one for one in active if _size(one) == size.state()]
    if fitting:
        return str(min(fitting, key=lambda one: int(one.get("unitIntPricePerHour") or 0))["id"])
    offered = ", ".join(sorted({f"{s['ram']} {s['cpu']} {s['disk']}" for s in map(_size, active)}))
    raise PlatformError(
        Trouble.INVALID,
        f"{provider} {region} has no package with {size.ram} of memory, {size.cpu} of CPU and {size.disk} of disk",
        do=f"choose one that there is (memory, CPU, disk): {offered}" if offered else "check provider and region",
    )


_ACTIVE = "PACKAGE_STATUS_ACTIVE"

StorageTier = Literal["COST_OPTIMISED", "BALANCED", "PERFORMANCE"]
RestartPolicy = Literal["ROLLING", "PARALLEL", "AUTOMATIC"]
Rebalance = Literal["BY_COUNT", "BY_SIZE", "BY_COUNT_AND_SIZE", "DISABLED"]

_TIER, _RESTART, _REBALANCE = (
    "STORAGE_TIER_TYPE_",
    "CLUSTER_CONFIGURATION_RESTART_POLICY_",
    "CLUSTER_CONFIGURATION_REBALANCE_STRATEGY_",
)


def cluster_body(payload: Json, wanted: base.Inputs) -> Json:
    """A cluster as the API wants it: nearly everything is in its ``configuration``, enumerations have their long names."""
    given = wanted.state()
    configuration: Json = {
        "numberOfNodes": payload.get("number_of_nodes"),
        "version": payload.get("version"),
        "packageId": _package_of(
            given["cloud_provider_id"], given["cloud_provider_region_id"], Size.model_validate(given["size"])
        ),
        "allowedIpSourceRanges": payload.get("allowed_ip_source_ranges"),
        "databaseConfiguration": payload.get("database_configuration"),
    }
    if "additional_disk_gib" in payload:
        configuration["additionalResources"] = {"disk": payload["additional_disk_gib"]}
    if "storage_tier" in payload:
        configuration["clusterStorageConfiguration"] = {"storageTierType": _TIER + payload["storage_tier"]}
    if "restart_policy" in payload:
        configuration["restartPolicy"] = _RESTART + payload["restart_policy"]
    if "rebalance_strategy" in payload:
        configuration["rebalanceStrategy"] = _REBALANCE + payload["rebalance_strategy"]
    labels = payload.get("labels")
    body = {
        "name": payload.get("name"),
        "cloudProviderId": payload.get("cloud_provider_id"),
        "cloudProviderRegionId": payload.get("cloud_provider_region_id"),
        "labels": None if labels is None else [{"key": key, "value": value} for key, value in sorted(labels.items())],
        "configuration": _without_nothing(configuration),
    }
    return _without_nothing(body)


def cluster_shown(document: Json) -> Json:
    """A cluster in the words of our inputs. Its package is told by what is in it, as the settings tell it."""
    configuration = document.get("configuration") or {}
    provider, region = document.get("cloudProviderId", ""), document.get("cloudProviderRegionId", "")
    packages = {one["id"]: one for one in _sold(provider, region)} if configuration.get("packageId") else {}
    package = packages.get(configuration.get("packageId"))
    tier = (configuration.get("clusterStorageConfiguration") or {}).get("storageTierType")
    return {
        "name": document.get("name"),
        "cloud_provider_id": provider,
        "cloud_provider_region_id": region,
        "labels": {label["key"]: label.get("value", "") for label in document.get("labels") or []},
        "number_of_nodes": configuration.get("numberOfNodes"),
        "version": configuration.get("version"),
        "size": _size(package) if package else None,
        "additional_disk_gib": (configuration.get("additionalResources") or {}).get("disk", 0),
        "allowed_ip_source_ranges": configuration.get("allowedIpSourceRanges") or [],
        "database_configuration": configuration.get("databaseConfiguration"),
        "storage_tier": (tier or "").removeprefix(_TIER) or None,
        "restart_policy": configuration.get("restartPolicy", "").removeprefix(_RESTART) or None,
        "rebalance_strategy": configuration.get("rebalanceStrategy", "").removeprefix(_REBALANCE) or None,
    }


_BEING_MADE = ("CREATING", "UPDATING", "SCALING", "UPGRADING", "RESUMING", "NOT_READY", "UNSPECIFIED", "UNKNOWN")
_DELETED = ("DELETING", "NOT_FOUND")


def _phase(document: Json) -> str:
    return str((document.get("state") or {}).get("phase", "UNSPECIFIED")).removeprefix("CLUSTER_PHASE_")


def cluster_state(document: Json) -> bool | str:
    """Ready once it is healthy and says where it is; what failed, or was suspended, does not get there by itself."""
    phase = _phase(document)
    if phase == "HEALTHY":
        return bool(at(document, "state.endpoint.url"))
    if phase in _BEING_MADE:
        return False
    reason = (document.get("state") or {}).get("reason")
    return f"the cluster is {phase.lower().replace('_', ' ')}" + (f": {reason}" if reason else "")


def cluster_deleted(document: Json) -> bool:
    return bool(document.get("deletedAt")) or _phase(document) in _DELETED


READ_CLUSTER = Call("GET", CLUSTERS + "/{id}", answer="cluster")
_PUT_CLUSTER = Call("PUT", CLUSTERS + "/{id}", payload="cluster", answer="cluster")
_RISK = Call("GET", CLUSTERS + "/{id}/downscale-risk", params={"packageId": "{package}"})
_READ_ONLY = ("id", "accountId", "createdAt", "deletedAt", "state")
_NO_RISK = "CLUSTER_DOWNSCALE_RISK_STATUS_NO_RISK"


@dataclass(frozen=True)
class ChangeCluster:
    """Reads, merges and writes, because PUT replaces the whole; before another package, asks whether the data fit in it."""

    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        live = READ_CLUSTER.send(api, values)
        package = at(payload, "configuration.packageId")
        if package != at(live, "configuration.packageId"):
            self._ask(api, {**values, "package": package})
        wanted = {name: value for name, value in merged(live, payload or {}).items() if name not in _READ_ONLY}
        wanted["configuration"] = {n: v for n, v in wanted["configuration"].items() if n != "lastModifiedAt"}
        return _PUT_CLUSTER.send(api, values, wanted)

    def _ask(self, api: base.Api, values: Mapping[str, Any]) -> None:
        risks = [risk for risk in _RISK.send(api, values).get("downscaleRisks", []) if risk["status"] != _NO_RISK]
        if risks:
            reasons = "; ".join(str(risk.get("reason") or risk["status"]) for risk in risks)
            raise PlatformError(
                Trouble.INVALID,
                f"it is not made smaller: {reasons}",
                do="choose a larger size, or delete data first; then run the same command again",
            )


READ_SCHEDULE = Call("GET", SCHEDULES + "/{id}", params={"clusterId": "{cluster_id}"}, answer="backupSchedule")
_DAY = 86_400


def schedule_body(payload: Json, _wanted: base.Inputs) -> Json:
    """A backup schedule, whose retention is a duration of protobuf's in JSON: seconds with an ``s``."""
    body = {name: value for name, value in payload.items() if name != "retention_days"}
    if payload.get("retention_days") is not None:
        body["retentionPeriod"] = f"{payload['retention_days'] * _DAY}s"
    return body


def schedule_shown(document: Json) -> Json:
    seconds = float(str(document.get("retentionPeriod") or "0s").removesuffix("s"))
    return {**document, "retention_days": seconds / _DAY or None}


_GLOBAL, _COLLECTION = "GLOBAL_ACCESS_RULE_ACCESS_TYPE_", "COLLECTION_ACCESS_RULE_ACCESS_TYPE_"
MOST_RULES = 20


def key_body(payload: Json, _wanted: base.Inputs) -> Json:
    """A database key, whose access is a list of rules: one for all, or one a collection."""
    rules: list[Json] = []
    if payload.get("access"):
        rules.append({"globalAccess": {"accessType": _GLOBAL + payload["access"]}})
    for name, access in sorted((payload.get("collections") or {}).items()):
        rules.append({"collectionAccess": {"collectionName": name, "accessType": _COLLECTION + access}})
    body = {name: value for name, value in payload.items() if name not in ("access", "collections")}
    return {**body, "accessRules": rules}


def key_shown(document: Json) -> Json:
    rules = document.get("accessRules") or []
    everywhere = [rule["globalAccess"]["accessType"].removeprefix(_GLOBAL) for rule in rules if "globalAccess" in rule]
    collections = [rule["collectionAccess"] for rule in rules if "collectionAccess" in rule]
    return {
        **document,
        "access": everywhere[0] if everywhere else None,
        "collections": {one["collectionName"]: one["accessType"].removeprefix(_COLLECTION) for one in collections},
    }


def _without_nothing(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}
