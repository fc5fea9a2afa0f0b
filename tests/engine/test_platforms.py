"""Each platform without an official package, through the real engine: an object's whole life, drift, and adoption."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.platforms import all_platforms
from sophia.results import PropertyChange
from tests.small_estate import GONG

if TYPE_CHECKING:
    from sophia import Plan, Result
    from tests.engine.conftest import Checkout

Settings = dict[str, Any]

GONG: Settings = GONG
HUBSPOT: Settings = {
    "name": "Gong",
    "type": "hubspot",
    "configuration": {"credentials": {"credentials_title": "Private App Credentials"}},
    "secrets": {"credentials.access_token": {"environment": "HUBSPOT_ACCESS_TOKEN"}},
}


@dataclass(frozen=True)
class Example:
    """A few settings of a platform, and what happens to them in a test."""

    platform: str
    settings: Settings
    update: Callable[[Settings], object]
    """A change of one value."""
    updated: tuple[str, PropertyChange]
    """The resource that it updates in place, and how a preview tells it."""
    replace: Callable[[Settings], object]
    """A change of a value that nobody can change on the platform."""
    replaced: tuple[str, str]
    """The resource that is made anew, and the property that forces it."""
    drift: tuple[str, dict[str, Any]]
    """The emulator's kind of an object, and an edit by hand of all of that kind."""
    drifted: tuple[str, str]
    """The resource that has drifted, and in which property."""


EXAMPLES = {
    "airbyte": Example(
        platform="airbyte",
        settings={
            "workspace": {"name": "sophia-dev"},
            "tags": {"revenue": {"name": "revenue", "color": "2E7D32"}},
            "sources": {"gong": GONG},
        },
        update=lambda s: s["tags"]["revenue"].update(color="1565C0"),
        updated=("tag revenue", PropertyChange("color", "2E7D32", "1565C0")),
        replace=lambda s: s["sources"].update(gong=HUBSPOT),
        replaced=("source gong", "source_type"),
        drift=("tag", {"color": "000000"}),
        drifted=("tag revenue", "color"),
    ),
    "openrouter": Example(
        platform="openrouter",
        settings={
            "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
            "budgets": {"monthly": 150},
            "guardrails": {"residents": {"name": "Resident data", "zero_data_retention": True}},
            "keys": {"web": {"name": "Web app", "limit_usd": 40, "guardrail": "residents"}},
        },
        update=lambda s: s["budgets"].update(monthly=120),
        updated=("workspace budget monthly", PropertyChange("limit_usd", 150, 120)),
        replace=lambda s: s["keys"]["web"].update(expires_at="2040-01-01T00:00:00Z"),
        replaced=("api key web", "expires_at"),
        drift=("guardrail", {"enforce_zdr": False}),
        drifted=("guardrail residents", "enforce_zdr"),
    ),
    "slack": Example(
        platform="slack",
        settings={
            "channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}},
            "usergroups": {"platform": {"handle": "sophia-dev-platform", "name": "Platform", "channels": ["alerts"]}},
            "apps": {"sophia": {"manifest": {"display_information": {"name": "Sophia dev"}}}},
        },
        update=lambda s: s["channels"]["alerts"].update(name="sophia-dev-alarms"),
        updated=("channel alerts", PropertyChange("name", "sophia-dev-alerts", "sophia-dev-alarms")),
        replace=lambda s: s["channels"]["alerts"].update(name="sophia-dev-secrets", private=True),
        replaced=("channel alerts", "is_private"),
        drift=("usergroup", {"name": "By hand"}),
        drifted=("user group platform", "name"),
    ),
}


def changed(outcome: Plan | Result) -> dict[str, str]:
    return {f"{c.resource.kind} {c.resource.name}": c.operation for c in outcome.changes}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_life_of_a_platforms_objects(checkout: Checkout, example: Example) -> None:
    settings = copy.deepcopy(example.settings)
    checkout.configure(**{example.platform: settings})
    dev = checkout.stack()
    made = dev.up(skip_preview=True).counts.created
    ids = {name: r["id"] for name, r in checkout.resources().items()}
    mark = checkout.running.mark()
    assert not dev.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == []

    example.update(settings)
    checkout.configure(**{example.platform: settings})
    plan = dev.preview()
    name, difference = example.updated
    (update,) = [c for c in plan.updates if f"{c.resource.kind} {c.resource.name}" == name]
    assert update.properties == (difference,)
    assert changed(dev.up(skip_preview=True)) == {name: "update"}
    assert {n: r["id"] for n, r in checkout.resources().items()} == ids, "an update keeps every object"

    example.replace(settings)
    checkout.configure(**{example.platform: settings})
    name, forced_by = example.replaced
    (replacement,) = [c for c in dev.preview().replaces if f"{c.resource.kind} {c.resource.name}" == name]
    assert [p.path for p in replacement.properties if p.forces_replacement] == [forced_by]
    assert changed(dev.up(skip_preview=True))[name] == "replace"

    kind, edit = example.drift
    for identifier in checkout.objects(example.platform, kind):
        checkout.running.change_object(example.platform, kind, identifier, edit)
    name, property_ = example.drifted
    (drift,) = dev.refresh().changes
    assert (f"{drift.resource.kind} {drift.resource.name}", drift.operation) == (name, "update")
    assert [p.path for p in drift.properties] == [property_]
    assert changed(dev.up(skip_preview=True)) == {name: "update"}
    assert not dev.refresh().has_changes, "what was edited by hand is repaired, and nothing else was touched"

    assert dev.destroy().counts.deleted == made
    mark = checkout.running.mark()
    assert not dev.destroy().has_changes
    assert checkout.running.journal(since=mark).entries == []


def credentials(platform: str) -> dict[str, str]:
    return next(dict(p.credentials) for p in all_platforms() if p.name == platform)


def send(checkout: Checkout, platform: str, path: str, token: str | None, **body: Any) -> dict[str, Any]:
    """Makes an object by hand, as a person with a credential does."""
    sent: dict[str, Any] = {"data": body} if platform == "slack" else {"json": body}
    address = f"{checkout.running.url}/{platform}{path}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(address, headers=headers, trust_env=False, **sent)
    document: dict[str, Any] = answer.raise_for_status().json()
    return document


def make_channel(checkout: Checkout) -> str:
    token = credentials("slack")["SLACK_BOT_TOKEN"]
    made = send(checkout, "slack", "/api/conversations.create", token, name="sophia-dev-alerts")
    return str(made["channel"]["id"])


def make_openrouter_workspace(checkout: Checkout) -> str:
    token = credentials("openrouter")["OPENROUTER_MANAGEMENT_KEY"]
    made = send(checkout, "openrouter", "/api/v1/workspaces", token, slug="sophia-dev", name="Made by hand")
    return str(made["data"]["id"])


def make_airbyte_workspace(checkout: Checkout) -> str:
    known = credentials("airbyte")
    client = {"client_id": known["AIRBYTE_CLIENT_ID"], "client_secret": known["AIRBYTE_CLIENT_SECRET"]}
    token = send(checkout, "airbyte", "/v1/applications/token", None, **client)["access_token"]
    return str(send(checkout, "airbyte", "/v1/workspaces", token, name="sophia-dev")["workspaceId"])


ADOPTIONS: dict[str, tuple[Settings, str, Callable[[Checkout], str], Callable[[Settings], object], str]] = {
    "airbyte": (
        {"workspace": {"name": "sophia-dev"}},
        "Airbyte workspace",
        make_airbyte_workspace,
        lambda s: s["workspace"].update(adopt=True),
        "Workspace::workspace",
    ),
    "openrouter": (
        {"workspace": {"slug": "sophia-dev", "name": "Sophia dev"}},
        "OpenRouter workspace",
        make_openrouter_workspace,
        lambda s: s["workspace"].update(adopt=True),
        "Workspace::workspace",
    ),
    "slack": (
        {"channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke"}}},
        "Slack channel",
        make_channel,
        lambda s: s["channels"]["alerts"].update(adopt=True),
        "Channel::alerts",
    ),
}


@pytest.mark.parametrize("platform", ADOPTIONS)
def test_what_somebody_made_by_hand_is_named_and_then_adopted(checkout: Checkout, platform: str) -> None:
    settings, title, make, adopt, resource = copy.deepcopy(ADOPTIONS[platform])
    identifier = make(checkout)
    checkout.configure(**{platform: settings})
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert title in refused.stderr
    assert identifier in refused.stderr
    assert f"Pulumi.dev.yaml: sophia-ai:{platform}." in refused.stderr
    assert "adopt: true" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not [name for name in checkout.resources() if name.endswith(resource)]

    adopt(settings)
    checkout.configure(**{platform: settings})
    checkout.run("up", "dev", "--skip-preview")
    (known,) = [r for name, r in checkout.resources().items() if name.endswith(resource)]
    assert known["id"] == identifier, "the object itself is taken over, none is made in its place"
    checkout.run("refresh", "dev", "--expect-no-changes")


def test_a_key_that_somebody_made_by_hand_cannot_be_adopted(checkout: Checkout) -> None:
    settings = copy.deepcopy(EXAMPLES["openrouter"].settings)
    keys = settings.pop("keys")
    settings.pop("guardrails")
    checkout.configure(openrouter=settings)
    checkout.stack().up(skip_preview=True)
    (workspace,) = [r["id"] for name, r in checkout.resources().items() if name.endswith("Workspace::workspace")]
    token = credentials("openrouter")["OPENROUTER_MANAGEMENT_KEY"]
    send(checkout, "openrouter", "/api/v1/keys", token, name="Web app", workspace_id=workspace)
    del keys["web"]["guardrail"]
    checkout.configure(openrouter={**settings, "keys": keys})
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert "shown only to whoever made it" in refused.stderr
    assert len(checkout.objects("openrouter", "key")) == 1, "a key that may be in use is left alone"


def test_a_channel_is_not_lost_when_it_is_made_private(checkout: Checkout) -> None:
    """Slack has no call for it and gives no name twice, archived channels included: the channel must stay as it is."""
    settings = copy.deepcopy(EXAMPLES["slack"].settings)
    checkout.configure(slack=settings)
    checkout.stack().up(skip_preview=True)
    settings["channels"]["alerts"]["private"] = True
    checkout.configure(slack=settings)
    refused = checkout.run("up", "dev", "--skip-preview", code=1)
    assert "is_private" in refused.stderr
    assert "another name" in refused.stderr
    (channel,) = checkout.objects("slack", "channel").values()
    assert not channel["is_archived"]
