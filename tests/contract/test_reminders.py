"""Reminders and the incident path's own requests against the emulators, each held against the vendor's description."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate

from components.incidents import FILES
from components.n8n.workflow_files import read
from health import reminders
from health.reminders import Reminder, remind
from providers.asana_calls import ASANA, ask
from providers.linear_calls import LINEAR, graphql
from sandbox.asana import PLATFORM as ASANA_PLATFORM
from sandbox.asana.access import workspace_gid
from sandbox.linear import PLATFORM as LINEAR_PLATFORM

_SPECS = Path(os.environ.get("SOPHIA_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
DUE = Reminder("1f0c9a7b.20270131", "VERCEL_API_TOKEN", "Renew VERCEL_API_TOKEN (dev)", "It is due on 2027-01-31.")
STACK = "sophia-ai/dev"


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    path = _SPECS / "linear" / "linear_schema.graphql"
    if not path.is_file():
        pytest.skip(f"THE VENDOR'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: {path} (SOPHIA_SPECS says where)")
    return build_schema(path.read_text(), assume_valid=True)


def test_the_workflows_ask_linear_what_its_schema_has(vendor: GraphQLSchema) -> None:
    texts = [text for _, path in FILES.values() for _, text in read(path).texts() if "query:" in text]
    queries = [found for text in texts for found in re.findall(r"query: '([^']+)'", text)]
    assert len(queries) == 2
    for query in queries:
        assert validate(vendor, parse(query)) == []


def opened(monkeypatch: pytest.MonkeyPatch, emulator: Any) -> None:
    for name, value in emulator.credentials.items():
        monkeypatch.setenv(name, value.replace("{stage}", "dev"))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_a_reminder_in_linear_is_made_once_and_closed_once(
    serve: Callable[[Any], Any], vendor: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(monkeypatch, serve(LINEAR_PLATFORM))

    def held(response: httpx.Response) -> None:
        response.read()
        asked, answer = json.loads(response.request.content), response.json()
        document = parse(asked["query"])
        assert validate(vendor, document) == []
        if "errors" not in answer:
            again = execute_sync(vendor, document, answer["data"], variable_values=asked.get("variables"))
            assert (again.errors, again.data) == (None, answer["data"])

    with httpx.Client(event_hooks={"response": [held]}, trust_env=False) as client:
        monkeypatch.setitem(LINEAR.__dict__, "client", client)
        made = graphql('mutation { teamCreate(input: {name: "S", key: "S"}) { team { id } } }', "data.teamCreate.team")
        team = made.send(LINEAR, {})["id"]
        template = graphql(
            "mutation ($input: TemplateCreateInput!) { templateCreate(input: $input) { template { id } } }",
            "data.templateCreate.template",
        ).send(LINEAR, {}, {"name": "Due", "type": "issue", "teamId": team, "templateData": {"priority": 2}})["id"]
        states = graphql("query { workflowStates { nodes { id type } } }", "data.workflowStates").send(LINEAR, {})
        by_type = {state["type"]: state["id"] for state in states["nodes"]}
        place = reminders.Linear(STACK, team, template, by_type["completed"])
        nothing: dict[str, list[Any]] = {"made": [], "there": [], "closed": [], "failed": []}
        assert remind(place, [DUE], []) == {**nothing, "made": [DUE.handle]}
        assert remind(place, [DUE], []) == {**nothing, "there": [DUE.handle]}
        assert remind(place, [], [DUE.handle, "00000000.20270101"])["failed"] == [], (
            "one that nobody made is no failure"
        )
        issues = graphql("query { issues { nodes { id state { id } } } }", "data.issues").send(LINEAR, {})["nodes"]
        assert [issue["state"]["id"] for issue in issues] == [by_type["completed"]]
        # A person takes it back, and their word holds.
        graphql(
            "mutation ($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }",
            id="{id}",
        ).send(LINEAR, {"id": issues[0]["id"]}, {"stateId": by_type["canceled"]})
        remind(place, [], [DUE.handle])
        issues = graphql("query { issues { nodes { id state { id } } } }", "data.issues").send(LINEAR, {})["nodes"]
        assert [issue["state"]["id"] for issue in issues] == [by_type["canceled"]]


def test_a_reminder_in_asana_is_made_once_and_closed_once(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator, described = serve(ASANA_PLATFORM), spec("asana/asana_oas.yaml")
    opened(monkeypatch, emulator)

    def held(response: httpx.Response) -> None:
        response.read()
        request = response.request
        sent = json.loads(request.content) if request.content else None
        address = str(request.url).removeprefix(emulator.url)
        described.check(request.method, address, response.status_code, sent, json.loads(response.content))

    with httpx.Client(event_hooks={"response": [held]}, trust_env=False) as client:
        monkeypatch.setitem(ASANA.__dict__, "client", client)
        # The first call tells the emulator who is there.
        ask("GET", "/users/me").send(ASANA, {})
        team = ask("POST", "/teams").send(ASANA, {}, {"name": "T", "organization": workspace_gid("dev")})["gid"]
        project = ask("POST", "/projects").send(ASANA, {}, {"name": "Due", "team": team})["gid"]
        due, renewed = (
            ask("POST", "/projects/{id}/sections").send(ASANA, {"id": project}, {"name": name})["gid"]
            for name in ("Due", "Renewed")
        )

        def place() -> reminders.Asana:
            return reminders.Asana(STACK, project, due, renewed)

        assert remind(place(), [DUE], [])["made"] == [DUE.handle]
        assert remind(place(), [DUE], [])["there"] == [DUE.handle]
        assert remind(place(), [], [DUE.handle])["failed"] == []
        (task,) = emulator.app.state.stores("asana").all("task")
        assert task["completed"]
        assert task["sections"] == [renewed]
        assert remind(place(), [DUE], [])["there"] == [DUE.handle], "a task that was closed is not made again"
        other = reminders.Asana("sophia-ai/prod", project, due, renewed)
        assert remind(other, [DUE], [])["made"] == [DUE.handle], "another stack's credential is another one"
