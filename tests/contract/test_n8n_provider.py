"""Our provider of n8n against the emulator, every exchange held against n8n's own description of its API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import n8n
from providers.base import Resource
from sandbox.http import digest
from sandbox.n8n import PLATFORM
from sandbox.n8n.access import SCOPES, api_key
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "n8n/n8n_public_api_openapi.yml"
HOOK: dict[str, Any] = {
    "id": "a",
    "name": "Hook",
    "type": "n8n-nodes-base.webhook",
    "typeVersion": 2,
    "position": [0, 0],
    "webhookId": "5d0b7c9e-1e6e-4f53-9d0e-0b7b1a6c1d11",
    "parameters": {"httpMethod": "POST", "path": "payments/failed", "authentication": "headerAuth"},
    "credentials": {"httpHeaderAuth": {"id": "replaced"}},
}
SET: dict[str, Any] = {
    "id": "b",
    "name": "Fields",
    "type": "n8n-nodes-base.set",
    "typeVersion": 3.4,
    "position": [220, 0],
    "parameters": {"mode": "manual", "assignments": {"assignments": []}},
}
LINKS = {"Hook": {"main": [[{"node": "Fields", "type": "main", "index": 0}]]}}
WORKFLOW: dict[str, Any] = {
    "name": "Follow-up",
    "nodes": [HOOK, SET],
    "connections": LINKS,
    "settings": {"executionOrder": "v1"},
    "published": True,
}
CREDENTIAL: dict[str, Any] = {"name": "Payments", "type": "httpHeaderAuth", "data": {"name": "X-Token", "value": "one"}}


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    found = Driven(serve(PLATFORM), PLATFORM.name, "/n8n/api/v1")
    without_waiting(monkeypatch, found.emulator.credentials)
    described = spec(SPEC)
    with httpx.Client() as client:

        def held(response: httpx.Response) -> None:
            response.read()
            request = response.request
            address = str(request.url).removeprefix(f"{found.emulator.url}/api/v1")
            sent = json.loads(request.content) if request.content else None
            answered = json.loads(response.content) if response.content else None
            if not response.is_error:
                described.check(request.method, address, response.status_code, sent, answered)

        client.event_hooks = {"response": [held, found.answered]}
        monkeypatch.setitem(n8n.N8N.__dict__, "client", client)
        yield found


def workflow(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[Any, dict[str, Any]]:
    credential = Engine(n8n.Credential).create(**CREDENTIAL).id
    tag = Engine(n8n.Tag).create(name="managed-by-pulumi").id
    hook = {**HOOK, "credentials": {"httpHeaderAuth": {"id": credential}}}
    given = {**WORKFLOW, "nodes": [hook, SET], "tag_ids": [tag], **changes}
    return unchanged(n8n.Workflow, given, monkeypatch), given


def test_a_workflow_is_made_changed_archived_and_brought_back(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made, given = workflow(monkeypatch)
    (live,) = control.all("workflow")
    assert (live["name"], live["active"], len(live["tagIds"])) == ("Follow-up (managed by sophia-ai/dev)", True, 1)
    engine = Engine(n8n.Workflow)
    control.written()
    later = {**given, "nodes": [given["nodes"][0], {**SET, "disabled": True}]}
    updated = engine.update(made, **later)
    assert control.written() == [f"PUT /workflows/{made.id}"], "n8n publishes what is published by itself"
    (live,) = control.all("workflow")
    assert live["activeVersionId"] == live["versionId"], "what runs is what was sent"
    engine.delete(updated)
    (live,) = control.all("workflow")
    assert (live["isArchived"], live["active"]) == (True, False)
    new_run(monkeypatch)
    assert engine.read(updated) is None
    again = engine.create(**later)
    (live,) = control.all("workflow")
    assert (again.id, live["isArchived"], live["active"]) == (made.id, False, True), "with its executions"


def test_what_must_not_run_stops_before_it_changes(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made, given = workflow(monkeypatch)
    control.written()
    other = {**given, "published": False, "settings": {"executionOrder": "v1", "timezone": "America/New_York"}}
    Engine(n8n.Workflow).update(made, **other)
    item = f"/workflows/{made.id}"
    assert control.written() == [f"POST {item}/unpublish", f"PUT {item}"]


def test_what_n8n_adds_is_no_drift_and_what_people_change_is(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made, given = workflow(monkeypatch)
    engine = Engine(n8n.Workflow)
    (live,) = control.all("workflow")
    moved = list(reversed(live["nodes"]))
    control.change("workflow", made.id, nodes=moved, settings={**live["settings"], "availableInMCP": True})
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, **given), "neither the order of nodes nor a setting that is not ours"
    edited = [{**node, "parameters": {"path": "other"}} for node in live["nodes"]]
    control.change("workflow", made.id, nodes=edited, versionId="a-draft")
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["published"] is False, "the draft does not run"
    assert engine.changed(seen, **given) == ["nodes", "published"]
    engine.update(seen, **given)
    new_run(monkeypatch)
    back = engine.read(made)
    assert back
    assert not engine.changes(back, **given)


def test_a_create_of_which_nobody_heard_makes_one_workflow(control: Driven) -> None:
    control.lost = ["POST /workflows"]
    made = Engine(n8n.Workflow).create(**{**WORKFLOW, "nodes": [SET, {**HOOK, "credentials": {}}]})
    (live,) = control.all("workflow")
    assert (live["id"], live["active"]) == (made.id, True)


@pytest.mark.parametrize("lost", ["tags", "publish"])
def test_a_workflow_that_was_made_halfway_is_finished_by_the_next_run(
    control: Driven, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    tag = Engine(n8n.Tag).create(name="managed-by-pulumi").id
    given = {**WORKFLOW, "nodes": [{**HOOK, "credentials": {}}, SET], "tag_ids": [tag]}
    verb = {"tags": "workflowTags:update", "publish": "workflow:activate"}[lost]
    scopes = [scope for scope in SCOPES if scope != verb]
    control.change("key", digest(api_key("dev")), scopes=scopes)
    failed = Engine(n8n.Workflow).failing_create(**given)
    assert failed.kept, "it is there, and known"
    assert "Forbidden" in str(failed)
    control.change("key", digest(api_key("dev")), scopes=list(SCOPES))
    new_run(monkeypatch)
    done = Engine(n8n.Workflow).update(failed.kept, **given)
    (live,) = control.all("workflow")
    assert (live["id"], live["active"], live["tagIds"]) == (done.id, True, [tag])


def test_a_workflow_without_trigger_is_not_published_and_says_why(control: Driven) -> None:
    failed = Engine(n8n.Workflow).failing_create(**{**WORKFLOW, "nodes": [SET], "connections": {}})
    assert "no trigger node" in str(failed)
    assert failed.kept


def test_a_webhook_is_taken_once(control: Driven) -> None:
    given = {**WORKFLOW, "nodes": [{**HOOK, "credentials": {}}, SET]}
    Engine(n8n.Workflow).create(**given)
    failed = Engine(n8n.Workflow, "other").failing_create(**{**given, "name": "Other"})
    assert "POST payments/failed is in use already" in str(failed)


def test_a_new_secret_goes_into_the_credential_that_is_there(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(n8n.Credential, CREDENTIAL, monkeypatch)
    assert "one" not in json.dumps(made.outputs["data"])
    engine = Engine(n8n.Credential)
    other = {**CREDENTIAL, "data": {"name": "X-Token", "value": "two"}}
    assert engine.changed(made, **other) == ["data"]
    updated = engine.update(made, **other)
    (live,) = control.all("credential")
    assert (live["id"], live["data"]["value"]) == (made.id, digest("two")), "workflows refer to it by its id"
    engine.delete(updated)
    assert control.all("credential") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": {"name": "X-Token"}}, "httpHeaderAuth: value is missing (there are: name, value)"),
        ({"data": {"name": "a", "value": "hunter22", "vlaue": "hunter22"}}, "vlaue is not known"),
        ({"type": "noSuchApi"}, "this n8n has no credential type noSuchApi"),
    ],
)
def test_a_credential_is_held_against_its_types_schema_first(
    control: Driven, change: dict[str, Any], said: str
) -> None:
    failed = Engine(n8n.Credential).failing_create(**{**CREDENTIAL, **change})
    assert said in str(failed)
    assert "hunter22" not in str(failed)
    assert "POST /credentials" not in control.requests


def test_a_variable_is_found_though_n8n_does_not_answer_it(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Engine(n8n.Project).create(name="Sales").id
    made = unchanged(n8n.Variable, {"key": "REGION", "value": "us"}, monkeypatch)
    inside = unchanged(n8n.Variable, {"key": "REGION", "value": "eu", "project_id": project}, monkeypatch)
    assert made.id != inside.id
    engine = Engine(n8n.Variable)
    updated = engine.update(inside, key="REGION", value="uk", project_id=project)
    assert {one["id"]: one["value"] for one in control.all("variable")} == {made.id: "us", inside.id: "uk"}
    engine.delete(updated)
    assert [one["id"] for one in control.all("variable")] == [made.id]


def test_a_person_becomes_a_member_by_the_address(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    project = unchanged(n8n.Project, {"name": "Sales"}, monkeypatch).id
    given = {"project_id": project, "email": "AI-Platform@payready.example", "role": "project:viewer"}
    made = unchanged(n8n.ProjectMember, given, monkeypatch)
    engine = Engine(n8n.ProjectMember)
    updated = engine.update(made, **{**given, "role": "project:editor"})
    assert [one["role"] for one in control.all("member")] == ["project:editor"]
    engine.delete(updated)
    assert control.all("member") == []


def test_a_workflow_moves_to_another_project_and_stays_the_same(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Engine(n8n.Project).create(name="Sales").id
    made, given = workflow(monkeypatch)
    Engine(n8n.Workflow).update(made, **given, project_id=project)
    (live,) = control.all("workflow")
    assert (live["id"], live["project"]) == (made.id, project)


@pytest.mark.parametrize(
    ("resource", "given", "setting"),
    [
        (n8n.Variable, {"key": "A", "value": "b"}, "sophia-ai:n8n.variables"),
        (n8n.Project, {"name": "Sales"}, "sophia-ai:n8n.projects"),
    ],
)
def test_what_the_licence_lacks_is_told_with_what_to_remove(
    control: Driven, resource: type[Resource], given: dict[str, Any], setting: str
) -> None:
    Engine(n8n.Tag).create(name="first")
    control.change("instance", "dev", features=[])
    failed = str(Engine(resource).failing_create(**given))
    assert "Your license does not allow" in failed
    assert f"remove {setting} from the stack file" in failed


def test_a_key_that_is_not_taken_says_where_keys_are_made(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N8N_API_KEY", "made-up-key")
    failed = str(Engine(n8n.Tag).failing_create(name="sales"))
    assert "n8n, Settings, n8n API" in failed
    assert "N8N_API_KEY in the ESC environment credentials-dev" in failed
    assert "made-up-key" not in failed
