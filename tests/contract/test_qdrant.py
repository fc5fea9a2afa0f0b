"""The Qdrant emulator against the vendor's specifications and the vendor's Python client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.qdrant import PLATFORM, access, booking
from tests.contract import qdrant_specs

ACCOUNT = access.ACCOUNT
CLUSTERS = f"/api/cluster/v1/accounts/{ACCOUNT}/clusters"
SCHEDULES = f"/api/cluster/backup/v1/accounts/{ACCOUNT}/backup_schedules"
KEYS = f"/api/cluster/auth/v2/accounts/{ACCOUNT}/database-api-keys"
MANAGEMENT_KEYS = f"/api/auth/v1/accounts/{ACCOUNT}/management-keys"
FREE, SMALL, LARGE = (one["id"] for one in booking.packages("aws", "us-east-1")[:3])
ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Holds every exchange against the specification."""
    key = emulator.credentials["QDRANT_CLOUD_MANAGEMENT_KEY"]
    with emulator.client(qdrant_specs.cloud(spec), Authorization=f"apikey {key}") as client:
        yield client


def cluster(**changes: Any) -> dict[str, Any]:
    configuration = {"numberOfNodes": 1, "packageId": SMALL, **changes.pop("configuration", {})}
    place = {"cloudProviderId": "aws", "cloudProviderRegionId": "us-east-1"}
    return {"cluster": {"name": "main", **place, "configuration": configuration, **changes}}


@pytest.fixture
def main(api: httpx.Client) -> dict[str, Any]:
    """A cluster, healthy."""
    made = api.post(CLUSTERS, json=cluster()).json()["cluster"]
    found: dict[str, Any] = api.get(f"{CLUSTERS}/{made['id']}").json()["cluster"]
    return found


def database_key(api: httpx.Client, cluster_id: str, *rules: dict[str, Any]) -> str:
    sent = {"clusterId": cluster_id, "name": "test", "accessRules": list(rules)}
    return str(api.post(KEYS, json={"databaseApiKey": sent}).json()["databaseApiKey"]["key"])


def where(cluster: dict[str, Any]) -> str:
    endpoint = cluster["state"]["endpoint"]
    return str(httpx.URL(endpoint["url"]).copy_with(port=endpoint["restPort"]))


@pytest.fixture
def database(
    api: httpx.Client, emulator: Any, spec: Callable[[str], Any], main: dict[str, Any]
) -> Iterator[httpx.Client]:
    """The cluster's database, as a key for everything sees it."""
    address = where(main)
    headers = {"api-key": database_key(api, main["id"])}
    with emulator.client(qdrant_specs.database(spec, address), **headers) as client:
        client.base_url = address
        yield client


VECTORS = {"vectors": {"text": {"size": 4, "distance": "Cosine"}}}


def test_faults_have_the_shapes_of_both_apis(spec: Callable[[str], Any]) -> None:
    failed = PLATFORM.failure(429, "slow down")
    document = json.loads(bytes(failed.body))
    assert (document["code"], document["message"]) == (8, "slow down")
    assert document["status"] == {"error": "slow down"}


def test_without_a_key_nothing_opens(api: httpx.Client) -> None:
    for value in ("", "apikey wrong", f"Bearer {access.MANAGEMENT_KEY}"):
        refused = api.get(CLUSTERS, headers={"Authorization": value})
        assert (refused.status_code, refused.json()["code"]) == (401, 16)
    assert api.get(CLUSTERS.replace(ACCOUNT, ABSENT)).status_code == 403, "an account of somebody else"


def test_a_cluster_becomes_healthy_and_tells_where_it_is(api: httpx.Client) -> None:
    made = api.post(CLUSTERS, json=cluster()).json()["cluster"]
    assert made["state"]["phase"] == "CLUSTER_PHASE_CREATING"
    assert made["configuration"]["version"] in booking.RELEASES, "the latest one is filled in"
    found = api.get(f"{CLUSTERS}/{made['id']}").json()["cluster"]
    assert found["state"]["phase"] == "CLUSTER_PHASE_HEALTHY"
    assert httpx.get(where(found) + "/readyz").text == "all shards are ready"
    assert api.delete(f"{CLUSTERS}/{made['id']}").json() == {}
    assert api.get(f"{CLUSTERS}/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (cluster(name="no spaces"), "name"),
        (cluster(cloudProviderRegionId="moon-1"), "region"),
        (cluster(configuration={"packageId": ABSENT}), "package"),
        (cluster(configuration={"packageId": FREE, "numberOfNodes": 2}), "one node"),
        (cluster(configuration={"version": "v0.1.0"}), "version"),
        (cluster(configuration={"numberOfNodes": 0}), "numberOfNodes"),
        (cluster(configuration={"restartPolicy": "NEVER"}), "restartPolicy"),
        ({"cluster": {"name": "main"}}, "configuration"),
    ],
)
def test_a_wrong_cluster_is_refused_by_name(api: httpx.Client, wrong: dict[str, Any], named: str) -> None:
    refused = api.post(CLUSTERS, json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, 3)
    assert named in refused.json()["message"]
    assert api.get(CLUSTERS).json() == {"items": []}


def test_put_replaces_a_cluster_that_does_not_move(api: httpx.Client, main: dict[str, Any]) -> None:
    path = f"{CLUSTERS}/{main['id']}"
    labelled = api.put(path, json=cluster(labels=[{"key": "stage", "value": "dev"}])).json()["cluster"]
    assert labelled["state"]["phase"] == "CLUSTER_PHASE_UPDATING"
    scaled = api.put(path, json=cluster(configuration={"numberOfNodes": 3})).json()["cluster"]
    assert "labels" not in scaled, "what is left out is gone"
    assert scaled["state"]["phase"] == "CLUSTER_PHASE_SCALING"
    assert scaled["createdAt"] == main["createdAt"]
    moved = api.put(path, json=cluster(cloudProviderRegionId="us-west-2"))
    assert moved.status_code == 400
    assert "cannot be changed" in moved.json()["message"]


def test_clusters_are_paged_where_that_is_asked_for(api: httpx.Client) -> None:
    for number in range(3):
        api.post(CLUSTERS, json=cluster(name=f"c-{number}"))
    first = api.get(CLUSTERS, params={"pageSize": 2}).json()
    assert ([one["name"] for one in first["items"]], first["totalSize"]) == (["c-0", "c-1"], 3)
    second = api.get(CLUSTERS, params={"pageSize": 2, "pageToken": first["nextPageToken"]}).json()
    assert [one["name"] for one in second["items"]] == ["c-2"]
    assert "nextPageToken" not in second


def test_packages_are_those_of_a_region(api: httpx.Client) -> None:
    path = f"/api/booking/v1/accounts/{ACCOUNT}/packages"
    items = api.get(path, params={"cloudProviderId": "aws", "cloudProviderRegionId": "us-east-1"}).json()["items"]
    assert {one["id"] for one in items} >= {FREE, SMALL}
    assert api.get(path, params={"cloudProviderId": "aws", "cloudProviderRegionId": "moon-1"}).json()["items"] == []


def test_a_schedule_lives(api: httpx.Client, main: dict[str, Any]) -> None:
    sent = {"clusterId": main["id"], "schedule": "0 3 * * *", "retentionPeriod": "86400s", "displayName": "Nightly"}
    made = api.post(SCHEDULES, json={"backupSchedule": sent}).json()["backupSchedule"]
    path = f"{SCHEDULES}/{made['id']}"
    changed = api.put(path, json={"backupSchedule": {**sent, "retentionPeriod": "172800s"}}).json()["backupSchedule"]
    assert (changed["id"], changed["retentionPeriod"]) == (made["id"], "172800s")
    for wrong in ({"schedule": "daily"}, {"retentionPeriod": "60s"}, {"clusterId": ABSENT}):
        assert api.post(SCHEDULES, json={"backupSchedule": {**sent, **wrong}}).status_code in (400, 404)
    assert api.delete(path).json() == {}
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "no/slash"},
        {"expiresAt": "2020-01-01T00:00:00Z"},
        {"expiresAt": "soon"},
        {"accessRules": [{}]},
        {"accessRules": [{"globalAccess": {"accessType": "ALL"}}]},
        {"accessRules": [{"globalAccess": {"accessType": "GLOBAL_ACCESS_RULE_ACCESS_TYPE_MANAGE"}}] * 21},
    ],
)
def test_a_wrong_database_key_is_refused(api: httpx.Client, main: dict[str, Any], wrong: dict[str, Any]) -> None:
    sent = {"clusterId": main["id"], "name": "key", **wrong}
    assert api.post(KEYS, json={"databaseApiKey": sent}).status_code == 400
    assert api.get(KEYS).json() == {"items": []}


def test_a_database_takes_the_keys_of_its_own_cluster(api: httpx.Client, main: dict[str, Any]) -> None:
    other = api.post(CLUSTERS, json=cluster(name="other")).json()["cluster"]
    foreign = database_key(api, other["id"])
    for headers, status in (({}, 401), ({"api-key": "wrong"}, 403), ({"api-key": foreign}, 403)):
        assert httpx.get(where(main) + "/collections", headers=headers).status_code == status
    own = database_key(api, main["id"])
    assert httpx.get(where(main) + "/collections", headers={"Authorization": f"Bearer {own}"}).status_code == 200


def test_keys_do_what_their_rules_say(api: httpx.Client, main: dict[str, Any], database: httpx.Client) -> None:
    for name in ("calls", "notes"):
        database.put(f"/collections/{name}", json=VECTORS)
    everything = {"globalAccess": {"accessType": "GLOBAL_ACCESS_RULE_ACCESS_TYPE_READ_ONLY"}}
    one = {"collectionName": "calls", "accessType": "COLLECTION_ACCESS_RULE_ACCESS_TYPE_READ_ONLY"}
    reader, narrow = database_key(api, main["id"], everything), database_key(api, main["id"], {"collectionAccess": one})
    for key, path, status in (
        (reader, "/collections", 200),
        (reader, "/collections/notes", 200),
        (narrow, "/collections/calls", 200),
        (narrow, "/collections/notes", 403),
        (narrow, "/collections", 403),
    ):
        assert database.get(path, headers={"api-key": key}).status_code == status
    for key in (reader, narrow):
        assert database.delete("/collections/calls", headers={"api-key": key}).status_code == 403


def test_management_keys_are_shown_once_and_open_the_account(api: httpx.Client, emulator: Any) -> None:
    made = api.post(MANAGEMENT_KEYS, json={"managementKey": {}}).json()["managementKey"]
    assert made["key"].startswith(made["prefix"])
    assert made["key"] not in str(emulator.app.state.stores("qdrant").all("management_key"))
    second = {"Authorization": f"apikey {made['key']}"}
    listed = api.get(MANAGEMENT_KEYS, headers=second)
    assert made["key"] not in listed.text
    assert len(listed.json()["items"]) == 2
    assert api.delete(f"{MANAGEMENT_KEYS}/{made['id']}").json() == {}
    assert api.get(CLUSTERS, headers=second).status_code == 401


def test_a_collection_is_made_once(database: httpx.Client) -> None:
    assert database.put("/collections/calls", json=VECTORS).json()["result"] is True
    again = database.put("/collections/calls", json=VECTORS)
    assert (again.status_code, again.json()["status"]) == (
        409,
        {"error": "Wrong input: Collection `calls` already exists!"},
    )
    assert database.get("/collections/calls/exists").json()["result"] == {"exists": True}
    assert database.get("/collections/none").status_code == 404
    assert [database.delete("/collections/calls").json()["result"] for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"vectors": {"size": 0, "distance": "Cosine"}},
        {"vectors": {"size": 4, "distance": "cosine"}},
        {"vectors": {"text": {"size": 4}}},
        {**VECTORS, "shard_number": 0},
        {**VECTORS, "sharding_method": "manual"},
    ],
)
def test_a_wrong_collection_is_refused(database: httpx.Client, wrong: dict[str, Any]) -> None:
    assert database.put("/collections/calls", json=wrong).status_code == 400
    assert database.get("/collections").json()["result"] == {"collections": []}


def test_aliases_are_changed_together_or_not_at_all(database: httpx.Client) -> None:
    for name in ("one", "two"):
        database.put(f"/collections/{name}", json=VECTORS)
    create = {"create_alias": {"alias_name": "current", "collection_name": "one"}}
    database.post("/collections/aliases", json={"actions": [create]})
    delete = {"delete_alias": {"alias_name": "current"}}
    broken = {"create_alias": {"alias_name": "current", "collection_name": "three"}}
    assert database.post("/collections/aliases", json={"actions": [delete, broken]}).status_code == 404
    shown = {"alias_name": "current", "collection_name": "one"}
    assert database.get("/aliases").json()["result"] == {"aliases": [shown]}, "nothing of it was done"
    taken = {"create_alias": {"alias_name": "two", "collection_name": "one"}}
    assert database.post("/collections/aliases", json={"actions": [taken]}).status_code == 409
    assert database.get("/collections/current").status_code == 200, "an alias is as good as the name"
    database.delete("/collections/one")
    assert database.get("/aliases").json()["result"] == {"aliases": []}


def test_indexes_have_types(database: httpx.Client) -> None:
    database.put("/collections/calls", json=VECTORS)
    assert database.put("/collections/calls/index", json={"field_name": "a", "field_schema": "enum"}).status_code == 400
    schema = {"type": "keyword", "is_tenant": True}
    database.put("/collections/calls/index", params={"wait": "true"}, json={"field_name": "a", "field_schema": schema})
    shown = database.get("/collections/calls").json()["result"]["payload_schema"]
    assert shown == {"a": {"data_type": "keyword", "params": schema, "points": 0}}
    database.delete("/collections/calls/index/a")
    assert database.get("/collections/calls").json()["result"]["payload_schema"] == {}


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
def test_the_vendors_client_makes_a_round_trip(api: httpx.Client, main: dict[str, Any]) -> None:
    sdk = pytest.importorskip("qdrant_client", reason="THE VENDOR'S CLIENT IS ABSENT: qdrant-client")
    models = sdk.models
    key = database_key(api, main["id"])
    # Its own check of the version runs in a thread that nobody waits for.
    client = sdk.QdrantClient(url=where(main), api_key=key, timeout=10, check_compatibility=False)
    try:
        assert client.info().version in {release.removeprefix("v") for release in booking.RELEASES}
        params = models.VectorParams(size=4, distance=models.Distance.COSINE, on_disk=True)
        for version in ("v1", "v2"):
            assert client.create_collection(f"calls_{version}", vectors_config={"text": params})
        assert {one.name for one in client.get_collections().collections} == {"calls_v1", "calls_v2"}
        assert client.collection_exists("calls_v1")
        client.create_payload_index(
            "calls_v1",
            field_name="property_id",
            field_schema=models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
        )
        assert client.update_collection("calls_v1", hnsw_config=models.HnswConfigDiff(m=24))
        info = client.get_collection("calls_v1")
        assert info.config.hnsw_config.m == 24
        assert info.payload_schema["property_id"].params.is_tenant
        name = "calls"
        for version in ("v1", "v2"):
            drop = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=name))
            alias = models.CreateAlias(alias_name=name, collection_name=f"calls_{version}")
            client.update_collection_aliases([drop, models.CreateAliasOperation(create_alias=alias)])
        assert [one.collection_name for one in client.get_aliases().aliases] == ["calls_v2"]
        client.upsert("calls", [models.PointStruct(id=1, vector={"text": [0.1, 0.2, 0.3, 0.4]})])
        assert client.count("calls").count == 1
        client.delete_payload_index("calls_v1", "property_id")
        assert client.delete_collection("calls_v1")
    finally:
        client.close()
