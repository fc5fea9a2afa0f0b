"""Our provider of Qdrant against the emulator: every exchange that it has fits the vendor's specifications."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from pulumi.runtime.proto import provider_pb2

from providers import base, qdrant, qdrant_cloud, qdrant_database
from providers.base.inventory import Inventory
from providers.base.survey import resources_of, survey
from sandbox.qdrant import PLATFORM
from tests.contract import qdrant_specs
from tests.unit.base_platform import Engine, FailedError, State

CLUSTER: dict[str, Any] = {
    "name": "sophia-dev",
    "cloud_provider_id": "aws",
    "cloud_provider_region_id": "us-east-1",
    "number_of_nodes": 1,
    "size": {"ram": "4GiB", "cpu": "1000m", "disk": "16GiB"},
    "labels": {"stage": "dev"},
    "allowed_ip_source_ranges": ["10.0.0.0/8"],
}
VECTORS = {"text": {"size": 1536, "distance": "Cosine"}}


class Qdrant:
    """The emulator, looked at from outside, and ways to harm what our provider asks it."""

    def __init__(self, emulator: Any, spec: Callable[[str], Any]) -> None:
        self.credentials = emulator.credentials
        self.stores = emulator.app.state.stores
        self.requests: list[str] = []
        self.lost: list[str] = []
        self.refused: list[str] = []
        self._spec = spec
        self._cloud = qdrant_specs.cloud(spec)

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stores("qdrant").all(kind)
        return found

    def sent(self, request: httpx.Request) -> None:
        self.requests.append(f"{request.method} {request.url.path.rpartition('/')[2]}")

    def answered(self, response: httpx.Response) -> None:
        """The platform did it, and for those in ``lost`` nobody hears of it."""
        response.read()
        request, asked = response.request, self.requests[-1]
        self._check(request, response)
        if asked in self.lost:
            self.lost.remove(asked)
            raise httpx.ReadError("the connection was closed", request=request)

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        url = str(request.url)
        where, _, inside = url.partition("/databases/")
        spec = self._cloud
        if inside:
            spec = qdrant_specs.database(self._spec, f"{where}/databases/{inside.partition('/')[0]}")
        sent = json.loads(request.content) if request.content else None
        answered = response.json() if "json" in response.headers.get("content-type", "") else None
        spec.check(request.method, url, response.status_code, sent, answered)


@pytest.fixture
def platform(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Qdrant]:
    emulator = Qdrant(serve(PLATFORM), spec)
    for name, value in emulator.credentials.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    new_run(monkeypatch)
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [emulator.sent], "response": [emulator.answered]}
    with ExitStack() as clients:
        for api in (qdrant_cloud.CLOUD, qdrant_database.DATABASE):
            client = httpx.Client(event_hooks=hooks, trust_env=False)
            monkeypatch.setitem(api.__dict__, "client", clients.enter_context(client))
        yield emulator


def new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())
    qdrant_cloud._packages.cache_clear()


def make(resource: type[base.Resource], **inputs: Any) -> State:
    return Engine(resource, "main").create(**inputs)


@pytest.fixture
def cluster(platform: Qdrant) -> State:
    return make(qdrant.Cluster, **CLUSTER)


@pytest.fixture
def database(cluster: State) -> dict[str, Any]:
    """The inputs by which everything in the cluster's database is reached."""
    key = make(qdrant.DatabaseKey, cluster_id=cluster.id, name="stack")
    address = qdrant_database.address(cluster.outputs["url"], cluster.outputs["rest_port"])
    return {"cluster": cluster.id, "address": address, "api_key": key.outputs["key"]}


def test_a_cluster_is_waited_for_and_reads_back_as_it_was_asked_for(
    platform: Qdrant, cluster: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert platform.all("cluster")[0]["phase"] == "HEALTHY"
    engine = Engine(qdrant.Cluster, "main")
    assert not engine.changes(cluster, **CLUSTER)
    new_run(monkeypatch)
    seen = engine.read(cluster)
    assert seen
    assert seen.inputs == cluster.inputs
    assert seen.outputs["url"].startswith("http://127.0.0.1")


def test_a_change_leaves_what_the_settings_do_not_say(platform: Qdrant, cluster: State) -> None:
    store = platform.stores("qdrant")
    by_hand = platform.all("cluster")[0]
    by_hand["configuration"]["reservedCpuPercentage"] = 35
    store.put("cluster", cluster.id, by_hand)
    Engine(qdrant.Cluster, "main").update(cluster, **{**CLUSTER, "number_of_nodes": 3})
    (changed,) = platform.all("cluster")
    assert changed["configuration"]["numberOfNodes"] == 3
    assert changed["configuration"]["reservedCpuPercentage"] == 35, "PUT replaces the whole"
    assert changed["phase"] == "HEALTHY", "it is waited for"


def test_a_cluster_is_not_made_too_small_for_its_data(
    platform: Qdrant, cluster: State, database: dict[str, Any]
) -> None:
    make(qdrant.Collection, **database, name="calls_v1", vectors=VECTORS)
    full = platform.all("collection")[0] | {"points": 400_000}
    platform.stores("qdrant").put("collection", f"{cluster.id}/calls_v1", full)
    smaller = {**CLUSTER, "size": {"ram": "2GiB", "cpu": "500m", "disk": "8GiB"}}
    with pytest.raises(FailedError, match=r"not made smaller.* GiB of memory are used, the package has 2 GiB"):
        Engine(qdrant.Cluster, "main").update(cluster, **smaller)
    assert "PUT " + cluster.id not in platform.requests


def test_a_size_that_is_not_sold_is_refused_with_those_that_are(platform: Qdrant) -> None:
    wrong = {**CLUSTER, "size": {"ram": "3GiB", "cpu": "1000m", "disk": "16GiB"}}
    told = str(Engine(qdrant.Cluster, "main").failing_create(**wrong))
    assert "no package with 3GiB" in told
    assert "4GiB 1000m 16GiB" in told
    assert platform.all("cluster") == []


def test_a_cluster_does_not_move(cluster: State) -> None:
    engine = Engine(qdrant.Cluster, "main")
    wanted = {**CLUSTER, "cloud_provider_region_id": "us-west-2"}
    olds, news = engine.struct(cluster.inputs), engine.struct(wanted)
    answered = engine.call("Check", provider_pb2.CheckRequest(urn=engine.urn, olds=olds, news=news))
    (failure,) = answered.failures
    assert failure.property == "cloud_provider_region_id"
    assert "restore a backup" in failure.reason


def test_a_backup_schedule_lives(platform: Qdrant, cluster: State) -> None:
    given = {"cluster_id": cluster.id, "display_name": "Nightly", "schedule": "0 3 * * *", "retention_days": 14}
    engine = Engine(qdrant.BackupSchedule, "nightly")
    made = engine.create(**given)
    assert platform.all("schedule")[0]["retentionPeriod"] == "1209600s"
    assert platform.all("schedule")[0]["displayName"] == "Nightly (managed by sophia-ai/dev)"
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    changed = engine.update(made, **{**given, "retention_days": 30})
    assert platform.all("schedule")[0]["retentionPeriod"] == "2592000s"
    engine.delete(changed)
    assert platform.all("schedule") == []


def test_a_database_key_may_do_what_its_rules_say(platform: Qdrant, cluster: State, database: dict[str, Any]) -> None:
    make(qdrant.Collection, **database, name="calls_v1", vectors=VECTORS)
    engine = Engine(qdrant.DatabaseKey, "reader")
    given = {"cluster_id": cluster.id, "name": "reader", "collections": {"calls_v1": "READ_ONLY"}}
    made = engine.create(**given)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    with httpx.Client(base_url=database["address"], headers={"api-key": made.outputs["key"]}) as client:
        assert client.get("/collections/calls_v1").status_code == 200
        assert client.put("/collections/other", json={"vectors": VECTORS}).status_code == 403
        assert client.get("/collections").status_code == 403


@pytest.mark.parametrize(
    ("resource", "given", "kind"),
    [(qdrant.DatabaseKey, {"name": "mcp"}, "database_key"), (qdrant.ManagementKey, {}, "management_key")],
    ids=["database", "management"],
)
def test_a_key_is_shown_once_and_is_a_secret(
    platform: Qdrant, cluster: State, resource: type[base.Resource], given: dict[str, Any], kind: str
) -> None:
    place = {"cluster_id": cluster.id} if kind == "database_key" else {}
    engine = Engine(resource, "mcp")
    made = engine.create(**given, **place)
    assert "key" in made.secrets
    seen = engine.read(made)
    assert seen
    assert seen.outputs["key"] == made.outputs["key"], "no read shows it, it is kept"
    assert made.outputs["key"] not in json.dumps(platform.all(kind))
    engine.delete(seen)
    assert platform.all(kind) == []


def test_a_database_key_that_was_lost_is_made_anew(platform: Qdrant, cluster: State) -> None:
    platform.lost = ["POST database-api-keys"]
    made = make(qdrant.DatabaseKey, cluster_id=cluster.id, name="mcp")
    assert made.outputs["key"]
    (kept,) = platform.all("database_key")
    assert kept["id"] == made.id, "the one whose value nobody knows is not left behind"


def test_a_management_key_that_may_be_lost_is_left_to_a_person(platform: Qdrant) -> None:
    """Nothing tells it from the others: deleting a wrong one would lock somebody out."""
    platform.lost = ["POST management-keys"]
    told = str(Engine(qdrant.ManagementKey, "ci").failing_create())
    assert "no way to see whether it was made" in told
    assert platform.requests.count("POST management-keys") == 1


def collection(database: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        **database,
        "name": "calls_v1",
        "vectors": VECTORS,
        "tuning": {"text": {"on_disk": True}},
        "sparse_vectors": {"words": {"modifier": "idf"}},
        "hnsw_config": {"m": 32},
        "on_disk_payload": True,
        "strict_mode_config": {"enabled": True, "unindexed_filtering_retrieve": False},
        "metadata": {"model": "text-embedding-3-small", "owner": "data"},
        "purpose": "Calls",
    }
    return {**given, **changes}


def test_a_collection_reads_back_as_it_was_asked_for(platform: Qdrant, database: dict[str, Any]) -> None:
    engine = Engine(qdrant.Collection, "calls.v1")
    made = engine.create(**collection(database))
    (live,) = platform.all("collection")
    assert live["config"]["metadata"]["purpose"] == "Calls (managed by sophia-ai/dev)"
    assert live["config"]["params"]["vectors"]["text"] == {"size": 1536, "distance": "Cosine", "on_disk": True}
    seen = engine.read(made)
    assert seen
    assert {**seen.inputs, "api_key": made.inputs["api_key"]} == made.inputs
    assert not engine.changes(seen, **collection(database))


def test_no_key_of_a_database_is_in_the_outputs(database: dict[str, Any]) -> None:
    engine = Engine(qdrant.Collection, "calls.v1")
    made = engine.create(**collection(database))
    seen = engine.read(made)
    assert seen
    for state in (made, seen):
        assert database["api_key"] not in json.dumps(state.outputs)


def test_another_key_of_the_database_changes_nothing_and_is_used_from_then_on(
    platform: Qdrant, cluster: State, database: dict[str, Any]
) -> None:
    engine = Engine(qdrant.Collection, "calls.v1")
    made = engine.create(**collection(database))
    second = make(qdrant.DatabaseKey, cluster_id=cluster.id, name="stack 2")
    renewed = {**database, "api_key": second.outputs["key"]}
    assert not engine.changed(made, **collection(renewed)), "a rotation would touch every collection"
    old = next(key for key in platform.all("database_key") if key["name"] == "stack")
    platform.stores("qdrant").delete("database_key", old["id"])
    made.inputs, _ = engine.check(**collection(renewed))
    assert engine.read(made)


def test_what_can_be_changed_of_a_collection_is_changed(platform: Qdrant, database: dict[str, Any]) -> None:
    engine = Engine(qdrant.Collection, "calls.v1")
    made = engine.create(**collection(database))
    wanted = collection(
        database,
        tuning={"text": {"on_disk": False}},
        hnsw_config={"m": 24},
        replication_factor=2,
        metadata={"model": "other"},
        quantization_config={"scalar": {"type": "int8", "always_ram": True}},
    )
    changed = engine.update(made, **wanted)
    config = platform.all("collection")[0]["config"]
    assert (config["params"]["replication_factor"], config["hnsw_config"]["m"]) == (2, 24)
    assert config["params"]["vectors"]["text"] == {"size": 1536, "distance": "Cosine", "on_disk": False}
    assert config["metadata"] == {"model": "other", "purpose": "Calls (managed by sophia-ai/dev)"}
    engine.update(changed, **{**wanted, "quantization_config": None})
    assert platform.all("collection")[0]["config"]["quantization_config"] is None


def test_a_vector_without_a_name(platform: Qdrant, database: dict[str, Any]) -> None:
    engine = Engine(qdrant.Collection, "calls.v1")
    given = {**database, "name": "plain", "vectors": {"-": {"size": 4, "distance": "Dot"}}}
    made = engine.create(**given)
    assert platform.all("collection")[0]["config"]["params"]["vectors"] == {"size": 4, "distance": "Dot"}
    seen = engine.read(made)
    assert seen
    assert seen.inputs["vectors"] == made.inputs["vectors"]
    engine.update(made, **given, tuning={"-": {"on_disk": True}})
    assert platform.all("collection")[0]["config"]["params"]["vectors"]["on_disk"] is True


def test_a_collection_whose_creation_was_not_answered_is_found(platform: Qdrant, database: dict[str, Any]) -> None:
    platform.lost = ["PUT calls_v1"]
    make(qdrant.Collection, **collection(database))
    assert platform.requests.count("PUT calls_v1") == 1


def test_somebody_elses_collection_is_not_taken(platform: Qdrant, database: dict[str, Any]) -> None:
    with httpx.Client(base_url=database["address"], headers={"api-key": database["api_key"]}) as client:
        client.put("/collections/calls_v1", json={"vectors": VECTORS["text"] | {"size": 8}})
    told = str(Engine(qdrant.Collection, "calls.v1").failing_create(**collection(database)))
    assert "exists already" in told
    assert "not managed by this stack" in told


def test_an_alias_is_switched_in_one_step(platform: Qdrant, database: dict[str, Any]) -> None:
    for version in ("v1", "v2"):
        make(qdrant.Collection, **database, name=f"calls_{version}", vectors=VECTORS)
    engine = Engine(qdrant.Alias, "calls")
    made = engine.create(**database, name="calls", collection="calls_v1")
    switched = engine.update(made, **database, name="calls", collection="calls_v2")
    assert platform.requests.count("POST aliases") == 2
    assert [alias["collection"] for alias in platform.all("alias")] == ["calls_v2"]
    seen = engine.read(switched)
    assert seen
    assert seen.inputs["collection"] == "calls_v2"
    engine.delete(switched)
    assert platform.all("alias") == []


def test_an_index_is_built_and_another_schema_builds_it_anew(platform: Qdrant, database: dict[str, Any]) -> None:
    make(qdrant.Collection, **database, name="calls_v1", vectors=VECTORS)
    engine = Engine(qdrant.PayloadIndex, "calls.v1.tenant")
    given = {**database, "collection": "calls_v1", "field": "tenant.id"}
    made = engine.create(**given, field_schema={"type": "keyword", "is_tenant": True})
    seen = engine.read(made)
    assert seen
    assert seen.inputs["field_schema"] == {"type": "keyword", "is_tenant": True}
    assert engine.diff(made, **given, field_schema={"type": "uuid"}).deleteBeforeReplace
    engine.delete(made)
    assert platform.all("collection")[0]["indexes"] == {}
    assert engine.read(made) is None


def test_a_key_that_the_database_does_not_take_is_told_without_it(database: dict[str, Any]) -> None:
    wrong = {**database, "api_key": "a-key-of-yesterday"}
    told = str(Engine(qdrant.Collection, "calls.v1").failing_create(**collection(wrong)))
    assert "error[credentials]" in told
    assert "403 forbidden" in told
    assert "sophia-ai:qdrant.collections.calls.v1" in told
    assert "a-key-of-yesterday" not in told


def test_what_the_management_key_may_see_is_surveyed(cluster: State, database: dict[str, Any]) -> None:
    given = {"cluster_id": cluster.id, "display_name": "Nightly", "schedule": "0 3 * * *", "retention_days": 14}
    make(qdrant.BackupSchedule, **given)
    make(qdrant.Collection, **collection(database))
    found = {(one.resource.__name__, one.container): one.owner for one in survey(resources_of("qdrant"))}
    assert found == {
        ("Cluster", None): None,
        ("BackupSchedule", cluster.id): "sophia-ai/dev",
        ("DatabaseKey", cluster.id): None,
    }, "what is in a database is opened by the database's own keys only"
