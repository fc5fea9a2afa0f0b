"""The emulator of Asana, held against Asana's own description of its API, and used by the vendor's own SDK."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.asana import PLATFORM
from sandbox.asana.access import access_token, workspace_gid
from sandbox.receiver import Failing

SPEC = "asana/asana_oas.yaml"
TARGET = "https://hooks.payready.com/asana?team=platform"
WORKSPACE = workspace_gid("dev")


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def asana(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """A client whose good exchanges fit the description, and whose refusals have Asana's form."""
    described = spec(SPEC)

    def check(response: httpx.Response) -> None:
        response.read()
        request, answered = response.request, response.json()
        if response.is_error:
            assert described.problems("ErrorResponse", answered) == []
            assert answered["errors"][0]["help"]
            return
        sent = body_of(request)
        described.check(
            request.method, str(request.url).removeprefix(emulator.url), response.status_code, sent, answered
        )

    headers = {"Authorization": f"Bearer {access_token('dev')}"}
    with httpx.Client(
        base_url=emulator.url, headers=headers, event_hooks={"response": [check]}, trust_env=False
    ) as client:
        yield client


def body_of(request: httpx.Request) -> Any:
    return httpx.Response(200, content=request.content).json() if request.content else None


def made(client: httpx.Client, path: str, **data: Any) -> dict[str, Any]:
    answer = client.post(path, json={"data": data})
    assert answer.is_success, answer.text
    document: dict[str, Any] = answer.json()["data"]
    return document


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["errors"][0]["message"])


@pytest.fixture
def project(asana: httpx.Client) -> str:
    team = made(asana, "/teams", name="Platform", organization=WORKSPACE)["gid"]
    return str(made(asana, "/projects", name="Incidents", workspace=WORKSPACE, team=team)["gid"])


def test_answers_are_compact_unless_fields_are_asked_for(asana: httpx.Client, project: str) -> None:
    (compact,) = asana.get("/projects", params={"workspace": WORKSPACE}).json()["data"]
    assert compact == {"gid": project, "resource_type": "project", "name": "Incidents"}
    fields = {"workspace": WORKSPACE, "opt_fields": "notes,team.name,members"}
    (picked,) = asana.get("/projects", params=fields).json()["data"]
    assert picked.keys() == {"gid", "notes", "team", "members"}
    assert picked["team"].keys() == {"gid", "name"}
    whole = asana.get(f"/projects/{project}").json()["data"]
    assert "html_notes" not in whole, "it comes only when it is asked for"
    assert asana.get(f"/projects/{project}", params={"opt_fields": "html_notes"}).json()["data"]["html_notes"]


def test_lists_come_in_pages(asana: httpx.Client) -> None:
    for number in range(5):
        made(asana, "/tags", name=f"tag {number}", workspace=WORKSPACE)
    first = asana.get("/tags", params={"workspace": WORKSPACE, "limit": 3}).json()
    assert [one["name"] for one in first["data"]] == ["tag 0", "tag 1", "tag 2"]
    rest = asana.get("/tags", params={"workspace": WORKSPACE, "limit": 3, "offset": first["next_page"]["offset"]})
    assert [one["name"] for one in rest.json()["data"]] == ["tag 3", "tag 4"]
    assert rest.json()["next_page"] is None
    assert "pagination token" in refused(asana.get("/tags", params={"offset": "made-up", "limit": 3}), 400)
    assert "limit" in refused(asana.get("/tags", params={"limit": 101}), 400)


def test_one_stages_token_sees_nothing_of_another(emulator: Any, asana: httpx.Client, project: str) -> None:
    headers = {"Authorization": f"Bearer {access_token('prod')}"}
    answer = httpx.get(f"{emulator.url}/projects/{project}", headers=headers, trust_env=False)
    assert answer.json()["errors"][0]["message"] == f"project: Unknown object: {project}"
    assert httpx.get(f"{emulator.url}/users/me", trust_env=False).status_code == 401
    (own,) = asana.get("/users/me").json()["data"]["workspaces"]
    assert own["gid"] == WORKSPACE


@pytest.mark.parametrize(
    ("path", "data", "status", "said"),
    [
        ("/projects", {"name": "X", "workspace": WORKSPACE}, 400, "team: Missing input"),
        ("/projects", {"name": "X"}, 400, "You should specify one of workspace, team"),
        ("/projects", {"name": "X", "workspace": "abc"}, 400, "workspace: Not a recognized ID: abc"),
        ("/teams", {"name": "X"}, 400, "organization: Missing input"),
        ("/tags", {"name": "X", "workspace": WORKSPACE, "color": "mauve"}, 400, "color"),
        ("/custom_fields", {"name": "X", "workspace": WORKSPACE}, 400, "resource_subtype: Missing input"),
        (
            "/custom_fields",
            {"name": "X", "workspace": WORKSPACE, "resource_subtype": "enum"},
            400,
            "needs at least one enum option",
        ),
        (
            "/custom_fields",
            {"name": "Due date", "workspace": WORKSPACE, "resource_subtype": "text"},
            400,
            "a property that every task has",
        ),
        (
            "/custom_fields",
            {"name": "X", "workspace": WORKSPACE, "resource_subtype": "text", "precision": 2},
            400,
            "Only custom fields of type number have it",
        ),
        ("/webhooks", {"resource": WORKSPACE, "target": TARGET}, 400, "A webhook on a workspace needs filters"),
        ("/webhooks", {"resource": WORKSPACE, "target": "https://localhost/x"}, 403, "must be a public https address"),
        ("/memberships", {"parent": "1", "member": "2"}, 400, "parent: Not a recognized ID"),
    ],
)
def test_what_asana_refuses_is_refused(
    asana: httpx.Client, path: str, data: dict[str, Any], status: int, said: str
) -> None:
    assert said in refused(asana.post(path, json={"data": data}), status)


def test_a_section_goes_only_empty_and_never_as_the_last(asana: httpx.Client, project: str) -> None:
    (first,) = asana.get(f"/projects/{project}/sections").json()["data"]
    assert "last section" in refused(asana.delete(f"/sections/{first['gid']}"), 400)
    second = made(asana, f"/projects/{project}/sections", name="New", insert_before=first["gid"])
    names = [one["name"] for one in asana.get(f"/projects/{project}/sections").json()["data"]]
    assert names == ["New", "Untitled section"]
    task = made(asana, "/tasks", name="Renew", projects=[project])
    assert "contains tasks" in refused(asana.delete(f"/sections/{second['gid']}"), 400)
    made(asana, f"/sections/{first['gid']}/addTask", task=task["gid"])
    assert asana.delete(f"/sections/{second['gid']}").is_success


def test_the_last_enabled_option_cannot_be_disabled(asana: httpx.Client) -> None:
    field = made(
        asana,
        "/custom_fields",
        name="Severity",
        workspace=WORKSPACE,
        resource_subtype="enum",
        enum_options=[{"name": "SEV1"}],
    )
    option = field["enum_options"][0]["gid"]
    assert "at least one enabled" in refused(
        asana.put(f"/enum_options/{option}", json={"data": {"enabled": False}}), 400
    )
    clash = asana.post(f"/custom_fields/{field['gid']}/enum_options", json={"data": {"name": "sev1"}})
    assert "already exists" in refused(clash, 400)


def test_a_free_plan_has_neither_fields_nor_search(emulator: Any, asana: httpx.Client) -> None:
    assert asana.get("/workspaces").is_success
    store = emulator.app.state.stores("asana")
    store.put("workspace", WORKSPACE, store.get("workspace", WORKSPACE) | {"plan": "personal"})
    field = {"name": "X", "workspace": WORKSPACE, "resource_subtype": "text"}
    assert "not available for free users" in refused(asana.post("/custom_fields", json={"data": field}), 402)
    assert "premium" in refused(asana.get(f"/workspaces/{WORKSPACE}/tasks/search"), 402)


def test_a_reminder_is_found_again_by_its_field_and_by_its_external_id(asana: httpx.Client, project: str) -> None:
    field = made(asana, "/custom_fields", name="Credential", workspace=WORKSPACE, resource_subtype="text")["gid"]
    values = {field: "ASANA_ACCESS_TOKEN"}
    external = {"gid": "credential:ASANA_ACCESS_TOKEN"}
    task = made(asana, "/tasks", name="Renew it", projects=[project], custom_fields=values, external=external)
    query = {f"custom_fields.{field}.value": "ASANA_ACCESS_TOKEN", "completed": "false"}
    address = f"{asana.base_url}workspaces/{WORKSPACE}/tasks/search"
    # The description leaves the parameters of custom fields to its prose.
    found = httpx.get(address, params=query, headers=asana.headers, trust_env=False).json()["data"]
    assert [one["gid"] for one in found] == [task["gid"]]
    assert asana.get("/tasks/external:credential:ASANA_ACCESS_TOKEN").json()["data"]["gid"] == task["gid"]
    twin = {"name": "Again", "projects": [project], "external": external}
    assert "external ID of another task" in refused(asana.post("/tasks", json={"data": twin}), 400)
    asana.put(f"/tasks/{task['gid']}", json={"data": {"completed": True}})
    assert httpx.get(address, params=query, headers=asana.headers, trust_env=False).json()["data"] == []


def test_a_webhook_shakes_hands_and_signs_what_it_sends(
    asana: httpx.Client, project: str, listen: Callable[[ASGIApp], str]
) -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    async def hook(request: Request) -> Response:
        seen.append((dict(request.headers), await request.body()))
        shown = request.headers.get("x-hook-secret")
        return Response(status_code=200, headers={"X-Hook-Secret": shown} if shown else {})

    target = f"{listen(Starlette(routes=[Route('/in', hook, methods=['POST'])]))}/in"
    filters = [{"resource_type": "task", "action": "added"}]
    answer = asana.post("/webhooks", json={"data": {"resource": project, "target": target, "filters": filters}}).json()
    secret = answer["X-Hook-Secret"]
    assert answer["data"]["active"]
    assert seen[0][0]["x-hook-secret"] == secret
    task = made(asana, "/tasks", name="Pager", projects=[project])
    asana.put(f"/tasks/{task['gid']}", json={"data": {"name": "Pager!"}})
    assert len(seen) == 2, "the filter lets nothing but additions pass"
    headers, body = seen[1]
    assert headers["x-hook-signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert task["gid"] in body.decode()
    assert secret not in asana.get("/webhooks", params={"workspace": WORKSPACE}).text


def test_a_receiver_that_fails_later_is_noted(emulator: Any, asana: httpx.Client, project: str) -> None:
    hook = made(asana, "/webhooks", resource=project, target=TARGET)
    emulator.app.state.receiver.fail(Failing(address="https://hooks.*", status=503))
    made(asana, "/tasks", name="Pager", projects=[project])
    noted = asana.get(f"/webhooks/{hook['gid']}").json()["data"]
    assert (noted["last_failure_content"], noted["delivery_retry_count"]) == ("503", 1)
    assert noted["failure_deletion_timestamp"] > noted["last_failure_at"]


def test_the_vendors_sdk_makes_a_round_trip(emulator: Any) -> None:
    sdk = pytest.importorskip("asana", reason="the vendor's SDK is absent", exc_type=ImportError)
    rest = pytest.importorskip("asana.rest")
    configuration = sdk.Configuration()
    configuration.access_token, configuration.host = access_token("dev"), emulator.url
    client = sdk.ApiClient(configuration)
    me = sdk.UsersApi(client).get_user("me", {})
    workspace = me["workspaces"][0]["gid"]
    team = sdk.TeamsApi(client).create_team({"data": {"name": "Platform", "organization": workspace}}, {})
    body = {"data": {"name": "Incidents", "workspace": workspace, "team": team["gid"]}}
    project = sdk.ProjectsApi(client).create_project(body, {"opt_fields": "name,team.name"})
    assert project["team"]["name"] == "Platform"
    sections = sdk.SectionsApi(client)
    sections.create_section_for_project(project["gid"], {"body": {"data": {"name": "New"}}})
    assert [one["name"] for one in sections.get_sections_for_project(project["gid"], {})] == ["Untitled section", "New"]
    fields = sdk.CustomFieldsApi(client)
    options = [{"name": f"SEV{number}"} for number in range(3)]
    members = {"name": "Severity", "workspace": workspace, "resource_subtype": "enum", "enum_options": options}
    field = fields.create_custom_field({"data": members}, {})
    used = {"data": {"custom_field": field["gid"], "is_important": True}}
    sdk.ProjectsApi(client).add_custom_field_setting_for_project(used, project["gid"], {})
    hooks = sdk.WebhooksApi(client)
    hook = hooks.create_webhook({"data": {"resource": project["gid"], "target": TARGET}}, {})
    assert hook["active"]
    tags = sdk.TagsApi(client)
    for number in range(4):
        tags.create_tag({"data": {"name": f"tag {number}", "workspace": workspace}}, {})
    paged = list(tags.get_tags({"workspace": workspace, "limit": 3}))
    assert len(paged) == 4, "the SDK follows the pages by itself"
    with pytest.raises(rest.ApiException) as caught:
        fields.create_custom_field({"data": members}, {})
    assert caught.value.status == 400
    hooks.delete_webhook(hook["gid"])
    sdk.ProjectsApi(client).delete_project(project["gid"])
    assert list(sdk.ProjectsApi(client).get_projects({"workspace": workspace})) == []
