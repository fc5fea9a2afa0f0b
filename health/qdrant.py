"""Qdrant: whether the management key is taken, how the stack's clusters are, and what becomes of its keys.

Source of facts: qdrant/qdrant-cloud-public-api (clusters, database keys, management keys).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from health.asking import Client
from health.base import (
    Answer,
    Credential,
    Health,
    Known,
    Minted,
    Probe,
    Problem,
    Reading,
    Resource,
    Service,
    Subject,
    Verdict,
    moment,
    variable,
)
from providers.qdrant_cloud import CLOUD, CLUSTERS, DATABASE_KEYS, MANAGEMENT_KEYS

KEY = "QDRANT_CLOUD_MANAGEMENT_KEY"
ACCOUNT = "QDRANT_CLOUD_ACCOUNT_ID"

_CLUSTER = "pulumi-python:dynamic/qdrant:Cluster"
_WELL = ("HEALTHY",)
_PASSING = ("CREATING", "UPDATING", "SCALING", "UPGRADING", "RESUMING")


def _of_account(path: str) -> str:
    return path.format(account=variable(ACCOUNT))


def _management_key(answer: Answer) -> Reading:
    """Which of the keys it is that asks, its beginning tells."""
    asking = variable(KEY)
    for key in answer.document.get("items", []):
        if key.get("prefix") and asking.startswith(key["prefix"]):
            return Reading(known={KEY: Known(True, made=moment(key.get("createdAt")))})
    return Reading(known={KEY: Known(True)})


def _clusters(answer: Answer) -> Reading:
    return Reading(tuple(_ailing(answer)))


def _ailing(answer: Answer) -> Iterator[Problem]:
    phases = {one["id"]: one.get("state") or {} for one in answer.document.get("items", [])}
    for cluster in answer.subject.of_type(_CLUSTER):
        setting = f"sophia-ai:qdrant.clusters.{cluster.name}"
        state = phases.get(cluster.id)
        if state is None:
            do = "look at it with `sophia drift`; a backup outlives its cluster (docs/qdrant.md)"
            yield Problem(f"cluster {cluster.name} is not there any more", do, setting)
            continue
        phase = str(state.get("phase", "")).removeprefix("CLUSTER_PHASE_")
        if phase not in _WELL:
            verdict: Verdict = "degraded" if phase in _PASSING else "failing"
            said = f"cluster {cluster.name} is {phase.lower().replace('_', ' ')}"
            reason = f": {state['reason']}" if state.get("reason") else ""
            yield Problem(said + reason, "look at it in Qdrant Cloud, Clusters; its log is there", setting, verdict)


def _database_key(client: Client, key: Resource, _: Subject) -> Known:
    params = {"clusterId": str(key.outputs.get("cluster_id") or "")}
    shown = client.send("GET", _of_account(DATABASE_KEYS), params=params).json().get("items", [])
    found = next((one for one in shown if one["id"] == key.id), None)
    if found is None:
        return Known(False, said="it is not there any more")
    made, expires = moment(found.get("createdAt")), moment(found["expiresAt"]) if found.get("expiresAt") else None
    if expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
        return Known(False, made, expires, "it has expired")
    return Known(True, made, expires)


def _minted_management_key(client: Client, key: Resource, _: Subject) -> Known:
    shown = client.send("GET", _of_account(MANAGEMENT_KEYS)).json().get("items", [])
    found = next((one for one in shown if one["id"] == key.id), None)
    return Known(True, moment(found.get("createdAt"))) if found else Known(False, said="it is not there any more")


HEALTH = Health(
    platform="qdrant",
    title="Qdrant",
    service=Service.of(CLOUD, status_page="https://status.qdrant.io"),
    probes=(
        Probe("management key", lambda _: _of_account(MANAGEMENT_KEYS), credentials=(KEY,), read=_management_key),
        Probe("clusters", lambda _: _of_account(CLUSTERS), credentials=(KEY,), read=_clusters),
    ),
    credentials=(
        Credential(
            KEY, "another key (POST management-keys), then the old one is deleted: several work at a time", by_api=True
        ),
    ),
    identifiers=(ACCOUNT,),
    minted=(
        Minted(
            "pulumi-python:dynamic/qdrant:DatabaseKey",
            "database key",
            "the next `generation` in the settings: the one before it stays valid until the one after it",
            by_api=True,
            ask=_database_key,
        ),
        Minted(
            "pulumi-python:dynamic/qdrant:ManagementKey",
            "management key",
            "the next `generation` in the settings: the new key is there before the old one goes",
            by_api=True,
            ask=_minted_management_key,
        ),
    ),
)
