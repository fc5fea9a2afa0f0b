"""An object of every kind of Portkey's, made by our provider, and what of it can be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers import base, portkey
from tests.unit.base_platform import Engine, State

MODELS = [{"slug": "openai/gpt-4o"}, {"slug": "openai/gpt-4o-mini"}]
INTEGRATION = {
    "slug": "sophia-dev-openrouter",
    "name": "OpenRouter",
    "ai_provider_id": "openrouter",
    "key": "sk-or-v1-hunter2",
    "models": MODELS,
}
LIMIT = {"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}
RATE = {"type": "requests", "unit": "rpm", "value": 60}
ACTIONS = {
    "deny": True,
    "async": False,
    "on_success": {"feedback": {"value": 5, "weight": 1, "metadata": ""}},
    "on_fail": {"feedback": {"value": -5, "weight": 1, "metadata": ""}},
}


class Estate:
    """Objects of all kinds, each made when something first needs it."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    def __getattr__(self, name: str) -> State:
        if name not in self.states:
            resource, given = self.wanted(name)
            self.states[name] = Engine(resource, name).create(**given)
        return self.states[name]

    def wanted(self, name: str) -> tuple[type[base.Resource], dict[str, Any]]:
        """The kind and the inputs of an object."""
        resource, given = OBJECTS[name]
        return resource, given(self)


def _workspace(_: Estate) -> dict[str, Any]:
    limits = {"usage_limits": [LIMIT], "rate_limits": [RATE], "defaults": {"metadata": {"stage": "dev"}}}
    return {"name": "sophia-dev", "description": "Model calls", **limits}


def _access(estate: Estate) -> dict[str, Any]:
    workspace = {"workspace_id": estate.workspace.id, "workspace_slug": estate.workspace.outputs["slug"]}
    return {"integration": estate.integration.id, **workspace, "usage_limits": [LIMIT]}


def _provider(estate: Estate) -> dict[str, Any]:
    given = {"slug": "openrouter", "name": "OpenRouter", "integration_id": estate.access.id.split("/")[0]}
    return {"workspace_id": estate.workspace.id, **given, "usage_limits": LIMIT, "rate_limits": [RATE]}


def _guardrail(estate: Estate) -> dict[str, Any]:
    checks = [{"id": "default.contains", "parameters": {"words": ["jail"], "operator": "none"}}]
    return {"workspace_id": estate.workspace.id, "name": "Manners", "checks": checks, "actions": ACTIONS}


def _config(estate: Estate) -> dict[str, Any]:
    target = {"provider": f"@{estate.provider.id}", "override_params": {"model": "openai/gpt-4o"}}
    config = {"strategy": {"mode": "fallback"}, "targets": [target, target], "retry": {"attempts": 2}}
    guarded = config | {"output_guardrails": [estate.guardrail.id]}
    return {"workspace_id": estate.workspace.id, "name": "Conversation", "config": guarded}


def _prompt(estate: Estate) -> dict[str, Any]:
    text = f'[{{"role": "user", "content": "{{{{>{estate.partial.id}}}}} Remind {{{{resident}}}}"}}]'
    given = {"collection_id": estate.collection.id, "name": "Reminder", "string": text, "model": "openai/gpt-4o"}
    more = {"parameters": {"temperature": 0.3}, "virtual_key": estate.provider.id}
    return {"workspace_id": estate.workspace.id, **given, **more}


def _api_key(estate: Estate) -> dict[str, Any]:
    given = {"name": "Web app", "scopes": ["prompts.render", "completions.write"], "usage_limits": LIMIT}
    more = {"config_id": estate.config.outputs["config_id"], "expires_at": "2031-01-31T00:00:00Z"}
    limited = {"rate_limits": [RATE], "allow_config_override": False}
    return {"workspace_id": estate.workspace.id, **given, **more, **limited}


def _policy(estate: Estate) -> dict[str, Any]:
    conditions = [{"key": "workspace_id", "value": estate.workspace.id}]
    scope = {"conditions": conditions, "group_by": [{"key": "metadata.resident"}]}
    return {"workspace_id": estate.workspace.id, "name": "A resident", **scope}


OBJECTS: dict[str, tuple[type[base.Resource], Callable[[Estate], dict[str, Any]]]] = {
    "workspace": (portkey.Workspace, _workspace),
    "integration": (portkey.Integration, lambda _: INTEGRATION),
    "access": (portkey.IntegrationWorkspace, _access),
    "provider": (portkey.Provider, _provider),
    "guardrail": (portkey.Guardrail, _guardrail),
    "config": (portkey.Config, _config),
    "collection": (portkey.Collection, lambda estate: {"workspace_id": estate.workspace.id, "name": "Payments"}),
    "partial": (
        portkey.Partial,
        lambda estate: {"workspace_id": estate.workspace.id, "name": "Disclosure", "string": "We try to collect."},
    ),
    "prompt": (portkey.Prompt, _prompt),
    "api_key": (portkey.ApiKey, _api_key),
    "usage_policy": (portkey.UsagePolicy, lambda estate: {**_policy(estate), **LIMIT}),
    "rate_policy": (portkey.RatePolicy, lambda estate: {**_policy(estate), **RATE}),
}


CHANGES: dict[str, dict[str, Any]] = {
    "workspace": {"description": "Calls", "usage_limits": None},
    "integration": {"name": "OpenRouter (dev)", "models": MODELS[:1], "key": "sk-or-v1-hunter3"},
    "access": {"usage_limits": [{**LIMIT, "credit_limit": 50}]},
    "provider": {"note": "For residents", "usage_limits": {**LIMIT, "credit_limit": 50}},
    "guardrail": {"actions": {**ACTIONS, "deny": False}},
    "config": {"name": "Conversations", "config": {"provider": "@openrouter", "cache": {"mode": "simple"}}},
    "collection": {"name": "Payments and collections"},
    "partial": {"string": "We try to collect a debt."},
    "prompt": {"name": "Payment reminder", "parameters": {"temperature": 0}, "version_description": "Sober"},
    "api_key": {
        "scopes": ["completions.write"],
        "usage_limits": None,
        "config_id": None,
        "allow_config_override": None,
    },
    "usage_policy": {"credit_limit": 50, "alert_threshold": 40},
    "rate_policy": {"unit": "rph", "value": 100},
}
