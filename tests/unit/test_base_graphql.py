"""A platform that has one address for everything, and tells failures in answers with status 200."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from providers import base
from providers.base import Call, Environment, Kind, Listing
from providers.base.inventory import Inventory
from tests.unit.thing_platform import (
    Engine,
    KeyInputs,
)


def test_graphql_is_a_kind_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_URL", "http://toy.test")
    monkeypatch.setenv("TOY_KEY", "toy-credential")
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())
    teams: dict[str, dict[str, Any]] = {}

    def graphql(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        variables = asked["variables"]
        if "teamCreate" in asked["query"]:
            teams["u-1"] = {"id": "u-1", **variables["input"]}
            return httpx.Response(200, json={"data": {"teamCreate": {"team": teams["u-1"]}}})
        if "teamUpdate" in asked["query"]:
            teams[variables["id"]] |= variables["input"]
            return httpx.Response(200, json={"data": {"teamUpdate": {"team": teams[variables["id"]]}}})
        if "team(" in asked["query"] and variables["id"] not in teams:
            return httpx.Response(200, json={"errors": [{"message": "Entity not found", "code": "NOT_FOUND"}]})
        nodes = {"nodes": list(teams.values()), "pageInfo": {"endCursor": None}}
        return httpx.Response(200, json={"data": {"teams": nodes, "team": teams.get(variables.get("id", ""))}})

    def query(text: str, answer: str = "", *, repeatable: bool = True, **variables: str) -> Call:
        body = {"query": text, "variables": variables}
        return Call("POST", "/graphql", body, payload="variables.input", answer=answer, repeatable=repeatable)

    linear = base.Api(
        name="linear",
        title="Linear",
        base_url=Environment("TOY_URL"),
        auth=base.Bearer(Environment("TOY_KEY"), prefix=""),
        said=lambda response: str(response.json()["errors"][0]["message"]),
        trouble=lambda response: base.Trouble.NOT_FOUND if "errors" in response.json() else None,
        limit=base.Limit(requests=1000, seconds=1),
    )
    linear.__dict__["client"] = httpx.Client(transport=httpx.MockTransport(graphql))
    team = Kind(
        api=linear,
        title="team",
        setting="teams",
        inputs=KeyInputs,
        calls=base.Calls(
            create=query("mutation { teamCreate }", "data.teamCreate.team", repeatable=False),
            read=query("query { team(id) }", "data.team", id="{id}"),
            update=query("mutation { teamUpdate }", "data.teamUpdate.team", id="{id}"),
            listing=Listing(
                Call("POST", "/graphql", {"query": "query { teams }"}, payload="variables", repeatable=True),
                items="data.teams.nodes",
                pages=base.Cursor("data.teams.pageInfo.endCursor", param="after", limit_param="first"),
            ),
        ),
        identity="id",
        natural_key=("name",),
    )
    engine = Engine(team)
    assert engine.Create(name="Sophia").id == "u-1"
    engine.Update("u-1", {"name": "Sophia"}, name="Sophia AI")
    assert teams == {"u-1": {"id": "u-1", "name": "Sophia AI"}}
    assert engine.Read("u-1", {"name": "Sophia AI"}, name="Sophia AI").outs == {"name": "Sophia AI"}
    assert engine.Read("u-2", {"name": "x"}, name="x").id is None
