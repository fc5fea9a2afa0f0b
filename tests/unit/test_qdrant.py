"""Qdrant: what holds data stays, keys may do no more than they must, and versions stand beside each other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from components.qdrant import Qdrant, QdrantSettings
from components.settings import Stage
from health.base import Answer, Resource, Subject
from health.qdrant import HEALTH
from providers import qdrant_cloud
from providers.qdrant_database import address

Deploy = Callable[..., Any]

V1: dict[str, Any] = {
    "vectors": {"text": {"size": 1536, "on_disk": True}},
    "sparse_vectors": {"words": {"idf": True}},
    "indexes": {"property_id": {"type": "keyword", "is_tenant": True}, "said_at": "datetime"},
}
SETTINGS: dict[str, Any] = {
    "clusters": {
        "main": {
            "name": "sophia-dev",
            "provider": "aws",
            "region": "us-east-1",
            "size": {"memory": "4GiB", "cpu": "1000m", "disk": "16GiB"},
        }
    },
    "backups": {"nightly": {"cluster": "main", "name": "Nightly", "schedule": "0 8 * * *", "retention_days": 7}},
    "collections": {"calls": {"database": "main", "alias": "calls", "current": "v1", "versions": {"v1": V1}}},
    "keys": {"agents": {"cluster": "main", "name": "Agents", "collections": {"calls": "read-only"}}},
}
COMPUTED: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "pulumi-python:dynamic/qdrant:Cluster": lambda _name, _inputs: {
        "url": "https://c-1.us-east-1-0.aws.cloud.qdrant.io",
        "rest_port": 6333,
    },
    "pulumi-python:dynamic/qdrant:DatabaseKey": lambda name, _inputs: {"key": f"key of {name}"},
}


def changed(*path: str, to: Any) -> dict[str, Any]:
    """The settings with another value at one place."""
    settings = copy.deepcopy(SETTINGS)
    inside = settings
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = to
    return settings


def run(deploy: Deploy, settings: dict[str, Any] | None = None, stage: Stage = Stage.DEV) -> Any:
    parsed = QdrantSettings.model_validate(settings or SETTINGS)
    return deploy(lambda: Qdrant("qdrant", parsed, stage=stage, outputs={}), computed=COMPUTED)


@pytest.mark.parametrize("stage", Stage)
def test_what_holds_data_stays_in_prod(deploy: Deploy, stage: Stage) -> None:
    deployment = run(deploy, stage=stage)
    for kind in ("Cluster", "Collection"):
        kept = deployment.one(kind)
        assert (kept.protect, kept.retain_on_delete) == (stage is Stage.PROD,) * 2, f"{kind}: points would be lost"


def test_a_collection_is_reached_by_the_address_and_the_key_that_the_stack_makes(deploy: Deploy) -> None:
    deployment = run(deploy)
    for kind, name in (
        ("Collection", "calls.versions.v1"),
        ("PayloadIndex", "calls.versions.v1.indexes.said_at"),
        ("Alias", "calls"),
    ):
        found = deployment.one(kind, name)
        assert found.inputs["address"] == "https://c-1.us-east-1-0.aws.cloud.qdrant.io:6333"
        assert found.inputs["api_key"] == "key of main.manager"
        assert "api_key" in found.secrets


def test_an_alias_waits_for_every_version_and_its_indexes(deploy: Deploy) -> None:
    settings = changed("collections", "calls", "versions", to={"v1": V1, "v2": V1})
    settings["collections"]["calls"]["current"] = "v2"
    deployment = run(deploy, settings)
    alias = deployment.one("Alias")
    assert alias.inputs["collection"] == "calls_v2"
    needed = {one.urn for kind in ("Collection", "PayloadIndex") for one in deployment.of(kind)}
    assert len(needed) == 6
    assert needed <= alias.depends_on, "programs would search in a collection that is not there, or without its indexes"


def test_a_key_may_read_a_collection_under_all_its_names_and_nothing_else(deploy: Deploy) -> None:
    key = run(deploy).one("DatabaseKey", "agents")
    assert key.inputs["collections"] == {"calls": "READ_ONLY", "calls_v1": "READ_ONLY"}
    assert "access" not in key.inputs


def test_the_generation_before_the_present_one_stays_valid(deploy: Deploy) -> None:
    deployment = run(deploy, changed("keys", "agents", "generation", to=2))
    names = {key.name: key.inputs["name"] for key in deployment.of("DatabaseKey")}
    assert names["agents"].startswith("Agents 1-")
    assert names["agents.second"].startswith("Agents 2-")
    (component,) = [one for one in deployment.resources if one.type == "sophia:platform:Qdrant"]
    assert component.outputs["api_keys"] == {"agents": "key of agents.second"}


def test_a_key_with_other_rules_has_another_name(deploy: Deploy) -> None:
    """Nothing of a key can be changed: by its name the new one can be there before the old one goes."""
    read = run(deploy).one("DatabaseKey", "agents").inputs["name"]
    write = run(deploy, changed("keys", "agents", "collections", to={"calls": "read-write"}))
    assert write.one("DatabaseKey", "agents").inputs["name"] != read


def test_a_database_of_others_needs_no_cluster(deploy: Deploy) -> None:
    collections = {"calls": {**SETTINGS["collections"]["calls"], "database": "theirs"}}
    theirs = {"theirs": {"address": "https://qdrant.example.com:6333"}}
    deployment = run(deploy, {"databases": theirs, "collections": collections})
    collection = deployment.one("Collection").inputs
    assert (collection["cluster"], collection["address"]) == ("theirs", "https://qdrant.example.com:6333")
    assert not deployment.of("DatabaseKey")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (changed("collections", "calls", "current", to="v2"), 'no version "v2" is declared'),
        (changed("collections", "calls", "database", to="mian"), 'did you mean "main"'),
        (changed("collections", "calls", "versions", to={"v1": {**V1, "name": "calls"}}), "name of the alias"),
        (changed("collections", "calls", "versions", to={"v1": {"indexes": {}}}), "`vector`, `vectors` or"),
        (changed("collections", "calls", "versions", to={"v1": {**V1, "vector": {"size": 4}}}), "beside `vector`"),
        (changed("collections", "calls", "versions", to={"v1": {**V1, "indexes": {"a": "enum"}}}), "one of the types"),
        (changed("collections", "calls", "versions", to={"v1": {**V1, "replication_factor": 2}}), "1 node"),
        (changed("keys", "agents", to={"cluster": "main", "name": "A"}), "either `access`"),
        (changed("keys", "agents", "collections", to={"call": "read-only"}), 'did you mean "calls"'),
        (changed("backups", "nightly", "schedule", to="daily"), "five fields"),
        (changed("clusters", "main", "size", "memory", to="4 GB"), "whole GiB"),
        (changed("databases", to={"main": {"address": "http://x:6333"}}), "key of a cluster, too"),
    ],
    ids=[
        "version", "database", "alias", "no vectors", "vector and vectors", "index", "replicas", "key for everything",
        "collection", "cron", "size", "ambiguous",
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        QdrantSettings.model_validate(settings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("phase", "ready"),
    [("HEALTHY", True), ("CREATING", False), ("SCALING", False), ("FAILED_TO_CREATE", "failed to create: no disks")],
)
def test_a_cluster_is_waited_for_unless_it_has_failed(phase: str, ready: bool | str) -> None:
    endpoint = {"url": "https://c-1"}
    state = {"phase": f"CLUSTER_PHASE_{phase}", "reason": "no disks", "endpoint": endpoint}
    told = qdrant_cloud.cluster_state({"state": state})
    assert str(ready) in str(told) if isinstance(ready, str) else told is ready


def test_a_healthy_cluster_without_an_address_is_waited_for() -> None:
    assert qdrant_cloud.cluster_state({"state": {"phase": "CLUSTER_PHASE_HEALTHY"}}) is False


@pytest.mark.parametrize(
    ("url", "port", "whole"),
    [
        ("https://c-1.cloud.qdrant.io", 6333, "https://c-1.cloud.qdrant.io:6333"),
        ("http://127.0.0.1/qdrant/databases/c-1", 8900.0, "http://127.0.0.1:8900/qdrant/databases/c-1"),
        ("https://c-1.cloud.qdrant.io", None, "https://c-1.cloud.qdrant.io"),
    ],
)
def test_the_port_belongs_to_the_host(url: str, port: float | None, whole: str) -> None:
    assert address(url, port) == whole


def asked(document: dict[str, Any], *clusters: str) -> Answer:
    """The cloud's answer about a stack that has made these clusters."""
    made = [Resource("pulumi-python:dynamic/qdrant:Cluster", name, f"id-{name}", None, {}) for name in clusters]
    return Answer(httpx.Response(200, json=document), Subject(resources=made))


@pytest.mark.parametrize(
    ("phase", "verdict", "said"),
    [
        ("HEALTHY", None, ""),
        ("SCALING", "degraded", "cluster main is scaling"),
        ("FAILED_TO_UPDATE", "failing", "cluster main is failed to update: no disks"),
        (None, "failing", "not there any more"),
    ],
)
def test_a_cluster_that_is_not_well_is_told_with_its_setting(phase: str | None, verdict: str | None, said: str) -> None:
    reason = {"reason": "no disks"} if phase == "FAILED_TO_UPDATE" else {}
    items = [{"id": "id-main", "state": {"phase": f"CLUSTER_PHASE_{phase}", **reason}}] if phase else []
    (probe,) = [one for one in HEALTH.probes if one.proves == "clusters"]
    problems = probe.read(asked({"items": items}, "main")).problems
    assert [problem.verdict for problem in problems] == ([verdict] if verdict else [])
    for problem in problems:
        assert said in problem.said
        assert problem.setting == "sophia-ai:qdrant.clusters.main"


def test_the_age_of_the_management_key_is_known_by_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_CLOUD_MANAGEMENT_KEY", "0a1b2c3d-secret")
    items = [{"id": "1", "prefix": "ffff", "createdAt": "2026-01-01T00:00:00Z"},
             {"id": "2", "prefix": "0a1b", "createdAt": "2026-08-24T10:30:00Z"}]  # fmt: skip
    (probe,) = [one for one in HEALTH.probes if one.proves == "management key"]
    known = probe.read(asked({"items": items})).known["QDRANT_CLOUD_MANAGEMENT_KEY"]
    assert known.made == "2026-08-24T10:30:00Z"
