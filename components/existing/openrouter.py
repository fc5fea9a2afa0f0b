"""OpenRouter's workspace as settings: budgets, guardrails, and those keys whose value the stack has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, listed
from components.openrouter import GuardrailSettings, KeySettings, OpenRouterSettings, WorkspaceSettings
from providers import openrouter
from providers.base.survey import Found

MODEL = OpenRouterSettings

_WORKSPACE = {
    "default_text_model": None,
    "default_image_model": None,
    "default_provider_sort": None,
    "io_logging_api_key_ids": None,
    "io_logging_sampling_rate": 1,
    "is_data_discount_logging_enabled": True,
    "is_observability_broadcast_enabled": False,
    "is_observability_io_logging_enabled": False,
    "include_byok_in_budgets": False,
}
_GUARDRAIL = {
    "include_byok_in_budgets": False,
    "ignored_models": [],
    "ignored_providers": [],
    "enable_free_model_publication": None,
    "enable_free_model_training": None,
    "enable_paid_model_training": None,
    "content_filters": [],
    "content_filter_builtins": [],
}
_KEY = {"include_byok_in_limit": False}
"""Members that settings do not express, with what they are where nobody has set them."""


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, in one workspace."""
    container = findings.container(openrouter.Workspace, WorkspaceSettings, workspace, default="default")
    if container is None:
        return
    findings.leave_fields(container, _WORKSPACE)
    _budgets(findings, container.id)
    guardrails = _guardrails(findings, container)
    _keys(findings, container.id, guardrails)


def _budgets(findings: Findings, workspace: str) -> None:
    for found in listed(openrouter.WorkspaceBudget, workspace):
        interval, limit = str(found.inputs["interval"]), found.inputs["limit_usd"]
        if interval not in findings.settings.get("budgets", {}):
            findings.add(("budgets", interval), found, limit)


def _guardrails(findings: Findings, workspace: Found) -> Mapping[str, str]:
    """The keys of the guardrails, by id."""

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        if found.id == workspace.document.get("default_guardrail_id"):
            raise CannotSayError("it is the workspace's default guardrail, which cannot be deleted")
        inputs = found.inputs
        members = {
            "name": inputs.get("name"),
            "description": inputs.get("description", ""),
            "limit_usd": inputs.get("limit_usd"),
            "reset": inputs.get("reset_interval"),
            "models": inputs.get("allowed_models"),
            "providers": inputs.get("allowed_providers"),
            "zero_data_retention": inputs.get("enforce_zdr", False),
        }
        findings.leave_fields(found, _GUARDRAIL | _retention(found))
        return members

    section = Section(findings, "guardrails", GuardrailSettings, lambda entry: entry.get("name"))
    section.take(listed(openrouter.Guardrail, workspace.id), lambda found: [found.inputs.get("name")], describe)
    return section.keys


def _retention(found: Found) -> dict[str, bool]:
    """What zero data retention is for each vendor if it is the same for all of them, as our setting has it."""
    return dict.fromkeys(("enforce_zdr", *openrouter.RETENTION), found.inputs.get("enforce_zdr", False))


def _keys(findings: Findings, workspace: str, guardrails: Mapping[str, str]) -> None:
    """A key that somebody else made cannot come under management: its value was shown to nobody else."""
    found = listed(openrouter.ApiKey, workspace)
    ours = [key for key in found if key.owner == findings.stack]
    for key in found:
        if key not in ours and not findings.is_anothers(key):
            findings.leave(
                key,
                "its value was shown only to whoever made it: declare a new key, under another name, "
                "and delete this one when nothing uses it any more",
            )
        elif key not in ours:
            findings.leave(key, f"it is managed by {key.owner}")
    assigned = openrouter.assignments() if ours and guardrails else {}

    def describe(key: Found, _key: str) -> Mapping[str, Any]:
        inputs = key.inputs
        guardrail = assigned.get(key.id)
        if guardrail is not None and guardrail not in guardrails:
            raise CannotSayError(f"it is under a guardrail that is not in the settings: {guardrail}")
        findings.leave_fields(key, _KEY)
        return {
            "name": inputs.get("name"),
            "limit_usd": inputs.get("limit"),
            "reset": inputs.get("limit_reset"),
            "guardrail": guardrails[guardrail] if guardrail else None,
            "expires_at": inputs.get("expires_at"),
            "enabled": not inputs.get("disabled", False),
        }

    section = Section(findings, "keys", KeySettings, lambda entry: entry.get("name"))
    section.take(ours, lambda key: [key.inputs.get("name")], describe)
