"""Portkey's workspace as settings: integrations, providers, guardrails, configs, prompts and policies.

API keys stay out: their values were shown to whoever made them, and no platform shows how often one was rotated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, key_of, listed, unsaid
from components.existing.portkey_prompts import take_prompts
from components.existing.secrets import secrets_in, sources, without
from components.existing.variables import Variables
from components.portkey.settings import (
    ApiKeySettings,
    ConfigSettings,
    GuardrailSettings,
    IntegrationSettings,
    PortkeySettings,
    ProviderSettings,
    RatePolicySettings,
    UsagePolicySettings,
    WorkspaceSettings,
)
from providers import portkey
from providers.base.errors import PlatformError, Trouble
from providers.base.inputs import project
from providers.base.survey import Found
from providers.portkey_calls import ReadAccess

MODEL = PortkeySettings

_INTEGRATION: Mapping[str, Any] = {"pricing_adjustments": None, "secret_mappings": []}
"""Members that settings do not express, with what they are where nobody has set them."""


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, in one workspace, and a look at each object that its listing shows in part only."""
    container = findings.container(portkey.Workspace, WorkspaceSettings, workspace, describe=_workspace)
    if container is None:
        return
    if names := sorted(name for name, value in (container.document.get("defaults") or {}).items() if value):
        others = ", ".join(f"defaults.{name}" for name in names if name != "metadata")
        if others:
            findings.leave(container, f"no setting says its {others}: that stays as it is on the platform")
    integrations = _integrations(findings, container)
    providers = _providers(findings, container.id, integrations)
    guardrails = _named(findings, "guardrails", portkey.Guardrail, GuardrailSettings, container.id, _guardrail)

    def config(found: Found) -> Mapping[str, Any]:
        return {"config": _target(found.inputs.get("config") or {}, providers, guardrails)}

    _named(findings, "configs", portkey.Config, ConfigSettings, container.id, config)
    take_prompts(findings, container.id, providers)
    keys = _named(findings, "api_keys", portkey.ApiKey, ApiKeySettings, container.id, _api_key)
    _policies(findings, container.id, keys)


def _named(
    findings: Findings, section: str, resource: Any, model: Any, workspace: str, describe: Any
) -> Mapping[str, str]:
    """The keys, by id, of objects that are known by their names."""
    entries = Section(findings, section, model, lambda entry: entry.get("name"))
    entries.take(
        listed(resource, workspace),
        lambda found: [found.inputs.get("name")],
        lambda found, _key: {"name": found.inputs.get("name"), **describe(found)},
    )
    return entries.keys


def _workspace(found: Found) -> Mapping[str, Any]:
    return {
        "name": found.inputs.get("name"),
        "description": found.inputs.get("description", ""),
        "metadata": (found.document.get("defaults") or {}).get("metadata") or None,
        **_limits(found.document),
    }


def _limits(document: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of an object, of which Portkey shows now a list, now one."""
    usage, rate = (_only(document.get(name)) for name in ("usage_limits", "rate_limits"))
    if usage and unsaid(usage, {"periodic_reset_days": None}):
        raise CannotSayError("its usage is counted anew after some days, and settings know weeks and months")
    limits: dict[str, Any] = {}
    if usage:
        members = ("type", "credit_limit", "alert_threshold")
        limits["usage_limit"] = {name: usage[name] for name in members if usage.get(name) is not None}
        limits["usage_limit"]["periodic_reset"] = usage.get("periodic_reset")
    if rate:
        limits["rate_limit"] = {name: rate.get(name) for name in ("type", "unit", "value")}
    return limits


def _only(limits: Any) -> Mapping[str, Any] | None:
    found = limits[0] if isinstance(limits, list) and limits else limits
    return found or None


def _integrations(findings: Findings, workspace: Found) -> Mapping[str, str]:
    """The organisation's integrations, as far as the workspace may use them.

    Their entries say ``adopt``: what a workspace may do with one is in no list, so that nothing else would find it.
    """
    variables = Variables(findings.settings)

    def describe(found: Found, key: str) -> Mapping[str, Any]:
        if found.document.get("type") == "workspace":
            raise CannotSayError("it is one workspace's own, and settings have integrations of the organisation")
        access = _access(found.id, workspace)
        configurations = found.inputs.get("configurations") or {}
        hidden = list(secrets_in(configurations))
        places = [*([("key",)] if found.document.get("masked_key") else []), *hidden]
        secrets = sources(variables.named("integration", key, places))
        findings.leave_fields(found, _INTEGRATION)
        if (shared := found.document.get("workspace_count") or 0) > 1:
            findings.leave(found, f"{shared} workspaces use it: what this stack does to it, it does to all of them")
        models = found.inputs.get("models")
        return {
            "name": found.inputs.get("name"),
            "slug": found.id,
            "ai_provider_id": found.inputs.get("ai_provider_id"),
            "description": found.inputs.get("description", ""),
            "secrets": secrets,
            "configurations": without(configurations, hidden) or None,
            "models": None if models is None else [_model(model) for model in models],
            **_limits(access),
            "adopt": True,
        }

    section = Section(findings, "integrations", IntegrationSettings, lambda entry: entry.get("slug"))
    section.take(listed(portkey.Integration), lambda found: [found.id], describe)
    return section.keys


def _access(integration: str, workspace: Found) -> Mapping[str, Any]:
    values = {"integration": integration, "workspace_id": workspace.id, "workspace_slug": workspace.document["slug"]}
    try:
        return ReadAccess().send(portkey.PORTKEY, values)
    except PlatformError as error:
        if error.trouble is not Trouble.NOT_FOUND:
            raise
        raise CannotSayError("this workspace may not use it") from error


def _model(shown: Mapping[str, Any]) -> str | Mapping[str, Any]:
    if not shown.get("is_custom"):
        return str(shown["slug"])
    pricing = shown.get("pricing_config") or {}
    paid = {name: (price or {}).get("price") for name, price in (pricing.get("pay_as_you_go") or {}).items()}
    if pricing.get("type", "static") != "static" or not paid.keys() <= {"request_token", "response_token"}:
        raise CannotSayError(f"settings have a price for what goes in and what comes out only, unlike {shown['slug']}")
    return {
        "slug": shown["slug"],
        "base_model": shown.get("base_model_slug"),
        **{f"{name}_price": price for name, price in paid.items()},
    }


def _providers(findings: Findings, workspace: str, integrations: Mapping[str, str]) -> Mapping[str, str]:
    """The keys of the providers by slug, which is their id."""

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        inputs = found.inputs
        return {
            "name": inputs.get("name"),
            "slug": found.id,
            "integration": key_of(integrations, "integration", inputs.get("integration_id")),
            "note": inputs.get("note", ""),
            "expires_at": inputs.get("expires_at"),
            **_limits(found.document),
        }

    section = Section(findings, "providers", ProviderSettings, lambda entry: entry.get("slug"))
    section.take(listed(portkey.Provider, workspace), lambda found: [found.id], describe)
    return section.keys


def _guardrail(found: Found) -> Mapping[str, Any]:
    actions = found.inputs.get("actions") or {}
    members = {"checks": found.inputs.get("checks"), "deny": actions.get("deny"), "async": actions.get("async")}
    same = GuardrailSettings.model_construct(
        name="", checks=[], deny=bool(actions.get("deny")), async_=bool(actions.get("async"))
    )
    said = same.actions()
    if project(actions, said) != said:
        raise CannotSayError("it rates calls otherwise than 5 and -5, which is what settings make of it")
    return members


def _target(shown: Mapping[str, Any], providers: Mapping[str, str], guardrails: Mapping[str, str]) -> Mapping[str, Any]:
    """A config, or a target of one, with the settings' keys for what it names: the inverse of ``TargetSettings.wire``."""
    said = dict(shown)
    if (provider := shown.get("provider")) is not None:
        if not str(provider).startswith("@"):
            raise CannotSayError(f"it calls {provider} itself, and settings call providers of the workspace (@slug)")
        said["provider"] = key_of(providers, "provider", str(provider).removeprefix("@"))
    if "virtual_key" in shown:
        raise CannotSayError("it names a virtual_key: name the provider as @slug instead")
    for side in ("input_guardrails", "output_guardrails"):
        if shown.get(side) is not None:
            said[side] = [key_of(guardrails, "guardrail", one) for one in shown[side]]
    if shown.get("targets") is not None:
        said["targets"] = [_target(target, providers, guardrails) for target in shown["targets"]]
    return said


def _api_key(found: Found) -> Mapping[str, Any]:
    if found.owner:
        raise CannotSayError(
            "it is this stack's own: write its entry again as it was, because nobody sees how often it was rotated"
        )
    raise CannotSayError(
        "its value was shown only to whoever made it: declare a new key, under another name, and delete this one when "
        "nothing uses it any more"
    )


def _policies(findings: Findings, workspace: str, keys: Mapping[str, str]) -> None:
    def scope(found: Found) -> Mapping[str, Any]:
        return {
            "conditions": _conditions(found.document.get("conditions") or [], workspace, keys),
            "group_by": [group["key"] for group in found.inputs.get("group_by", [])],
        }

    def usage(found: Found) -> Mapping[str, Any]:
        members = {name: found.inputs.get(name) for name in ("type", "credit_limit", "alert_threshold")}
        return {**scope(found), **members, "periodic_reset": found.inputs.get("periodic_reset")}

    def rate(found: Found) -> Mapping[str, Any]:
        return {**scope(found), **{name: found.inputs.get(name) for name in ("type", "unit", "value")}}

    _named(findings, "usage_policies", portkey.UsagePolicy, UsagePolicySettings, workspace, usage)
    _named(findings, "rate_policies", portkey.RatePolicy, RatePolicySettings, workspace, rate)


def _conditions(shown: list[Mapping[str, Any]], workspace: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """For which calls a policy is; without any for all of the workspace."""
    if [(one["key"], one.get("value")) for one in shown] == [("workspace_id", workspace)]:
        return {}
    said: dict[str, str] = {}
    for one in shown:
        name, value = one["key"], one.get("value")
        if one.get("excludes") or not isinstance(value, str) or name in said:
            raise CannotSayError(f"settings have one value for {name}, and no exceptions")
        said[name] = key_of(keys, "API key", value) if name == "api_key" else value
    return said
