"""The Lambda Cloud emulator against the vendor's specification, and what the vendor refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.lambda_labs import PLATFORM, access

SPEC = "lambda/lambda_cloud_openapi_1.8.3.json"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"
SSH: dict[str, Any] = {
    "protocol": "tcp",
    "port_range": [22, 22],
    "source_network": "203.0.113.7",
    "description": "SSH",
}
LAUNCH: dict[str, Any] = {
    "region_name": "us-east-1",
    "instance_type_name": "gpu_1x_a10",
    "ssh_key_names": ["operators"],
    "name": "gpu-a",
    "hostname": "gpu-a",
    "tags": [{"key": "team", "value": "ai"}],
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    found = serve(PLATFORM)
    unhurried(found)
    return found


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Every exchange is held against the specification."""
    with emulator.client(spec(SPEC), Authorization=f"Bearer {access.API_KEY}") as client:
        client.base_url = f"{emulator.url}/api/v1"
        client.post("/ssh-keys", json={"name": "operators", "public_key": PUBLIC}).raise_for_status()
        yield client


def store(emulator: Any) -> Any:
    return emulator.app.state.stores("lambda_labs")


def unhurried(emulator: Any, **changes: Any) -> None:
    timing = {"looks": 1, "request_seconds": 0.0, "launch_seconds": 0.0, **changes}
    store(emulator).put("timing", "account", timing)


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def launched(api: httpx.Client, **changes: Any) -> str:
    answered = api.post("/instance-operations/launch", json={**LAUNCH, **changes})
    assert answered.status_code == 200, answered.text
    (id_,) = answered.json()["data"]["instance_ids"]
    return str(id_)


def made(api: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answered = api.post(path, json=body)
    assert answered.status_code == 200, answered.text
    document: dict[str, Any] = answered.json()["data"]
    return document


def test_faults_look_like_the_platforms_own() -> None:
    body = json.loads(bytes(PLATFORM.failure(503, "not now").body))
    assert body == {"error": {"code": "provider/internal-unavailable", "message": "not now"}}


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {access.API_KEY}",
        f"Basic {base64.b64encode(f'{access.API_KEY}:'.encode()).decode()}",
        f"Basic {access.API_KEY}:",
    ],
)
def test_the_key_is_taken_in_all_documented_ways(emulator: Any, header: str) -> None:
    with emulator.client(Authorization=header) as client:
        assert client.get("/api/v1/ssh-keys").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic eDo=", "Basic ???"])
def test_another_key_is_refused(emulator: Any, spec: Callable[[str], Any], header: str) -> None:
    with emulator.client(spec(SPEC), Authorization=header) as client:
        assert refusal(client.get("/api/v1/ssh-keys")) == (401, "global/invalid-api-key")


@pytest.mark.parametrize("path", ["/instance-types", "/images", "/instances", "/ssh-keys", "/file-systems",
                                  "/firewall-rulesets", "/firewall-rulesets/global", "/firewall-rules"])  # fmt: skip
def test_everything_can_be_listed(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 200


def test_a_second_request_in_a_second_is_refused_and_says_when_to_come_back(emulator: Any, api: httpx.Client) -> None:
    unhurried(emulator, request_seconds=1.0)
    api.get("/ssh-keys")
    refused = api.get("/ssh-keys")
    assert refusal(refused) == (429, "global/rate-limit-exceeded")
    assert int(refused.headers["retry-after"]) >= 1


def test_a_second_launch_in_twelve_seconds_is_refused_and_other_requests_are_not(
    emulator: Any, api: httpx.Client
) -> None:
    unhurried(emulator, launch_seconds=12.0)
    launched(api)
    refused = api.post("/instance-operations/launch", json=LAUNCH)
    assert refused.status_code == 429
    assert 1 < int(refused.headers["retry-after"]) <= 12
    assert api.get("/instances").status_code == 200


def test_an_instance_boots_works_and_ends(api: httpx.Client) -> None:
    before = api.get("/instance-types").json()["data"]["gpu_1x_a10"]
    id_ = launched(api)
    (listed,) = api.get("/instances").json()["data"]
    assert (listed["status"], listed.get("ip"), listed["actions"]["restart"]["available"]) == ("booting", None, False)
    instance = api.get(f"/instances/{id_}").json()["data"]
    assert (instance["status"], bool(instance["ip"]), instance["hostname"]) == ("active", True, "gpu-a")
    assert api.post(f"/instances/{id_}", json={"name": "renamed"}).json()["data"]["name"] == "renamed"
    ids = {"instance_ids": [id_]}
    assert api.post("/instance-operations/restart", json=ids).status_code == 200
    (ending,) = api.post("/instance-operations/terminate", json=ids).json()["data"]["terminated_instances"]
    assert ending["status"] == "terminating"
    assert api.get(f"/instances/{id_}").json()["data"]["status"] == "terminated"
    assert api.get("/instances").json()["data"] == []
    assert api.get("/instance-types").json()["data"]["gpu_1x_a10"] == before, "its place is free again"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"region_name": "us-east-9"}, (400, "global/invalid-parameters")),
        ({"ssh_key_names": []}, (400, "global/invalid-parameters")),
        ({"ssh_key_names": ["a", "b"]}, (400, "global/invalid-parameters")),
        ({"hostname": "GPU_A"}, (400, "global/invalid-parameters")),
        ({"name": "x" * 65}, (400, "global/invalid-parameters")),
        ({"quantity": 2}, (400, "global/invalid-parameters")),
        ({"tags": [{"key": "Team", "value": "ai"}]}, (400, "global/invalid-parameters")),
        ({"tags": [{"key": "team", "value": "x" * 129}]}, (400, "global/invalid-parameters")),
        ({"user_data": "x" * 1_000_001}, (400, "global/invalid-parameters")),
        ({"image": {"family": "lambda-stack-24-04", "id": "x"}}, (400, "global/invalid-parameters")),
        (
            {"file_system_mounts": [{"mount_point": "/mnt/x", "file_system_id": "x"}]},
            (400, "global/invalid-parameters"),
        ),
        ({"instance_type_name": "gpu_9x"}, (404, "global/object-does-not-exist")),
        ({"ssh_key_names": ["nobody"]}, (404, "global/object-does-not-exist")),
        ({"image": {"family": "plan-9"}}, (404, "global/object-does-not-exist")),
        ({"file_system_names": ["absent"]}, (404, "global/object-does-not-exist")),
        ({"firewall_rulesets": [{"id": "absent"}]}, (404, "global/object-does-not-exist")),
        ({"region_name": "me-west-1"}, (400, "instance-operations/launch/insufficient-capacity")),
    ],
)
def test_a_launch_that_cannot_work_is_refused(
    api: httpx.Client, changes: dict[str, Any], refused: tuple[int, str]
) -> None:
    assert refusal(api.post("/instance-operations/launch", json={**LAUNCH, **changes})) == refused
    assert api.get("/instances").json()["data"] == []


def test_capacity_and_quota_run_out(emulator: Any, api: httpx.Client) -> None:
    for _ in range(2):
        launched(api, region_name="us-south-1")
    south = {**LAUNCH, "region_name": "us-south-1"}
    full = api.post("/instance-operations/launch", json=south)
    assert refusal(full) == (400, "instance-operations/launch/insufficient-capacity")
    regions = api.get("/instance-types").json()["data"]["gpu_1x_a10"]["regions_with_capacity_available"]
    assert "us-south-1" not in [region["name"] for region in regions]
    unhurried(emulator, quota=2)
    assert refusal(api.post("/instance-operations/launch", json=LAUNCH)) == (400, "global/quota-exceeded")


def test_a_filesystem_belongs_to_its_region_and_stays_while_it_is_mounted(api: httpx.Client) -> None:
    filesystem = made(api, "/filesystems", name="models", region="us-east-1")
    assert filesystem["mount_point"] == "/lambda/nfs/models"
    twice = api.post("/filesystems", json={"name": "models", "region": "us-east-1"})
    assert refusal(twice) == (400, "global/duplicate")
    mounts = [{"mount_point": "/data/models", "file_system_id": filesystem["id"]}]
    elsewhere = api.post(
        "/instance-operations/launch", json={**LAUNCH, "region_name": "us-west-1", "file_system_mounts": mounts}
    )
    assert refusal(elsewhere) == (400, "instance-operations/launch/file-system-in-wrong-region")
    id_ = launched(api, file_system_mounts=mounts)
    (listed,) = api.get("/file-systems").json()["data"]
    assert listed["is_in_use"]
    assert refusal(api.delete(f"/filesystems/{filesystem['id']}")) == (400, "filesystems/filesystem-in-use")
    api.post("/instance-operations/terminate", json={"instance_ids": [id_]})
    api.get(f"/instances/{id_}")
    assert api.delete(f"/filesystems/{filesystem['id']}").json()["data"] == {"deleted_ids": [filesystem["id"]]}
    assert refusal(api.delete(f"/filesystems/{filesystem['id']}")) == (404, "global/object-does-not-exist")


@pytest.mark.parametrize("name", ["", "1models", "mod_els", "x" * 61])
def test_a_filesystem_has_a_proper_name(api: httpx.Client, name: str) -> None:
    assert api.post("/filesystems", json={"name": name, "region": "us-east-1"}).status_code == 400


def test_a_ruleset_is_changed_in_place_and_stays_while_it_is_used(api: httpx.Client) -> None:
    ruleset = made(api, "/firewall-rulesets", name="nodes", region="us-east-1", rules=[SSH])
    assert ruleset["rules"][0]["source_network"] == "203.0.113.7/32"
    id_ = launched(api, firewall_rulesets=[{"id": ruleset["id"]}])
    path = f"/firewall-rulesets/{ruleset['id']}"
    assert api.get(path).json()["data"]["instance_ids"] == [id_]
    ping = {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "Ping"}
    assert api.patch(path, json={"rules": [ping]}).json()["data"]["rules"] == [ping]
    assert refusal(api.delete(path)) == (400, "firewall-rulesets/firewall-ruleset-in-use")
    assert refusal(
        api.post("/instance-operations/launch", json={**LAUNCH, "region_name": "us-west-1",
                                                      "firewall_rulesets": [{"id": ruleset["id"]}]})
    ) == (404, "global/object-does-not-exist")  # fmt: skip
    api.post("/instance-operations/terminate", json={"instance_ids": [id_]})
    api.get(f"/instances/{id_}")
    assert api.delete(path).status_code == 200
    assert refusal(api.get(path)) == (404, "global/object-does-not-exist")


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "sctp"},
        {"port_range": [22]},
        {"port_range": [0, 22]},
        {"port_range": [443, 80]},
        {"port_range": None},
        {"protocol": "icmp"},
        {"source_network": "::/0"},
        {"source_network": "203.0.113.7/8"},
        {"description": "x" * 129},
    ],
)
def test_a_rule_that_means_nothing_is_refused(api: httpx.Client, changes: dict[str, Any]) -> None:
    rule = {name: value for name, value in {**SSH, **changes}.items() if value is not None}
    answered = api.post("/firewall-rulesets", json={"name": "n", "region": "us-east-1", "rules": [rule]})
    assert refusal(answered) == (400, "global/invalid-parameters")


def test_the_accounts_rules_are_changed_whole(api: httpx.Client) -> None:
    changed = api.patch("/firewall-rulesets/global", json={"rules": [SSH]}).json()["data"]
    assert changed["rules"] == [{**SSH, "source_network": "203.0.113.7/32"}]
    assert api.get("/firewall-rulesets/global").json()["data"] == changed
    assert api.put("/firewall-rules", json={"data": [SSH]}).json()["data"] == api.get("/firewall-rules").json()["data"]


def test_a_pair_that_lambda_makes_is_shown_once(api: httpx.Client) -> None:
    pair = made(api, "/ssh-keys", name="pair")
    assert pair["private_key"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    listed = next(key for key in api.get("/ssh-keys").json()["data"] if key["name"] == "pair")
    assert listed == {name: pair[name] for name in ("id", "name", "public_key")}
    assert refusal(api.post("/ssh-keys", json={"name": "pair"})) == (400, "global/invalid-parameters")
    assert refusal(api.post("/ssh-keys", json={"name": "x", "public_key": "AAAA"}))[0] == 400
    assert api.delete(f"/ssh-keys/{pair['id']}").status_code == 200
    assert refusal(api.delete(f"/ssh-keys/{pair['id']}")) == (400, "global/invalid-parameters")


def test_what_is_not_there_is_said_in_lambdas_words(api: httpx.Client) -> None:
    absent = {"instance_ids": ["absent"]}
    for answered in (
        api.get("/instances/absent"),
        api.post("/instances/absent", json={"name": "x"}),
        api.post("/instance-operations/terminate", json=absent),
        api.post("/instance-operations/restart", json=absent),
    ):
        assert refusal(answered) == (404, "global/object-does-not-exist")
