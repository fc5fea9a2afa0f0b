"""The Airbyte emulator against the vendor's specification and Python SDK: definitions, people, jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from airbyte_api import AirbyteAPI, api, models
from airbyte_api._hooks.clientcredentials import ClientCredentialsHook
from airbyte_api.errors import SDKError

from sandbox.airbyte import PLATFORM
from sandbox.airbyte.connectors import MASK
from sandbox.airbyte.people import OWNER, USERS
from sandbox.airbyte.workspaces import ORGANIZATION

SPEC = "airbyte/airbyte_api.yaml"
ABSENT = "00000000-0000-4000-8000-000000000000"
ANALYST = USERS[2]["id"]

MANIFEST: dict[str, Any] = {
    "type": "DeclarativeSource",
    "version": "6.48.0",
    "check": {"type": "CheckStream", "stream_names": ["units"]},
    "streams": ["#/definitions/units", {"$ref": "#/definitions/units", "name": "leases", "incremental_sync": {}}],
    "definitions": {
        "units": {
            "type": "DeclarativeStream",
            "name": "units",
            "primary_key": "id",
            "incremental_sync": {"type": "DatetimeBasedCursor", "cursor_field": "updated_on"},
            "schema_loader": {"schema": {"type": "object", "properties": {"id": {}, "updated_on": {}}}},
        }
    },
    "spec": {
        "type": "Spec",
        "connection_specification": {
            "type": "object",
            "required": ["api_key"],
            "properties": {
                "api_key": {"type": "string", "airbyte_secret": True},
                "token": {"type": "string"},
                "auth": {
                    "type": "object",
                    "oneOf": [{"properties": {"kind": {"const": "key"}, "key": {"airbyte_secret": True}}}],
                },
            },
        },
    },
}


@pytest.fixture
def emulator(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    # The vendor's SDK keeps tokens for all its clients, by credentials and not by address.
    monkeypatch.setattr(ClientCredentialsHook, "_sessions", {})
    return serve(PLATFORM)


@pytest.fixture
def airbyte(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Holds every exchange against the specification."""
    with emulator.client(spec(SPEC)) as client, emulator.client() as plain:
        client.base_url = address = emulator.credentials["AIRBYTE_SERVER_URL"]
        form = {
            "client_id": emulator.credentials["AIRBYTE_CLIENT_ID"],
            "client_secret": emulator.credentials["AIRBYTE_CLIENT_SECRET"],
            "grant_type": "client_credentials",
        }
        token = plain.post(f"{address}/applications/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def made(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def said(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert {"type", "title", "status", "detail"} <= set(response.json())
    return str(response.json()["data"])


@pytest.fixture
def workspace(airbyte: httpx.Client) -> str:
    return str(made(airbyte.post("/workspaces", json={"name": "sophia-dev"}))["workspaceId"])


@pytest.fixture
def low_code(airbyte: httpx.Client, workspace: str) -> dict[str, Any]:
    sent = {"workspaceId": workspace, "name": "Portal", "manifest": MANIFEST}
    return made(airbyte.post(f"/workspaces/{workspace}/definitions/declarative_sources", json=sent))


@pytest.fixture
def connection(airbyte: httpx.Client, workspace: str) -> dict[str, Any]:
    ends = {}
    for kind, configuration in (
        ("source", {"sourceType": "linear", "api_key": "k"}),
        ("destination", {"destinationType": "snowflake", "host": "ab.snowflakecomputing.com"}),
    ):
        more = (
            dict.fromkeys(("role", "warehouse", "database", "schema", "username"), "X")
            if "host" in configuration
            else {}
        )
        sent = {"name": kind, "workspaceId": workspace, "configuration": configuration | more}
        ends[f"{kind}Id"] = made(airbyte.post(f"/{kind}s", json=sent))[f"{kind}Id"]
    return made(airbyte.post("/connections", json=ends))


@pytest.mark.parametrize("sort", ["sources", "destinations"])
def test_images_of_ones_own_stand_beside_the_catalogue_which_nobody_changes(
    airbyte: httpx.Client, workspace: str, sort: str
) -> None:
    path = f"/workspaces/{workspace}/definitions/{sort}"
    public = airbyte.get(path).json()["data"]
    sent = {"name": "Ledger", "dockerRepository": "payready/ledger", "dockerImageTag": "1.0.0"}
    own = made(airbyte.post(path, json=sent))
    assert [found["id"] for found in airbyte.get(path).json()["data"]] == [*(p["id"] for p in public), own["id"]]
    newer = {"name": "Ledgers", "dockerImageTag": "1.1.0"}
    assert made(airbyte.put(f"{path}/{own['id']}", json=newer)) == own | newer
    said(airbyte.post(path, json={"name": "Ledger"}), 400)
    assert "Public definitions" in said(airbyte.put(f"{path}/{public[0]['id']}", json=newer), 400)
    assert "Public definitions" in said(airbyte.delete(f"{path}/{public[0]['id']}"), 400)
    other = made(airbyte.post("/workspaces", json={"name": "other"}))["workspaceId"]
    said(airbyte.get(f"/workspaces/{other}/definitions/{sort}/{own['id']}"), 404)
    assert made(airbyte.delete(f"{path}/{own['id']}"))["id"] == own["id"]
    said(airbyte.get(f"{path}/{own['id']}"), 404)


def test_a_low_code_source_asks_hides_and_discovers_what_its_manifest_says(
    airbyte: httpx.Client, workspace: str, low_code: dict[str, Any]
) -> None:
    sent = {"name": "Portal", "workspaceId": workspace, "definitionId": low_code["id"]}
    assert "$.api_key: is missing" in said(airbyte.post("/sources", json=sent | {"configuration": {}}), 422)
    configuration = {"api_key": "k", "token": "t", "auth": {"kind": "key", "key": "k"}}
    source = made(airbyte.post("/sources", json=sent | {"configuration": configuration}))
    assert source["configuration"] == {"api_key": MASK, "token": "t", "auth": {"kind": "key", "key": MASK}}
    streams = {s["streamName"]: s for s in airbyte.get("/streams", params={"sourceId": source["sourceId"]}).json()}
    assert streams["units"]["sourceDefinedPrimaryKey"] == [["id"]]
    assert streams["units"]["defaultCursorField"] == ["updated_on"]
    assert "incremental_append" not in streams["leases"]["syncModes"], "members beside a reference count more"


def test_a_deleted_definition_takes_its_sources_and_their_connections_along(
    airbyte: httpx.Client, workspace: str, low_code: dict[str, Any], connection: dict[str, Any]
) -> None:
    """Why ours are deleted in the other order: nothing goes that the settings still name."""
    sent = {"name": "P", "workspaceId": workspace, "definitionId": low_code["id"], "configuration": {"api_key": "k"}}
    source = made(airbyte.post("/sources", json=sent))["sourceId"]
    ends = {"sourceId": source, "destinationId": connection["destinationId"]}
    taken = made(airbyte.post("/connections", json=ends))["connectionId"]
    assert made(airbyte.delete(f"/workspaces/{workspace}/definitions/declarative_sources/{low_code['id']}"))
    said(airbyte.get(f"/sources/{source}"), 404)
    assert made(airbyte.get(f"/connections/{taken}"))["status"] == "deprecated"
    assert made(airbyte.get(f"/connections/{connection['connectionId']}"))["status"] == "active"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"type": "Source"}, "$.type"),
        ({"streams": []}, "$.streams"),
        ({"spec": {"type": "Spec"}}, "$.spec.connection_specification"),
    ],
)
def test_a_manifest_that_makes_no_connector_is_refused(
    airbyte: httpx.Client, workspace: str, wrong: dict[str, Any], told: str
) -> None:
    path = f"/workspaces/{workspace}/definitions/declarative_sources"
    assert told in said(airbyte.post(path, json={"name": "P", "manifest": MANIFEST | wrong}), 422)
    assert airbyte.get(path).json()["data"] == []


def test_a_permission_is_one_users_in_one_place(airbyte: httpx.Client, workspace: str) -> None:
    sent = {"userId": ANALYST, "workspaceId": workspace, "permissionType": "workspace_reader"}
    permission = made(airbyte.post("/permissions", json=sent))
    assert made(airbyte.post("/permissions", json=sent)) == permission, "the same one is not made twice"
    path = f"/permissions/{permission['permissionId']}"
    assert (
        made(airbyte.patch(path, json={"permissionType": "workspace_editor"}))["permissionType"] == "workspace_editor"
    )
    named = {"userId": ANALYST, "organizationId": ORGANIZATION}
    (listed,) = made(airbyte.get("/permissions", params=named))["data"]
    assert (listed["scope"], listed["scopeId"]) == ("workspace", workspace)
    assert "Organization ID is required" in said(airbyte.get("/permissions", params={"userId": ANALYST}), 400)
    assert made(airbyte.get("/permissions"))["data"] == [], "without a user those of the caller"
    assert airbyte.delete(path).status_code == 204
    said(airbyte.get(path), 404)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"organizationId": ORGANIZATION}, 400),
        ({"workspaceId": None}, 400),
        ({"workspaceId": ABSENT}, 404),
        ({"userId": ABSENT}, 404),
        ({"permissionType": "organization_admin"}, 400),
        ({"permissionType": "instance_admin"}, 400),
    ],
)
def test_a_wrong_permission_is_refused(
    airbyte: httpx.Client, workspace: str, wrong: dict[str, Any], status: int
) -> None:
    sent = {"userId": ANALYST, "workspaceId": workspace, "permissionType": "workspace_reader"} | wrong
    said(airbyte.post("/permissions", json={name: value for name, value in sent.items() if value}), status)


def test_users_are_those_of_the_organisation(airbyte: httpx.Client) -> None:
    (organization,) = made(airbyte.get("/organizations"))["data"]
    within = {"organizationId": organization["organizationId"]}
    assert {user["id"] for user in made(airbyte.get("/users", params=within))["data"]} >= {OWNER, ANALYST}
    by_mail = made(airbyte.get("/users", params=within | {"emails": USERS[2]["email"]}))["data"]
    assert [user["id"] for user in by_mail] == [ANALYST]
    said(airbyte.get("/users", params={"organizationId": ABSENT}), 404)


def test_a_job_runs_and_is_done_and_there_is_one_at_a_time(
    airbyte: httpx.Client, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1_790_000_000.0)
    monkeypatch.setattr("sandbox.airbyte.jobs.time", SimpleNamespace(time=lambda: clock.now))
    start = {"connectionId": connection["connectionId"], "jobType": "sync"}
    job = made(airbyte.post("/jobs", json=start))
    path, seen = f"/jobs/{job['jobId']}", [job["status"]]
    assert "already running" in said(airbyte.post("/jobs", json=start), 409)
    for _ in range(2):
        clock.now += 2
        seen.append(made(airbyte.get(path))["status"])
    assert seen == ["pending", "running", "succeeded"]
    second = made(airbyte.post("/jobs", json=start | {"jobType": "clear"}))
    cancelled = made(airbyte.delete(f"/jobs/{second['jobId']}"))
    assert (cancelled["status"], cancelled["jobType"]) == ("cancelled", "reset")
    assert [j["jobId"] for j in airbyte.get("/jobs").json()["data"]] == [second["jobId"], job["jobId"]]
    only = {"connectionId": connection["connectionId"], "status": "succeeded", "jobType": "sync"}
    assert [j["jobId"] for j in airbyte.get("/jobs", params=only).json()["data"]] == [job["jobId"]]
    said(airbyte.post("/jobs", json=start | {"jobType": "refresh"}), 422)
    airbyte.patch(f"/connections/{connection['connectionId']}", json={"status": "inactive"})
    assert "inactive" in said(airbyte.post("/jobs", json=start), 409)
    said(airbyte.get("/jobs/77"), 404)


def test_an_oauth_consent_is_honestly_not_simulated(airbyte: httpx.Client, workspace: str) -> None:
    sent = {"sourceType": "hubspot", "redirectUrl": "https://example.com", "workspaceId": workspace}
    assert "OAuth" in said(airbyte.post("/sources/initiateOAuth", json=sent), 501)


def test_the_vendors_sdk_manages_definitions_permissions_and_jobs(
    emulator: Any, airbyte: httpx.Client, workspace: str, connection: dict[str, Any]
) -> None:
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
        low_code = sdk.declarative_source_definitions.create_declarative_source_definition(
            request=api.CreateDeclarativeSourceDefinitionRequest(
                workspace_id=workspace,
                create_declarative_source_definition_request=models.CreateDeclarativeSourceDefinitionRequest(
                    name="Portal", manifest=MANIFEST
                ),
            )
        ).declarative_source_definition_response
        assert low_code is not None
        named = {"workspace_id": workspace, "definition_id": low_code.id}
        newer = sdk.declarative_source_definitions.update_declarative_source_definition(
            request=api.UpdateDeclarativeSourceDefinitionRequest(
                **named,
                update_declarative_source_definition_request=models.UpdateDeclarativeSourceDefinitionRequest(
                    manifest=MANIFEST | {"version": "6.49.0"}
                ),
            )
        ).declarative_source_definition_response
        assert newer is not None
        assert (newer.version, newer.manifest["version"]) == (2, "6.49.0")
        image = sdk.source_definitions.create_source_definition(
            request=api.CreateSourceDefinitionRequest(
                workspace_id=workspace,
                create_definition_request=models.CreateDefinitionRequest(
                    name="Ledger", docker_repository="payready/ledger", docker_image_tag="1.0.0"
                ),
            )
        ).definition_response
        assert image is not None
        permission = sdk.permissions.create_permission(
            request=models.PermissionCreateRequest(
                permission_type=models.PublicPermissionType.WORKSPACE_READER, user_id=ANALYST, workspace_id=workspace
            )
        ).permission_response
        assert permission is not None
        sdk.permissions.delete_permission(request={"permission_id": permission.permission_id})
        job = sdk.jobs.create_job(
            request=models.JobCreateRequest(connection_id=connection["connectionId"], job_type=models.JobTypeEnum.SYNC)
        ).job_response
        assert job is not None
        assert (
            sdk.jobs.cancel_job(request={"job_id": job.job_id}).job_response
            == sdk.jobs.get_job(request={"job_id": job.job_id}).job_response
        )
        sdk.declarative_source_definitions.delete_declarative_source_definition(request=named)
        with pytest.raises(SDKError, match="resource-not-found"):
            sdk.declarative_source_definitions.get_declarative_source_definition(request=named)
