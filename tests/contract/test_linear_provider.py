"""Our provider of Linear against the emulator, every operation and every answer held against the vendor's schema."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate

from components.existing.__main__ import run as existing
from providers import linear
from providers.base import Resource
from providers.linear_calls import LINEAR, derived_id
from sandbox.linear import PLATFORM
from sandbox.sealing import opened
from tests.contract.driven import new_run, without_waiting
from tests.unit.base_platform import Engine, FailedError, State

_SPECS = Path(os.environ.get("SOPHIA_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
TEAM: dict[str, Any] = {"key": "SOP", "name": "Sophia", "timezone": "America/Chicago", "triage_enabled": True}
HOOK: dict[str, Any] = {
    "url": "https://n8n.dev.payready.com/webhook/linear-events",
    "label": "n8n",
    "resource_types": ["Issue", "Project"],
    "secret": "a-secret-of-ours",
}


@pytest.fixture(scope="session")
def vendor() -> GraphQLSchema:
    path = _SPECS / "linear" / "linear_schema.graphql"
    if not path.is_file():
        pytest.skip(f"THE VENDOR'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: {path} (SOPHIA_SPECS says where)")
    return build_schema(path.read_text(), assume_valid=True)


class Control:
    """The emulator, looked at from outside, and a connection that can be lost."""

    def __init__(self, emulator: Any, vendor: GraphQLSchema) -> None:
        self.emulator, self.vendor = emulator, vendor
        self.operations: list[str] = []
        self.lost: list[str] = []

    def answered(self, response: httpx.Response) -> None:
        response.read()
        asked, answer = json.loads(response.request.content), response.json()
        document = parse(asked["query"])
        assert validate(self.vendor, document) == []
        field = str(document.to_dict()["definitions"][0]["selection_set"]["selections"][0]["name"]["value"])
        self.operations.append(field)
        if "errors" in answer:
            assert answer["errors"][0]["extensions"]["code"]
        else:
            again = execute_sync(self.vendor, document, answer["data"], variable_values=asked.get("variables"))
            assert (again.errors, again.data) == (None, answer["data"])
        if field in self.lost:
            self.lost.remove(field)
            raise httpx.ReadError("the connection was closed", request=response.request)

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.emulator.app.state.stores("linear").all(kind)
        return found

    def change(self, kind: str, key: str, **members: Any) -> None:
        store = self.emulator.app.state.stores("linear")
        store.put(kind, key, store.get(kind, key) | members)


@pytest.fixture
def control(serve: Callable[[Any], Any], vendor: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    found = Control(serve(PLATFORM), vendor)
    without_waiting(monkeypatch, found.emulator.credentials)
    with httpx.Client(event_hooks={"response": [found.answered]}, trust_env=False) as client:
        monkeypatch.setitem(LINEAR.__dict__, "client", client)
        yield found


def engine(resource: type[Resource], name: str = "hall", stack: str = "dev") -> Engine:
    return Engine(resource, name, stack)


def team(**changes: Any) -> State:
    return engine(linear.Team).create(**{**TEAM, **changes})


def everything(of: State, done: str) -> dict[str, tuple[type[Resource], dict[str, Any], dict[str, Any]]]:
    """A kind's name, and what is made and changed of it."""
    status = engine(linear.ProjectStatus, "status").create(name="Blocked", type="paused", color="#FF0000", position=1)
    label = engine(linear.ProjectLabel, "plabel").create(name="Pilot", color="#00ff00", description="A pilot")
    project = engine(linear.Project, "parent").create(name="Parent", team_ids=[of.id])
    initiative = engine(linear.Initiative, "goal").create(name="Goal", owner="Platform@payready.com")
    return {
        "state": (
            linear.WorkflowState,
            {"team_id": of.id, "name": "In Review", "type": "started", "color": "#0000FF"},
            {"color": "#0000ee", "description": "Somebody reads it"},
        ),
        "label": (linear.IssueLabel, {"name": "Incident", "is_group": True}, {"color": "#123456"}),
        "team label": (linear.IssueLabel, {"team_id": of.id, "name": "Bug"}, {"description": "Broken"}),
        "project": (
            linear.Project,
            {
                "name": "Collections agent",
                "team_ids": [of.id],
                "description": "Payment plans by chat",
                "status_id": status.id,
                "label_ids": [label.id],
                "lead": "collections@payready.com",
                "members": ["support@payready.com", "Platform@payready.com"],
                "target_date": "2027-03-31",
                "target_date_resolution": "quarter",
                "priority": 2,
            },
            {"lead": "platform@payready.com", "members": ["platform@payready.com"], "priority": 1},
        ),
        "milestone": (
            linear.ProjectMilestone,
            {"project_id": project.id, "name": "Pilot", "target_date": "2027-01-31"},
            {"target_date": "2027-02-28"},
        ),
        "initiative": (linear.Initiative, {"name": "Self-service", "status": "Active"}, {"status": "Completed"}),
        "initiative's project": (
            linear.InitiativeProject,
            {"initiative_id": initiative.id, "project_id": project.id},
            {},
        ),
        "template": (
            linear.Template,
            {"team_id": of.id, "type": "issue", "name": "Incident", "data": {"title": "Incident: ", "priority": 1}},
            {"data": {"title": "Incident: ", "priority": 2}},
        ),
        "view": (
            linear.CustomView,
            {"name": "Open incidents", "filter": {"labels": {"name": {"eq": "Incident"}}}},
            {"filter": {"labels": {"name": {"in": ["Incident", "Bug"]}}}},
        ),
        "webhook": (linear.Webhook, {**HOOK, "all_public_teams": True}, {"enabled": False}),
        "member": (
            linear.TeamMembership,
            {"team_id": of.id, "user": "Support@payready.com"},
            {"owner": True},
        ),
        "Git automation": (linear.GitAutomation, {"team_id": of.id, "states": {"review": done}}, {}),
    }


def test_the_life_of_everything(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = team(description="Those who build Sophia")
    assert not engine(linear.Team).changes(made, **TEAM, description="Those who build Sophia")
    done = next(state["id"] for state in control.all("workflowState") if state["name"] == "Done")
    for name, (resource, inputs, changes) in everything(made, done).items():
        one = engine(resource, name.replace(" ", "-"))
        adopt = {"adopt": True} if resource is linear.GitAutomation else {}
        state = one.create(**inputs, **adopt)
        new_run(monkeypatch)
        read = one.read(state)
        assert read, name
        assert not one.changes(read, **inputs, **adopt), name
        if changes:
            state = one.update(state, **{**inputs, **changes})
            new_run(monkeypatch)
            read = one.read(state)
            assert read, name
            assert not one.changes(read, **{**inputs, **changes}), name
        one.delete(state)
        new_run(monkeypatch)
        assert one.read(state) is None or resource is linear.GitAutomation, name
    engine(linear.Team).delete(made)
    new_run(monkeypatch)
    assert engine(linear.Team).read(made) is None


def test_a_lost_answer_makes_nothing_twice(control: Control) -> None:
    control.lost = ["teamCreate", "projectCreate"]
    made = team()
    project = engine(linear.Project).create(name="Agent", team_ids=[made.id])
    assert [one["id"] for one in control.all("team")] == [made.id]
    assert [one["id"] for one in control.all("project")] == [project.id]
    assert control.operations.count("projectCreate") == 2, "the second found the id taken, by what it was to make"


def test_an_id_follows_from_what_the_object_is_and_is_of_version_4(control: Control) -> None:
    made = team()
    assert made.id == derived_id(str(control_workspace(control)), "team", "SOP", "0")
    assert made.id[14] == "4"
    assert made.id[19] in "89ab"


def control_workspace(control: Control) -> str:
    asked = {"query": "{ organization { id } }"}
    with control.emulator.client() as client:
        answered = client.post("/graphql", json=asked, headers={"Authorization": "lin_api_sandbox_key"})
    return str(answered.json()["data"]["organization"]["id"])


def test_a_name_that_is_free_again_gets_the_next_id(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """The object that was first of that name has another one now, and keeps its id."""
    made = team()
    label = engine(linear.IssueLabel, "bug")
    bug = label.create(team_id=made.id, name="Bug")
    label.update(bug, team_id=made.id, name="Defect")
    new_run(monkeypatch)
    other = engine(linear.IssueLabel, "bug-2").create(team_id=made.id, name="Bug")
    assert other.id != bug.id
    assert sorted(one["name"] for one in control.all("issueLabel")) == ["Bug", "Defect"]


def test_what_was_put_away_comes_back_with_what_it_had(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = team()
    label, project = engine(linear.IssueLabel), engine(linear.Project)
    bug, agent = label.create(team_id=made.id, name="Bug"), project.create(name="Agent", team_ids=[made.id])
    for one, state in ((label, bug), (project, agent), (engine(linear.Team), made)):
        one.delete(state)
    assert control.all("issueLabel")[0]["retiredAt"]
    assert control.all("project")[0]["trashed"]
    new_run(monkeypatch)
    assert team().id == made.id
    assert label.create(team_id=made.id, name="Bug", color="#101010").id == bug.id
    assert project.create(name="Agent", team_ids=[made.id]).id == agent.id
    assert control.all("issueLabel")[0]["color"] == "#101010"


def test_what_somebody_made_by_hand_is_named_and_adopted_only_when_asked(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(linear.Team, stack="prod").create(**TEAM)
    by_hand = control.all("team")[0]
    new_run(monkeypatch)
    said = str(engine(linear.Team).failing_create(**TEAM))
    assert f"exists already ({by_hand['id']}) and is managed by sophia-ai/prod" in said
    control.change("team", by_hand["id"], description="Ours since 2021")
    new_run(monkeypatch)
    said = str(engine(linear.Team, "again").failing_create(**TEAM))
    assert "and is not managed by this stack" in said
    adopted = engine(linear.Team, "again").create(**{**TEAM, "name": "Sophia AI"}, adopt=True)
    assert adopted.id == by_hand["id"]
    assert control.all("team")[0]["name"] == "Sophia AI"


def test_a_project_that_a_person_threw_away_is_in_nobodys_way(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = team()
    first = engine(linear.Project, "theirs").create(name="Agent", team_ids=[made.id])
    control.change("project", first.id, description="A person's", archivedAt="2026-01-01T00:00:00.000Z", trashed=True)
    new_run(monkeypatch)
    linear_project = engine(linear.Project).create(name="Agent", team_ids=[made.id])
    assert linear_project.id != first.id


def test_a_default_state_is_taken_over_and_another_type_is_not(control: Control) -> None:
    made = team()
    state = engine(linear.WorkflowState)
    given = {"team_id": made.id, "name": "Todo", "color": "#101010", "adopt": True}
    todo = state.create(**given, type="unstarted")
    assert [one["color"] for one in control.all("workflowState") if one["id"] == todo.id] == ["#101010"]
    said = str(engine(linear.WorkflowState, "b").failing_create(**{**given, "name": "Done"}, type="started"))
    assert "with another type, which the platform cannot change" in said


def test_the_last_state_of_a_type_stays(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = team()
    state = engine(linear.WorkflowState)
    todo = state.create(team_id=made.id, name="Todo", type="unstarted", color="#101010", adopt=True)
    new_run(monkeypatch)
    with pytest.raises(FailedError, match="last workflow state of type unstarted"):
        state.delete(todo)


def test_people_are_named_by_their_addresses(control: Control) -> None:
    made = team()
    said = str(engine(linear.Project).failing_create(name="Agent", team_ids=[made.id], lead="nobody@payready.com"))
    assert "nobody in the workspace has the address nobody@payready.com" in said
    assert "invite them" in said
    owner = engine(linear.TeamMembership).create(
        team_id=made.id, user="Automation@payready.com", owner=True, adopt=True
    )
    assert len(control.all("teamMembership")) == 1, "whoever makes a team is in it already"
    assert owner.outputs["user"] == "automation@payready.com"


def test_another_secret_goes_into_the_same_webhook(control: Control) -> None:
    hook = engine(linear.Webhook)
    made = hook.create(**HOOK, all_public_teams=True)
    assert HOOK["secret"] not in json.dumps(made.outputs)
    hook.update(made, **{**HOOK, "secret": "another-secret", "all_public_teams": True})
    (kept,) = control.all("webhook")
    assert kept["id"] == made.id
    assert "another-secret" not in kept["secret"], "not even the sandbox has it in clear"
    assert opened(control.emulator.app.state.vault, kept["secret"]) == "another-secret"


def test_who_is_no_administrator_is_told_so(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAR_API_KEY", "lin_api_sandbox_member_key")
    said = str(engine(linear.Webhook).failing_create(**HOOK, all_public_teams=True))
    assert "FORBIDDEN" in said
    assert control.all("webhook") == []


def test_a_hundred_labels_are_read_in_a_few_calls(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = team()
    label = engine(linear.IssueLabel)
    states = [label.create(team_id=made.id, name=f"Label {number}") for number in range(102)]
    new_run(monkeypatch)
    control.operations.clear()
    assert all(label.read(state) for state in states)
    assert control.operations == ["issueLabels"] * 2


def test_rules_that_nobody_declared_stay(control: Control) -> None:
    made = team()
    done = next(one for one in control.all("workflowState") if one["name"] == "Done")
    rules = engine(linear.GitAutomation)
    state = rules.create(team_id=made.id, states={"review": done["id"]}, adopt=True)
    assert sorted(one["event"] for one in control.all("gitAutomationState")) == ["merge", "review", "start"]
    rules.delete(state)
    assert sorted(one["event"] for one in control.all("gitAutomationState")) == ["merge", "start"]


def test_what_people_made_becomes_settings(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those settings want nothing else than what is there."""
    made = team(cycles_enabled=True, cycle_duration=2)
    child = engine(linear.Team, "child").create(key="ONC", name="On call", parent_id=made.id)
    group = engine(linear.IssueLabel, "kind").create(team_id=made.id, name="Kind", is_group=True)
    engine(linear.IssueLabel, "bug").create(team_id=made.id, name="Bug", parent_id=group.id, color="#101010")
    engine(linear.Project, "p").create(name="Agent", team_ids=[made.id, child.id], lead="support@payready.com")
    engine(linear.CustomView, "v").create(name="Bugs", filter={"labels": {"name": {"eq": "Bug"}}})
    engine(linear.Webhook, "w").create(**HOOK, all_public_teams=True)
    for kind in ("team", "issueLabel", "project", "customView"):
        for one in control.all(kind):
            control.change(kind, one["id"], description="By hand")
    control.change("webhook", control.all("webhook")[0]["id"], label="By hand")
    new_run(monkeypatch)
    found = existing("linear", "{}", "sophia-ai/dev", None)
    settings = found["settings"]
    assert settings["teams"]["on-call"]["parent"] == "sophia"
    assert settings["teams"]["sophia"]["cycles"]["weeks"] == 2
    assert settings["labels"]["bug"] == {
        "name": "Bug",
        "team": "sophia",
        "color": "#101010",
        "description": "By hand",
        "parent": "kind",
    }
    assert settings["projects"]["agent"]["lead"] == "support@payready.com"
    assert sorted(settings["projects"]["agent"]["teams"]) == ["on-call", "sophia"]
    assert [(one["kind"], "secret" in one["reason"]) for one in found["left"]] == [("webhook", True)]
