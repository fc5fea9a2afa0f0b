"""Portkey: what a config, a prompt or a key names is there before Portkey hears of it; secrets stay secret."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import ValidationError

from components.portkey import Portkey, PortkeySettings
from components.settings import SettingsError, Stage
from policies import kinds
from policies.catalogue import ALL
from policies.model import EstatePolicy, Hidden, Resource, Situation
from policies.strictness import limits_of

Deploy = Callable[..., Any]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

SETTINGS: dict[str, Any] = {
    "workspace": {"name": "sophia-dev", "usage_limit": {"credit_limit": 100}},
    "integrations": {
        "openrouter": {
            "name": "OpenRouter",
            "slug": "sophia-dev-openrouter",
            "ai_provider_id": "openrouter",
            "secrets": {"key": {"output": "openrouter.gateway"}},
            "models": ["openai/gpt-5.2", "anthropic/claude-sonnet-4.5"],
        }
    },
    "providers": {"openrouter": {"name": "OpenRouter", "slug": "or", "integration": "openrouter"}},
    "guardrails": {
        "residents": {
            "name": "Residents",
            "checks": [{"id": "default.contains", "parameters": {"words": ["jail"], "operator": "none"}}],
        }
    },
    "configs": {
        "chat": {
            "name": "Chat",
            "config": {
                "strategy": {"mode": "fallback", "on_status_codes": [429]},
                "targets": [
                    {"provider": "openrouter", "override_params": {"model": "openai/gpt-5.2"}},
                    {"provider": "openrouter", "retry": {"attempts": 2}},
                ],
                "cache": {"mode": "semantic", "max_age": 600},
                "input_guardrails": ["residents"],
            },
        }
    },
    "collections": {"payments": {"name": "Payments"}},
    "partials": {"disclosure": {"name": "Disclosure", "text": "This is an attempt to collect a debt."}},
    "prompts": {
        "reminder": {
            "name": "Reminder",
            "collection": "payments",
            "provider": "openrouter",
            "model": "openai/gpt-5.2",
            "messages": [{"role": "system", "content": "{{>disclosure}} Remind {{resident}}."}],
        }
    },
    "api_keys": {"web": {"name": "Web app", "config": "chat", "usage_limit": {"credit_limit": 40}}},
    "usage_policies": {
        "web": {"name": "Web", "conditions": {"api_key": "web"}, "group_by": ["api_key"], "credit_limit": 40}
    },
}


def settings(**changes: Any) -> dict[str, Any]:
    """The settings with other values at dotted paths."""
    changed = copy.deepcopy(SETTINGS)
    for path, value in changes.items():
        *parents, leaf = path.split("__")
        branch = changed
        for parent in parents:
            branch = branch[parent]
        branch[leaf] = value
    return changed


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    parsed = PortkeySettings.model_validate(settings(**changes))

    def program() -> None:
        Portkey("portkey", parsed, stage=stage, outputs={"openrouter.gateway": pulumi.Output.secret("sk-or-hunter2")})

    return deploy(program, computed={kinds.PORTKEY_KEY: lambda name, _: {"key": f"pk-{name}"}})


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        PortkeySettings.model_validate(settings(**changes))
    return str(caught.value)


def test_the_vendors_key_comes_from_its_own_component_and_stays_secret(deploy: Deploy) -> None:
    integration = run(deploy).one("Integration")
    assert integration.inputs["key"] == "sk-or-hunter2"
    assert "key" in integration.secrets


def test_a_config_names_what_portkey_knows(deploy: Deploy) -> None:
    deployment = run(deploy)
    config = deployment.one("Config").inputs["config"]
    assert [target["provider"] for target in config["targets"]] == ["@or", "@or"]
    assert config["input_guardrails"] == ["id-of-residents"]
    assert config["cache"] == {"mode": "semantic", "max_age": 600}
    assert deployment.one("Provider").urn in deployment.one("Config").depends_on, "Portkey refuses one that comes first"
    assert deployment.one("IntegrationWorkspace").urn in deployment.one("Provider").depends_on


def test_a_prompt_takes_in_its_partials(deploy: Deploy) -> None:
    prompt = run(deploy).one("Prompt").inputs
    (message,) = json.loads(prompt["string"])
    assert message == {"role": "system", "content": "{{>id-of-disclosure}} Remind {{resident}}."}
    assert (prompt["virtual_key"], prompt["published"]) == ("or", "latest")


def test_a_policy_is_about_a_key_of_the_stage_or_about_the_whole_workspace(deploy: Deploy) -> None:
    assert run(deploy).one("UsagePolicy").inputs["conditions"] == [{"key": "api_key", "value": "id-of-web"}]
    whole = run(deploy, usage_policies={"all": {"name": "All", "credit_limit": 5}}).one("UsagePolicy").inputs
    assert whole["conditions"] == [{"key": "workspace_id", "value": "id-of-workspace"}]
    assert whole["group_by"] == [{"key": "workspace_id"}]


def test_the_workspace_with_its_logs_is_kept_in_prod(deploy: Deploy) -> None:
    kept = run(deploy, Stage.PROD).one("Workspace")
    assert kept.protect
    assert kept.retain_on_delete
    assert not run(deploy).one("Workspace").protect


TARGET = {"provider": "openrouter"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"providers__openrouter__integration": "openroutr"}, 'did you mean "openrouter"'),
        ({"configs__chat__config": {"provider": "openroutr"}}, 'no provider "openroutr" is declared'),
        ({"configs__chat__config__targets": [TARGET, {"provider": "x"}]}, 'no provider "x" is declared'),
        ({"configs__chat__config__input_guardrails": ["resident"]}, 'did you mean "residents"'),
        (
            {"configs__chat__config": {**TARGET, "override_params": {"model": "openai/gpt-5.1"}}},
            'does not allow openai/gpt-5.1 (did you mean "openai/gpt-5.2"?)',
        ),
        ({"configs__chat__config": {"targets": [TARGET]}}, "both `strategy` and `targets`"),
        ({"configs__chat__config": {"cache": {"mode": "simple"}}}, "either `provider`"),
        ({"configs__chat__config__strategy": {"mode": "conditional"}}, "`conditions` and `default`"),
        (
            {
                "configs__chat__config": {
                    "strategy": {
                        "mode": "conditional",
                        "conditions": [{"query": {"a": 1}, "then": "b"}],
                        "default": "a",
                    },
                    "targets": [{**TARGET, "name": "a"}],
                }
            },
            'no target "b" is declared',
        ),
        ({"configs__chat__config__targets": [{**TARGET, "weight": 1}]}, "belongs to the mode loadbalance"),
        ({"configs__chat__config__retry": {"attempts": 6}}, "less than or equal to 5"),
        ({"prompts__reminder__model": "openai/gpt-4o"}, "does not allow openai/gpt-4o"),
        ({"prompts__reminder__collection": "pay"}, 'no collection "pay" is declared'),
        (
            {"prompts__reminder__messages": [{"role": "user", "content": "{{>disclose}}"}]},
            'no partial "disclose" is declared',
        ),
        ({"api_keys__web__config": "chta"}, 'did you mean "chat"'),
        ({"usage_policies__web__conditions": {"api_key": "wbe"}}, 'did you mean "web"'),
        ({"usage_policies__web__group_by": ["user"]}, '"user" is not api_key'),
        ({"workspace__usage_limit": {"credit_limit": 10, "alert_threshold": 10}}, "less than credit_limit"),
        ({"guardrails__residents__async": True}, "cannot be with `deny`"),
        ({"api_keys__second": {"name": "Web app"}}, "is that of api_keys.web"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


def test_a_key_that_nobody_hands_over_is_named(deploy: Deploy) -> None:
    with pytest.raises(SettingsError) as caught:
        run(deploy, integrations__openrouter__secrets={"key": {"output": "openrouter.gatway"}})
    assert "portkey.integrations.openrouter.secrets.key.output" in str(caught.value)
    assert 'did you mean "openrouter.gateway"' in str(caught.value)


def policy(name: str, *resources: Resource, stack: str = "staging") -> list[str]:
    found = next(one for one in ALL if one.name == name)
    situation = Situation(stack, limits_of(stack), NOW)
    if isinstance(found, EstatePolicy):
        return [violation.what for violation in found.check(resources, situation)]
    return [violation.what for resource in resources for violation in found.check(resource, situation)]


def resource(kind: str, **inputs: Any) -> Resource:
    return Resource(kind, f"urn:pulumi:staging::sophia-ai::sophia:platform:Portkey${kind}::it", inputs)


def limit(amount: float, reset: str | None = "monthly", type_: str = "cost") -> dict[str, Any]:
    return {"type": type_, "credit_limit": amount, "periodic_reset": reset}


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (None, ["would have no spending limit"]),
        (limit(100, type_="tokens"), ["would have no spending limit"]),
        (limit(200), []),
        (limit(201), ["could spend 201 USD a month"]),
        (limit(100, "weekly"), ["could spend 442.857 USD a month"]),
        (Hidden.UNKNOWN, []),
    ],
)
def test_a_key_can_spend_so_much(limits: Any, what: list[str]) -> None:
    assert policy("gateway-key-limit", resource(kinds.PORTKEY_KEY, usage_limits=limits)) == what


def test_a_workspace_has_a_limit_where_the_stage_is_watched() -> None:
    assert policy("gateway-limit", resource(kinds.PORTKEY_WORKSPACE)) == ["would have no spending limit"]
    assert policy("gateway-limit", resource(kinds.PORTKEY_WORKSPACE, usage_limits=[limit(5)])) == []
    assert policy("gateway-limit", resource(kinds.PORTKEY_WORKSPACE, usage_limits=Hidden.UNKNOWN)) == []


@pytest.mark.parametrize(
    ("openrouter", "workspace", "policies", "total"),
    [
        (300, 300, [], None),
        (300, 301, [], 601),
        (300, 200, [900], None),
        (300, None, [200, 200], 700),
        (601, None, [], 601),
    ],
    ids=["within", "beyond", "the workspace's limit bounds its policies", "policies add up", "one alone"],
)
def test_budgets_of_both_add_up_to_one_figure(
    openrouter: int, workspace: int | None, policies: list[int], total: int | None
) -> None:
    limits = [] if workspace is None else [limit(workspace)]
    said = policy(
        "model-budgets-together",
        resource(kinds.OPENROUTER_BUDGET, interval="monthly", limit_usd=openrouter),
        resource(kinds.PORTKEY_WORKSPACE, usage_limits=limits),
        *(resource(kinds.PORTKEY_USAGE_POLICY, **limit(amount)) for amount in policies),
    )
    assert said == ([] if total is None else [f"would bring the budgets for models to {total} USD a month"])


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_stages_prompts_and_configs_keep_to_the_models_of_their_integration(stage: str) -> None:
    document = yaml.safe_load((Path(__file__).parents[2] / f"Pulumi.{stage}.yaml").read_text())
    parsed = PortkeySettings.model_validate(document["config"]["sophia-ai:portkey"])
    assert all(models for models in parsed.models().values()), "a new model of a vendor's is not called by itself"
