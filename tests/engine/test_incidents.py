"""Reminders of credentials through the real engine: each once, wherever they go, and closed when the credential is new."""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

A_DAY = 24 * 3600
VERCEL: dict[str, Any] = {
    "projects": {"web": {"name": "sophia-dev", "framework": "nextjs"}},
    "webhooks": {
        "events": {"url": "https://agents-dev.payready.com/webhook/vercel-events", "events": ["deployment.error"]}
    },
}
LINEAR: dict[str, Any] = {
    "teams": {
        "platform": {
            "key": "SOP",
            "name": "Sophia",
            "states": {
                "todo": {"name": "Todo", "type": "unstarted", "color": "#e2e2e2"},
                "done": {"name": "Done", "type": "completed", "color": "#5e6ad2"},
            },
        }
    },
    "templates": {
        "credential": {"name": "Credential is due", "team": "platform", "issue": {"priority": 2, "state": "todo"}}
    },
}
ASANA: dict[str, Any] = {
    "workspace": {"name": "Pay Ready Development"},
    "teams": {"platform": {"name": "Sophia platform"}},
    "fields": {"credential": {"name": "Credential", "type": "text"}},
    "projects": {
        "credentials": {
            "name": "Credentials due",
            "team": "platform",
            "sections": [{"key": "due", "name": "Due"}, {"key": "renewed", "name": "Renewed"}],
            "fields": [{"field": "credential"}],
        }
    },
}
TO_LINEAR = {"to": "linear", "template": "credential", "done": "done"}
TO_ASANA = {"to": "asana", "project": "credentials", "due": "due", "renewed": "renewed", "field": "credential"}


def made(checkout: Checkout, days_ago: float) -> None:
    """Says when Vercel's token was made."""
    created = int((time.time() - days_ago * A_DAY) * 1000)
    checkout.running.change_object("vercel", "token", "current", {"createdAt": created})


def remind(checkout: Checkout, code: int) -> str:
    return checkout.run("credentials", "dev", "--remind", code=code).stdout


def test_a_credential_that_is_due_becomes_one_issue_or_task_which_is_closed_once_it_is_renewed(
    checkout: Checkout,
) -> None:
    checkout.configure(vercel=VERCEL, linear=LINEAR, incidents={"reminders": TO_LINEAR})
    dev = checkout.stack()
    dev.up(skip_preview=True)
    made(checkout, 100)
    assert "1 made in Linear, 0 there already, 0 closed" in remind(checkout, 2)
    assert "0 made in Linear, 1 there already, 0 closed" in remind(checkout, 2)
    ((id_, issue),) = checkout.objects("linear", "issue").items()
    assert issue["title"] == "Renew VERCEL_API_TOKEN (dev)"
    assert "sophia-ai/dev is due on" in issue["description"]

    made(checkout, 0)
    fault = checkout.running.add_fault("linear", status=400)
    assert "a reminder in Linear stays open" in remind(checkout, 1)
    checkout.running.remove_faults(fault)
    assert "0 made in Linear, 0 there already, 1 closed" in remind(checkout, 0)
    states = checkout.objects("linear", "workflowState")
    assert states[checkout.objects("linear", "issue")[id_]["stateId"]]["type"] == "completed"
    assert "0 closed" in remind(checkout, 0), "and left alone from then on"

    made(checkout, 200)
    checkout.configure(vercel=VERCEL, asana=ASANA, incidents={"reminders": TO_ASANA})
    dev.up(skip_preview=True)
    assert "1 made in Asana" in remind(checkout, 2)
    assert "1 there already" in remind(checkout, 2)
    (task,) = checkout.objects("asana", "task").values()
    assert task["name"] == "Renew VERCEL_API_TOKEN (dev)"
    assert list(task["custom_fields"].values()) == ["VERCEL_API_TOKEN"]
    made(checkout, 0)
    assert "1 closed" in remind(checkout, 0)
    (task,) = checkout.objects("asana", "task").values()
    sections = {gid: one["name"] for gid, one in checkout.objects("asana", "section").items()}
    assert task["completed"]
    assert [sections[gid] for gid in task["sections"]] == ["Renewed"]


N8N: dict[str, Any] = {
    "credentials": {
        "slack": {"name": "Slack", "type": "slackApi", "secrets": {"accessToken": {"environment": "SLACK_BOT_TOKEN"}}}
    },
    "workflows": {},
}
SLACK: dict[str, Any] = {"channels": {"deployments": {"name": "sophia-dev-deployments"}}}


def test_deployments_are_wired_to_the_objects_of_the_platforms(checkout: Checkout) -> None:
    incidents: dict[str, Any] = {"deployments": {"channel": "deployments", "vercel": "events"}}
    checkout.configure(slack=SLACK, n8n=N8N, vercel=VERCEL, incidents=incidents)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    (workflow,) = checkout.objects("n8n", "workflow").values()
    assert workflow["active"]
    (channel,) = checkout.objects("slack", "channel")
    text = json.dumps(workflow["nodes"])
    assert channel in text
    assert "@@" not in text
    (signature,) = [one for one in checkout.objects("n8n", "credential").values() if one["type"] == "crypto"]
    before = signature["data"]

    vercel = copy.deepcopy(VERCEL)
    vercel["webhooks"]["events"]["generation"] = 2
    checkout.configure(slack=SLACK, n8n=N8N, vercel=vercel, incidents=incidents)
    dev.up(skip_preview=True)
    (signature,) = [one for one in checkout.objects("n8n", "credential").values() if one["type"] == "crypto"]
    assert signature["data"] != before, "the new webhook's secret is compared from now on"
    assert "incidents.reminders would say where to" in remind(checkout, 0), "Schedule asks every stack"

    incidents["deployments"]["channel"] = "deploymnets"
    checkout.configure(slack=SLACK, n8n=N8N, vercel=vercel, incidents=incidents)
    refused = checkout.run("preview", "dev", code=3)
    assert "sophia-ai:incidents.deployments.channel" in refused.stdout + refused.stderr
    assert 'did you mean "deployments"' in refused.stdout + refused.stderr
