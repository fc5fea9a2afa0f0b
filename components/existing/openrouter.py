"""OpenRouter's workspace as settings: budgets, guardrails, those keys whose value the stack has, what connects it with
others, and presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, listed
from components.existing.openrouter_connections import take_connections
from components.existing.openrouter_presets import take_presets
from components.openrouter.settings import GuardrailSettings, KeySettings, OpenRouterSettings, WorkspaceSettings
from providers import openrouter
from providers.base.survey import Found

MODEL = OpenRouterSettings

_WORKSPACE = {
    "default_image_model": None,
    "io_logging_api_key_ids": None,
    "io_logging_sampling_rate": 1,
}
"""Members that settings do not express, with what they are where nobody has set them."""

_WORKSPACE_SETTINGS = {
    "data_discount_logging": ("is_data_discount_logging_enabled", True),
    "private_logging": ("is_observability_io_logging_enabled", False),
    "byok_in_budgets": ("include_byok_in_budgets", False),
}
"""By setting, the member that it is about, and what that is where nobody has set it."""

_TRAINING = ("enable_paid_model_training", "enable_free_model_training", "enable_free_model_publication")


def existing(findings: Findings, workspace: str | None) -> None:
    """One listing a kind, in one workspace."""
    container = findings.container(
        openrouter.Workspace, WorkspaceSettings, workspace, default="default", describe=_workspace
    )
    if container is None:
        return
    findings.leave_fields(container, _WORKSPACE)
    _budgets(findings, container.id)
    guardrails = _guardrails(findings, container)
    keys = _keys(findings, container.id, guardrails)
    take_connections(findings, container, keys)
    take_presets(findings, str(container.inputs["slug"]))


def _workspace(found: Found) -> Mapping[str, Any]:
    shown, same = found.document, [name for name in WorkspaceSettings.model_fields if name in found.inputs]
    members = {name: found.inputs[name] for name in same}
    for name, (member, default) in _WORKSPACE_SETTINGS.items():
        if shown.get(member) not in (None, default):
            members[name] = not default
    return members


def _budgets(findings: Findings, workspace: str) -> None:
    for found in listed(openrouter.WorkspaceBudget, workspace):
        interval, limit = str(found.inputs["interval"]), found.inputs["limit_usd"]
        if interval not in findings.settings.get("budgets", {}):
            findings.add(("budgets", interval), found, limit)


def _guardrails(findings: Findings, workspace: Found) -> Mapping[str, str]:
    """The keys of the guardrails, by id."""
    guardrails = listed(openrouter.Guardrail, workspace.id)
    people = openrouter.member_assignments() if guardrails else {}

    def describe(found: Found, _key: str) -> Mapping[str, Any]:
        if found.id == workspace.document.get("default_guardrail_id"):
            raise CannotSayError("it is the workspace's default guardrail, which cannot be deleted")
        inputs = found.inputs
        members = {
            "name": inputs.get("name"),
            "description": inputs.get("description", ""),
            "limit_usd": inputs.get("limit_usd"),
            "reset": inputs.get("reset_interval"),
            "byok_in_limit": inputs.get("include_byok_in_budgets") or None,
            "models": inputs.get("allowed_models"),
            "ignored_models": inputs.get("ignored_models") or None,
            "providers": inputs.get("allowed_providers"),
            "ignored_providers": inputs.get("ignored_providers") or None,
            "zero_data_retention": inputs.get("enforce_zdr", False),
            "detect": _detected(inputs.get("content_filter_builtins") or []),
            "filters": inputs.get("content_filters") or None,
            "members": sorted(user for user, guardrail in people.items() if guardrail == found.id),
        }
        training = {name: found.document.get(name) for name in _TRAINING}
        if len(set(training.values())) == 1:
            members["training"] = training[_TRAINING[0]]
        else:
            findings.leave_fields(found, dict.fromkeys(training))
        findings.leave_fields(found, _retention(found))
        return members

    section = Section(findings, "guardrails", GuardrailSettings, lambda entry: entry.get("name"))
    section.take(guardrails, lambda found: [found.inputs.get("name")], describe)
    return section.keys


def _detected(filters: list[Mapping[str, str]]) -> Mapping[str, str] | None:
    """What is done about what is recognised, by what that is."""
    if any(one.get("scan_scope") == "user_only" for one in filters):
        raise CannotSayError(
            "it looks for prompt injection in what users write only, and settings have no word for that"
        )
    return {one["slug"]: one["action"] for one in filters} or None


def _retention(found: Found) -> dict[str, bool]:
    """What zero data retention is for each vendor if it is the same for all of them, as our setting has it."""
    return dict.fromkeys(("enforce_zdr", *openrouter.RETENTION), found.inputs.get("enforce_zdr", False))


def _keys(findings: Findings, workspace: str, guardrails: Mapping[str, str]) -> Mapping[str, str]:
    """The settings' keys of the API keys, by id, in all their generations.

    A key that somebody else made cannot come under management: its value was shown to nobody else.
    """
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
    generations = {(key.inputs["name"], key.inputs["generation"]): key for key in ours}
    newest: dict[str, int] = {}
    for name, generation in generations:
        newest[name] = max(generation, newest.get(name, generation))
    assigned = openrouter.assignments() if ours and guardrails else {}

    def describe(key: Found, _key: str) -> Mapping[str, Any]:
        inputs = key.inputs
        guardrail = assigned.get(key.id)
        if guardrail is not None and guardrail not in guardrails:
            raise CannotSayError(f"it is under a guardrail that is not in the settings: {guardrail}")
        return {
            "name": inputs.get("name"),
            "limit_usd": inputs.get("limit"),
            "reset": inputs.get("limit_reset"),
            "byok_in_limit": inputs.get("include_byok_in_limit") or False,
            "generation": inputs["generation"],
            "previous": _previous(generations.get((inputs["name"], inputs["generation"] - 1)), inputs["generation"]),
            "guardrail": guardrails[guardrail] if guardrail else None,
            "expires_at": inputs.get("expires_at"),
            "enabled": not inputs.get("disabled", False),
        }

    section = Section(findings, "keys", KeySettings, lambda entry: entry.get("name"))
    section.take(
        [generations[name, generation] for name, generation in newest.items()],
        lambda key: [key.inputs.get("name")],
        describe,
    )
    by_name = {key.inputs["name"]: section.keys[key.id] for key in ours if key.id in section.keys}
    return {key.id: by_name[key.inputs["name"]] for key in ours if key.inputs["name"] in by_name}


def _previous(before: Found | None, generation: int) -> str:
    """What became of the generation before the present one."""
    if generation > 1 and before is None:
        return "deleted"
    return "disabled" if before and before.inputs.get("disabled") else "valid"
