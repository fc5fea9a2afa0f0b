"""What the stack file says about Portkey (``sophia-ai:portkey``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.portkey.gateway import TargetSettings, unknown_model
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
)

Slug = Annotated[str, matching(r"[a-zA-Z0-9_-]+", "must be letters, digits, _ and -")]
Scope = Annotated[str, matching(r"[a-z_]+\.[a-z]+", "must be a scope of Portkey, such as completions.write")]
Published = Literal["latest"] | Annotated[int, Field(ge=1)]

PARTIAL = re.compile(r"\{\{>\s*([\w-]+)\s*\}\}")
"""Where a text takes in a partial: ``{{>disclosure}}``, by its key in the stack file."""


class UsageLimitSettings(Settings):
    """``credit_limit`` in US dollars for ``cost``. Without ``periodic_reset`` it counts once and for all."""

    type: Literal["cost", "tokens"] = "cost"
    credit_limit: Annotated[int, Field(ge=1)]
    alert_threshold: Annotated[int, Field(ge=1)] | None = None
    periodic_reset: Literal["monthly", "weekly"] | None = "monthly"

    def check(self) -> Iterator[Mistake]:
        """An alarm comes before the end."""
        if self.alert_threshold is not None and self.alert_threshold >= self.credit_limit:
            yield Mistake(("alert_threshold",), f"must be less than credit_limit, which is {self.credit_limit}")


class RateLimitSettings(Settings):
    """A minute (rpm), an hour (rph) or a day (rpd)."""

    type: Literal["requests", "tokens"] = "requests"
    unit: Literal["rpm", "rph", "rpd"] = "rpm"
    value: Annotated[int, Field(ge=1)]


class WorkspaceSettings(Adoptable):
    """The stage's own workspace. ``usage_limit`` caps all that is called in it; ``metadata`` goes with every call."""

    name: str
    description: str = ""
    usage_limit: UsageLimitSettings | None = None
    rate_limit: RateLimitSettings | None = None
    metadata: dict[str, str] | None = None


class ModelSettings(Settings):
    """A model of our own; ``base_model`` is the vendor's that it was made of. Prices are a token's."""

    slug: str
    base_model: str | None = None
    request_token_price: Annotated[float, Field(ge=0)] | None = None
    response_token_price: Annotated[float, Field(ge=0)] | None = None


class IntegrationSettings(Adoptable):
    """A vendor's account. ``ai_provider_id`` is Portkey's name of the vendor; ``slug`` is unique in the organisation.

    ``secrets`` has the vendor's ``key`` and, by their names, secret members of ``configurations``. ``models`` are all that
    may be called; without it whatever the vendor has. ``adopt`` covers the access of the workspace, too.
    """

    name: str
    slug: Slug
    ai_provider_id: str
    description: str = ""
    secrets: dict[str, SecretSource] = Field(default_factory=dict)
    configurations: dict[str, Any] | None = None
    models: Annotated[list[str | ModelSettings], Field(min_length=1)] | None = None
    usage_limit: UsageLimitSettings | None = None
    rate_limit: RateLimitSettings | None = None

    @property
    def allowed(self) -> list[str] | None:
        """The models that may be called; None for any."""
        if self.models is None:
            return None
        return [model if isinstance(model, str) else model.slug for model in self.models]


class ProviderSettings(Adoptable):
    """An integration as configs and prompts call it, by ``@slug``. ``expires_at`` is RFC 3339."""

    name: str
    slug: Slug
    integration: str
    note: str = ""
    usage_limit: UsageLimitSettings | None = None
    rate_limit: RateLimitSettings | None = None
    expires_at: str | None = None


class CheckSettings(Settings):
    """``id`` and ``parameters`` as Portkey names them: ``default.regexMatch``, ``portkey.pii`` …"""

    id: Annotated[str, matching(r"[a-z-]+\.[A-Za-z]+", "must be a check of Portkey, such as default.contains")]
    parameters: dict[str, Any] = Field(default_factory=dict)
    name: str | None = None
    is_enabled: bool = True


class GuardrailSettings(Adoptable):
    """Checks, and what follows: ``deny`` refuses the call, ``async`` checks beside it and never refuses."""

    name: str
    checks: Annotated[list[CheckSettings], Field(min_length=1)]
    deny: bool = True
    async_: Annotated[bool, Field(alias="async")] = False

    def check(self) -> Iterator[Mistake]:
        """What is checked beside a call comes too late to refuse it."""
        if self.deny and self.async_:
            yield Mistake(("async",), "cannot be with `deny`: the answer is gone when the check ends")

    def actions(self) -> dict[str, Any]:
        """What follows, in Portkey's words; a call that passes is rated 5, one that does not -5, as Portkey's pages do."""
        well, badly = ({"feedback": {"value": value, "weight": 1, "metadata": ""}} for value in (5, -5))
        return {"deny": self.deny, "async": self.async_, "on_success": well, "on_fail": badly}


class ConfigSettings(Adoptable):
    name: str
    config: TargetSettings


class CollectionSettings(Adoptable):
    name: str
    parent: str | None = None


class VersionedSettings(Adoptable):
    """``published`` is the version that callers get: the newest, or an older one by its number while a new text is tried.

    ``change`` says in words what the newest version is about.
    """

    name: str
    published: Published = "latest"
    change: str | None = None


class PartialSettings(VersionedSettings):
    text: Annotated[str, Field(min_length=1)]


class MessageSettings(Settings):
    """One message; ``{{name}}`` is a variable, ``{{>key}}`` takes in a partial."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(min_length=1)]


class PromptSettings(VersionedSettings):
    """``parameters`` as the model takes them (``temperature``, ``max_tokens``)."""

    collection: str
    provider: str
    model: str
    messages: Annotated[list[MessageSettings], Field(min_length=1)]
    parameters: dict[str, Any] = Field(default_factory=dict)
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None


class ApiKeySettings(Settings):
    """A key of a program. Raising ``generation`` rotates it; the key of before works for ``transition_hours`` more."""

    name: str
    description: str = ""
    scopes: Annotated[list[Scope], Field(min_length=1)] = Field(default=["completions.write", "prompts.render"])
    config: str | None = None
    allow_config_override: bool | None = None
    metadata: dict[str, str] | None = None
    usage_limit: UsageLimitSettings | None = None
    rate_limits: list[RateLimitSettings] | None = None
    alert_emails: list[str] | None = None
    expires_at: str | None = None
    generation: Annotated[int, Field(ge=1)] = 1
    transition_hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24 * 7

    def check(self) -> Iterator[Mistake]:
        """Nothing to override where no config is given."""
        if self.allow_config_override is not None and self.config is None:
            yield Mistake(("allow_config_override",), "needs `config`: there is nothing to override")


class PolicySettings(Adoptable):
    """For which calls (``api_key`` by its key here, ``metadata.<name>``; without conditions for all of the workspace), and
    by what they are counted.
    """

    name: str
    conditions: dict[str, str] = Field(default_factory=dict)
    group_by: Annotated[list[str], Field(min_length=1)] = Field(default=["workspace_id"])

    def check(self) -> Iterator[Mistake]:
        """Conditions and groups are of what Portkey knows of a call."""
        for section, names in (("conditions", self.conditions), ("group_by", self.group_by)):
            for name in names:
                if name not in ("api_key", "workspace_id") and not name.startswith("metadata."):
                    yield Mistake((section,), f'"{name}" is not api_key, workspace_id or metadata.<name>')
        if "workspace_id" in self.conditions:
            yield Mistake(("conditions",), "cannot name a workspace: it is the stage's own")


class UsagePolicySettings(PolicySettings, UsageLimitSettings):
    """How much each member of a group may use."""

    def check(self) -> Iterator[Mistake]:
        """The rules of both."""
        yield from PolicySettings.check(self)
        yield from UsageLimitSettings.check(self)


class RatePolicySettings(PolicySettings, RateLimitSettings):
    """How fast each member of a group may go."""


class PortkeySettings(Settings):
    """``sophia-ai:portkey``. The organisation's key comes from PORTKEY_ADMIN_API_KEY; it is made by hand only."""

    workspace: WorkspaceSettings
    integrations: dict[Key, IntegrationSettings] = Field(default_factory=dict)
    providers: dict[Key, ProviderSettings] = Field(default_factory=dict)
    guardrails: dict[Key, GuardrailSettings] = Field(default_factory=dict)
    configs: dict[Key, ConfigSettings] = Field(default_factory=dict)
    collections: dict[Key, CollectionSettings] = Field(default_factory=dict)
    partials: dict[Key, PartialSettings] = Field(default_factory=dict)
    prompts: dict[Key, PromptSettings] = Field(default_factory=dict)
    api_keys: dict[Key, ApiKeySettings] = Field(default_factory=dict)
    usage_policies: dict[Key, UsagePolicySettings] = Field(default_factory=dict)
    rate_policies: dict[Key, RatePolicySettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What a name refers to is declared; of two entries with one name, each would take the other's object."""
        for section in ("guardrails", "configs", "partials", "prompts", "api_keys", "usage_policies", "rate_policies"):
            yield from same_object((section,), getattr(self, section), "name")
        yield from same_object(("collections",), self.collections, "name", "parent")
        for section in ("integrations", "providers"):
            yield from same_object((section,), getattr(self, section), "slug")
        yield from self._routes()
        yield from self._prompts()
        for key, api_key in self.api_keys.items():
            if api_key.config:
                yield from unknown_name(("api_keys", key, "config"), api_key.config, self.configs, "config")
        policies: Mapping[str, Mapping[str, PolicySettings]] = {
            "usage_policies": self.usage_policies,
            "rate_policies": self.rate_policies,
        }
        for section, entries in policies.items():
            for key, policy in entries.items():
                if name := policy.conditions.get("api_key"):
                    yield from unknown_name((section, key, "conditions", "api_key"), name, self.api_keys, "API key")

    def models(self) -> dict[str, list[str] | None]:
        """By provider, the models that may be called by it; None for any."""
        known = self.integrations
        return {k: known[p.integration].allowed if p.integration in known else None for k, p in self.providers.items()}

    def _routes(self) -> Iterator[Mistake]:
        for key, provider in self.providers.items():
            yield from unknown_name(
                ("providers", key, "integration"), provider.integration, self.integrations, "integration"
            )
        for key, config in self.configs.items():
            for path, message in config.config.unknown(self.models(), self.guardrails):
                yield Mistake(("configs", key, "config", *path), message)

    def _prompts(self) -> Iterator[Mistake]:
        for key, collection in self.collections.items():
            if collection.parent:
                yield from unknown_name(
                    ("collections", key, "parent"), collection.parent, self.collections, "collection"
                )
                parent = self.collections.get(collection.parent)
                if parent is not None and parent.parent:
                    yield Mistake(
                        ("collections", key, "parent"), "is within another collection itself: one level is all"
                    )
        for key, prompt in self.prompts.items():
            at = ("prompts", key)
            yield from unknown_name((*at, "collection"), prompt.collection, self.collections, "collection")
            yield from unknown_name((*at, "provider"), prompt.provider, self.providers, "provider")
            yield from unknown_model((*at, "model"), prompt.model, prompt.provider, self.models())
            for index, message in enumerate(prompt.messages):
                for name in PARTIAL.findall(message.content):
                    yield from unknown_name((*at, "messages", index, "content"), name, self.partials, "partial")
