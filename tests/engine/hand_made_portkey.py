"""An estate that people made by hand on Portkey, and the settings that describe it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.engine.hand_made import Estate, Hand, Json, credentials

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

FEEDBACK = {
    "on_success": {"feedback": {"value": 5, "weight": 1, "metadata": ""}},
    "on_fail": {"feedback": {"value": -5, "weight": 1, "metadata": ""}},
}


def make_portkey(checkout: Checkout) -> None:
    by, at = Hand(checkout, {"x-portkey-api-key": credentials(checkout)["PORTKEY_ADMIN_API_KEY"]}), "/portkey/v1"
    workspace = by.post(
        f"{at}/admin/workspaces",
        name="Pay Ready",
        description="All of it",
        defaults={"metadata": {"stage": "dev"}},
        usage_limits=[{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}],
    )["id"]
    by.send("GET", f"{at}/admin/workspaces/{workspace}")  # The sandbox makes its people with the first look.
    in_it = {"workspace_id": workspace}
    for slug, vendor, more in (
        ("openai-main", "openai", {"key": "planted-key-of-openai"}),
        (
            "bedrock-us",
            "bedrock",
            {
                "configurations": {
                    "aws_auth_type": "accessKey",
                    "aws_region": "us-east-1",
                    "aws_access_key_id": "AKIAEXAMPLE",
                    "aws_secret_access_key": "planted-secret-of-aws",
                }
            },
        ),
        ("unused", "groq", {"key": "planted-key-of-groq"}),
    ):
        by.post(f"{at}/integrations", name=slug.replace("-", " ").title(), slug=slug, ai_provider_id=vendor, **more)
    by.send(
        "PUT",
        f"{at}/integrations/openai-main/models",
        allow_all_models=False,
        models=[
            {"slug": "gpt-4o", "enabled": True},
            {
                "slug": "ft:gpt-4o:collections",
                "enabled": True,
                "is_custom": True,
                "base_model_slug": "gpt-4o",
                "pricing_config": {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.0003}}},
            },
        ],
    )
    for slug in ("openai-main", "bedrock-us"):
        access = {"id": workspace, "enabled": True, "rate_limits": [{"type": "requests", "unit": "rpm", "value": 90}]}
        by.send("PUT", f"{at}/integrations/{slug}/workspaces", workspaces=[access], create_default_provider=False)
    by.post(f"{at}/providers", **in_it, name="OpenAI", slug="openai", integration_id="openai-main", note="For chats")
    guardrail = by.post(
        f"{at}/guardrails",
        **in_it,
        name="No cards",
        checks=[{"id": "default.regexMatch", "parameters": {"rule": r"\d{16}", "not": True}}],
        actions={"deny": True, **FEEDBACK},
    )["slug"]
    by.post(
        f"{at}/guardrails",
        **in_it,
        name="Strict",
        checks=[{"id": "default.contains", "parameters": {"words": ["jail"], "operator": "none"}}],
        actions={"deny": True, "on_fail": {"feedback": {"value": -10}}},
    )
    target = {"provider": "@openai", "override_params": {"model": "gpt-4o"}, "retry": {"attempts": 2}}
    by.post(
        f"{at}/configs",
        **in_it,
        name="Chats",
        config={
            "strategy": {"mode": "fallback", "on_status_codes": [429]},
            "targets": [target, {"provider": "@openai", "override_params": {"model": "ft:gpt-4o:collections"}}],
            "input_guardrails": [guardrail],
            "cache": {"mode": "simple", "max_age": 60},
        },
    )
    by.post(f"{at}/configs", **in_it, name="Old", config={"virtual_key": "openai"})
    payments = by.post(f"{at}/collections", **in_it, name="Payments")["id"]
    late = by.post(f"{at}/collections", **in_it, name="Late", parent_collection_id=payments)["id"]
    disclosure = by.post(f"{at}/prompts/partials", **in_it, name="Disclosure", string="This is a debt.")["slug"]
    by.send("PUT", f"{at}/prompts/partials/{disclosure}", string="This is an attempt to collect a debt.")
    content: list[Json] = [
        {"content": [{"type": "text", "text": f"Friendly. {{{{>{disclosure}}}}}"}], "role": "system"},
        {"role": "user", "content": "Remind {{resident}} schön freundlich."},
    ]
    body = {"parameters": {"temperature": 0.3}, "model": "gpt-4o", "virtual_key": "openai"}
    reminder = by.post(f"{at}/prompts", name="Reminder", collection_id=late, string=json.dumps(content[1:]), **body)[
        "slug"
    ]
    spaced = json.dumps(content, indent=2, ensure_ascii=False)
    by.send("PUT", f"{at}/prompts/{reminder}", string=spaced, **body)
    by.send("PUT", f"{at}/prompts/{reminder}/makeDefault", version=2)
    by.send("PUT", f"{at}/prompts/{reminder}", string=json.dumps(content[1:]), **body)
    key = by.post(f"{at}/api-keys/workspace/service", **in_it, name="Web app", scopes=["completions.write"])["id"]
    by.post(
        f"{at}/policies/usage-limits",
        **in_it,
        name="A resident",
        conditions=[{"key": "workspace_id", "value": workspace}],
        group_by=[{"key": "metadata.resident"}],
        type="tokens",
        credit_limit=2000,
        periodic_reset="weekly",
    )
    for name, condition in (
        ("A chat", {"key": "metadata.channel", "value": "chat"}),
        ("The web app", {"key": "api_key", "value": key}),
    ):
        by.post(
            f"{at}/policies/rate-limits",
            **in_it,
            name=name,
            conditions=[condition],
            group_by=[{"key": "workspace_id"}],
            type="requests",
            unit="rph",
            value=20,
        )


PORTKEY: Json = {
    "workspace": {
        "name": "Pay Ready",
        "description": "All of it",
        "metadata": {"stage": "dev"},
        "usage_limit": {"credit_limit": 100},
    },
    "integrations": {
        "openai-main": {
            "adopt": True,
            "name": "Openai Main",
            "slug": "openai-main",
            "ai_provider_id": "openai",
            "secrets": {"key": {"environment": "OPENAI_MAIN_KEY"}},
            "models": [
                {"slug": "ft:gpt-4o:collections", "base_model": "gpt-4o", "request_token_price": 0.0003},
                "gpt-4o",
            ],
            "rate_limit": {"value": 90},
        },
        "bedrock-us": {
            "adopt": True,
            "name": "Bedrock Us",
            "slug": "bedrock-us",
            "ai_provider_id": "bedrock",
            "secrets": {"aws_secret_access_key": {"environment": "BEDROCK_US_AWS_SECRET_ACCESS_KEY"}},
            "configurations": {
                "aws_auth_type": "accessKey",
                "aws_region": "us-east-1",
                "aws_access_key_id": "AKIAEXAMPLE",
            },
            "rate_limit": {"value": 90},
        },
    },
    "providers": {
        "openai": {"name": "OpenAI", "slug": "openai", "integration": "openai-main", "note": "For chats"},
    },
    "guardrails": {
        "no-cards": {
            "name": "No cards",
            "checks": [{"id": "default.regexMatch", "parameters": {"rule": r"\d{16}", "not": True}}],
        }
    },
    "configs": {
        "chats": {
            "name": "Chats",
            "config": {
                "strategy": {"mode": "fallback", "on_status_codes": [429]},
                "targets": [
                    {"provider": "openai", "override_params": {"model": "gpt-4o"}, "retry": {"attempts": 2}},
                    {"provider": "openai", "override_params": {"model": "ft:gpt-4o:collections"}},
                ],
                "input_guardrails": ["no-cards"],
                "cache": {"mode": "simple", "max_age": 60},
            },
        }
    },
    "collections": {"payments": {"name": "Payments"}, "late": {"name": "Late", "parent": "payments"}},
    "partials": {
        "disclosure": {
            "name": "Disclosure",
            "text": "This is an attempt to collect a debt.",
            "published": 1,
        }
    },
    "prompts": {
        "reminder": {
            "name": "Reminder",
            "collection": "late",
            "provider": "openai",
            "model": "gpt-4o",
            "parameters": {"temperature": 0.3},
            "messages": [{"role": "user", "content": "Remind {{resident}} schön freundlich."}],
            "published": 2,
        }
    },
    "usage_policies": {
        "a-resident": {
            "name": "A resident",
            "group_by": ["metadata.resident"],
            "type": "tokens",
            "credit_limit": 2000,
            "periodic_reset": "weekly",
        }
    },
    "rate_policies": {
        "a-chat": {"name": "A chat", "conditions": {"metadata.channel": "chat"}, "unit": "rph", "value": 20},
    },
}

ESTATES = {
    "portkey": Estate(
        make_portkey,
        PORTKEY,
        ("OPENAI_MAIN_KEY", "BEDROCK_US_AWS_SECRET_ACCESS_KEY"),
        (
            ("integration", "Unused", "may not use it"),
            ("guardrail", "Strict", "5 and -5"),
            ("config", "Old", "virtual_key"),
            ("API key", "Web app", "declare a new key"),
            ("rate policy", "The web app", "API key"),
        ),
        reads=40,
    ),
}
