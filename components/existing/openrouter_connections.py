"""What connects OpenRouter with others, as settings: credentials at models' providers, and destinations of traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, listed
from components.existing.secrets import secrets_in, sources, without
from components.existing.variables import Variables
from components.explain import Path
from components.openrouter.settings import MASKED, DestinationSettings, ProviderCredentialSettings
from providers import openrouter
from providers.base.survey import Found

_CREDENTIAL: Mapping[str, Any] = {
    "allowed_user_ids": None,
    "declared_region": None,
    "declared_zdr": None,
    "is_byok_only": False,
    "is_required": False,
}
_DESTINATION: Mapping[str, Any] = {"broadcast_generation_cost_allocation": False, "regions": ["global"]}
"""Members that settings do not express, with what they are where nobody has set them."""

_DETAILS = ("cost", "identity", "request_context")
_BROADCAST = "is_observability_broadcast_enabled"


def take_connections(findings: Findings, workspace: Found, keys: Mapping[str, str]) -> None:
    """``keys``: the settings' keys of the stack's API keys, by id, in all their generations."""
    variables = Variables(findings.settings)
    credentials = Section(
        findings,
        "provider_credentials",
        ProviderCredentialSettings,
        lambda entry: (entry.get("provider"), entry.get("name")),
    )
    credentials.take(
        listed(openrouter.ProviderCredential, workspace.id),
        lambda found: [(found.inputs.get("provider"), found.inputs.get("name"))],
        lambda found, key: _credential(findings, found, key, variables, keys),
    )

    def destination(found: Found, key: str) -> Mapping[str, Any]:
        if not workspace.document.get(_BROADCAST):
            raise CannotSayError(
                "the workspace sends nothing to its destinations, and settings that have one change that: switch "
                "Broadcast on there, or delete this one"
            )
        return _destination(findings, found, key, variables, keys)

    destinations = Section(findings, "destinations", DestinationSettings, lambda entry: entry.get("name"))
    destinations.take(
        listed(openrouter.Destination, workspace.id), lambda found: [found.inputs.get("name")], destination
    )


def _credential(
    findings: Findings, found: Found, key: str, variables: Variables, keys: Mapping[str, str]
) -> Mapping[str, Any]:
    inputs = found.inputs
    findings.leave_fields(found, _CREDENTIAL)
    restricted = _keys_of(inputs.get("allowed_api_key_hashes"), keys)
    (secret,) = variables.named("credential", key, [("key",)]).values()
    return {
        "provider": inputs.get("provider"),
        "name": inputs.get("name"),
        "key": {"environment": secret},
        "fallback": inputs.get("is_fallback", False),
        "enabled": not inputs.get("disabled", False),
        "models": inputs.get("allowed_models"),
        "keys": restricted,
    }


def _destination(
    findings: Findings, found: Found, key: str, variables: Variables, keys: Mapping[str, str]
) -> Mapping[str, Any]:
    inputs = found.inputs
    configuration = inputs.get("configuration", {})
    findings.leave_fields(found, _DESTINATION)
    restricted = _keys_of(inputs.get("api_key_hashes"), keys)
    places = list(_hidden(configuration))
    return {
        "type": inputs.get("type"),
        "name": inputs.get("name"),
        "configuration": without(configuration, places),
        "secrets": sources(variables.named("destination", key, places)),
        **{name: inputs[name] for name in ("enabled", "privacy_mode", "sampling_rate") if name in inputs},
        "details": [name for name in _DETAILS if inputs.get(f"broadcast_generation_{name}")],
        "keys": restricted,
        "filter_rules": inputs.get("filter_rules"),
    }


def _hidden(configuration: Mapping[str, Any]) -> Iterator[Path]:
    """The members that OpenRouter shows masked, leaf by leaf, and what should not stand in a file all the same."""
    for name, value in configuration.items():
        if MASKED.search(name) and isinstance(value, Mapping):
            yield from ((name, inner) for inner in value)
        elif MASKED.search(name):
            yield (name,)
        else:
            yield from secrets_in(value, (name,))


def _keys_of(hashes: list[str] | None, keys: Mapping[str, str]) -> list[str] | None:
    """The settings' keys of API keys; None where there is no restriction."""
    if hashes is None:
        return None
    if not keys.keys() >= set(hashes):
        raise CannotSayError("it is for API keys that are not in the settings")
    return sorted({keys[one] for one in hashes})
