"""OpenRouter: every key has a limit, and what it unlocks is never in plain sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.openrouter import OpenRouter, OpenRouterSettings
from providers import openrouter
from providers.base.writing import Writing

Deploy = Callable[..., Any]

SETTINGS: dict[str, Any] = {
    "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
    "budgets": {"monthly": 150},
    "guardrails": {
        "residents": {
            "name": "Resident data",
            "limit_usd": 40,
            "reset": "monthly",
            "models": ["openai/gpt-5.2"],
            "zero_data_retention": True,
        }
    },
    "keys": {
        "web": {"name": "Web app", "limit_usd": 40, "guardrail": "residents"},
        "ci": {"name": "CI", "limit_usd": 10, "enabled": False},
    },
}


def run(deploy: Deploy, **changes: Any) -> Any:
    settings = OpenRouterSettings.model_validate({**SETTINGS, **changes})
    return deploy(lambda: OpenRouter("openrouter", settings))


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        OpenRouterSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_keys_are_limited_and_live_in_the_stages_own_workspace(deploy: Deploy) -> None:
    deployment = run(deploy)
    web, ci = deployment.one("ApiKey", "web").inputs, deployment.one("ApiKey", "ci").inputs
    assert (web["limit"], web["limit_reset"], web["disabled"]) == (40, "monthly", False)
    assert ci["disabled"] is True
    assert web["workspace_id"] == ci["workspace_id"]


def test_resident_data_leaves_no_trace_at_a_provider(deploy: Deploy) -> None:
    deployment = run(deploy)
    guardrail = deployment.one("Guardrail").inputs
    assert guardrail["enforce_zdr"] is True, "a provider would keep residents' conversations"
    assert guardrail["allowed_models"] == ["openai/gpt-5.2"]
    assert [assignment.name for assignment in deployment.of("GuardrailKey")] == ["web"]


def test_the_workspace_has_a_budget(deploy: Deploy) -> None:
    budget = run(deploy).one("WorkspaceBudget").inputs
    assert (budget["interval"], budget["limit_usd"]) == ("monthly", 150)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keys": {"web": {"name": "Web", "limit_usd": 500}}}, "more than the workspace's monthly budget"),
        ({"keys": {"web": {"name": "Web", "limit_usd": 5, "guardrail": "resident"}}}, 'did you mean "residents"'),
        ({"keys": {"web": {"name": "Web"}}}, "limit_usd"),
        ({"keys": {k: {"name": "Web", "limit_usd": 5} for k in ("web", "web2")}}, "is that of keys.web"),
        ({"guardrails": {"g": {"name": "G", "limit_usd": 5}}}, "both `limit_usd` and `reset`"),
        ({"guardrails": {"g": {"name": "G", "models": ["gpt-5"]}}}, "must be a model of OpenRouter"),
    ],
    ids=["beyond the budget", "unknown guardrail", "no limit", "one name twice", "limit without interval", "model"],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


def test_what_belongs_to_an_adopted_object_is_adopted_with_it(deploy: Deploy) -> None:
    workspace = {**SETTINGS["workspace"], "adopt": True}
    guardrails = {"residents": {**SETTINGS["guardrails"]["residents"], "adopt": True}}
    adopted = run(deploy, workspace=workspace, guardrails=guardrails)
    kinds = ("Workspace", "WorkspaceBudget", "Guardrail", "GuardrailKey")
    assert [kind for kind in kinds if adopted.one(kind).inputs.get("adopt")] == list(kinds)
    assert not [kind for kind in kinds if run(deploy).one(kind).inputs.get("adopt")]


@pytest.mark.parametrize(
    "shown",
    [
        {"enforce_zdr": None, "allowed_models": ["openai/gpt-5.2-20251211"], "description": None},
        {"enforce_zdr": False, "allowed_models": ["openai/gpt-5.2"], "enforce_zdr_openai": None},
        dict.fromkeys(openrouter.RETENTION, False) | {"allowed_models": ["openai/gpt-5.2-20251211"]},
    ],
    ids=["as it is by default", "as it was sent", "by vendor"],
)
def test_how_openrouter_spells_a_guardrail_is_no_difference(monkeypatch: pytest.MonkeyPatch, shown: Any) -> None:
    monkeypatch.setattr(openrouter, "_slugs", lambda: {"openai/gpt-5.2-20251211": "openai/gpt-5.2"})
    kind = openrouter.Guardrail.kind
    inputs = kind.inputs.model_validate({"workspace_id": "w", "name": "G", "allowed_models": ["openai/gpt-5.2"]})
    document = {"id": "g", "workspace_id": "w", "name": "G", **shown}
    assert Writing(kind, "sophia-ai/dev").pending(inputs, document, taken_over=True) == {"description"}, "only our mark"
