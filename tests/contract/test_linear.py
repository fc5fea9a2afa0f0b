"""The Linear emulator, held against the vendor's schema: what it takes, what it answers, and what it refuses."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate
from graphql.utilities import coerce_input_value

from components.linear import LinearSettings
from sandbox.linear import PLATFORM
from sandbox.linear.access import API_KEY, MEMBER_KEY
from sandbox.linear.objects import SCHEMA

REPOSITORY = Path(__file__).parents[2]
_SPECS = Path(os.environ.get("SOPHIA_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
Json = Any
Ask = Callable[..., Json]
TEAM = "mutation ($input: TeamCreateInput!) { teamCreate(input: $input) { success team { id key } } }"
LABEL = "mutation ($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { issueLabel { id name } } }"
HOOK = "mutation ($input: WebhookCreateInput!) { webhookCreate(input: $input) { webhook { id enabled secret } } }"
ISSUE = """
mutation ($input: IssueCreateInput!) {
  issueCreate(input: $input) { issue { identifier title priority state { id name } labelIds } }
}
"""


@pytest.fixture(scope="session")
def vendor() -> GraphQLSchema:
    path = _SPECS / "linear" / "linear_schema.graphql"
    if not path.is_file():
        pytest.skip(f"THE VENDOR'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: {path} (SOPHIA_SPECS says where)")
    return build_schema(path.read_text(), assume_valid=True)


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def ask(emulator: Any, vendor: GraphQLSchema) -> Iterator[Ask]:
    """Asks the emulator; every document and every answer is held against the vendor's schema."""
    with httpx.Client(base_url=emulator.url, trust_env=False) as api:

        def asked(query: str, key: str = API_KEY, **variables: Any) -> Json:
            assert validate(vendor, parse(query)) == []
            body = {"query": query, "variables": variables}
            document: Json = api.post("/graphql", json=body, headers={"Authorization": key}).json()
            if "errors" not in document:
                again = execute_sync(vendor, parse(query), document["data"], variable_values=variables)
                assert (again.errors, again.data) == (None, document["data"])
            return document

        yield asked


def team(ask: Ask, key: str = "SOP", **more: Any) -> str:
    return str(ask(TEAM, input={"key": key, "name": key, **more})["data"]["teamCreate"]["team"]["id"])


def refusal(document: Json) -> str:
    error = document["errors"][0]
    assert error["extensions"]["userPresentableMessage"]
    return f"{error['extensions']['code']} {error['message']}"


def declared(schema: GraphQLSchema, name: str) -> Json:
    found: Any = schema.type_map[name]
    fields = {
        field: (str(member.type), {n: str(a.type) for n, a in getattr(member, "args", {}).items()})
        for field, member in getattr(found, "fields", {}).items()
    }
    return {**fields, **dict.fromkeys(getattr(found, "values", {}))}


def test_every_type_and_argument_of_ours_is_the_vendors(vendor: GraphQLSchema) -> None:
    for name, ours in SCHEMA.type_map.items():
        if name == "IssueFilter":  # a scalar here: the emulator looks at its first level only
            continue
        assert type(vendor.type_map.get(name)) is type(ours), name
        theirs = declared(vendor, name)
        for member, found in declared(SCHEMA, name).items():
            assert member in theirs, (name, member)
            if found is not None:
                assert theirs[member][0] == found[0], (name, member)
                assert found[1].items() <= theirs[member][1].items(), (name, member)


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_filters_of_the_stack_files_are_linears(vendor: GraphQLSchema, stage: str) -> None:
    config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    for view in LinearSettings.model_validate(config["sophia-ai:linear"]).views.values():
        coerce_input_value(view.filter, vendor.type_map["IssueFilter"])  # type: ignore[arg-type] # it is an input type


def test_an_id_is_given_once(ask: Ask) -> None:
    id_ = "1be65dba-065f-4d7d-8f61-07b0140fb1a3"
    assert team(ask, id=id_) == id_
    again = ask(TEAM, input={"id": id_, "key": "OTH", "name": "Other"})
    assert refusal(again) == "INPUT_ERROR conflict on insert of Team"
    assert id_ in again["errors"][0]["extensions"]["userPresentableMessage"]
    assert refusal(ask(TEAM, input={"id": "1", "key": "OTH", "name": "Other"})).startswith("INVALID_INPUT")


def test_names_are_unique_where_linear_says_so(ask: Ask) -> None:
    first = team(ask)
    assert "Team key already in use" in refusal(ask(TEAM, input={"key": "SOP", "name": "Other"}))
    ask(LABEL, input={"name": "Bug"})
    assert "duplicate label name" in refusal(ask(LABEL, input={"name": "bug", "teamId": first}))
    team_b = team(ask, "OPS")
    assert "data" in ask(LABEL, input={"name": "Only here", "teamId": first})
    assert ask(LABEL, input={"name": "Only here", "teamId": team_b}).get("errors") is None
    assert "duplicate" in refusal(ask(LABEL, input={"name": "Only here"})), "the workspace's would be everywhere"


def test_a_key_is_shown_as_it_is(ask: Ask) -> None:
    assert "data" in ask("{ viewer { email admin } }")
    assert "Bearer prefix" in refusal(ask("{ viewer { id } }", key=f"Bearer {API_KEY}"))
    assert refusal(ask("{ viewer { id } }", key="lin_api_x")).startswith("AUTHENTICATION_ERROR")


def test_a_query_that_costs_too_much_is_refused(ask: Ask) -> None:
    ask("{ teams(first: 250) { nodes { id key name } } }")
    dear = "{ projects(first: 250) { nodes { id teams { nodes { id } } members { nodes { id } } } } }"
    assert "Query too complex" in refusal(ask(dear))


def test_pages_follow_each_other(ask: Ask) -> None:
    for key in ("AAA", "BBB", "CCC"):
        team(ask, key)
    query = """
    query ($after: String) {
      teams(first: 2, after: $after) { nodes { key } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
    }
    """
    first = ask(query)["data"]["teams"]
    second = ask(query, after=first["pageInfo"]["endCursor"])["data"]["teams"]
    assert [node["key"] for node in first["nodes"] + second["nodes"]] == ["CCC", "BBB", "AAA"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)


def test_an_issue_starts_as_its_template_says(ask: Ask) -> None:
    made = team(ask)
    states = ask("{ workflowStates(first: 50) { nodes { id name } } }")["data"]["workflowStates"]["nodes"]
    todo = next(state["id"] for state in states if state["name"] == "Todo")
    label = ask(LABEL, input={"name": "Incident", "teamId": made})["data"]["issueLabelCreate"]["issueLabel"]["id"]
    created = ask(
        "mutation ($input: TemplateCreateInput!) { templateCreate(input: $input) { template { id templateData } } }",
        input={
            "name": "Incident",
            "type": "issue",
            "teamId": made,
            "templateData": json.dumps({"title": "Incident", "priority": 1, "stateId": todo, "labelIds": [label]}),
        },
    )["data"]["templateCreate"]["template"]
    assert json.loads(created["templateData"])["priority"] == 1, "JSON in a text, as Linear's scalar is"
    wanted = {"teamId": made, "templateId": created["id"], "title": "Payments are slow"}
    issue = ask(ISSUE, input=wanted)["data"]["issueCreate"]["issue"]
    assert issue == {
        "identifier": "SOP-1",
        "title": "Payments are slow",
        "priority": 1,
        "state": {"id": todo, "name": "Todo"},
        "labelIds": [label],
    }
    retire = "mutation ($id: String!) { issueLabelRetire(id: $id) { success } }"
    assert ask(retire, id=label)["data"]["issueLabelRetire"]["success"]
    assert "cannot be applied" in refusal(ask(ISSUE, input=wanted)), "a retired label is not given to new issues"


def test_a_webhook_is_told_signed_and_switched_off_when_it_fails(ask: Ask) -> None:
    made = team(ask)
    got: list[tuple[dict[str, str], bytes]] = []
    statuses = [200, 500, 500, 500]

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(statuses[len(got) - 1])
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/webhook/linear-events"
        wanted = {"url": url, "teamId": made, "resourceTypes": ["Issue"], "secret": "a-secret-of-ours"}
        hook = ask(HOOK, input=wanted)["data"]["webhookCreate"]["webhook"]
        for number in range(5):
            ask(ISSUE, input={"teamId": made, "title": f"Issue {number}"})
        server.shutdown()
    headers, body = got[0]
    expected = hmac.new(b"a-secret-of-ours", body, hashlib.sha256).hexdigest()
    assert (headers["linear-signature"], headers["linear-event"]) == (expected, "Issue")
    assert json.loads(body)["data"]["title"] == "Issue 0"
    assert len(got) == 4, "after three failures nothing more is sent"
    shown = ask("query ($id: String!) { webhook(id: $id) { enabled failures { httpStatus url } } }", id=hook["id"])
    assert shown["data"]["webhook"]["enabled"] is False
    assert [failure["httpStatus"] for failure in shown["data"]["webhook"]["failures"]] == [500] * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://n8n.payready.com"}, "must be an https address"),
        ({"resourceTypes": ["Unicorn"]}, "which is no resource type"),
        ({"resourceTypes": []}, "must not be empty"),
        ({"allPublicTeams": False}, "either teamId or allPublicTeams"),
    ],
)
def test_webhooks_that_cannot_work_are_refused(ask: Ask, changes: Json, said: str) -> None:
    good = {"url": "https://n8n.payready.com/x", "resourceTypes": ["Issue"], "allPublicTeams": True}
    assert said in refusal(ask(HOOK, input={**good, **changes}))
    assert refusal(ask(HOOK, key=MEMBER_KEY, input=good)).startswith("FORBIDDEN")


def test_a_state_with_issues_in_it_stays(ask: Ask) -> None:
    made = team(ask)
    created = (
        "mutation ($input: WorkflowStateCreateInput!) { workflowStateCreate(input: $input) { workflowState { id } } }"
    )
    state = ask(created, input={"teamId": made, "name": "Review", "type": "started", "color": "#101010"})
    id_ = state["data"]["workflowStateCreate"]["workflowState"]["id"]
    ask(ISSUE, input={"teamId": made, "title": "One", "stateId": id_})
    archived = ask("mutation ($id: String!) { workflowStateArchive(id: $id) { success } }", id=id_)
    assert "has issues" in refusal(archived)
    other = team(ask, "OPS")
    assert "of another team" in refusal(ask(ISSUE, input={"teamId": other, "title": "One", "stateId": id_}))
