"""The Pinecone emulator against the vendor's specifications, and what the vendor refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import httpx
import pytest

from sandbox.pinecone import PLATFORM, access

CONTROL = "pinecone/pinecone_db_control_2026-04.oas.yaml"
ADMIN = "pinecone/pinecone_admin_2026-04.oas.yaml"
LOGIN = "pinecone/pinecone_oauth_2026-04.oas.yaml"
VERSION = {"X-Pinecone-Api-Version": "2026-04"}
SCHEDULES = {"X-Pinecone-Api-Version": "2026-07"}
ABSENT = "00000000-0000-4000-8000-000000000000"
DENSE: dict[str, Any] = {
    "name": "conversations",
    "dimension": 1536,
    "metric": "cosine",
    "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}},
}
EMBED: dict[str, Any] = {"model": "multilingual-e5-large", "field_map": {"text": "chunk"}}
POD: dict[str, Any] = {
    "name": "old",
    "dimension": 8,
    "metric": "dotproduct",
    "spec": {"pod": {"environment": "us-east1-gcp", "pod_type": "p1.x2", "replicas": 2, "pods": 2}},
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any], clients: ExitStack) -> httpx.Client:
    """The control plane of stage dev's project; every exchange is held against the specification."""
    headers = {**VERSION, "Api-Key": access.control_key("dev")}
    return clients.enter_context(emulator.client(spec(CONTROL), **headers))  # type: ignore[no-any-return] # conftest's


@pytest.fixture
def admin(emulator: Any, spec: Callable[[str], Any], clients: ExitStack) -> httpx.Client:
    login = clients.enter_context(emulator.client(spec(LOGIN), **VERSION))
    token = login.post("/oauth/token", json=grant()).json()["access_token"]
    client: httpx.Client = clients.enter_context(
        emulator.client(spec(ADMIN), Authorization=f"Bearer {token}", **VERSION)
    )
    return client


@pytest.fixture
def schedules(emulator: Any, clients: ExitStack) -> httpx.Client:
    """What no specification at hand describes."""
    headers = {**SCHEDULES, "Api-Key": access.control_key("dev")}
    return clients.enter_context(emulator.client(**headers))  # type: ignore[no-any-return] # conftest's


def grant(**changes: str) -> dict[str, str]:
    return {
        "client_id": access.CLIENT_ID,
        "client_secret": access.CLIENT_SECRET,
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
        **changes,
    }


def ready(api: httpx.Client, body: dict[str, Any], path: str = "/indexes") -> dict[str, Any]:
    """A new index, looked at until it is ready."""
    made = api.post(path, json=body)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == {"ready": False, "state": "Initializing"}
    index: dict[str, Any] = api.get(f"/indexes/{body['name']}").json()
    assert index["status"] == {"ready": True, "state": "Ready"}
    return index


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    assert body["status"] == response.status_code
    return response.status_code, body["error"]["code"], body["error"]["message"]


def project(admin: httpx.Client, name: str = "sophia-dev") -> str:
    return next(str(found["id"]) for found in admin.get("/admin/projects").json()["data"] if found["name"] == name)


def test_faults_look_like_the_platforms_own(spec: Callable[[str], Any]) -> None:
    failed = PLATFORM.failure(429, "slow down")
    body = json.loads(bytes(failed.body))
    assert body == {"status": 429, "error": {"code": "RESOURCE_EXHAUSTED", "message": "slow down"}}
    assert spec(CONTROL).problems("ErrorResponse", body) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"client_secret": "x"}, 401), ({"audience": "https://elsewhere"}, 400), ({"grant_type": "password"}, 400)],
)
def test_the_login_takes_the_service_account_only(
    emulator: Any, spec: Callable[[str], Any], changes: dict[str, str], status: int
) -> None:
    with emulator.client(spec(LOGIN), **VERSION) as login:
        refused = login.post("/oauth/token", json=grant(**changes))
        assert refused.status_code == status
        assert refused.json()["error_description"]
        granted = login.post("/oauth/token", json=grant()).json()
        assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 1800)


@pytest.mark.parametrize("path", ["/indexes", "/admin/projects", "/indexes/x/backup-schedules"])
def test_each_plane_has_its_own_credential_and_version(emulator: Any, path: str, admin: httpx.Client) -> None:
    token = {"Authorization": admin.headers["Authorization"]}
    key = {"Api-Key": access.control_key("dev")}
    right, wrong = (token, key) if path.startswith("/admin") else (key, token)
    version = SCHEDULES if path.endswith("schedules") else VERSION
    with emulator.client() as client:
        assert client.get(path, headers={**version, **right}).status_code in (200, 404)
        assert refusal(client.get(path, headers={**version, **wrong}))[1] == "UNAUTHENTICATED"
        assert refusal(client.get(path, headers=right))[1] == "INVALID_ARGUMENT"
        assert refusal(client.get(path, headers={**right, "X-Pinecone-Api-Version": "2024-07"}))[0] == 400


def test_a_key_reaches_its_own_project_only(api: httpx.Client, emulator: Any) -> None:
    ready(api, DENSE)
    with emulator.client(**VERSION, **{"Api-Key": access.control_key("prod")}) as other:
        assert other.get("/indexes").json() == {"indexes": []}
        assert other.get("/indexes/conversations").status_code == 404


def test_an_index_lives(api: httpx.Client) -> None:
    index = ready(api, {**DENSE, "deletion_protection": "enabled", "tags": {"data": "personal", "old": "x"}})
    assert (index["dimension"], index["metric"], index["vector_type"]) == (1536, "cosine", "dense")
    assert index["host"].startswith("conversations-")
    assert index["spec"]["serverless"]["read_capacity"]["mode"] == "OnDemand"
    assert refusal(api.post("/indexes", json=DENSE))[:2] == (409, "ALREADY_EXISTS")
    status, code, said = refusal(api.delete("/indexes/conversations"))
    assert (status, code) == (403, "FORBIDDEN")
    assert "Disable deletion protection" in said
    changed = api.patch(
        "/indexes/conversations", json={"deletion_protection": "disabled", "tags": {"old": "", "n": "1"}}
    )
    assert changed.status_code == 202
    assert (changed.json()["tags"], changed.json()["dimension"]) == ({"data": "personal", "n": "1"}, 1536)
    assert api.delete("/indexes/conversations").status_code == 202
    assert [found["status"]["state"] for found in api.get("/indexes").json()["indexes"]] == ["Terminating"]
    assert refusal(api.post("/indexes", json=DENSE))[0] == 409, "the name is taken until the index is gone"
    assert refusal(api.get("/indexes/conversations"))[1] == "NOT_FOUND"
    assert api.get("/indexes").json() == {"indexes": []}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "Conversations"}, (400, "INVALID_ARGUMENT")),
        ({"name": "-x"}, (400, "INVALID_ARGUMENT")),
        ({"name": "x" * 46}, (400, "INVALID_ARGUMENT")),
        ({"dimension": 20_001}, (400, "INVALID_ARGUMENT")),
        ({"dimension": "8"}, (422, "UNPROCESSABLE_ENTITY")),
        ({"dimension": None}, (400, "INVALID_ARGUMENT")),
        ({"metric": "manhattan"}, (400, "INVALID_ARGUMENT")),
        ({"vector_type": "sparse"}, (400, "INVALID_ARGUMENT")),
        ({"tags": {"a": "no/slash"}}, (400, "INVALID_ARGUMENT")),
        ({"spec": {}}, (400, "INVALID_ARGUMENT")),
        ({"spec": {"serverless": {"cloud": "aws"}}}, (422, "UNPROCESSABLE_ENTITY")),
        ({"spec": {"serverless": {"cloud": "aws", "region": "us-west1"}}}, (404, "NOT_FOUND")),
        ({"spec": POD["spec"]}, (403, "FORBIDDEN")),
    ],
)
def test_a_wrong_index_is_refused(api: httpx.Client, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(api.post("/indexes", json={**DENSE, **changes}))[:2] == expected


def test_sparse_vectors_have_no_dimension(api: httpx.Client) -> None:
    sparse = {"name": "words", "vector_type": "sparse", "spec": DENSE["spec"]}
    index = ready(api, sparse)
    assert "dimension" not in index
    assert index["metric"] == "dotproduct"


def test_a_model_brings_its_vectors_and_stays(api: httpx.Client) -> None:
    body = {"name": "documents", "cloud": "aws", "region": "us-east-1", "embed": EMBED}
    index = ready(api, body, "/indexes/create-for-model")
    assert (index["dimension"], index["metric"], index["embed"]["vector_type"]) == (1024, "cosine", "dense")
    assert index["embed"]["read_parameters"]["input_type"] == "query"
    changed = api.patch("/indexes/documents", json={"embed": {"field_map": {"text": "body"}}}).json()
    assert changed["embed"]["field_map"] == {"text": "body"}
    other = api.patch("/indexes/documents", json={"embed": {"model": "llama-text-embed-v2"}})
    assert refusal(other)[0] == 400
    unknown = {**body, "name": "x", "embed": {**EMBED, "model": "none"}}
    assert refusal(api.post("/indexes/create-for-model", json=unknown))[0] == 404
    unfit = {**body, "name": "x", "embed": {**EMBED, "metric": "dotproduct"}}
    assert refusal(api.post("/indexes/create-for-model", json=unfit))[0] == 400


def test_read_capacity_goes_to_nodes_of_our_own_and_back(api: httpx.Client) -> None:
    ready(api, DENSE)
    dedicated = {"node_type": "b1", "scaling": "Manual", "manual": {"replicas": 2, "shards": 1}}
    wanted = {"serverless": {"read_capacity": {"mode": "Dedicated", "dedicated": dedicated}}}
    shown = api.patch("/indexes/conversations", json={"spec": wanted}).json()["spec"]["serverless"]["read_capacity"]
    assert (shown["dedicated"], shown["status"]["current_replicas"]) == (dedicated, 2)
    back = {"serverless": {"read_capacity": {"mode": "OnDemand"}}}
    shown = api.patch("/indexes/conversations", json={"spec": back}).json()["spec"]["serverless"]["read_capacity"]
    assert shown["mode"] == "OnDemand"


def test_pods_need_room_and_only_grow(api: httpx.Client, admin: httpx.Client) -> None:
    assert admin.patch(f"/admin/projects/{project(admin)}", json={"max_pods": 3}).status_code == 200
    ready(api, POD)

    def scaled(**wanted: Any) -> httpx.Response:
        return api.patch("/indexes/old", json={"spec": {"pod": wanted}})

    assert refusal(scaled(pod_type="p1.x1"))[0] == 400
    assert refusal(scaled(pod_type="s1.x2"))[0] == 400
    assert refusal(scaled(replicas=4))[:2] == (403, "FORBIDDEN")
    grown = scaled(pod_type="p1.x4", replicas=3).json()
    assert (grown["status"]["state"], grown["spec"]["pod"]["pods"]) == ("ScalingUpPodSize", 3)
    assert api.get("/indexes/old").json()["status"]["ready"]
    assert refusal(api.patch("/indexes/old", json={"spec": {"serverless": {}}}))[0] == 400


def test_a_pending_collection_holds_its_index(api: httpx.Client, admin: httpx.Client) -> None:
    admin.patch(f"/admin/projects/{project(admin)}", json={"max_pods": 2})
    ready(api, POD)
    assert api.post("/collections", json={"name": "copy", "source": "old"}).status_code == 201
    assert refusal(api.delete("/indexes/old"))[:2] == (412, "FAILED_PRECONDITION")
    assert api.get("/collections/copy").json()["status"] == "Ready"
    assert [found["name"] for found in api.get("/collections").json()["collections"]] == ["copy"]
    assert refusal(api.post("/collections", json={"name": "copy", "source": "old"}))[0] == 409
    ready(api, DENSE)
    assert refusal(api.post("/collections", json={"name": "c", "source": "conversations"}))[0] == 400
    assert api.delete("/indexes/old").status_code == 202
    assert api.delete("/collections/copy").status_code == 202


def test_the_plan_limits_the_indexes_of_a_project(api: httpx.Client) -> None:
    for number in range(20):
        assert api.post("/indexes", json={**DENSE, "name": f"i-{number}"}).status_code == 201
    assert refusal(api.post("/indexes", json={**DENSE, "name": "more"}))[:2] == (403, "QUOTA_EXCEEDED")


def test_who_does_not_pay_makes_nothing(api: httpx.Client, emulator: Any) -> None:
    api.get("/indexes")
    store = emulator.app.state.stores("pinecone")
    store.put("organization", access.ORGANIZATION, store.all("organization")[0] | {"payment_status": "PastDue"})
    assert refusal(api.post("/indexes", json=DENSE))[:2] == (402, "PAYMENT_REQUIRED")
    assert api.get("/indexes").status_code == 200


def test_backups_are_made_paged_restored_and_deleted(api: httpx.Client) -> None:
    ready(api, DENSE)
    made = [api.post("/indexes/conversations/backups", json={"name": f"b-{number}"}).json() for number in range(3)]
    assert made[0]["status"] == "Initializing"
    page = api.get("/backups", params={"limit": 2}).json()
    rest = api.get("/backups", params={"limit": 2, "paginationToken": page["pagination"]["next"]}).json()
    assert [backup["name"] for backup in page["data"] + rest["data"]] == ["b-0", "b-1", "b-2"]
    assert "pagination" not in rest
    path = f"/backups/{made[0]['backup_id']}"
    assert refusal(api.post(f"{path}/create-index", json={"name": "again"}))[0] == 400, "it is not ready"
    assert api.get(path).json()["status"] == "Ready"
    assert refusal(api.post(f"{path}/create-index", json={"name": "conversations"}))[0] == 409
    restored = api.post(f"{path}/create-index", json={"name": "again", "tags": {"a": "b"}})
    assert restored.status_code == 202
    assert refusal(api.delete(path))[:2] == (412, "FAILED_PRECONDITION")
    job = f"/restore-jobs/{restored.json()['restore_job_id']}"
    assert (api.get(job).json()["status"], len(api.get("/restore-jobs").json()["data"])) == ("Completed", 1)
    assert api.get("/indexes/again").json()["dimension"] == 1536
    assert api.delete(path).status_code == 202
    assert refusal(api.get(path))[0] == 404
    assert len(api.get("/indexes/conversations/backups").json()["data"]) == 2
    api.delete("/indexes/conversations")
    api.get("/indexes/conversations")
    assert len(api.get("/backups").json()["data"]) == 2, "backups outlive their index"


def test_an_index_has_one_enabled_schedule(api: httpx.Client, schedules: httpx.Client) -> None:
    ready(api, DENSE)
    path = "/indexes/conversations/backup-schedules"
    body = {
        "name": "nightly",
        "schedule": {"type": "time-based", "frequency": "daily"},
        "retention": {"expire_after_days": 7},
    }
    made = schedules.post(path, json=body)
    assert made.status_code == 201
    schedule = made.json()
    assert schedule.keys() == {
        "schedule_id", "name", "index_id", "project_id", "schedule_type", "frequency", "retention_expire_after_days",
        "enabled", "next_scheduled_run", "created_at",
    }  # fmt: skip
    assert datetime.fromisoformat(schedule["next_scheduled_run"]) > datetime.fromisoformat(schedule["created_at"])
    assert refusal(schedules.post(path, json={**body, "name": "other"}))[0] == 409
    one = f"/backup-schedules/{schedule['schedule_id']}"
    paused = schedules.patch(one, json={"enabled": False, "retention": {"expire_after_days": 14}}).json()
    assert (paused["enabled"], paused["next_scheduled_run"], paused["retention_expire_after_days"]) == (False, None, 14)
    assert schedules.post(path, json={**body, "name": "other"}).status_code == 201
    assert refusal(schedules.patch(one, json={"enabled": True}))[0] == 409
    assert [found["name"] for found in schedules.get(path).json()["data"]] == ["nightly", "other"]
    assert schedules.delete(one).status_code == 202
    assert refusal(schedules.get(one))[0] == 404
    for wrong in ({"frequency": "hourly"}, {"retention": {"expire_after_days": 0}}):
        assert refusal(schedules.patch(one.replace(schedule["schedule_id"], ABSENT), json=wrong))[0] == 404
        assert schedules.post(path, json={**body, "schedule": {"type": "time-based", **wrong}}).status_code in (
            400,
            422,
        )


def test_a_key_is_shown_once_and_opens_what_its_roles_say(
    admin: httpx.Client, emulator: Any, api: httpx.Client
) -> None:
    path = f"/admin/projects/{project(admin)}/api-keys"
    ready(api, DENSE)
    answers = {
        role: admin.post(path, json={"name": "same", "roles": [role]}).json()
        for role in ("DataPlaneEditor", "ControlPlaneViewer", "ProjectEditor")
    }
    assert len({answered["key"]["id"] for answered in answers.values()}) == 3, "names are not unique"
    statuses = {}
    for role, answered in answers.items():
        assert answered["value"] not in admin.get(path).text + str(emulator.app.state.stores("pinecone").all("api_key"))
        with emulator.client(**VERSION, **{"Api-Key": answered["value"]}) as client:
            statuses[role] = (
                client.get("/indexes").status_code,
                client.patch("/indexes/conversations", json={"tags": {"a": "b"}}).status_code,
            )
    assert statuses == {"DataPlaneEditor": (403, 403), "ControlPlaneViewer": (200, 403), "ProjectEditor": (200, 202)}
    key = f"/admin/api-keys/{answers['ProjectEditor']['key']['id']}"
    assert admin.patch(key, json={"roles": ["DataPlaneViewer"]}).json()["roles"] == ["DataPlaneViewer"]
    assert admin.get(key).json()["name"] == "same"
    assert admin.delete(key).status_code == 202
    assert refusal(admin.get(key))[0] == 404
    assert refusal(admin.post(path, json={"name": "x" * 81}))[0] == 400
    assert refusal(admin.post(path, json={"name": "x", "roles": ["Owner"]}))[0] == 400


def test_a_project_lives_and_is_not_deleted_with_its_data(
    admin: httpx.Client, api: httpx.Client, emulator: Any
) -> None:
    made = admin.post("/admin/projects", json={"name": "tests", "max_pods": 1})
    assert made.status_code == 200
    path = f"/admin/projects/{made.json()['id']}"
    assert admin.patch(path, json={"name": "more tests", "force_encryption_with_cmek": True}).json()["max_pods"] == 1
    assert refusal(admin.patch(path, json={"force_encryption_with_cmek": False}))[0] == 400
    key = admin.post(f"{path}/api-keys", json={"name": "k"}).json()["value"]
    with emulator.client(**VERSION, **{"Api-Key": key}) as inside:
        assert inside.post("/indexes", json=DENSE).status_code == 201
        assert refusal(admin.delete(path))[0] == 403
        inside.get("/indexes/conversations")
        inside.delete("/indexes/conversations")
        inside.get("/indexes/conversations")
    assert admin.delete(path).status_code == 202
    assert refusal(admin.get(path))[0] == 404
    assert api.get("/indexes", headers={"Api-Key": key}).status_code == 401, "its keys went with it"
    assert [o["payment_status"] for o in admin.get("/admin/organizations").json()["data"]] == ["Active"]
