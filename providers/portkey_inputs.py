"""What Portkey's objects are made of, and how they look on the wire."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from providers import base
from providers.base import Carried, Immutable, Json, Unordered, Unseen, WriteOnly
from providers.base.inputs import merged

Slug = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]


class UsageLimit(base.Inputs):
    """``credit_limit`` in US dollars for ``cost``; without a reset it counts once and for all."""

    type: Literal["cost", "tokens"]
    credit_limit: int = Field(ge=1)
    alert_threshold: int | None = Field(default=None, ge=1)
    periodic_reset: Literal["monthly", "weekly"] | None = None


class RateLimit(base.Inputs):
    """A number of requests or tokens a minute (rpm), hour (rph) or day (rpd)."""

    type: Literal["requests", "tokens"]
    unit: Literal["rpm", "rph", "rpd"]
    value: int = Field(ge=1)


UsageLimits = Annotated[list[UsageLimit], Field(max_length=1)]
RateLimits = Annotated[list[RateLimit], Field(max_length=1)]


def in_workspace(document: Json) -> Json:
    """Without the workspace, which Portkey shows now by its id, now by its slug; no object can leave its own."""
    return {name: value for name, value in document.items() if name != "workspace_id"}


def described(document: Json) -> Json:
    return {**in_workspace(document), "description": document.get("description") or ""}


def archived(document: Json) -> bool:
    return document.get("status") == "archived"


class WorkspaceInputs(base.Inputs):
    name: str = Field(min_length=1)
    description: str = ""
    defaults: dict[str, Any] | None = Field(default=None, description="metadata that every call carries")
    usage_limits: UsageLimits | None = None
    rate_limits: RateLimits | None = None


class Model(base.Inputs):
    """A model of the vendor's by its slug; ``is_custom`` makes one of our own, priced by ``pricing_config``."""

    slug: str = Field(min_length=1)
    is_custom: Literal[True] | None = None
    base_model_slug: str | None = None
    pricing_config: dict[str, Any] | None = None


class IntegrationInputs(base.Inputs):
    slug: Immutable[Slug]
    name: str = Field(min_length=1)
    ai_provider_id: Immutable[str]
    description: str = ""
    key: WriteOnly[str | None] = None
    configurations: dict[str, Any] | None = None
    secret_configurations: WriteOnly[dict[str, Any] | None] = None
    models: Annotated[list[Model], AfterValidator(lambda models: sorted(models, key=lambda m: m.slug))] | None = Field(
        default=None, description="all that may be used; without it whatever the vendor has"
    )


def integration_body(payload: Json, wanted: base.Inputs) -> Json:
    """The secret parts of the configuration go where Portkey has them: among the others."""
    configurations = ("configurations", "secret_configurations")
    body = {name: value for name, value in payload.items() if name not in configurations}
    if any(name in payload for name in configurations):
        plain, secret = (wanted.wire().get(name) or {} for name in configurations)
        body["configurations"] = merged(plain, secret)
    return body


class IntegrationWorkspaceInputs(base.Inputs):
    integration: Immutable[Slug]
    workspace_id: Immutable[str]
    workspace_slug: Carried[str | None] = None
    usage_limits: UsageLimits | None = None
    rate_limits: RateLimits | None = None


class ProviderInputs(base.Inputs):
    workspace_id: Immutable[str]
    slug: Immutable[Slug]
    name: str = Field(min_length=1)
    integration_id: Immutable[Slug] = Field(description="the integration's slug")
    note: str = ""
    usage_limits: UsageLimit | None = None
    rate_limits: RateLimits | None = None
    expires_at: base.Instant | None = None


class GuardrailInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    checks: list[dict[str, Any]] = Field(min_length=1)
    actions: dict[str, Any]


def guardrail_shown(document: Json) -> Json:
    """Portkey shows checks and actions as they were sent: what was left out is what Portkey takes it for."""
    shown = in_workspace(document)
    if "checks" in shown:
        shown["checks"] = [{"parameters": {}, "is_enabled": True, **check} for check in shown["checks"]]
    if "actions" in shown:
        shown["actions"] = {"deny": False, "async": False, **shown["actions"]}
    return shown


class ConfigInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    config: dict[str, Any]


class CollectionInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    parent_collection_id: Immutable[str | None] = None


Published = Literal["latest"] | Annotated[int, Field(ge=1)]
"""The version that callers get: the newest, or an older one by its number."""


class PartialInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    string: str = Field(min_length=1)
    published: Published = "latest"
    version_description: Carried[str | None] = None


def spelled(messages: str) -> str:
    """Messages, which Portkey keeps as a text of JSON, in one spelling: whoever wrote them, the same are no difference."""
    try:
        shown = json.loads(messages)
    except ValueError:
        return messages
    if not isinstance(shown, list) or not all(isinstance(message, dict) for message in shown):
        return messages
    return json.dumps([_message(message) for message in shown], ensure_ascii=False)


def _message(shown: Json) -> Json:
    """Portkey's own editor writes a text as the only one of a list of parts."""
    content = shown.get("content")
    if isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}:
        content = content[0]["text"]
    first = {name: value for name, value in (("role", shown.get("role")), ("content", content)) if name in shown}
    return {**first, **{name: value for name, value in shown.items() if name not in first}}


class PromptInputs(base.Inputs):
    workspace_id: Immutable[str]
    collection_id: str
    name: str = Field(min_length=1)
    string: Annotated[str, AfterValidator(spelled)] = Field(min_length=1, description="the messages, as JSON")
    parameters: dict[str, Any] = Field(default_factory=dict)
    model: str | None = None
    virtual_key: str = Field(description="the provider's slug")
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    published: Published = "latest"
    version_description: Carried[str | None] = None


class ApiKeyInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1)
    description: str = ""
    scopes: Unordered[str] = Field(min_length=1)
    config_id: str | None = None
    allow_config_override: bool | None = None
    metadata: dict[str, str] | None = None
    usage_limits: UsageLimit | None = None
    rate_limits: list[RateLimit] | None = None
    alert_emails: Unordered[str] | None = None
    expires_at: base.Instant | None = None
    generation: Unseen[int] = Field(default=1, ge=1, description="another one rotates the key")
    transition_hours: Carried[int] = Field(default=24 * 7, ge=1)


_DEFAULTS: Final = ("config_id", "allow_config_override", "metadata")


def key_body(payload: Json, wanted: base.Inputs) -> Json:
    """What a call gets by default is one member, and written whole."""
    body = {name: value for name, value in payload.items() if name not in _DEFAULTS}
    if changed := {name: payload[name] for name in _DEFAULTS if name in payload}:
        body["defaults"] = {name: value for name, value in wanted.wire().items() if name in _DEFAULTS} | changed
    return body


def key_shown(document: Json) -> Json:
    defaults = document.get("defaults") or {}
    override = document.get("allow_config_override", defaults.get("allow_config_override"))
    shown = {**described(document), **{name: defaults[name] for name in ("config_id", "metadata") if name in defaults}}
    return shown if override is None else {**shown, "allow_config_override": bool(override)}


class Condition(base.Inputs):
    key: str
    value: str


class Group(base.Inputs):
    key: str


class UsagePolicyInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=255)
    conditions: Immutable[list[Condition]]
    group_by: Immutable[list[Group]] = Field(min_length=1)
    type: Immutable[Literal["cost", "tokens"]]
    credit_limit: float = Field(gt=0)
    alert_threshold: float | None = Field(default=None, gt=0)
    periodic_reset: Literal["monthly", "weekly"] | None = None


class RatePolicyInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=255)
    conditions: Immutable[list[Condition]]
    group_by: Immutable[list[Group]] = Field(min_length=1)
    type: Immutable[Literal["requests", "tokens"]]
    unit: Literal["rpm", "rph", "rpd"]
    value: float = Field(gt=0)
