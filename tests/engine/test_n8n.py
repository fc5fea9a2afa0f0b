"""n8n through the real engine: the estate's workflows run, a secret is renewed in place, nothing is lost or made twice."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SETTINGS: dict[str, Any] = {
    "tags": {"payments": {"name": "payments"}},
    "tokens": {"payments": {"generation": 1}},
    "credentials": {
        "hubspot": {
            "name": "HubSpot",
            "type": "hubspotAppToken",
            "secrets": {"appToken": {"environment": "HUBSPOT_ACCESS_TOKEN"}},
        },
        "slack": {
            "name": "Slack",
            "type": "slackApi",
            "secrets": {"accessToken": {"environment": "SLACK_BOT_TOKEN"}},
        },
        "payments-webhook": {
            "name": "Payments service",
            "type": "httpHeaderAuth",
            "data": {"name": "X-Webhook-Token"},
            "secrets": {"value": {"output": "n8n.tokens.payments"}},
        },
    },
    "workflows": {
        "error-report": {
            "name": "Error report",
            "file": "workflows/error-report.json",
            "published": True,
            "values": {"channel": "C0ALERTS"},
        },
        "failed-payment-followup": {
            "name": "Failed payment follow-up",
            "file": "workflows/failed-payment-followup.json",
            "tags": ["payments"],
            "published": True,
            "error_workflow": "error-report",
            "values": {"channel": "C0COLLECTIONS"},
        },
    },
}


def test_the_life_of_workflows(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(n8n=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    workflows = {one["name"].partition(" (")[0]: one for one in checkout.objects("n8n", "workflow").values()}
    followup, report = workflows["Failed payment follow-up"], workflows["Error report"]
    assert (followup["active"], report["active"]) == (True, True)
    assert followup["settings"]["errorWorkflow"] == report["id"]
    assert followup["activeVersionId"] == followup["versionId"]
    before = checkout.objects("n8n", "credential")

    settings["tokens"]["payments"]["generation"] = 2
    settings["workflows"]["failed-payment-followup"]["published"] = False
    checkout.configure(n8n=settings)
    dev.up(skip_preview=True)
    after = checkout.objects("n8n", "credential")
    assert before.keys() == after.keys(), "the workflows refer to it by its id"
    changed = [one["name"] for id_, one in after.items() if one["data"] != before[id_]["data"]]
    assert changed == ["Payments service (managed by sophia-ai/dev)"]
    assert not checkout.objects("n8n", "workflow")[followup["id"]]["active"]

    dev.destroy()
    assert checkout.objects("n8n", "credential") == {}
    assert all(one["isArchived"] for one in checkout.objects("n8n", "workflow").values()), "executions stay"

    checkout.configure(n8n=SETTINGS)
    dev.up(skip_preview=True)
    again = checkout.objects("n8n", "workflow")
    assert again.keys() == {followup["id"], report["id"]}, "brought back, not made a second time"
    assert again[followup["id"]]["active"]
