"""The Airbyte emulator against the vendor's specification and the vendor's Python SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from airbyte_api import AirbyteAPI, api, models
from airbyte_api._hooks.clientcredentials import ClientCredentialsHook
from airbyte_api.errors import SDKError

from sandbox.airbyte import PLATFORM
from sandbox.airbyte.connectors import MASK

SPEC = "airbyte/airbyte_api.yaml"
ABSENT = "00000000-0000-4000-8000-000000000000"

GONG = {"sourceType": "gong", "access_key": "gong-key", "access_key_secret": "gong-secret"}
SNOWFLAKE = {
    "destinationType": "snowflake",
    "host": "ZNB04675.snowflakecomputing.com",
    "role": "LOADER",
    "warehouse": "SOPHIA_AI_WH",
    "database": "SOPHIA_AI",
    "schema": "RAW",
    "username": "AIRBYTE",
    "credentials": {"auth_type": "Key Pair Authentication", "private_key": "pem"},
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    # The vendor's SDK keeps tokens for all its clients, by credentials and not by address.
    monkeypatch.setattr(ClientCredentialsHook, "_sessions", {})
    return serve(PLATFORM)


def token(client: httpx.Client, emulator: Any) -> str:
    sent = {
        "client_id": emulator.credentials["AIRBYTE_CLIENT_ID"],
        "client_secret": emulator.credentials["AIRBYTE_CLIENT_SECRET"],
        "grant_type": "client_credentials",
    }
    return str(client.post(f"{emulator.url}/v1/applications/token", data=sent).json()["access_token"])


@pytest.fixture
def airbyte(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Holds every exchange against the specification."""
    with emulator.client(spec(SPEC)) as client:
        client.base_url = emulator.credentials["AIRBYTE_SERVER_URL"]
        with emulator.client() as plain:
            client.headers["Authorization"] = f"Bearer {token(plain, emulator)}"
        yield client


def made(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


@pytest.fixture
def workspace(airbyte: httpx.Client) -> str:
    return str(made(airbyte.post("/workspaces", json={"name": "sophia-dev"}))["workspaceId"])


@pytest.fixture
def source(airbyte: httpx.Client, workspace: str) -> str:
    sent = {"name": "Gong", "workspaceId": workspace, "configuration": GONG}
    return str(made(airbyte.post("/sources", json=sent))["sourceId"])


@pytest.fixture
def destination(airbyte: httpx.Client, workspace: str) -> str:
    sent = {"name": "Snowflake", "workspaceId": workspace, "configuration": SNOWFLAKE}
    return str(made(airbyte.post("/destinations", json=sent))["destinationId"])


@pytest.fixture
def connection(airbyte: httpx.Client, source: str, destination: str) -> dict[str, Any]:
    return made(airbyte.post("/connections", json={"sourceId": source, "destinationId": destination}))


def test_a_token_is_needed_and_expires(airbyte: httpx.Client, emulator: Any) -> None:
    assert airbyte.get("/workspaces").is_success
    store = emulator.app.state.stores("airbyte")
    for granted in store.all("token"):
        store.put("token", granted["id"], granted | {"expires": 0})
    refused = airbyte.get("/workspaces")
    assert (refused.status_code, refused.json()["title"]) == (401, "invalid-api-key")


def test_wrong_credentials_get_no_token(emulator: Any) -> None:
    sent = {"client_id": emulator.credentials["AIRBYTE_CLIENT_ID"], "client_secret": "wrong"}
    with emulator.client() as client:
        assert client.get("/v1/health").text == "Successful operation"
        refused = client.post("/v1/applications/token", json=sent)
        granted = client.post(
            "/v1/applications/token", json=sent | {"client_secret": emulator.credentials["AIRBYTE_CLIENT_SECRET"]}
        ).json()
    assert refused.status_code == 401
    assert granted["access_token"] not in refused.text
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 180)


def test_an_applications_credentials_work_until_it_is_deleted(airbyte: httpx.Client, emulator: Any) -> None:
    application = made(airbyte.post("/applications", json={"name": "rotation"}))
    secret = application["clientSecret"]
    sent = {"client_id": application["clientId"], "client_secret": secret, "grant_type": "client_credentials"}
    bearer = {"Authorization": f"Bearer {made(airbyte.post('/applications/token', json=sent))['access_token']}"}
    assert airbyte.get("/workspaces", headers=bearer).is_success
    assert secret not in airbyte.get(f"/applications/{application['id']}").text + airbyte.get("/applications").text
    assert airbyte.delete(f"/applications/{application['id']}").is_success
    assert airbyte.get("/workspaces", headers=bearer).status_code == 401
    assert airbyte.get(f"/applications/{application['id']}").status_code == 404
    assert secret not in str(emulator.app.state.stores("airbyte").all("application"))


def test_a_workspace_lives(airbyte: httpx.Client, workspace: str) -> None:
    webhook = {"failure": {"webhook": {"enabled": True, "url": "https://example.com/hook"}}}
    changed = made(airbyte.patch(f"/workspaces/{workspace}", json={"notifications": webhook}))
    assert changed["name"] == "sophia-dev"
    assert changed["notifications"]["failure"] == {"email": {"enabled": True}} | webhook["failure"]
    assert airbyte.delete(f"/workspaces/{workspace}").status_code == 204
    gone = airbyte.get(f"/workspaces/{workspace}")
    assert (gone.status_code, gone.json()["data"]["resourceId"]) == (404, workspace)
    assert airbyte.get("/workspaces").json()["data"] == []
    assert len(airbyte.get("/workspaces", params={"includeDeleted": "true"}).json()["data"]) == 1


def test_lists_are_paged_with_links(airbyte: httpx.Client) -> None:
    for number in range(3):
        airbyte.post("/workspaces", json={"name": f"w{number}"})
    seen, address = [], "/workspaces?limit=2"
    while address:
        page = airbyte.get(address).json()
        seen += [found["name"] for found in page["data"]]
        address = page["next"]
    assert seen == ["w0", "w1", "w2"]
    assert page["previous"].endswith("limit=2&offset=2")
    assert airbyte.get("/workspaces", params={"limit": 0}).status_code == 400
    assert airbyte.get("/sources", params={"workspaceIds": "not-a-uuid"}).status_code == 400


def test_secrets_are_written_and_never_read(
    airbyte: httpx.Client, source: str, destination: str, emulator: Any
) -> None:
    shown = made(airbyte.get(f"/sources/{source}"))
    assert shown["configuration"] == {"access_key": MASK, "access_key_secret": MASK}
    assert (shown["sourceType"], "sourceType" in shown["configuration"]) == ("gong", False)
    warehouse = made(airbyte.get(f"/destinations/{destination}"))["configuration"]
    assert warehouse["destinationType"] == "snowflake"
    assert warehouse["credentials"] == {"auth_type": "Key Pair Authentication", "private_key": MASK}
    assert warehouse["username"] == "AIRBYTE"
    store = emulator.app.state.stores("airbyte")
    assert "gong-secret" not in str(store.all("source"))


def test_an_unknown_connector_is_taken_by_its_definition_and_masked_by_names(
    airbyte: httpx.Client, workspace: str
) -> None:
    configuration = {"api_key": "k", "nested": [{"password": "p", "user": "u"}], "table": "t"}
    sent = {"name": "Custom", "workspaceId": workspace, "definitionId": ABSENT, "configuration": configuration}
    shown = made(airbyte.post("/sources", json=sent))
    assert shown["configuration"] == {"api_key": MASK, "nested": [{"password": MASK, "user": "u"}], "table": "t"}


def test_names_of_sources_are_not_unique(airbyte: httpx.Client, workspace: str, source: str) -> None:
    sent = {"name": "Gong", "workspaceId": workspace, "configuration": GONG}
    assert made(airbyte.post("/sources", json=sent))["sourceId"] != source


def test_patch_merges_and_put_replaces(airbyte: httpx.Client, source: str) -> None:
    dated = {"start_date": "2026-01-01T00:00:00Z"}
    merged = made(airbyte.patch(f"/sources/{source}", json={"configuration": dated}))
    assert merged["configuration"] == {"access_key": MASK, "access_key_secret": MASK} | dated
    replaced = made(airbyte.put(f"/sources/{source}", json={"name": "Calls", "configuration": GONG}))
    assert (replaced["name"], replaced["configuration"]) == ("Calls", {"access_key": MASK, "access_key_secret": MASK})
    refused = airbyte.put(f"/sources/{source}", json={"name": "Calls", "configuration": dated})
    assert refused.status_code == 422
    assert "access_key" in refused.json()["data"]["message"]


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"workspaceId": ABSENT}, 404, ABSENT),
        ({"workspaceId": "dev"}, 400, "workspaceId"),
        ({"name": None}, 400, "name"),
        ({"configuration": {"access_key": "k"}}, 422, "sourceType"),
        ({"configuration": {"sourceType": "gongg"}}, 400, "gongg"),
        ({"configuration": {"sourceType": "gong", "access_key": "k"}}, 422, "$.access_key_secret: is missing"),
        ({"configuration": GONG | {"start_date": "yesterday"}}, 422, "$.start_date"),
        ({"configuration": GONG | {"access_key": 5}}, 422, "integer found, string expected"),
    ],
)
def test_a_wrong_source_is_refused_with_the_reason(
    airbyte: httpx.Client, workspace: str, wrong: dict[str, Any], status: int, said: str
) -> None:
    refused = airbyte.post("/sources", json={"name": "Gong", "workspaceId": workspace, "configuration": GONG} | wrong)
    assert refused.status_code == status
    assert {"type", "title", "status", "detail"} <= set(refused.json())
    assert said in str(refused.json()["data"])
    assert airbyte.get("/sources").json()["data"] == []


def test_a_connection_gets_the_platforms_defaults(connection: dict[str, Any]) -> None:
    assert connection["name"] == "Gong <> Snowflake"
    assert (connection["status"], connection["prefix"], connection["schedule"]) == (
        "active",
        "",
        {"scheduleType": "manual"},
    )
    assert connection["nonBreakingSchemaUpdatesBehavior"] == "ignore"
    streams = connection["configurations"]["streams"]
    assert {stream["name"] for stream in streams} >= {"calls", "users"}
    assert {stream["syncMode"] for stream in streams} == {"full_refresh_overwrite"}


def test_streams_are_filled_in_and_checked(airbyte: httpx.Client, connection: dict[str, Any], source: str) -> None:
    path = f"/connections/{connection['connectionId']}"

    def configure(*streams: dict[str, Any]) -> httpx.Response:
        return airbyte.patch(path, json={"configurations": {"streams": list(streams)}})

    stream = made(configure({"name": "calls", "syncMode": "incremental_deduped_history"}))["configurations"]["streams"]
    assert (stream[0]["cursorField"], stream[0]["primaryKey"]) == (["started"], [["id"]])
    for wrong in (
        [{"name": "meetings"}],
        [{"name": "calls"}, {"name": "calls"}],
        [{"name": "users", "syncMode": "incremental_append"}],
        [{"name": "calls", "syncMode": "full_refresh_update"}],
        [{"name": "calls", "syncMode": "sometimes"}],
        [{"name": "calls", "selectedFields": [{"fieldPath": ["nothing"]}]}],
        [{"name": "calls", "syncMode": "incremental_append", "cursorField": ["id"]}],
    ):
        assert configure(*wrong).status_code == 400
    assert made(airbyte.get(path))["configurations"]["streams"] == stream
    discovered = {found["streamName"]: found for found in airbyte.get("/streams", params={"sourceId": source}).json()}
    assert "incremental_append" in discovered["calls"]["syncModes"]


def test_a_schedule_reads_back_with_its_time_zone(airbyte: httpx.Client, connection: dict[str, Any]) -> None:
    path = f"/connections/{connection['connectionId']}"
    for expression in ("0 0 6 * * ?", "0 0 6 * * ? UTC"):
        schedule = {"scheduleType": "cron", "cronExpression": expression}
        assert made(airbyte.patch(path, json={"schedule": schedule}))["schedule"]["cronExpression"] == "0 0 6 * * ? UTC"
    manual = made(airbyte.patch(path, json={"schedule": {"scheduleType": "manual"}}))
    assert manual["schedule"] == {"scheduleType": "manual"}


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 12 * * ?",
        "0 15 10 ? * MON-FRI",
        "0 0 0/2 1,15 * ? *",
        "0 5 4 L * ?",
        "0 0 9 ? * 6#3",
        "0 30 1 15W JAN-MAR ?",
    ],
)
def test_quartz_expressions_are_taken(airbyte: httpx.Client, connection: dict[str, Any], expression: str) -> None:
    schedule = {"scheduleType": "cron", "cronExpression": expression}
    assert airbyte.patch(f"/connections/{connection['connectionId']}", json={"schedule": schedule}).is_success


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 *", "3 fields"),
        ("0 0 12 * * *", "day of week"),
        ("0 0 25 * * ?", "25"),
        ("0 0 12 ? * FUNDAY", "FUNDAY"),
        ("* 0 12 * * ?", "cannot be"),
        ("0 */15 * * * ?", "at least 1 hour apart"),
        (None, "Missing cron expression"),
    ],
)
def test_other_expressions_are_refused(
    airbyte: httpx.Client, connection: dict[str, Any], expression: str | None, said: str
) -> None:
    schedule = {"scheduleType": "cron", "cronExpression": expression}
    refused = airbyte.patch(f"/connections/{connection['connectionId']}", json={"schedule": schedule})
    assert refused.status_code == 400
    assert said in str(refused.json()["data"])


def test_too_frequent_schedules_are_a_problem_of_their_own(airbyte: httpx.Client, connection: dict[str, Any]) -> None:
    schedule = {"scheduleType": "cron", "cronExpression": "0 0/30 * * * ?"}
    refused = airbyte.patch(f"/connections/{connection['connectionId']}", json={"schedule": schedule}).json()
    assert refused["type"] == "error:cron-validation/under-one-hour-not-allowed"
    assert refused["data"]["cronExpression"] == "0 0/30 * * * ?"


def test_a_connection_needs_live_ends_in_one_workspace(airbyte: httpx.Client, source: str, destination: str) -> None:
    other = made(airbyte.post("/workspaces", json={"name": "other"}))["workspaceId"]
    sent = {"name": "Far", "workspaceId": other, "configuration": SNOWFLAKE}
    far = made(airbyte.post("/destinations", json=sent))["destinationId"]
    assert airbyte.post("/connections", json={"sourceId": source, "destinationId": far}).status_code == 400
    assert airbyte.delete(f"/destinations/{destination}").status_code == 204
    assert airbyte.post("/connections", json={"sourceId": source, "destinationId": destination}).status_code == 404


def test_a_deleted_source_takes_its_connections_along(
    airbyte: httpx.Client, connection: dict[str, Any], source: str
) -> None:
    assert airbyte.delete(f"/sources/{source}").status_code == 204
    assert airbyte.get(f"/sources/{source}").status_code == 404
    assert airbyte.get("/connections").json()["data"] == []
    path = f"/connections/{connection['connectionId']}"
    assert made(airbyte.get(path))["status"] == "deprecated"
    assert airbyte.patch(path, json={"name": "back"}).status_code == 404
    assert len(airbyte.get("/connections", params={"includeDeleted": "true"}).json()["data"]) == 1


def test_tags_are_unique_in_a_workspace_and_follow_their_connections(
    airbyte: httpx.Client, workspace: str, connection: dict[str, Any]
) -> None:
    sent = {"name": "gong", "color": "FF5733", "workspaceId": workspace}
    tag = made(airbyte.post("/tags", json=sent))
    again = airbyte.post("/tags", json=sent)
    assert (again.status_code, again.json()["type"]) == (409, "error:tag-already-exists")
    path = f"/connections/{connection['connectionId']}"
    assert made(airbyte.patch(path, json={"tags": [tag]}))["tags"] == [tag]
    assert len(airbyte.get("/connections", params={"tagIds": tag["tagId"]}).json()["data"]) == 1
    renamed = made(airbyte.patch(f"/tags/{tag['tagId']}", json={"name": "calls", "color": "000000"}))
    assert made(airbyte.get(path))["tags"] == [renamed]
    assert airbyte.delete(f"/tags/{tag['tagId']}").status_code == 204
    assert made(airbyte.get(path))["tags"] == []
    assert airbyte.patch(path, json={"tags": [tag]}).status_code == 404


@pytest.mark.parametrize("wrong", [{"color": "#FF5733"}, {"color": "red"}, {"name": "x" * 31}, {"workspaceId": ABSENT}])
def test_a_wrong_tag_is_refused(airbyte: httpx.Client, workspace: str, wrong: dict[str, str]) -> None:
    sent = {"name": "gong", "color": "FF5733", "workspaceId": workspace} | wrong
    assert airbyte.post("/tags", json=sent).status_code in (400, 404)
    assert airbyte.get("/tags", params={"workspaceIds": workspace}).json()["data"] == []


def test_the_vendors_sdk_manages_a_pipeline(emulator: Any) -> None:
    credentials = emulator.credentials
    address = credentials["AIRBYTE_SERVER_URL"]
    security = models.Security(
        client_credentials=models.SchemeClientCredentials(
            client_id=credentials["AIRBYTE_CLIENT_ID"],
            client_secret=credentials["AIRBYTE_CLIENT_SECRET"],
            token_url=f"{address}/applications/token",
        )
    )
    with AirbyteAPI(security=security, server_url=address) as sdk:
        workspace = sdk.workspaces.create_workspace(request={"name": "dev"}).workspace_response
        assert workspace is not None
        source = sdk.sources.create_source(
            request=models.SourceCreateRequest(
                name="Gong",
                workspace_id=workspace.workspace_id,
                configuration=models.SourceGong(access_key="k", access_key_secret="s"),
            )
        ).source_response
        destination = sdk.destinations.create_destination(
            request={"name": "Snowflake", "workspace_id": workspace.workspace_id, "configuration": SNOWFLAKE}
        ).destination_response
        assert source is not None
        assert destination is not None
        connection = sdk.connections.create_connection(
            request=models.ConnectionCreateRequest(
                source_id=source.source_id,
                destination_id=destination.destination_id,
                schedule=models.AirbyteAPIConnectionSchedule(
                    schedule_type=models.ScheduleTypeEnum.CRON, cron_expression="0 0 6 * * ?"
                ),
            )
        ).connection_response
        assert connection is not None
        changed = sdk.connections.patch_connection(
            request=api.PatchConnectionRequest(
                connection_id=connection.connection_id,
                connection_patch_request=models.ConnectionPatchRequest(prefix="gong_"),
            )
        ).connection_response
        assert changed is not None
        assert changed.prefix == "gong_"
        assert changed.schedule.cron_expression == "0 0 6 * * ? UTC"
        listed = sdk.sources.list_sources(request={"workspace_ids": [workspace.workspace_id]}).sources_response
        assert listed is not None
        assert [found.source_id for found in listed.data] == [source.source_id]
        sdk.sources.delete_source(request={"source_id": source.source_id})
        with pytest.raises(SDKError, match="resource-not-found"):
            sdk.sources.get_source(request={"source_id": source.source_id})
