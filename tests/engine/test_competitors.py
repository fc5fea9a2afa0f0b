"""Competitive intelligence through the real engine: one stack of all that it stands on, and a setting that leads nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SLACK: dict[str, Any] = {"channels": {"competitors": {"name": "sophia-dev-competitors"}}}
N8N: dict[str, Any] = {
    "credentials": {
        "slack": {"name": "Slack", "type": "slackApi", "secrets": {"accessToken": {"environment": "SLACK_BOT_TOKEN"}}}
    }
}
SNOWFLAKE: dict[str, Any] = {
    "account": {"name": "ZNB04675"},
    "database": {"name": "SOPHIA_AI_DEV"},
    "schemas": {"raw-competitors": {"name": "RAW_COMPETITORS"}, "competitors": {"name": "COMPETITORS"}},
    "warehouses": {"loading": {"name": "SOPHIA_AI_DEV_LOADING_WH"}, "transforming": {"name": "SOPHIA_AI_DEV_WH"}},
    "roles": {
        "competitors": {
            "name": "SOPHIA_AI_DEV_COMPETITORS",
            "write": ["raw-competitors", "competitors"],
            "warehouses": ["loading"],
        }
    },
    "users": {
        "competitors": {"name": "SOPHIA_AI_DEV_COMPETITORS", "role": "competitors", "warehouse": "loading"},
    },
}


def wanted(checkout: Checkout) -> dict[str, Any]:
    """The stack file's own, without what would need Gong's calls and a report of errors."""
    document = yaml.safe_load((checkout.directory / "Pulumi.dev.yaml").read_text())
    found: dict[str, Any] = document["config"]["sophia-ai:competitors"]
    for name in ("mentions", "error_workflow"):
        del found[name]
    for competitor in found["watched"].values():
        competitor.pop("trackers", None)
    return found


def test_pages_are_wired_from_the_settings_to_snowflake_and_slack(checkout: Checkout) -> None:
    competitors = wanted(checkout)
    platforms = {"slack": SLACK, "n8n": N8N, "snowflake": SNOWFLAKE}
    checkout.configure(**platforms, competitors=competitors)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()

    workflows = checkout.objects("n8n", "workflow").values()
    assert {one["name"].partition(" (managed")[0] for one in workflows} == {
        "Competitors' pages (weekly)",
        "Competitors' changes to Slack",
        "Competitors' weekly report",
    }
    (channel,) = checkout.objects("slack", "channel")
    credentials = {one["type"]: one["id"] for one in checkout.objects("n8n", "credential").values()}
    for workflow in workflows:
        text = json.dumps(workflow["nodes"])
        assert workflow["active"]
        assert "@@" not in text
        assert credentials["snowflake"] in text
        assert (channel in text) == ("pages" not in workflow["name"])
    done = checkout.run("health", "dev", "--json", "--platform", "competitors")
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    assert check["verdict"] == "well"
    assert "pages, alerts and reports" in check["checked"]

    competitors["channel"] = "competitor"
    checkout.configure(**platforms, competitors=competitors)
    refused = checkout.run("preview", "dev", code=3)
    assert "sophia-ai:competitors.channel" in refused.stdout + refused.stderr
    assert 'did you mean "competitors"' in refused.stdout + refused.stderr
