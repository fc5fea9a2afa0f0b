"""The lives of our Linear resources on an emulator of Linear that others made (the npm package ``emulate``).

Its schema is a small part of Linear's. What it does not know is taken out of our requests here, by its own schema: fields,
arguments, members of inputs (such as ids chosen by the client). Labels are removed by ``issueLabelDelete`` there, because
it cannot retire one. What is left goes through our provider unchanged: names and types of what it does know, pages,
references, errors. ``ABSENT`` is what it has no call for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    parse,
    print_ast,
    type_from_ast,
    visit,
)
from graphql.language import REMOVE

from providers import linear
from providers.linear_calls import LINEAR
from tests.contract import emulators
from tests.contract.driven import new_run
from tests.unit.base_platform import Engine

KEY = "lin_api_test"
SEED: dict[str, Any] = {
    "linear": {
        "organization": {"name": "Pay Ready", "url_key": "payready"},
        "users": [{"email": "ada@payready.com", "name": "Ada", "admin": True}],
        "teams": [
            {
                "key": "SOP",
                "name": "Sophia",
                "states": [{"name": "Triage", "type": "backlog"}, {"name": "Done", "type": "completed"}],
            }
        ],
        "tokens": [{"token": KEY, "user": "ada@payready.com", "scopes": ["read", "write", "admin"]}],
        "strict_scopes": True,
    }
}
ABSENT = ("teamCreate", "workflowStateCreate", "projectCreate", "templateCreate", "customViewCreate", "webhookUpdate")
BY_HAND = "mutation ($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { issueLabel { id } } }"
_INSTEAD = {"issueLabelRetire": "issueLabelDelete"}


class _Known(Visitor):
    """Removes what a schema does not have."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types

    def enter_field(self, *_: Any) -> Any:
        return None if self.types.get_field_def() else REMOVE

    def enter_argument(self, *_: Any) -> Any:
        return None if self.types.get_argument() else REMOVE


class Narrowed(httpx.HTTPTransport):
    """Requests as the emulator's schema allows them."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.schema = schema

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        text = sent["query"]
        for ours, theirs in _INSTEAD.items():
            text = text.replace(ours, theirs)
        types = TypeInfo(self.schema)
        document = visit(parse(text), TypeInfoVisitor(types, _Known(types)))
        variables = dict(sent.get("variables") or {})
        for definition in document.definitions:
            for variable in definition.variable_definitions or ():
                name, type_ = variable.variable.name.value, type_from_ast(self.schema, variable.type)
                kind = get_named_type(type_) if type_ else None
                if isinstance(kind, GraphQLInputObjectType) and name in variables:
                    variables[name] = {m: value for m, value in variables[name].items() if m in kind.fields}
        body = json.dumps({"query": print_ast(document), "variables": variables}).encode()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("content-length", "host")}
        return super().handle_request(httpx.Request("POST", request.url, headers=headers, content=body))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulators.running("linear", SEED, tmp_path_factory.mktemp("linear")) as found:
        yield f"{found}/graphql"


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(address: str) -> Iterator[Ask]:
    """A query as a person sends it, outside of our provider."""
    with httpx.Client(headers={"Authorization": KEY}) as client:

        def run(query: str, **variables: Any) -> dict[str, Any]:
            answered = client.post(address, json={"query": query, "variables": variables}).json()
            found: dict[str, Any] = answered["data"]
            return found

        yield run


@pytest.fixture(autouse=True)
def wire(address: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the provider speaks through."""
    monkeypatch.setenv("LINEAR_API_URL", address)
    monkeypatch.setenv("LINEAR_API_KEY", KEY)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    new_run(monkeypatch)
    schema = build_client_schema(ask(get_introspection_query()))  # type: ignore[arg-type] # JSON, of that shape
    with httpx.Client(transport=Narrowed(schema)) as client:
        monkeypatch.setitem(LINEAR.__dict__, "client", client)
        yield


@pytest.fixture
def team(ask: Ask) -> str:
    (found,) = [team for team in ask("{ teams { nodes { id key } } }")["teams"]["nodes"] if team["key"] == "SOP"]
    return str(found["id"])


def labels(ask: Ask, name: str) -> list[dict[str, Any]]:
    shown = ask("{ issueLabels(first: 250) { nodes { id name color description team { id } } } }")
    return [label for label in shown["issueLabels"]["nodes"] if label["name"] == name]


def test_a_label_is_made_read_changed_and_removed(ask: Ask, team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: dict[str, Any] = {"team_id": team, "name": "payments", "color": "#0b5fff", "description": "Money"}
    engine = Engine(linear.IssueLabel)
    made = engine.create(**wanted)
    (label,) = labels(ask, "payments")
    assert label["id"] == made.id
    assert label["team"] == {"id": team}
    assert "sophia-ai/dev" in label["description"], "whose it is, people can read"
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert set(engine.changed(seen, **wanted)) <= {"is_group", "parent_id"}, "it has no groups"
    changed = engine.update(seen, **{**wanted, "color": "#c62828"})
    assert labels(ask, "payments")[0]["color"] == "#c62828"
    engine.delete(changed)
    engine.delete(changed)
    assert labels(ask, "payments") == []


def test_a_label_that_a_person_made_is_in_the_way(ask: Ask, team: str) -> None:
    made = ask(BY_HAND, input={"name": "by-hand", "teamId": team})["issueLabelCreate"]["issueLabel"]["id"]
    told = str(Engine(linear.IssueLabel).failing_create(team_id=team, name="by-hand"))
    assert made in told
    assert "adopt" in told


def test_the_label_is_found_beyond_the_first_page(ask: Ask, team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(linear.IssueLabel)
    made = [engine.create(team_id=team, name="first-page")]
    for number in range(105):
        ask(BY_HAND, input={"name": f"page-{number}", "teamId": team})
    made.append(engine.create(team_id=team, name="last-page"))
    new_run(monkeypatch)
    for one, name in zip(made, ("first-page", "last-page"), strict=True):
        seen = engine.read(one)
        assert seen
        assert seen.inputs["name"] == name


def test_a_state_that_the_team_has_is_found_by_team_and_name(team: str) -> None:
    engine = Engine(linear.WorkflowState)
    assert "it exists already" in str(
        engine.failing_create(team_id=team, name="Triage", type="backlog", color="#bec2c8")
    )


def test_a_webhook_is_made_and_removed(ask: Ask, team: str) -> None:
    wanted: dict[str, Any] = {
        "team_id": team,
        "url": "https://agents.payready.com/webhook/linear-events",
        "resource_types": ["Issue", "Comment"],
        "secret": "a-secret-of-ours",
    }
    engine = Engine(linear.Webhook)
    made = engine.create(**wanted)
    query = "{ webhooks { nodes { id url enabled resourceTypes team { id } } } }"
    (webhook,) = ask(query)["webhooks"]["nodes"]
    assert webhook == {
        "id": made.id,
        "url": wanted["url"],
        "enabled": True,
        "resourceTypes": ["Comment", "Issue"],
        "team": {"id": team},
    }
    engine.delete(made)
    assert ask(query)["webhooks"]["nodes"] == []


@pytest.mark.parametrize("mutation", ABSENT)
def test_what_it_does_not_imitate(ask: Ask, mutation: str) -> None:
    """A newer version that has one of these can test more of ours."""
    fields = ask("{ __schema { mutationType { fields { name } } } }")["__schema"]["mutationType"]["fields"]
    assert mutation not in {field["name"] for field in fields}
