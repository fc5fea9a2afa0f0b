"""Estates that people made by hand on the platforms, and the settings that describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.platforms import all_platforms
from tests.small_estate import GONG

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Json = dict[str, Any]


def credentials(checkout: Checkout) -> dict[str, str]:
    """What the stack's ESC environment sets."""
    return {
        name: template.replace("{url}", f"{checkout.running.url}/{platform.name}").replace("{stage}", "dev")
        for platform in all_platforms()
        for name, template in platform.credentials.items()
    }


@dataclass(frozen=True)
class Hand:
    """Somebody with credentials, who makes objects by the platforms' own APIs."""

    checkout: Checkout
    headers: Mapping[str, str]

    def post(self, path: str, **body: Any) -> Json:
        return self.send("POST", path, **body)

    def send(self, method: str, path: str, **body: Any) -> Json:
        sent: Json = {"data": body} if path.startswith("/slack") else {"json": body} if body else {}
        answer = httpx.request(
            method, self.checkout.running.url + path, headers=dict(self.headers), trust_env=False, **sent
        )
        assert answer.is_success, answer.text
        document: Json = answer.json() if answer.content else {}
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
    by.send("PUT", "/openrouter/api/v1/workspaces/payready/budgets/monthly", limit_usd=100)
    by.send(
        "PATCH", f"/openrouter/api/v1/workspaces/{workspace['data']['id']}", is_observability_broadcast_enabled=True
    )
    by.post(
        "/openrouter/api/v1/byok",
        **in_it,
        provider="anthropic",
        name="Our contract",
        key="planted-key-of-anthropic",
        allowed_models=["anthropic/claude-haiku-4.5"],
    )
    by.post(
        "/openrouter/api/v1/observability/destinations",
        **in_it,
        type="langfuse",
        name="Langfuse",
        config={"baseUrl": "https://us.cloud.langfuse.com", "publicKey": "planted-pk", "secretKey": "planted-sk"},
        privacy_mode=True,
        broadcast_generation_cost=True,
    )
    routing = {"max_price": {"prompt": 3, "completion": "15.0"}, "zdr": True, "data_collection": "deny"}
    for slug in ("payready-conversation", "elsewhere"):
        by.post(
            f"/openrouter/api/v1/presets/{slug}/chat/completions",
            model="anthropic/claude-sonnet-4.5",
            models=["anthropic/claude-sonnet-4.5", "openai/gpt-5.2"],
            provider=routing,
            temperature=0.3,
            messages=[{"role": "system", "content": "You write to residents."}],
        )
    by.post(
        "/openrouter/api/v1/presets/payready-fast/chat/completions",
        model="openai/gpt-4o",
        messages=[{"role": "user", "content": "-"}],
    )


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
    options: tuple[str, ...] = ()
    """Of the command."""
    reads: int = 9
    """How many requests a look takes at most: one listing a kind, and whatever only a look at each object tells."""
    opens: Callable[[Checkout], dict[str, str]] = lambda _checkout: {}
    """What a person puts into the environment so that the look sees everything."""
    writes: tuple[str, ...] = ()
    """What taking over makes all the same, because nobody else could: by the kind in the sandbox, and its path."""


ESTATES = {
    "airbyte": Estate(
        make_airbyte,
        {
            "workspace": {"name": "Pay Ready"},
            "tags": {"revenue-more": {"name": "Revenue & more", "color": "2E7D32"}},
            "sources": {
                "gong": {
                    **GONG,
                    "secrets": {name: {"environment": f"SOURCE_GONG_{name.upper()}"} for name in GONG["secrets"]},
                },
                "linear-all-teams": {
                    "name": "Linear (all teams)",
                    "type": "linear",
                    "secrets": {"api_key": {"environment": "SOURCE_LINEAR_ALL_TEAMS_API_KEY"}},
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
                    "streams": [{"name": "calls", "sync_mode": "full_refresh_overwrite", "selected_fields": ["title"]}],
                },
            },
        },
        (
            "SOURCE_GONG_ACCESS_KEY",
            "SOURCE_GONG_ACCESS_KEY_SECRET",
            "SOURCE_LINEAR_ALL_TEAMS_API_KEY",
            "DESTINATION_SNOWFLAKE_PASSWORD",
        ),
        (
            ("source", "Gong EU", "called the same"),
            ("source", "Gong EU", "called the same"),
            ("connection", "Gong EU", "is not in the settings"),
        ),
    ),
    "openrouter": Estate(
        make_openrouter,
        {
            "workspace": {"slug": "payready", "name": "Pay Ready", "description": "All of it"},
            "budgets": {"monthly": 100},
            "guardrails": {
                "residents": {"name": "Residents", "limit_usd": 5, "reset": "daily", "zero_data_retention": True},
                "open": {"name": "Open", "models": ["openai/gpt-4o"], "ignored_providers": ["x"]},
            },
            "provider_credentials": {
                "our-contract": {
                    "provider": "anthropic",
                    "name": "Our contract",
                    "key": {"environment": "OUR_CONTRACT_KEY"},
                    "models": ["anthropic/claude-haiku-4.5"],
                }
            },
            "destinations": {
                "langfuse": {
                    "type": "langfuse",
                    "name": "Langfuse",
                    "configuration": {"baseUrl": "https://us.cloud.langfuse.com"},
                    "secrets": {
                        "publicKey": {"environment": "LANGFUSE_PUBLIC_KEY"},
                        "secretKey": {"environment": "LANGFUSE_SECRET_KEY"},
                    },
                    "details": ["cost"],
                }
            },
            "models": {
                "conversation": {
                    "model": "anthropic/claude-sonnet-4.5",
                    "fallbacks": ["openai/gpt-5.2"],
                    "ceiling": {"input": 3, "output": 15},
                    "needs": {"zero_data_retention": True},
                }
            },
            "presets": {
                "conversation": {
                    "slug": "payready-conversation",
                    "task": "conversation",
                    "system_prompt": "You write to residents.",
                    "temperature": 0.3,
                }
            },
        },
        ("OUR_CONTRACT_KEY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
        (
            ("workspace", "Default", "another workspace"),
            ("API key", "Web app", "declare a new key"),
            ("preset", "", "1 begin otherwise"),
            ("preset", "fast", "no highest price"),
        ),
        reads=12,
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
        (("channel", "old", "archived"), ("app", "", "lists no apps"), ("members and bookmarks", "", "not read")),
    ),
}
