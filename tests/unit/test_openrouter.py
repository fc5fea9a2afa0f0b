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


TRACES: dict[str, Any] = {
    "type": "langfuse",
    "name": "Traces",
    "configuration": {"baseUrl": "https://us.cloud.langfuse.com"},
    "secrets": {"publicKey": {"environment": "PUBLIC"}, "secretKey": {"environment": "SECRET"}},
}
CREDENTIAL: dict[str, Any] = {"provider": "anthropic", "name": "Ours", "key": {"environment": "SECRET"}}
SUMMARY: dict[str, Any] = {"model": "openai/gpt-5.2", "ceiling": {"input": 2, "output": 14}, "guardrail": "residents"}


def test_a_new_generation_stands_beside_the_present_key_under_the_same_guardrail(deploy: Deploy) -> None:
    def slots(**changes: Any) -> dict[str, Any]:
        web = {**SETTINGS["keys"]["web"], "expires_at": "2027-01-31T00:00:00Z", **changes}
        deployment = run(deploy, keys={"web": web})
        assigned = {assignment.name for assignment in deployment.of("GuardrailKey")}
        keys = {key.name: key.inputs for key in deployment.of("ApiKey")}
        assert assigned == set(keys), "a key outside of the guardrail could do what the guardrail forbids"
        return {name: (inputs["generation"], inputs["disabled"]) for name, inputs in keys.items()}

    assert slots() == {"web": (1, False)}
    assert slots(generation=2) == {"web": (1, False), "web.second": (2, False)}
    assert slots(generation=3, previous="disabled") == {"web": (3, False), "web.second": (2, True)}
    assert slots(generation=3, previous="deleted") == {"web": (3, False)}


def test_traces_have_no_contents_unless_that_is_said(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC", "pk-lf-hunter2")
    monkeypatch.setenv("SECRET", "sk-lf-hunter2")
    deployment = run(deploy, destinations={"traces": {**TRACES, "keys": ["web"]}})
    destination = deployment.one("Destination").inputs
    assert destination["privacy_mode"] is True, "residents' conversations would leave for a third party"
    assert destination["secret_configuration"] == {"publicKey": "pk-lf-hunter2", "secretKey": "sk-lf-hunter2"}
    assert len(destination["api_key_hashes"]) == 1
    assert deployment.one("Workspace").inputs["is_observability_broadcast_enabled"] is True
    assert "is_observability_broadcast_enabled" not in run(deploy).one("Workspace").inputs


def test_a_credential_of_ours_is_a_secret_and_for_those_keys_only(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "sk-ant-hunter2")
    settings = {"anthropic": {**CREDENTIAL, "fallback": True, "keys": ["web"]}}
    deployment = run(deploy, provider_credentials=settings)
    credential = deployment.one("ProviderCredential")
    assert (credential.inputs["key"], credential.inputs["is_fallback"]) == ("sk-ant-hunter2", True)
    assert len(credential.inputs["allowed_api_key_hashes"]) == 1


def test_a_preset_has_the_tasks_model_its_fallbacks_and_its_ceiling(deploy: Deploy) -> None:
    guardrails = {"residents": {**SETTINGS["guardrails"]["residents"], "models": None}}
    summary = {
        **SUMMARY,
        "fallbacks": ["openai/gpt-5-mini"],
        "needs": {"zero_data_retention": True, "structured_output": True},
    }
    presets = {"summary": {"slug": "sophia-dev-summary", "task": "summary", "temperature": 0}}
    preset = run(deploy, guardrails=guardrails, models={"summary": summary}, presets=presets).one("Preset").inputs
    assert (preset["model"], preset["models"]) == ("openai/gpt-5.2", ["openai/gpt-5.2", "openai/gpt-5-mini"])
    assert preset["provider"] == {
        "max_price": {"prompt": "2", "completion": "14"},
        "zdr": True,
        "data_collection": "deny",
        "require_parameters": True,
    }
    assert preset["adopt"] is True, "a preset outlives its stack: it is found by the next"


def test_chosen_models_are_handed_over_as_plain_text(deploy: Deploy) -> None:
    found: dict[str, Any] = {}
    settings = OpenRouterSettings.model_validate({**SETTINGS, "models": {"summary": SUMMARY}})
    deploy(lambda: found.update(OpenRouter("openrouter", settings).models))
    assert found == {"summary": "openai/gpt-5.2", "summary.fallbacks": ""}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"destinations": {f"t{n}": {**TRACES, "name": f"T{n}"} for n in range(6)}}, "takes 5 destinations of a type"),
        ({"destinations": {"t": {**TRACES, "secrets": {}}}}, "must have `secretKey`"),
        ({"destinations": {"t": {**TRACES, "configuration": {"secretKey": "sk-lf-hunter2"}}}}, "is a secret"),
        ({"destinations": {"t": {**TRACES, "keys": ["wbe"]}}}, 'did you mean "web"'),
        ({"provider_credentials": {"a": {**CREDENTIAL, "keys": ["none"]}}}, 'no key "none"'),
        ({"models": {"summary": {**SUMMARY, "fallbacks": ["openai/gpt-5.2"]}}}, "stands there already"),
        ({"models": {"summary": {**SUMMARY, "model": "x/y"}}}, "x/y is not among the models of guardrails.residents"),
        ({"models": {"summary": {"model": "x/y"}}}, "ceiling"),
        ({"models": {"s": SUMMARY}, "presets": {"p": {"slug": "s", "task": "s"}}}, "must begin with sophia-dev-"),
        ({"presets": {"p": {"slug": "sophia-dev-s", "task": "s"}}}, 'no model "s" is declared'),
        (
            {"guardrails": {"g": {"name": "G", "filters": [{"pattern": "(", "action": "block"}]}}},
            "no regular expression",
        ),
        ({"guardrails": {"g": {"name": "G", "members": ["ada@payready.com"]}}}, "must be the id of a member"),
        ({"guardrails": {k: {"name": k, "members": ["user_1"]} for k in "ab"}}, "under guardrails.a already"),
        ({"keys": {"web": {"name": "Web #2", "limit_usd": 5}}}, "not end with # and a number"),
    ],
)
def test_settings_of_the_newer_kinds_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    told = mistakes(**changes)
    assert said in told
    if "destinations" in changes and "secretKey" in said:
        assert "hunter2" not in told
