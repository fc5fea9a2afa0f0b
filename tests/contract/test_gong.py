"""The emulator of Gong, held against Gong's own description of its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers.gong_inputs import PERMISSIONS, permission_on_the_wire
from sandbox.gong import PLATFORM, access, seed
from sandbox.gong.crm import NATIVE
from sandbox.gong.profiles import FLAGS

SPEC = "gong/gong_openapi_v2.json"
WORKSPACE = seed.workspace_id("dev")
LEAD = seed.user_id("collections@payready.com")
PROFILE = {"name": "Sellers", "callsAccess": {"permissionLevel": "own"}, "scoreCalls": True}


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    found = serve(PLATFORM)
    access.ensure(found.app.state.stores("gong"))
    limit(found, per_second=1000)
    return found


def limit(emulator: Any, **limits: int) -> None:
    store = emulator.app.state.stores("gong")
    store.put(*access.LIMITS, store.get(*access.LIMITS) | limits)


@pytest.fixture
def gong(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """A client whose good exchanges fit the description, and whose refusals have Gong's form."""
    described = spec(SPEC)

    def check(response: httpx.Response) -> None:
        response.read()
        request, answered = response.request, response.json()
        assert answered["requestId"]
        if response.is_error:
            assert described.problems("ErrorResponse", answered) == []
            assert answered["errors"]
            return
        sent = httpx.Response(200, content=request.content).json() if request.content else None
        address = str(request.url).removeprefix(emulator.url)
        described.check(request.method, address, response.status_code, sent, answered)

    key = (access.access_key("dev"), access.access_key_secret("dev"))
    with httpx.Client(base_url=emulator.url, auth=key, event_hooks={"response": [check]}, trust_env=False) as client:
        yield client


def made(gong: httpx.Client, **members: Any) -> dict[str, Any]:
    answer = gong.post("/v2/permission-profile", params={"workspaceId": WORKSPACE}, json={**PROFILE, **members})
    assert answer.is_success, answer.text
    profile: dict[str, Any] = answer.json()["profile"]
    return profile


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["errors"])


@pytest.mark.parametrize("key", [None, ("SANDBOXGONG-dev-access-key", "wrong"), ("", "")])
def test_nobody_gets_in_without_a_key_and_its_secret(gong: httpx.Client, key: Any) -> None:
    assert "Access denied" in refused(httpx.get(f"{gong.base_url}v2/workspaces", auth=key, trust_env=False), 401)


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("GET", "/v2/workspaces", "api:workspaces:read", 403),
        ("GET", "/v2/users", "api:users:read", 403),
        ("GET", "/v2/settings/trackers", "api:settings:trackers:read", 401),
        ("PUT", "/v2/crm/integrations", "api:crm:integration:register", 401),
    ],
)
def test_what_is_withheld_from_a_key_is_refused_as_the_description_says(
    emulator: Any, gong: httpx.Client, method: str, path: str, scope: str, status: int
) -> None:
    store = emulator.app.state.stores("gong")
    for key in store.database.connection.execute("SELECT id FROM objects WHERE kind = 'key'").fetchall():
        store.put("key", key[0], {**store.get("key", key[0]), "withheld": [scope]})
    assert scope in refused(gong.request(method, path), status)


def test_the_company_is_shown_as_the_description_says(gong: httpx.Client) -> None:
    names = [one["name"] for one in gong.get("/v2/workspaces").json()["workspaces"]]
    assert names == ["Sophia Development", "Sophia Staging", "Pay Ready"]
    user = gong.get(f"/v2/users/{LEAD}").json()["user"]
    assert (user["emailAddress"], user["active"]) == ("collections@payready.com", True)
    assert "999" in refused(gong.get("/v2/users/999"), 404)
    everywhere = gong.get("/v2/settings/trackers").json()["keywordTrackers"]
    here = gong.get("/v2/settings/trackers", params={"workspaceId": WORKSPACE}).json()["keywordTrackers"]
    assert len(everywhere) == 3 * len(here) == 3 * len(seed.TRACKERS)
    assert "Workspace not found" in refused(gong.get("/v2/settings/trackers", params={"workspaceId": "1"}), 404)
    assert {one["workspaceId"] for one in gong.get("/v2/settings/scorecards").json()["scorecards"]} == {
        seed.number(1, stage) for stage in seed.STAGES
    }
    folders = gong.get("/v2/library/folders", params={"workspaceId": WORKSPACE}).json()["folders"]
    assert [one["name"] for one in folders] == list(seed.FOLDERS)


def test_users_come_page_by_page(emulator: Any, gong: httpx.Client) -> None:
    limit(emulator, page=4)
    first = gong.get("/v2/users").json()
    assert (first["records"]["totalRecords"], len(first["users"])) == (len(seed.USERS), 4)
    second = gong.get("/v2/users", params={"cursor": first["records"]["cursor"]}).json()
    assert "cursor" not in second["records"]
    assert {one["emailAddress"] for one in [*first["users"], *second["users"]]} == set(seed.USERS)
    assert "cursor" in refused(gong.get("/v2/users", params={"cursor": "x"}), 400)
    found = gong.post("/v2/users/extensive", json={"filter": {"userIds": [LEAD]}}).json()["users"]
    assert [one["id"] for one in found] == [LEAD]
    refused(gong.post("/v2/users/extensive", json={"filter": {"userIds": ["1"]}}), 404)


def test_a_put_replaces_the_whole_profile(gong: httpx.Client) -> None:
    profile = made(gong, deleteCalls=True, dealsAccess={"permissionLevel": "managers-team", "teamLeadIds": [LEAD]})
    assert (profile["scoreCalls"], profile["trimCalls"]) == (True, False)
    assert profile["usageAccess"] == {"permissionLevel": "none"}
    address = {"profileId": profile["id"]}
    put = gong.put("/v2/permission-profile", params=address, json={"name": "Sellers", "trimCalls": True}).json()
    assert (put["profile"]["scoreCalls"], put["profile"]["deleteCalls"], put["profile"]["trimCalls"]) == (
        False,
        False,
        True,
    ), "what is left out is off afterwards"
    assert put["profile"]["callsAccess"] == {"permissionLevel": "none"}
    assert gong.get("/v2/permission-profile", params=address).json()["profile"] == put["profile"]
    listed = gong.get("/v2/all-permission-profiles", params={"workspaceId": WORKSPACE}).json()["profiles"]
    assert listed == [put["profile"]]
    other = gong.get("/v2/all-permission-profiles", params={"workspaceId": seed.workspace_id("prod")})
    assert other.json()["profiles"] == []


def test_names_are_not_unique_and_come_in_alphabetical_order(gong: httpx.Client) -> None:
    for name in ("Sellers", "Reviewers", "Sellers"):
        made(gong, name=name)
    listed = gong.get("/v2/all-permission-profiles", params={"workspaceId": WORKSPACE}).json()["profiles"]
    assert [one["name"] for one in listed] == ["Reviewers", "Sellers", "Sellers"]
    assert len({one["id"] for one in listed}) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "name"),
        ({"scoreCalls": "yes"}, "scoreCalls"),
        ({"callsAccess": {"permissionLevel": "everything"}}, "callsAccess.permissionLevel"),
        ({"callsAccess": {"permissionLevel": "own", "teamLeadIds": [LEAD]}}, "managers-team permission level only"),
        ({"callsAccess": {"permissionLevel": "managers-team", "teamLeadIds": ["1"]}}, "no user 1"),
        ({"libraryFolderAccess": {"permissionLevel": "none", "manageStreams": True}}, 'must not be "none"'),
        ({"libraryFolderAccess": {"permissionLevel": "specific-folders", "libraryFolderIds": ["1"]}}, "no folder 1"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(gong: httpx.Client, wrong: dict[str, Any], said: str) -> None:
    asked = gong.post("/v2/permission-profile", params={"workspaceId": WORKSPACE}, json={**PROFILE, **wrong})
    assert said in refused(asked, 422)
    profile = made(gong)
    address = {"profileId": profile["id"]}
    assert said in refused(gong.put("/v2/permission-profile", params=address, json={**profile, **wrong}), 400)
    assert gong.get("/v2/permission-profile", params=address).json()["profile"] == profile


def test_a_profile_that_is_not_there_is_a_malformed_request(gong: httpx.Client) -> None:
    assert "no permission profile 7" in refused(gong.get("/v2/permission-profile", params={"profileId": "7"}), 400)
    assert "'profileId' is not present" in refused(gong.get("/v2/permission-profile"), 400)
    refused(gong.get("/v2/all-permission-profiles", params={"workspaceId": "7"}), 400)
    assert httpx.delete(f"{gong.base_url}v2/permission-profile", trust_env=False).status_code == 405


def test_only_people_put_others_into_a_profile(emulator: Any, gong: httpx.Client) -> None:
    profile, store = made(gong)["id"], emulator.app.state.stores("gong")
    address = {"profileId": profile}
    assert gong.get("/v2/permission-profile/users", params=address).json()["users"] == []
    store.put("user", LEAD, store.get("user", LEAD) | {"profiles": [profile]})
    (member,) = gong.get("/v2/permission-profile/users", params=address).json()["users"]
    assert member == {"id": LEAD, "fullName": "Carla Mendez", "emailAddress": "collections@payready.com"}
    assert all("profiles" not in one for one in gong.get("/v2/users").json()["users"])


@pytest.mark.parametrize("native", [True, False])
def test_there_is_room_for_one_crm_integration(emulator: Any, gong: httpx.Client, native: bool) -> None:
    registration = {"name": "Entrata", "ownerEmail": "automation@payready.com"}
    if native:
        emulator.app.state.stores("gong").put(*NATIVE, {"crm": "HubSpot"})
    else:
        assert gong.put("/v2/crm/integrations", json=registration).json()["integrationId"] > 2**53
    assert "already exists" in refused(gong.put("/v2/crm/integrations", json=registration), 409)
    shown = gong.get("/v2/crm/integrations").json()["integrations"]
    assert [one["name"] for one in shown] == ([] if native else ["Entrata"])


def test_a_fourth_request_in_a_second_is_refused(emulator: Any, gong: httpx.Client) -> None:
    limit(emulator, per_second=3, per_day=10_000)
    access._counts.clear()
    answers = [gong.get("/v2/workspaces") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"


def test_the_days_requests_are_shared_by_all_keys(emulator: Any, gong: httpx.Client) -> None:
    access._counts.clear()
    limit(emulator, per_day=2)
    other = (access.access_key("prod"), access.access_key_secret("prod"))
    for key in (gong.auth, other):
        assert gong.get("/v2/workspaces", auth=key).is_success
    late = gong.get("/v2/workspaces", auth=other)
    assert "per day" in refused(late, 429)
    assert 0 < int(late.headers["retry-after"]) <= 86_401


def test_every_permission_of_the_description_is_known(spec: Callable[[str], Any]) -> None:
    members = spec(SPEC).document["components"]["schemas"]["PermissionProfileDTO"]["properties"]
    booleans = {name for name, schema in members.items() if schema.get("type") == "boolean"}
    assert booleans == set(FLAGS) == {permission_on_the_wire(name) for name in PERMISSIONS}
