"""Linear through the real engine: what Linear makes by itself is taken over, names come back, nothing is made twice."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.linear.access import API_KEY

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SETTINGS: dict[str, Any] = {
    "teams": {
        "platform": {
            "key": "SOP",
            "name": "Sophia",
            "states": {
                "todo": {"name": "Todo", "type": "unstarted", "color": "#101010"},
                "review": {"name": "In Review", "type": "started", "color": "#202020"},
            },
            "members": {"lead": {"email": "platform@payready.com", "owner": True}},
            "git": {"review": "review"},
        }
    },
    "labels": {"incident": {"name": "Incident", "team": "platform", "color": "#eb5757"}},
    "templates": {
        "incident": {
            "name": "Incident",
            "team": "platform",
            "issue": {"title": "Incident: ", "priority": 1, "state": "todo", "labels": ["incident"]},
        }
    },
    "projects": {"agent": {"name": "Agent", "teams": ["platform"], "milestones": {"pilot": {"name": "Pilot"}}}},
    "webhooks": {
        "n8n": {
            "url": "https://agents-dev.payready.com/webhook/linear-events",
            "team": "platform",
            "resource_types": ["Issue"],
        }
    },
}


def ask(checkout: Checkout, query: str, **variables: Any) -> Any:
    url, headers = f"{checkout.running.url}/linear/graphql", {"Authorization": API_KEY}
    answered = httpx.post(url, json={"query": query, "variables": variables}, headers=headers)
    return answered.raise_for_status().json()["data"]


def live(checkout: Checkout, kind: str) -> list[dict[str, Any]]:
    objects = checkout.objects("linear", kind).values()
    return [one for one in objects if not (one.get("archivedAt") or one.get("retiredAt"))]


def test_the_life_of_a_team(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(linear=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    (team,) = live(checkout, "team")
    assert sorted(state["name"] for state in live(checkout, "workflowState")) == [
        "Backlog", "Canceled", "Done", "Duplicate", "In Progress", "In Review", "Todo",
    ], "the Todo that came with the team is the one that the settings mean"  # fmt: skip

    (template,) = live(checkout, "template")
    created = "mutation ($input: IssueCreateInput!) { issueCreate(input: $input) { issue { title state { name } } } }"
    wanted = {"teamId": team["id"], "templateId": template["id"], "title": "Incident: payments are slow"}
    issue = ask(checkout, created, input=wanted)["issueCreate"]["issue"]
    assert issue == {"title": "Incident: payments are slow", "state": {"name": "Todo"}}

    label = settings["labels"].pop("incident")
    settings["templates"]["incident"]["issue"]["labels"] = []
    settings["webhooks"]["n8n"]["generation"] = 2
    before = checkout.objects("linear", "webhook")
    checkout.configure(linear=settings)
    dev.up(skip_preview=True)
    assert live(checkout, "issueLabel") == []
    ((id_, webhook),) = checkout.objects("linear", "webhook").items()
    assert list(before) == [id_]
    assert webhook["secret"] != before[id_]["secret"], "another secret in the same webhook"
    settings["labels"]["incident"] = label
    checkout.configure(linear=settings)
    dev.up(skip_preview=True)
    assert len(checkout.objects("linear", "issueLabel")) == 1, "the retired one was restored, with its issues"

    dev.destroy()
    assert live(checkout, "team") == live(checkout, "project") == live(checkout, "webhook") == []
    dev.up(skip_preview=True)
    assert [one["id"] for one in live(checkout, "team")] == [team["id"]], "until Linear deletes it, it comes back"
    assert len(checkout.objects("linear", "issue")) == 1
