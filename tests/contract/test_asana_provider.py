"""Our provider of Asana against the emulator, every exchange held against Asana's own description of its API."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import asana
from providers.asana_calls import ASANA
from sandbox.asana import PLATFORM
from sandbox.asana.access import workspace_gid
from sandbox.http import digest
from sandbox.receiver import Failing
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "asana/asana_oas.yaml"
TARGET = "https://n8n.dev.payready.com/webhook/asana-events"
OPTIONS = [{"name": "Urgent", "color": "red"}, {"name": "Soon", "color": "none"}]


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    found = Driven(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    described = spec(SPEC)
    with httpx.Client() as client:

        def held(response: httpx.Response) -> None:
            response.read()
            request = response.request
            address = str(request.url).removeprefix(found.emulator.url)
            sent = json.loads(request.content) if request.content else None
            answered = json.loads(response.content) if response.content else None
            if response.is_error:
                assert described.problems("ErrorResponse", answered) == []
            else:
                described.check(request.method, address, response.status_code, sent, answered)

        client.event_hooks = {"response": [held, found.answered]}
        monkeypatch.setitem(ASANA.__dict__, "client", client)
        yield found


@pytest.fixture
def workspace(control: Driven) -> str:
    return str(Engine(asana.Workspace).create(name="Pay Ready Development", adopt=True).id)


@pytest.fixture
def project(control: Driven, workspace: str) -> str:
    team = Engine(asana.Team).create(workspace=workspace, name="Platform").id
    made = Engine(asana.Project).create(workspace=workspace, team=team, name="Incidents")
    return str(made.id)


def test_the_workspace_is_found_by_name_or_gid_and_never_made(
    control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workspace == workspace_gid("dev")
    new_run(monkeypatch)
    engine = Engine(asana.Workspace, "workspace")
    assert engine.create(gid=workspace, adopt=True).id == workspace
    failed = str(Engine(asana.Workspace).failing_create(name="Pay Raedy", adopt=True))
    assert "no workspace has the name 'Pay Raedy'; ASANA_ACCESS_TOKEN can see Pay Ready Development" in failed
    assert control.written() == []


def test_a_person_is_found_by_the_address_and_never_invited(control: Driven, workspace: str) -> None:
    given = {"workspace": workspace, "adopt": True}
    person = Engine(asana.Person).create(email="Platform@PayReady.com", **given)
    assert control.store.get("user", person.id)["email"] == "platform@payready.com"
    failed = str(Engine(asana.Person, "nobody").failing_create(email="nobody@payready.com", **given))
    assert "invite them in Asana's admin console first" in failed
    assert control.written() == []


def test_a_team_is_made_changed_and_kept(
    control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"workspace": workspace, "name": "Collections", "description": "AI collections"}
    made = unchanged(asana.Team, given, monkeypatch)
    engine = Engine(asana.Team)
    updated = engine.update(made, **{**given, "visibility": "secret"})
    (live,) = control.all("team")
    assert (live["description"], live["visibility"]) == ("AI collections (managed by sophia-ai/dev)", "secret")
    with caplog.at_level(logging.WARNING):
        engine.delete(updated)
    assert 'the team "Collections" stays in Asana' in caplog.text
    new_run(monkeypatch)
    assert engine.create(**given).id == made.id, "declared again, it is the same team"


def test_a_project_is_made_changed_and_deleted(
    control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Engine(asana.Team).create(workspace=workspace, name="Platform").id
    given = {"workspace": workspace, "team": team, "name": "Incidents", "color": "dark-red", "default_view": "board"}
    made = unchanged(asana.Project, given, monkeypatch)
    engine = Engine(asana.Project)
    control.written()
    updated = engine.update(made, **{**given, "color": None, "archived": True})
    assert control.written() == [f"PUT /projects/{made.id}"]
    (live,) = control.all("project")
    assert (live["color"], live["archived"], live["notes"]) == (None, True, "(managed by sophia-ai/dev)")
    engine.delete(updated)
    assert control.all("project") == []
    assert control.all("section") == []


def test_two_projects_of_one_name_are_told_with_their_gids(
    control: Driven, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_run(monkeypatch)
    team, workspace = control.all("team")[0]["gid"], workspace_gid("dev")
    twin = control.store.get("project", project) | {"gid": "1299", "notes": ""}
    control.store.put("project", "1299", twin)
    control.change("project", project, notes="")
    failed = str(Engine(asana.Project).failing_create(workspace=workspace, team=team, name="Incidents", archived=True))
    assert f"2 objects with the same name and team exist: {project}, 1299" in failed


def test_members_come_by_their_gid(control: Driven, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Engine(asana.Person).create(workspace=workspace_gid("dev"), email="security@payready.com", adopt=True).id
    given = {"project": project, "member": person, "access_level": "commenter"}
    made = unchanged(asana.ProjectMember, given, monkeypatch)
    engine = Engine(asana.ProjectMember)
    updated = engine.update(made, **{**given, "access_level": "admin"})
    assert control.store.get("membership", made.id)["access_level"] == "admin"
    engine.delete(updated)
    assert control.store.get("membership", made.id) is None


def names_in_order(control: Driven, project: str) -> list[str]:
    sections = [one for one in control.all("section") if one["project"] == project]
    return [one["name"] for one in sorted(sections, key=lambda one: float(one["order"]))]


def test_sections_stand_in_order_and_peoples_own_stay(
    control: Driven, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gids = [
        unchanged(asana.Section, {"project": project, "name": name}, monkeypatch).id
        for name in ("Done", "New", "Investigating")
    ]
    engine, wanted = Engine(asana.SectionOrder), [gids[1], gids[2], gids[0]]
    made = engine.create(project=project, sections=wanted, adopt=True)
    assert names_in_order(control, project) == ["Untitled section", "New", "Investigating", "Done"]
    control.written()
    by_hand = {"gid": "1298", "name": "By hand", "order": 1.5}
    control.store.put("section", "1298", control.store.get("section", gids[0]) | by_hand)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, project=project, sections=wanted, adopt=True)
    control.change("section", gids[0], order=-1)
    seen = engine.read(made)
    assert seen
    assert engine.changed(seen, project=project, sections=wanted) == ["sections"]
    engine.update(seen, project=project, sections=wanted)
    assert control.written() == [f"POST /projects/{project}/sections/insert"]
    assert [name for name in names_in_order(control, project) if name != "By hand"][1:] == [
        "New",
        "Investigating",
        "Done",
    ]


def test_a_section_with_tasks_stays_and_the_run_goes_on(
    control: Driven, project: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(asana.Section)
    made = engine.create(project=project, name="New")
    task = {"gid": "1297", "resource_type": "task", "sections": [made.id], "projects": [project], "stage": "dev"}
    control.store.put("task", "1297", task)
    with caplog.at_level(logging.WARNING):
        engine.delete(made)
    assert 'the section "New" stays in Asana' in caplog.text
    assert "contains tasks" in caplog.text
    assert control.store.get("section", made.id)


@pytest.mark.parametrize(
    "given",
    [
        {"resource_subtype": "text"},
        {"resource_subtype": "number", "precision": 2, "format": "currency", "currency_code": "USD"},
        {"resource_subtype": "date"},
        {"resource_subtype": "people"},
        {"resource_subtype": "multi_enum", "enum_options": OPTIONS},
    ],
)
def test_custom_fields_of_every_type_read_back(
    control: Driven, workspace: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(
        asana.CustomField, {"workspace": workspace, "name": "Severity", "description": "How bad", **given}, monkeypatch
    )
    (live,) = control.all("custom_field")
    assert live["description"] == "How bad (managed by sophia-ai/dev)"
    Engine(asana.CustomField).delete(made)
    assert control.all("custom_field") == []


def test_options_are_renamed_added_ordered_and_disabled_but_never_lost(
    control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"workspace": workspace, "name": "Priority", "resource_subtype": "enum", "enum_options": OPTIONS}
    made = unchanged(asana.CustomField, given, monkeypatch)
    before = {one["name"]: one["gid"] for one in made.outputs["options"]}
    engine = Engine(asana.CustomField)
    later = {
        **given,
        "enum_options": [{"name": "Now", "color": "red"}, {"name": "Critical", "color": "hot-pink"}],
        "renamed": {"Critical": "Urgent"},
    }
    assert engine.changed(made, **later) == ["enum_options"]
    updated = engine.update(made, **later)
    (live,) = control.all("custom_field")
    shown = [(one["name"], one["color"], one["enabled"]) for one in live["enum_options"]]
    assert shown == [("Soon", "none", False), ("Now", "red", True), ("Critical", "hot-pink", True)]
    after = {one["name"]: one["gid"] for one in updated.outputs["options"]}
    assert after["Critical"] == before["Urgent"], "tasks that had it keep it"
    new_run(monkeypatch)
    seen = engine.read(updated)
    assert seen
    assert not engine.changes(seen, **later)
    back = engine.update(seen, **given)
    assert {one["name"]: one["gid"] for one in back.outputs["options"] if one["enabled"]}["Soon"] == before["Soon"]


def test_a_name_that_is_taken_is_told(control: Driven, workspace: str) -> None:
    Engine(asana.CustomField).create(workspace=workspace, name="Severity", resource_subtype="text")
    failed = str(
        Engine(asana.CustomField, "other").failing_create(workspace=workspace, name="severity", resource_subtype="date")
    )
    assert 'A custom field with the name "severity" already exists' in failed


def test_what_the_plan_lacks_is_told_with_what_to_remove(control: Driven, workspace: str) -> None:
    control.change("workspace", workspace, plan="personal")
    failed = str(
        Engine(asana.CustomField).failing_create(workspace=workspace, name="Severity", resource_subtype="text")
    )
    assert "402 Custom Fields are not available for free users" in failed
    assert "remove sophia-ai:asana.fields from the stack file" in failed


def test_a_field_comes_to_a_project_and_goes(control: Driven, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [
        Engine(asana.CustomField).create(workspace=workspace_gid("dev"), name=name, resource_subtype="text").id
        for name in ("Resident", "Property")
    ]
    first = unchanged(asana.FieldSetting, {"project": project, "custom_field": fields[0]}, monkeypatch)
    given = {"project": project, "custom_field": fields[1], "is_important": True, "insert_after": first.id}
    second = unchanged(asana.FieldSetting, given, monkeypatch)
    live = control.store.get("custom_field_setting", second.id)
    assert (live["is_important"], live["order"]) == (True, 1)
    Engine(asana.FieldSetting).delete(first)
    assert [one["gid"] for one in control.all("custom_field_setting")] == [second.id]


def test_a_tag_is_made_changed_and_deleted(control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"workspace": workspace, "name": "credential", "color": "dark-orange"}
    made = unchanged(asana.Tag, given, monkeypatch)
    engine = Engine(asana.Tag)
    updated = engine.update(made, **{**given, "name": "credentials"})
    assert control.all("tag")[0]["name"] == "credentials"
    engine.delete(updated)
    assert control.all("tag") == []


def test_a_webhook_is_made_while_its_receiver_answers(
    control: Driven, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = [{"resource_type": "task", "action": "changed", "fields": ["name", "completed"]}]
    given = {"workspace": workspace_gid("dev"), "resource": project, "target": TARGET, "filters": filters}
    made = unchanged(asana.Webhook, given, monkeypatch)
    assert made.secrets == {"secret"}
    assert len(made.outputs["secret"]) == 64
    (handshake,) = control.receiver.deliveries(TARGET)
    assert handshake["headers"]["x-hook-secret"] == "***"
    engine = Engine(asana.Webhook)
    fewer = {**given, "filters": [{"resource_type": "task", "action": "added"}]}
    updated = engine.update(made, **fewer)
    assert updated.outputs["secret"] == made.outputs["secret"]
    difference = engine.diff(updated, **{**fewer, "target": f"{TARGET}?generation=2"})
    assert list(difference.replaces) == ["target"]
    assert not difference.deleteBeforeReplace, "the second is there before the first goes"
    engine.delete(updated)
    assert control.all("webhook") == []


@pytest.mark.parametrize("failing", [{"outcome": "no-echo"}, {"outcome": "unreachable"}, {"status": 500}])
def test_a_failing_handshake_makes_no_webhook_and_says_what_to_do(
    control: Driven, project: str, failing: dict[str, Any]
) -> None:
    control.receiver.fail(Failing(address=TARGET, **failing))
    given = {"workspace": workspace_gid("dev"), "resource": project, "target": TARGET}
    failed = str(Engine(asana.Webhook).failing_create(**given))
    assert "did not respond with the handshake secret" in failed
    assert f"see that {TARGET} is public and answers" in failed
    assert control.all("webhook") == []


def test_a_webhook_whose_answer_was_lost_is_made_anew_and_alone(control: Driven, project: str) -> None:
    control.lost = ["POST /webhooks"]
    given = {"workspace": workspace_gid("dev"), "resource": project, "target": TARGET}
    made = Engine(asana.Webhook).create(**given)
    (live,) = control.all("webhook")
    assert live["gid"] == made.id
    assert control.store.get("webhook_secret", made.id)["digest"] == digest(made.outputs["secret"])


def test_a_project_whose_answer_was_lost_is_found_again(control: Driven, workspace: str) -> None:
    team = Engine(asana.Team).create(workspace=workspace, name="Platform").id
    control.lost = ["POST /projects"]
    made = Engine(asana.Project).create(workspace=workspace, team=team, name="Incidents")
    assert [one["gid"] for one in control.all("project")] == [made.id]


def test_lists_are_read_to_their_end(control: Driven, workspace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Engine(asana.Tag).create(workspace=workspace, name="first")
    document = control.store.get("tag", first.id)
    for number in range(205):
        control.store.put("tag", f"13{number:014}", document | {"gid": f"13{number:014}", "name": f"tag {number}"})
    new_run(monkeypatch)
    control.requests.clear()
    found = Engine(asana.Tag, "last").create(workspace=workspace, name="tag 204", color="dark-orange")
    assert found.id == f"13{204:014}"
    assert control.requests.count("GET /tags") == 3


def test_a_token_that_is_not_taken_says_where_tokens_are_made(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASANA_ACCESS_TOKEN", "made-up-token")
    failed = str(Engine(asana.Workspace).failing_create(name="Pay Ready", adopt=True))
    assert "make one of a service account's" in failed
    assert "ASANA_ACCESS_TOKEN in the ESC environment credentials-dev" in failed
    assert "made-up-token" not in failed
