"""An estate made by hand comes under code: its settings are written from what exists, taken over, and nothing differs."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from providers.base.ownership import unmarked
from sandbox.platforms import all_platforms

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Json = dict[str, Any]


def credentials(checkout: Checkout) -> dict[str, str]:
    """What the stack's ESC environment sets."""
    return {
        name: template.replace("{url}", f"{checkout.running.url}/{platform.name}")
        for platform in all_platforms()
        for name, template in platform.credentials.items()
    }


def run_existing(checkout: Checkout, platform: str, settings: Json | None, *options: str) -> tuple[int, Json]:
    """The command as ``sophia`` runs it, in the stack's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "components.existing", "--platform", platform, "--stack", "sophia-ai/dev", *options],
        cwd=checkout.directory,
        env={**os.environ, **credentials(checkout)},
        input=json.dumps({"settings": settings}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def existing(checkout: Checkout, platform: str, settings: Json | None = None) -> Json:
    code, document = run_existing(checkout, platform, settings)
    assert code == 0, document
    return document


@dataclass(frozen=True)
class Hand:
    """Somebody with credentials, who makes objects by the platforms' own APIs."""

    checkout: Checkout
    headers: Mapping[str, str]

    def post(self, path: str, **body: Any) -> Json:
        sent: Json = {"data": body} if path.startswith("/slack") else {"json": body}
        answer = httpx.post(self.checkout.running.url + path, headers=dict(self.headers), trust_env=False, **sent)
        assert answer.is_success, answer.text
        document: Json = answer.json()
        return document


def hand(checkout: Checkout, platform: str) -> Hand:
    known = credentials(checkout)
    tokens = {"openrouter": known["OPENROUTER_MANAGEMENT_KEY"], "slack": known["SLACK_BOT_TOKEN"]}
    if platform == "airbyte":
        client = {"client_id": known["AIRBYTE_CLIENT_ID"], "client_secret": known["AIRBYTE_CLIENT_SECRET"]}
        tokens["airbyte"] = Hand(checkout, {}).post("/airbyte/v1/applications/token", **client)["access_token"]
    return Hand(checkout, {"Authorization": f"Bearer {tokens[platform]}"})


def make_airbyte(checkout: Checkout) -> None:
    by = hand(checkout, "airbyte")
    workspace = by.post("/airbyte/v1/workspaces", name="Pay Ready")["workspaceId"]
    tag = by.post("/airbyte/v1/tags", name="Revenue & more", color="2E7D32", workspaceId=workspace)
    secret = {"access_key": "planted-key", "access_key_secret": "planted-secret"}
    gong, twin, other, linear = (
        by.post("/airbyte/v1/sources", name=name, workspaceId=workspace, configuration=configuration)["sourceId"]
        for name, configuration in (
            ("Gong", {"sourceType": "gong", "start_date": "2025-01-01T00:00:00Z", **secret}),
            ("Gong EU", {"sourceType": "gong", **secret}),
            ("Gong EU", {"sourceType": "gong", **secret}),
            ("Linear (all teams)", {"sourceType": "linear", "api_key": "planted-key"}),
        )
    )
    assert twin != other
    warehouse = by.post(
        "/airbyte/v1/destinations",
        name="Snowflake",
        workspaceId=workspace,
        configuration={
            "destinationType": "snowflake",
            "host": "ab12345.snowflakecomputing.com",
            "role": "LOADER",
            "warehouse": "WH",
            "database": "DB",
            "schema": "RAW",
            "username": "AIRBYTE",
            "credentials": {"auth_type": "Username and Password", "password": "planted-password"},
        },
    )["destinationId"]
    common = {"destinationId": warehouse, "namespaceDefinition": "destination"}
    by.post(
        "/airbyte/v1/connections",
        **common,
        name="Gong calls",
        sourceId=gong,
        schedule={"scheduleType": "cron", "cronExpression": "0 0 */6 * * ?"},
        prefix="gong_",
        tags=[tag],
        nonBreakingSchemaUpdatesBehavior="propagate_columns",
        configurations={"streams": [{"name": "users"}, {"name": "calls", "syncMode": "incremental_append"}]},
    )
    issues = {"streams": [{"name": "issues"}]}
    by.post(
        "/airbyte/v1/connections", **common, name="Linear", sourceId=linear, status="inactive", configurations=issues
    )
    by.post("/airbyte/v1/connections", **common, name="Gong EU", sourceId=twin)
    by.post(
        "/airbyte/v1/connections",
        **common,
        name="Gong titles",
        sourceId=gong,
        configurations={"streams": [{"name": "calls", "selectedFields": [{"fieldPath": ["title"]}]}]},
    )


def make_openrouter(checkout: Checkout) -> None:
    by = hand(checkout, "openrouter")
    workspace = by.post("/openrouter/api/v1/workspaces", slug="payready", name="Pay Ready", description="All of it")
    in_it = {"workspace_id": workspace["data"]["id"]}
    by.post(
        "/openrouter/api/v1/guardrails",
        **in_it,
        name="Residents",
        enforce_zdr=True,
        limit_usd=5,
        reset_interval="daily",
    )
    by.post(
        "/openrouter/api/v1/guardrails", **in_it, name="Open", allowed_models=["openai/gpt-4o"], ignored_providers=["x"]
    )
    by.post("/openrouter/api/v1/keys", **in_it, name="Web app", limit=5)
    put = httpx.put(
        f"{checkout.running.url}/openrouter/api/v1/workspaces/payready/budgets/monthly",
        headers=dict(by.headers),
        json={"limit_usd": 100},
        trust_env=False,
    )
    assert put.is_success, put.text


def make_slack(checkout: Checkout) -> None:
    by = hand(checkout, "slack")
    alerts = by.post("/slack/api/conversations.create", name="alerts")["channel"]["id"]
    by.post("/slack/api/conversations.setPurpose", channel=alerts, purpose="What broke")
    by.post("/slack/api/conversations.setTopic", channel=alerts, topic="On call: Ada")
    by.post("/slack/api/conversations.create", name="2024_review", is_private=True)
    old = by.post("/slack/api/conversations.create", name="old")["channel"]["id"]
    by.post("/slack/api/conversations.archive", channel=old)
    by.post("/slack/api/usergroups.create", name="Platform team", handle="platform", channels=alerts)


@dataclass(frozen=True)
class Estate:
    """What was made by hand on a platform, the settings that come of it, and what stays out of them."""

    make: Callable[[Checkout], None]
    settings: Json
    variables: tuple[str, ...]
    left: tuple[tuple[str, str, str], ...]
    """Kind, name, and a word of the reason."""
    writes: tuple[str, ...]
    """The only calls by which taking over may write: our mark, joining a channel, a secret that nobody can compare."""


ESTATES = {
    "airbyte": Estate(
        make_airbyte,
        {
            "workspace": {"name": "Pay Ready"},
            "tags": {"revenue-more": {"name": "Revenue & more", "color": "2E7D32"}},
            "sources": {
                "gong": {
                    "name": "Gong",
                    "type": "gong",
                    "configuration": {"start_date": "2025-01-01T00:00:00Z"},
                    "secrets": {
                        "access_key": {"environment": "GONG_ACCESS_KEY"},
                        "access_key_secret": {"environment": "GONG_ACCESS_KEY_SECRET"},
                    },
                },
                "linear-all-teams": {
                    "name": "Linear (all teams)",
                    "type": "linear",
                    "secrets": {"api_key": {"environment": "LINEAR_ALL_TEAMS_API_KEY"}},
                },
            },
            "destinations": {
                "snowflake": {
                    "name": "Snowflake",
                    "type": "snowflake",
                    "configuration": {
                        "host": "ab12345.snowflakecomputing.com",
                        "role": "LOADER",
                        "warehouse": "WH",
                        "database": "DB",
                        "schema": "RAW",
                        "username": "AIRBYTE",
                        "credentials": {"auth_type": "Username and Password"},
                    },
                    "secrets": {"credentials.password": {"environment": "DESTINATION_SNOWFLAKE_PASSWORD"}},
                }
            },
            "connections": {
                "gong-calls": {
                    "name": "Gong calls",
                    "source": "gong",
                    "destination": "snowflake",
                    "cron": "0 0 */6 * * ?",
                    "prefix": "gong_",
                    "streams": [
                        {"name": "users", "sync_mode": "full_refresh_overwrite"},
                        {"name": "calls", "sync_mode": "incremental_append", "cursor_field": ["started"]},
                    ],
                    "tags": ["revenue-more"],
                },
                "linear": {
                    "name": "Linear",
                    "source": "linear-all-teams",
                    "destination": "snowflake",
                    "schema_changes": "ignore",
                    "enabled": False,
                    "streams": [{"name": "issues", "sync_mode": "full_refresh_overwrite"}],
                },
                "gong-titles": {
                    "name": "Gong titles",
                    "source": "gong",
                    "destination": "snowflake",
                    "schema_changes": "ignore",
                },
            },
        },
        ("GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET", "LINEAR_ALL_TEAMS_API_KEY", "DESTINATION_SNOWFLAKE_PASSWORD"),
        (
            ("source", "Gong EU", "called the same"),
            ("source", "Gong EU", "called the same"),
            ("connection", "Gong EU", "is not in the settings"),
            ("connection", "Gong titles", "selectedFields"),
        ),
        ("PATCH /v1/sources/", "PATCH /v1/destinations/"),
    ),
    "openrouter": Estate(
        make_openrouter,
        {
            "workspace": {"slug": "payready", "name": "Pay Ready", "description": "All of it"},
            "budgets": {"monthly": 100},
            "guardrails": {
                "residents": {"name": "Residents", "limit_usd": 5, "reset": "daily", "zero_data_retention": True},
                "open": {"name": "Open", "models": ["openai/gpt-4o"]},
            },
        },
        (),
        (
            ("workspace", "Default", "another workspace"),
            ("guardrail", "Open", "ignored_providers"),
            ("API key", "Web app", "declare a new key"),
        ),
        ("PATCH /api/v1/workspaces/", "PATCH /api/v1/guardrails/"),
    ),
    "slack": Estate(
        make_slack,
        {
            "channels": {
                "alerts": {"name": "alerts", "purpose": "What broke", "topic": "On call: Ada"},
                "channel-2024-review": {"name": "2024_review", "private": True},
            },
            "usergroups": {"platform-team": {"handle": "platform", "name": "Platform team", "channels": ["alerts"]}},
        },
        (),
        (("channel", "old", "archived"), ("app", "", "lists no apps")),
        ("POST /api/conversations.setPurpose", "POST /api/usergroups.update"),
    ),
}


def adopting(settings: Json) -> Json:
    """The settings with ``adopt: true`` on everything that can have it."""
    settings = copy.deepcopy(settings)
    for section, entries in settings.items():
        if section != "budgets":
            for entry in [entries] if section == "workspace" else entries.values():
                entry["adopt"] = True
    return settings


def facts(checkout: Checkout, platform: str) -> Json:
    """What is on a platform, but for our mark and for when it was changed and by whom."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            changing = ("updated_at", "updated_by", "date_update", "last_set", "creator")
            return {key: bare(item) for key, item in value.items() if key not in changing}
        return [bare(item) for item in value] if isinstance(value, list) else unmarked(value) or ""

    kinds = checkout.running.objects(platform).objects
    return {kind: bare(objects) for kind, objects in kinds.items() if kind not in ("token", "idempotency")}


@pytest.mark.parametrize("platform", ESTATES)
def test_an_estate_made_by_hand_comes_under_code_with_an_empty_diff(checkout: Checkout, platform: str) -> None:
    estate = ESTATES[platform]
    estate.make(checkout)
    mark = checkout.running.mark()
    found = existing(checkout, platform)
    assert found["settings"] == estate.settings
    assert [name for added in found["added"] for name in added["secrets"]] == list(estate.variables)
    assert len(found["left"]) == len(estate.left)
    for kind, name, word in estate.left:
        assert [x for x in found["left"] if (x["kind"], x["name"]) == (kind, name) and word in x["reason"]], found[
            "left"
        ]
    reading = checkout.running.journal(since=mark).entries
    assert not [e for e in reading if e.method not in ("GET", "POST")]
    assert len(reading) <= 6, "one listing a kind"

    before = facts(checkout, platform)
    checkout.configure(
        variables=dict.fromkeys(estate.variables, "planted-by-a-person"), **{platform: adopting(found["settings"])}
    )
    mark = checkout.running.mark()
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert facts(checkout, platform) == before, "nothing is made, and nothing is another than it was"
    written = [
        f"{e.method} {e.path}"
        for e in checkout.running.journal(since=mark).entries
        if e.method != "GET" and not e.path.endswith((".list", ".info", "/token"))
    ]
    assert [call for call in written if not call.startswith(estate.writes)] == []

    checkout.configure(
        variables=dict.fromkeys(estate.variables, "planted-by-a-person"), **{platform: found["settings"]}
    )
    assert not dev.preview().has_changes
    assert not dev.refresh().has_changes
    again = existing(checkout, platform, found["settings"])
    assert (again["settings"], again["added"]) == (found["settings"], []), "what the settings have is not added again"


def effective(settings: Json) -> Json:
    """Settings without keys, secrets, and what another component hands over: every object by its own name."""
    names = {
        section: {key: entry["name"] for key, entry in settings.get(section, {}).items()}
        for section in ("tags", "sources", "destinations", "channels", "guardrails")
    }
    members: dict[str, Callable[[Any], Any]] = {
        "source": lambda key: names["sources"][key],
        "destination": lambda key: names["destinations"][key],
        "guardrail": lambda key: names["guardrails"][key],
        "tags": lambda keys: sorted(names["tags"][key] for key in keys),
        "channels": lambda keys: sorted(names["channels"][key] for key in keys),
        "models": sorted,
        "secrets": sorted,
        "streams": lambda streams: sorted((s["name"], s["sync_mode"]) for s in streams),
    }

    def entry(members_of: Json) -> Json:
        return {name: members[name](v) if name in members else v for name, v in members_of.items() if name != "login"}

    return {
        section: entries
        if section in ("workspace", "budgets")
        else {e["name"]: entry(e) for e in entries.values() if "manifest" not in e}
        for section, entries in settings.items()
        if section != "apps"
    }


@pytest.mark.parametrize("platform", ESTATES)
def test_what_the_settings_have_made_is_read_back_as_the_same_settings(checkout: Checkout, platform: str) -> None:
    settings = checkout.settings()
    wanted = settings[platform]
    keep = {platform: wanted} | ({"snowflake": settings["snowflake"]} if platform == "airbyte" else {})
    checkout.configure(**keep)
    checkout.stack().up(skip_preview=True)
    found = existing(checkout, platform)
    made, meant = effective(found["settings"]), effective(wanted)
    if platform == "airbyte":
        (handed_over,) = made["destinations"].values()
        assert handed_over["secrets"] == ["credentials.private_key"]
        assert handed_over["configuration"]["database"] == "SOPHIA_AI_DEV"
        handed_over["configuration"] = {"schema": handed_over["configuration"]["schema"]}
        del handed_over["secrets"]
    assert made == meant
    assert existing(checkout, platform, wanted) == {"settings": wanted, "added": [], "left": found["left"]}


def test_only_what_is_missing_is_added_and_the_rest_stays_as_somebody_wrote_it(checkout: Checkout) -> None:
    make_slack(checkout)
    written = {"channels": {"broken": {"name": "alerts", "purpose": "Written by hand"}}}
    found = existing(checkout, "slack", written)
    assert found["settings"]["channels"]["broken"] == written["channels"]["broken"]
    assert found["settings"]["usergroups"]["platform-team"]["channels"] == ["broken"], "by the key that it has there"
    assert [added["path"] for added in found["added"]] == [
        "slack.channels.channel-2024-review",
        "slack.usergroups.platform-team",
    ]


def test_another_stacks_objects_are_left_to_it(checkout: Checkout) -> None:
    checkout.configure("staging", slack={"channels": {"alerts": {"name": "staging-alerts"}}})
    checkout.stack("staging").up(skip_preview=True)
    found = existing(checkout, "slack")
    assert found["settings"] is None
    assert ("staging-alerts", "it is managed by sophia-ai/staging") in [(x["name"], x["reason"]) for x in found["left"]]


def test_errors_are_told_in_json_without_a_secret(checkout: Checkout) -> None:
    code, document = run_existing(checkout, "slack", {"channels": {"alerts": {"nam": "alerts", "name": "alerts"}}})
    assert code == 3
    assert document["error"]["setting"] == "slack.channels.alerts.nam"
    by = hand(checkout, "airbyte")
    for name in ("One", "Two"):
        by.post("/airbyte/v1/workspaces", name=name)
    code, document = run_existing(checkout, "airbyte", None)
    assert (code, document["error"]["said"]) == (3, "there are: One, Two")
    code, document = run_existing(checkout, "airbyte", None, "--workspace", "Two")
    assert document["settings"] == {"workspace": {"name": "Two"}}
    rule = checkout.running.add_fault("slack", status=401)
    code, document = run_existing(checkout, "slack", None)
    assert rule
    assert code in (1, 4)
    assert "xoxb-" not in json.dumps(document)
