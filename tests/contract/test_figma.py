"""The Figma emulator against the vendor's specification, and what it enforces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.figma import PLATFORM, access
from sandbox.http import digest
from sandbox.receiver import Failing
from tests.contract.figma_specification import NAME, relaxed

PROJECT, FILE = access.PROJECTS["dev"], access.file_key("dev", "design-system")
VARIABLES = f"/v1/files/{FILE}/variables"
HOOK: dict[str, Any] = {
    "context": "team",
    "context_id": access.TEAM,
    "event_type": "LIBRARY_PUBLISH",
    "endpoint": "https://agents-dev.payready.com/webhook/figma-events",
    "passcode": "a-passcode",
}
LINK: dict[str, Any] = {"file_key": FILE, "node_id": "12:34", "name": "Form", "url": "https://example.com/form"}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def store(emulator: Any) -> Any:
    found = emulator.app.state.stores("figma")
    access.ensure(found)
    return found


@pytest.fixture
def client(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Every exchange is held against the specification."""
    with emulator.client(relaxed(spec(NAME)), **{"X-Figma-Token": access.TOKEN}) as opened:
        yield opened


def hook(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/v2/webhooks", json={**HOOK, **changes})


def write(client: httpx.Client, **parts: Any) -> httpx.Response:
    return client.post(VARIABLES, json=parts)


def collection(client: httpx.Client, **variables: str) -> dict[str, str]:
    """A collection with variables of these types; real ids by temporary ones."""
    made = write(
        client,
        variableCollections=[{"action": "CREATE", "id": "c", "name": "Tokens", "initialModeId": "m"}],
        variables=[
            {"action": "CREATE", "id": name, "name": name, "variableCollectionId": "c", "resolvedType": type_}
            for name, type_ in variables.items()
        ],
    )
    assert made.status_code == 200, made.text
    ids: dict[str, str] = made.json()["meta"]["tempIdToRealId"]
    return ids


def message(response: httpx.Response) -> str:
    assert response.status_code == 400
    return str(response.json()["message"])


def test_people_and_their_places(client: httpx.Client) -> None:
    assert client.get("/v1/me").json()["email"] == "design@payready.example"
    projects = client.get(f"/v1/teams/{access.TEAM}/projects").json()["projects"]
    assert {project["id"] for project in projects} == set(access.PROJECTS.values())
    files = client.get(f"/v1/projects/{PROJECT}/files").json()["files"]
    assert FILE in {file["key"] for file in files}
    assert client.get("/v1/teams/1/projects").status_code == 403
    assert client.get("/v1/projects/1/files").status_code == 403


def test_a_webhook_says_ping_and_never_its_passcode(client: httpx.Client, emulator: Any, store: Any) -> None:
    made = hook(client).json()
    (delivery,) = emulator.app.state.receiver.deliveries(HOOK["endpoint"])
    assert (delivery["platform"], delivery["body"]["webhook_id"]) == ("figma", made["id"])
    assert made["passcode"] == HOOK["passcode"], "only who writes it sees it"
    assert client.get(f"/v2/webhooks/{made['id']}").json()["passcode"] == ""
    (request,) = client.get(f"/v2/webhooks/{made['id']}/requests").json()["requests"]
    assert (request["response_info"]["status"], request["error_msg"]) == ("200", None)
    assert HOOK["passcode"] not in json.dumps([*store.all("webhook"), *store.all("request")])
    assert client.delete(f"/v2/webhooks/{made['id']}").json()["id"] == made["id"]
    assert client.get(f"/v2/webhooks/{made['id']}").status_code == 404


def test_a_paused_webhook_says_nothing(client: httpx.Client, emulator: Any) -> None:
    made = hook(client, status="PAUSED").json()
    assert emulator.app.state.receiver.deliveries() == []
    assert client.get(f"/v2/webhooks/{made['id']}/requests").json()["requests"] == []


def test_a_receiver_that_fails_is_in_the_log_and_the_webhook_is_made(client: httpx.Client, emulator: Any) -> None:
    emulator.app.state.receiver.fail(Failing(address=f"{HOOK['endpoint']}*", status=503))
    made = hook(client).json()
    (request,) = client.get(f"/v2/webhooks/{made['id']}/requests").json()["requests"]
    assert request["response_info"]["status"] == "503"
    emulator.app.state.receiver.fail(Failing(address="https://gone.example/*", outcome="unreachable"))
    other = hook(client, endpoint="https://gone.example/hook").json()
    (request,) = client.get(f"/v2/webhooks/{other['id']}/requests").json()["requests"]
    assert request["response_info"] is None
    assert "could not connect" in request["error_msg"]


@pytest.mark.parametrize(
    ("context", "context_id", "cap"),
    [("team", access.TEAM, 20), ("project", PROJECT, 5), ("file", FILE, 3)],
)
def test_a_context_has_room_for_so_many_webhooks(client: httpx.Client, context: str, context_id: str, cap: int) -> None:
    place = {"context": context, "context_id": context_id}
    assert [hook(client, **place).status_code for _ in range(cap)] == [200] * cap
    assert f"can have {cap} webhooks at most" in message(hook(client, **place))
    listed = client.get("/v2/webhooks", params=place).json()["webhooks"]
    assert [webhook["context"] for webhook in listed] == [context.upper()] * cap


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "PING"},
        {"event_type": "EVERYTHING"},
        {"context": "folder"},
        {"endpoint": "agents.payready.com"},
        {"endpoint": f"https://example.com/{'x' * 2048}"},
        {"passcode": "x" * 101},
        {"passcode": ""},
        {"description": "x" * 151},
        {"status": "OFF"},
    ],
    ids=str,
)
def test_a_webhook_that_cannot_be_is_refused(client: httpx.Client, store: Any, changes: dict[str, Any]) -> None:
    assert next(iter(changes)) in message(hook(client, **changes))
    assert store.all("webhook") == []


@pytest.mark.parametrize("missing", ["event_type", "endpoint", "passcode"])
def test_a_change_wants_event_endpoint_and_passcode(client: httpx.Client, missing: str) -> None:
    made = hook(client).json()
    sent = {name: HOOK[name] for name in ("event_type", "endpoint", "passcode") if name != missing}
    assert missing in message(client.put(f"/v2/webhooks/{made['id']}", json={**sent, "team_id": access.TEAM}))


def test_the_plan_is_listed_in_pages(client: httpx.Client) -> None:
    for number in range(12):
        hook(client, endpoint=f"https://example.com/{number}")
    first = client.get("/v2/webhooks", params={"plan_api_id": access.PLAN}).json()
    assert len(first["webhooks"]) == 10
    second = client.get(first["pagination"]["next_page"]).json()
    assert len(second["webhooks"]) == 2
    assert "next_page" not in second["pagination"]
    assert "prev_page" in second["pagination"]
    assert client.get("/v2/webhooks", params={"plan_api_id": access.PLAN, "context": "team"}).status_code == 400
    assert client.get("/v2/webhooks").status_code == 400


def test_dev_resources_fail_one_by_one(client: httpx.Client) -> None:
    other = {**LINK, "node_id": "12:35"}
    unknown = {**LINK, "file_key": "nowhere"}
    answered = client.post("/v1/dev_resources", json={"dev_resources": [LINK, LINK, other, unknown]})
    assert answered.status_code == 200
    first, second = answered.json()["links_created"]
    assert [error["error"] for error in answered.json()["errors"]] == [
        "Another dev resource for the node has the same url",
        "File not found",
    ]
    changes = [{"id": first["id"], "name": "Payment form"}, {"id": "x", "name": "y"}]
    changed = client.put("/v1/dev_resources", json={"dev_resources": changes}).json()
    assert [link["name"] for link in changed["links_updated"]] == ["Payment form"]
    assert [error["id"] for error in changed["errors"]] == ["x"]
    listed = client.get(f"/v1/files/{FILE}/dev_resources", params={"node_ids": "12:35"}).json()["dev_resources"]
    assert listed == [second]
    assert client.delete(f"/v1/files/{FILE}/dev_resources/{first['id']}").status_code == 200
    assert client.delete(f"/v1/files/{FILE}/dev_resources/{first['id']}").status_code == 404
    assert client.get("/v1/files/nowhere/dev_resources").status_code == 404
    assert client.post("/v1/dev_resources", json={"dev_resources": [{"name": "x"}]}).status_code == 400


def test_one_request_makes_modes_variables_and_values(client: httpx.Client) -> None:
    ids = collection(client, blue="COLOR", pay="COLOR")
    answered = write(
        client,
        variableModes=[
            {"action": "UPDATE", "id": ids["m"], "name": "Light", "variableCollectionId": ids["c"]},
            {"action": "CREATE", "id": "dark", "name": "Dark", "variableCollectionId": ids["c"]},
        ],
        variableModeValues=[
            {"variableId": ids["blue"], "modeId": ids["m"], "value": {"r": 0, "g": 0.4, "b": 1}},
            {"variableId": ids["pay"], "modeId": "dark", "value": {"type": "VARIABLE_ALIAS", "id": ids["blue"]}},
        ],
    )
    dark = answered.json()["meta"]["tempIdToRealId"]["dark"]
    meta = client.get(f"{VARIABLES}/local").json()["meta"]
    (shown,) = meta["variableCollections"].values()
    assert [(mode["name"], mode["modeId"]) for mode in shown["modes"]] == [("Light", ids["m"]), ("Dark", dark)]
    assert shown["defaultModeId"] == ids["m"]
    assert meta["variables"][ids["blue"]]["valuesByMode"][ids["m"]] == {"r": 0, "g": 0.4, "b": 1, "a": 1}
    assert meta["variables"][ids["pay"]]["valuesByMode"][dark] == {"type": "VARIABLE_ALIAS", "id": ids["blue"]}


def test_a_request_does_all_or_nothing(client: httpx.Client) -> None:
    ids = collection(client, blue="COLOR")
    again = {"action": "CREATE", "name": "blue", "variableCollectionId": ids["c"], "resolvedType": "COLOR"}
    rename = {"action": "UPDATE", "id": ids["c"], "name": "Renamed"}
    assert "Duplicate variable name blue" in message(write(client, variableCollections=[rename], variables=[again]))
    (shown,) = client.get(f"{VARIABLES}/local").json()["meta"]["variableCollections"].values()
    assert shown["name"] == "Tokens"


def test_what_figma_enforces_of_variables(client: httpx.Client) -> None:
    ids = collection(client, blue="COLOR", pay="COLOR", four="FLOAT", dense="BOOLEAN")

    def value(variable: str, value: Any) -> str:
        items = [{"variableId": ids[variable], "modeId": ids["m"], "value": value}]
        return message(write(client, variableModeValues=items))

    def variable(**members: Any) -> str:
        about = {"action": "CREATE", "name": "x", "variableCollectionId": ids["c"], "resolvedType": "FLOAT"}
        return message(write(client, variables=[{**about, **members}]))

    def alias(name: str) -> dict[str, str]:
        return {"type": "VARIABLE_ALIAS", "id": ids[name]}

    assert "is not a COLOR" in value("blue", "#0b5fff")
    assert "is not a COLOR" in value("blue", {"r": 2, "g": 0, "b": 0})
    assert "is not a FLOAT" in value("four", True)
    assert "cannot be a FLOAT" in value("blue", alias("four"))
    assert "alias cycle" in value("blue", alias("blue"))
    write(client, variableModeValues=[{"variableId": ids["blue"], "modeId": ids["m"], "value": alias("pay")}])
    assert "alias cycle" in value("pay", alias("blue"))
    assert "cannot contain" in variable(name="a.b")
    assert "is not for variables of type FLOAT" in variable(scopes=["TEXT_FILL"])
    assert "beside ALL_SCOPES" in variable(scopes=["ALL_SCOPES", "GAP"])
    assert "not unique" in message(
        write(client, variableCollections=[{"action": "CREATE", "id": "t", "name": str(n)} for n in range(2)])
    )
    assert "at least one mode" in message(write(client, variableModes=[{"action": "DELETE", "id": ids["m"]}]))
    mode = {"action": "CREATE", "variableCollectionId": ids["c"]}
    assert "1 to 40 characters" in message(write(client, variableModes=[{**mode, "name": "x" * 41}]))
    many = [{**mode, "name": f"mode {number}"} for number in range(40)]
    assert "40 modes at most" in message(write(client, variableModes=many))
    assert "4MB" in message(client.post(VARIABLES, content=b'{"variables": "' + b"x" * 4 * 1024 * 1024 + b'"}'))
    assert "at least one" in message(client.post(VARIABLES, content=b"{}"))


def test_a_variable_that_others_point_at_is_kept_for_them(client: httpx.Client) -> None:
    ids = collection(client, blue="COLOR", pay="COLOR")
    target = {"type": "VARIABLE_ALIAS", "id": ids["blue"]}
    write(client, variableModeValues=[{"variableId": ids["pay"], "modeId": ids["m"], "value": target}])
    write(client, variables=[{"action": "DELETE", "id": ids["blue"]}])
    assert client.get(f"{VARIABLES}/local").json()["meta"]["variables"][ids["blue"]]["deletedButReferenced"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/me", "current_user:read"),
        ("GET", f"/v1/teams/{access.TEAM}/projects", "projects:read"),
        ("GET", f"/v1/files/{FILE}/meta", "file_metadata:read"),
        ("GET", f"/v2/webhooks?plan_api_id={access.PLAN}", "webhooks:read"),
        ("POST", "/v2/webhooks", "webhooks:write"),
        ("GET", f"/v1/files/{FILE}/dev_resources", "file_dev_resources:read"),
        ("POST", "/v1/dev_resources", "file_dev_resources:write"),
        ("GET", f"{VARIABLES}/local", "file_variables:read"),
        ("POST", VARIABLES, "file_variables:write"),
    ],
)
def test_every_call_wants_its_scope(emulator: Any, store: Any, method: str, path: str, scope: str) -> None:
    key = digest(access.TOKEN)
    token = store.get("token", key)
    store.put("token", key, {**token, "scopes": [one for one in access.SCOPES if one != scope]})
    with emulator.client(**{"X-Figma-Token": access.TOKEN}) as client:
        refused = client.request(method, path)
        assert refused.status_code == 403
        assert f"requires the {scope} scope" in refused.text


def test_a_plans_token_is_nobodys_and_manages_webhooks(client: httpx.Client, store: Any) -> None:
    store.put("token", digest(access.TOKEN), {"kind": "plan", "seat": "full", "scopes": list(access.SCOPES)})
    assert client.get("/v1/me").status_code == 403
    assert hook(client).status_code == 200
    assert client.get(f"{VARIABLES}/local").status_code == 403


@pytest.mark.parametrize(("tier", "seat", "most"), [("pro", "full", 25), ("org", "dev", 50), ("enterprise", "view", 5)])
def test_limits_are_those_of_plan_and_seat(client: httpx.Client, store: Any, tier: str, seat: str, most: int) -> None:
    key = digest(access.TOKEN)
    store.put("plan", access.PLAN, {"id": access.PLAN, "tier": tier, "limited": True})
    store.put("token", key, {**store.get("token", key), "seat": seat})
    statuses = [client.get(f"/v1/files/{FILE}/dev_resources").status_code for _ in range(most)]
    assert statuses == [200] * most
    refused = client.get(f"/v1/files/{FILE}/dev_resources")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    kind = "low" if seat == "view" else "high"
    assert (refused.headers["X-Figma-Plan-Tier"], refused.headers["X-Figma-Rate-Limit-Type"]) == (tier, kind)


def test_a_wrong_token_and_a_fault_look_as_figmas_do(emulator: Any) -> None:
    with emulator.client(**{"X-Figma-Token": "figd_wrong"}) as client:
        assert client.get("/v1/me").json() == {"status": 403, "err": "Invalid token"}
        assert client.get(f"{VARIABLES}/local").json() == {"status": 401, "error": True, "message": "Invalid token"}
    fault = PLATFORM.failure(429, "slow down")
    assert fault.headers["X-Figma-Rate-Limit-Type"] == "high"
