"""``sophia orphans``: objects of ours that no state knows are found by their marks, and what cannot be known is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

OPENROUTER: dict[str, Any] = {
    "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
    "budgets": {"monthly": 150},
    "guardrails": {"residents": {"name": "Resident data", "zero_data_retention": True}},
}
SLACK: dict[str, Any] = {
    "channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}, "old": {"name": "sophia-dev-old"}}
}


def forget(checkout: Checkout, resource: str) -> str:
    """Takes a resource out of the state, as somebody does who edits it; the id of what is left on its platform."""
    (found,) = [r for name, r in checkout.resources().items() if name.endswith(resource)]
    dev = checkout.stack()
    outcome = checkout.command.execute(
        ["state", "delete", found["urn"], "--yes", "--stack", dev.full_name],
        checkout.directory,
        {**dev.target.environment},
    )
    assert outcome.code == 0, outcome.stderr
    return str(found["id"])


def test_what_the_state_has_forgotten_is_found_by_its_mark(checkout: Checkout) -> None:
    """Also if the settings no longer name it, and next to what others own; nothing is changed by looking."""
    checkout.configure(openrouter=OPENROUTER, slack=SLACK)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    checkout.configure(openrouter=OPENROUTER, slack={"channels": {"alerts": SLACK["channels"]["alerts"]}})
    dev.up(skip_preview=True)
    clean = checkout.run("orphans", "dev")
    assert "no orphans" in clean.stdout, "an archived channel was removed, not forgotten"
    (unmarked,) = [line for line in clean.stdout.splitlines() if line.startswith("have no room for a mark")]
    assert {"source", "destination", "tag", "connection"} <= set(
        unmarked.partition("Airbyte ")[2].partition(";")[0].split(", ")
    )

    guardrail, channel = forget(checkout, "Guardrail::residents"), forget(checkout, "Channel::alerts")
    before = (checkout.objects("openrouter", "guardrail"), checkout.objects("slack", "channel"))
    told = checkout.run("orphans", "dev", code=2)
    assert f"OpenRouter guardrail Resident data  {guardrail}" in told.stdout
    assert f"Slack channel sophia-dev-alerts  {channel}" in told.stdout
    assert "sophia up dev" in told.stdout
    document = json.loads(checkout.run("orphans", "dev", "--json", code=2).stdout)
    assert document["exit_code"] == 2
    found = {(o["platform"], o["kind"], o["name"], o["id"]) for o in document["orphans"]}
    assert found == {
        ("OpenRouter", "guardrail", "Resident data", guardrail),
        ("Slack", "channel", "sophia-dev-alerts", channel),
    }
    assert all(o["made"] and o["do"] for o in document["orphans"])
    assert {"platform": "Slack", "kind": "app"} in document["unlisted_kinds"]
    assert {"platform": "OpenRouter", "kind": "workspace budget"} in document["unmarked_kinds"]
    assert (checkout.objects("openrouter", "guardrail"), checkout.objects("slack", "channel")) == before

    checkout.run("up", "dev", "--skip-preview")
    checkout.run("orphans", "dev")
    assert list(checkout.objects("openrouter", "guardrail")) == [guardrail], "taken over, as was advised"


def test_a_platform_that_cannot_be_read_is_no_platform_without_orphans(checkout: Checkout) -> None:
    """One that the stack does not use and has no credentials for is told, and no failure."""
    checkout.configure(slack=SLACK, variables={"SLACK_BOT_TOKEN": "xoxb-revoked"})
    refused = checkout.run("orphans", "dev", code=4)
    assert "Slack cannot be surveyed" in refused.stderr
    assert "SLACK_BOT_TOKEN" in refused.stderr
    assert "no orphans" not in refused.stdout
    checkout.configure(slack=SLACK, variables={"OPENROUTER_MANAGEMENT_KEY": "sk-or-revoked"})
    fine = checkout.run("orphans", "dev")
    assert "OpenRouter cannot be surveyed" in fine.stdout
