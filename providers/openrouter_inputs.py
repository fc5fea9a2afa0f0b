"""What OpenRouter's objects are made of: the inputs of every kind, and how they are spelled on the wire."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from providers import base
from providers.base import Immutable, Json, Unordered, WriteOnly
from providers.base.inputs import merged

Interval = Literal["daily", "weekly", "monthly"]


class WorkspaceInputs(base.Inputs):
    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=400)
    default_text_model: str | None = None
    default_provider_sort: Literal["price", "throughput", "latency", "exacto"] | None = None
    is_data_discount_logging_enabled: bool | None = Field(
        default=None, description="OpenRouter keeps prompts and answers, and gives a discount for it; on by default"
    )
    is_observability_io_logging_enabled: bool | None = Field(default=None, description="private logging")
    is_observability_broadcast_enabled: bool | None = Field(
        default=None, description="destinations get anything at all"
    )


class BudgetInputs(base.Inputs):
    workspace_id: Immutable[str]
    interval: Immutable[Literal["daily", "weekly", "monthly", "lifetime"]]
    limit_usd: float = Field(gt=0)
    include_byok_in_budgets: bool | None = Field(default=None, description="of all budgets of the workspace alike")


def budget_body(payload: Json, _wanted: base.Inputs) -> Json:
    return {key: value for key, value in payload.items() if key not in ("workspace_id", "interval")}


class ApiKeyInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=60)
    generation: Immutable[int] = Field(default=1, ge=1, description="a second one and those after it are in the name")
    limit: float | None = Field(
        default=None, ge=0, description="US dollars; without it the key may spend what there is"
    )
    limit_reset: Interval | None = None
    include_byok_in_limit: bool = False
    expires_at: Immutable[base.Instant | None] = Field(default=None, description="a key is replaced to change it")
    disabled: bool = False


_GENERATION = re.compile(r" #(\d+)(?= \(managed by |$)")


def key_body(payload: Json, wanted: base.Inputs) -> Json:
    """``Web app #2 (managed by …)``: the generation has no member of its own."""
    body = {key: value for key, value in payload.items() if key != "generation"}
    generation = wanted.wire()["generation"]
    if "name" in body and generation > 1:
        name = wanted.wire()["name"]
        body["name"] = f"{name} #{generation}{body['name'].removeprefix(name)}"
    return body


def key_shown(document: Json) -> Json:
    found = _GENERATION.search(document["name"])
    generation = int(found.group(1)) if found else 1
    return {**document, "name": _GENERATION.sub("", document["name"]), "generation": generation}


class ContentFilter(base.Inputs):
    pattern: str = Field(min_length=1)
    action: Literal["redact", "block", "flag"]
    label: str | None = Field(default=None, max_length=100)


class BuiltinFilter(base.Inputs):
    slug: Literal[
        "email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address", "regex-prompt-injection"
    ]
    action: Literal["redact", "block", "flag"]
    scan_scope: Literal["user_only", "all_messages"] | None = None


class GuardrailInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=900)
    limit_usd: float | None = Field(default=None, gt=0)
    reset_interval: Interval | None = None
    include_byok_in_budgets: bool | None = None
    allowed_models: Unordered[str] | None = None
    ignored_models: Unordered[str] | None = None
    allowed_providers: Unordered[str] | None = None
    ignored_providers: Unordered[str] | None = None
    enforce_zdr: bool = Field(default=False, description="only providers that retain nothing (zero data retention)")
    enable_paid_model_training: bool | None = None
    enable_free_model_training: bool | None = None
    enable_free_model_publication: bool | None = None
    content_filters: list[ContentFilter] | None = None
    content_filter_builtins: list[BuiltinFilter] | None = None


class GuardrailKeyInputs(base.Inputs):
    guardrail_id: Immutable[str]
    key_hash: Immutable[str]


class GuardrailMemberInputs(base.Inputs):
    guardrail_id: Immutable[str]
    user_id: Immutable[str] = Field(min_length=1, description="of a member of the organisation, such as user_2dHF…")


class ProviderCredentialInputs(base.Inputs):
    workspace_id: Immutable[str]
    provider: Immutable[str] = Field(pattern=r"^[a-z0-9-]+$", description="a provider's slug, such as anthropic")
    name: str = Field(min_length=1, max_length=200)
    key: WriteOnly[str]
    disabled: bool = False
    is_fallback: bool = Field(default=False, description="tried after the provider's other credentials")
    allowed_models: Unordered[str] | None = Field(default=None, min_length=1, max_length=100)
    allowed_api_key_hashes: Unordered[str] | None = Field(default=None, min_length=1, max_length=100)


DestinationType = Literal[
    "arize",
    "braintrust",
    "clickhouse",
    "datadog",
    "grafana",
    "langfuse",
    "langsmith",
    "newrelic",
    "opik",
    "otel-collector",
    "posthog",
    "ramp",
    "s3",
    "sentry",
    "snowflake",
    "weave",
    "webhook",
]


class DestinationInputs(base.Inputs):
    """``configuration`` is the destination's own, without secrets; those are in ``secret_configuration``, in its shape."""

    workspace_id: Immutable[str]
    type: Immutable[DestinationType]
    name: str = Field(min_length=1)
    configuration: dict[str, Any] = Field(default_factory=dict, alias="config")
    secret_configuration: WriteOnly[dict[str, Any] | None] = None
    enabled: bool = True
    privacy_mode: bool = Field(default=True, description="what was asked and answered is left out")
    sampling_rate: float = Field(default=1, ge=0.0001, le=1)
    broadcast_generation_cost: bool = False
    broadcast_generation_identity: bool = False
    broadcast_generation_request_context: bool = False
    api_key_hashes: Unordered[str] | None = Field(default=None, min_length=1)
    filter_rules: dict[str, Any] | None = None


def destination_body(payload: Json, wanted: base.Inputs) -> Json:
    """The configuration with its secrets inside. OpenRouter keeps those of its members that are not sent."""
    body = {key: value for key, value in payload.items() if key != "secret_configuration"}
    if {"config", "secret_configuration"} & payload.keys():
        whole = wanted.wire()
        body["config"] = merged(whole["config"], whole.get("secret_configuration") or {})
    return body


class PresetInputs(base.Inputs):
    """``model`` and ``models`` (what is tried after it) by slug; ``provider`` is OpenRouter's provider routing."""

    slug: Immutable[str] = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    model: str
    models: list[str] | None = None
    system_prompt: str | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    provider: dict[str, Any] | None = None


def preset_body(payload: Json, _wanted: base.Inputs) -> Json:
    """A chat request, which OpenRouter makes a version of the preset from. Only its system message is kept."""
    body = {key: value for key, value in payload.items() if key not in ("slug", "system_prompt")}
    prompt = payload.get("system_prompt")
    message = {"role": "system", "content": prompt} if prompt else {"role": "user", "content": "-"}
    return {**body, "messages": [message]}


def preset_shown(document: Json) -> Json:
    """A preset as the version that is used has it. OpenRouter takes prices as numbers and as texts, and keeps either."""
    version = document.get("designated_version") or {}
    shown = {
        "slug": document.get("slug"),
        "system_prompt": version.get("system_prompt"),
        **(version.get("config") or {}),
    }
    if prices := (shown.get("provider") or {}).get("max_price"):
        as_text = {name: f"{float(price):g}" for name, price in prices.items()}
        shown["provider"] = {**shown["provider"], "max_price": as_text}
    return shown
