"""What the stack file says about OpenRouter (``sophia-ai:openrouter``)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake
from components.openrouter.models import Model, ModelSettings
from components.settings import (
    Adoptable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
    unknown_names,
)
from providers.openrouter_inputs import DestinationType

Interval = Literal["daily", "weekly", "monthly"]
Dollars = Annotated[float, Field(gt=0)]
Slug = Annotated[str, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "must be lower-case words joined by hyphens")]
Provider = Annotated[str, matching(r"[a-z0-9-]+", "must be a provider's slug, such as amazon-bedrock")]
Member = Annotated[
    str, matching(r"user_\w+", "must be the id of a member of the organisation, such as user_2dHF…, not an address")
]
Action = Literal["redact", "block", "flag"]
Detector = Literal[
    "email", "phone", "ssn", "credit-card", "ip-address", "person-name", "address", "regex-prompt-injection"
]

_MOST_OF_A_TYPE = 5
"""Destinations; OpenRouter refuses the sixth (POST /observability/destinations)."""

_NEEDED: Mapping[DestinationType, tuple[str, ...]] = {
    "arize": ("apiKey", "spaceKey", "modelId"),
    "braintrust": ("apiKey", "projectId"),
    "clickhouse": ("host", "database", "username", "password"),
    "datadog": ("apiKey", "mlApp"),
    "grafana": ("apiKey", "instanceId"),
    "langfuse": ("secretKey", "publicKey"),
    "langsmith": ("apiKey",),
    "newrelic": ("licenseKey",),
    "opik": ("apiKey", "workspace", "projectName"),
    "otel-collector": ("endpoint",),
    "posthog": ("apiKey",),
    "ramp": ("apiKey",),
    "s3": ("bucketName", "accessKeyId", "secretAccessKey"),
    "sentry": ("otlpEndpoint", "dsn"),
    "snowflake": ("account", "token"),
    "weave": ("apiKey", "entity", "project"),
    "webhook": ("url",),
}
"""What the configuration of each type must have (OpenRouter's OpenAPI description)."""

MASKED = re.compile(r"(key|password|token|dsn|headers)(id)?$", re.IGNORECASE)
"""Members of a configuration that OpenRouter shows masked, so that only a hash can tell whether they changed."""


class WorkspaceSettings(Adoptable):
    """``adopt`` covers the workspace's budgets, too.

    ``data_discount_logging``: OpenRouter keeps prompts and answers, for a discount; ``private_logging``: it keeps them for
    us. ``byok_in_budgets``: what is spent with provider credentials counts. What is left out stays as it is there.
    """

    slug: Slug
    name: str
    description: str = ""
    default_text_model: Model | None = None
    default_provider_sort: Literal["price", "throughput", "latency", "exacto"] | None = None
    data_discount_logging: bool | None = None
    private_logging: bool | None = None
    byok_in_budgets: bool | None = None


class FilterSettings(Settings):
    """What a request may not contain: a regular expression, what is done about it, and what stands in its place then."""

    pattern: Annotated[str, Field(min_length=1)]
    action: Action
    label: Annotated[str, Field(max_length=100)] | None = None

    def check(self) -> Iterator[Mistake]:
        """OpenRouter refuses a pattern that cannot be read."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            yield Mistake(("pattern",), f"is no regular expression: {error}")


class GuardrailSettings(Adoptable):
    """``limit_usd`` is per key and member that the guardrail is put on; no ``models`` or ``providers`` means any.

    Models are named by their slugs, as OpenRouter's pages show them, not by their dated canonical slugs. ``detect`` says
    what is done about what OpenRouter itself recognises. ``training``: endpoints that train on what they are asked.
    ``adopt`` covers the assignments to keys and members, too.
    """

    name: str
    description: str = ""
    limit_usd: Dollars | None = None
    reset: Interval | None = None
    byok_in_limit: bool | None = None
    models: list[Model] | None = None
    ignored_models: list[Model] | None = None
    providers: list[str] | None = None
    ignored_providers: list[str] | None = None
    zero_data_retention: bool = False
    training: bool | None = None
    detect: dict[Detector, Action] | None = None
    filters: list[FilterSettings] | None = None
    members: list[Member] = Field(default_factory=list)

    def check(self) -> Iterator[Mistake]:
        """A limit needs an interval to start anew."""
        if (self.limit_usd is None) != (self.reset is None):
            yield Mistake((), "must give both `limit_usd` and `reset`, or neither")


class KeySettings(Settings):
    """An inference key. ``expires_at`` (RFC 3339) replaces the key when it is changed.

    A higher ``generation`` makes a new key beside the present one, and hands that over from then on. ``previous`` is what
    becomes of the one before: it stays ``valid``, is ``disabled``, which can be taken back, or ``deleted``.
    """

    name: Annotated[
        str, matching(r"(?!.* #\d+$).{1,60}", "must be up to 60 characters, and not end with # and a number")
    ]
    limit_usd: Dollars
    reset: Interval | None = "monthly"
    byok_in_limit: bool = False
    guardrail: str | None = None
    expires_at: str | None = None
    enabled: bool = True
    generation: Annotated[int, Field(ge=1)] = 1
    previous: Literal["valid", "disabled", "deleted"] = "valid"


class ProviderCredentialSettings(Adoptable):
    """A key of our own at a provider. ``fallback``: tried last; ``keys``: those of ours that may use it, all if left out."""

    provider: Provider
    name: Annotated[str, Field(min_length=1, max_length=200)]
    key: SecretSource
    fallback: bool = False
    enabled: bool = True
    models: Annotated[list[Model], Field(min_length=1)] | None = None
    keys: Annotated[list[Key], Field(min_length=1)] | None = None


class DestinationSettings(Adoptable):
    """Where traces go. ``secrets`` maps a member of the configuration (``headers.Authorization``) to where it comes from.

    ``privacy_mode``: figures only, not what was asked and answered. ``keys``: whose calls are told of, all if left out.
    """

    type: DestinationType
    name: Annotated[str, Field(min_length=1)]
    configuration: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretSource] = Field(default_factory=dict)
    enabled: bool = True
    privacy_mode: bool = True
    sampling_rate: Annotated[float, Field(ge=0.0001, le=1)] = 1
    details: list[Literal["cost", "identity", "request_context"]] = Field(default_factory=list)
    keys: Annotated[list[Key], Field(min_length=1)] | None = None
    filter_rules: dict[str, Any] | None = None

    def check(self) -> Iterator[Mistake]:
        """The configuration is complete, and no secret stands in it."""
        given = {*self.configuration, *(place.partition(".")[0] for place in self.secrets)}
        for member in _NEEDED[self.type]:
            if member not in given:
                where = "secrets" if MASKED.search(member) else "configuration"
                yield Mistake((where,), f"must have `{member}`: a destination of type {self.type} needs it")
        for member in filter(MASKED.search, self.configuration):
            yield Mistake(("configuration", member), "is a secret for OpenRouter: name its source under `secrets`")


class PresetSettings(Settings):
    """A preset for one of ``models``: that model, its fallbacks, and its ceiling as the highest price of a call."""

    slug: Slug
    task: Key
    system_prompt: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None


class OpenRouterSettings(Settings):
    """``sophia-ai:openrouter``. The management key comes from OPENROUTER_MANAGEMENT_KEY; it is made by hand only."""

    workspace: WorkspaceSettings
    budgets: dict[Literal["daily", "weekly", "monthly", "lifetime"], Dollars] = Field(default_factory=dict)
    guardrails: dict[Key, GuardrailSettings] = Field(default_factory=dict)
    keys: dict[Key, KeySettings] = Field(default_factory=dict)
    provider_credentials: dict[Key, ProviderCredentialSettings] = Field(default_factory=dict)
    destinations: dict[Key, DestinationSettings] = Field(default_factory=dict)
    models: dict[Key, ModelSettings] = Field(default_factory=dict)
    presets: dict[Key, PresetSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What names another entry names one that is there; no two are the same object.

        Keys cannot spend more in a month than the workspace may; of two keys that are one object, each run would throw
        the other's value away.
        """
        yield from same_object(("keys",), self.keys, "name")
        yield from same_object(("guardrails",), self.guardrails, "name")
        yield from same_object(("provider_credentials",), self.provider_credentials, "name", "provider")
        yield from same_object(("destinations",), self.destinations, "name")
        yield from same_object(("presets",), self.presets, "slug")
        yield from self._check_keys()
        yield from self._check_members()
        yield from self._check_destinations()
        yield from self._check_models()
        yield from self._check_presets()

    def _check_keys(self) -> Iterator[Mistake]:
        monthly = self.budgets.get("monthly")
        for key, settings in self.keys.items():
            if settings.guardrail:
                yield from unknown_name(("keys", key, "guardrail"), settings.guardrail, self.guardrails, "guardrail")
            if monthly is not None and settings.reset == "monthly" and settings.limit_usd > monthly:
                yield Mistake(("keys", key, "limit_usd"), f"is more than the workspace's monthly budget of {monthly:g}")
        for key, credential in self.provider_credentials.items():
            yield from unknown_names(("provider_credentials", key, "keys"), credential.keys or [], self.keys, "key")

    def _check_members(self) -> Iterator[Mistake]:
        first: dict[str, str] = {}
        for key, guardrail in self.guardrails.items():
            for index, member in enumerate(guardrail.members):
                if (other := first.setdefault(member, key)) != key or member in guardrail.members[:index]:
                    message = f"is under guardrails.{other} already: a member has one guardrail at most"
                    yield Mistake(("guardrails", key, "members", index), message)

    def _check_destinations(self) -> Iterator[Mistake]:
        counts: Counter[str] = Counter()
        for key, destination in self.destinations.items():
            counts[destination.type] += 1
            if counts[destination.type] > _MOST_OF_A_TYPE:
                message = f"is one too many: OpenRouter takes {_MOST_OF_A_TYPE} destinations of a type"
                yield Mistake(("destinations", key, "type"), message)
            yield from unknown_names(("destinations", key, "keys"), destination.keys or [], self.keys, "key")

    def _check_models(self) -> Iterator[Mistake]:
        """What a guardrail does not let through would fail with the first call, and with the first fallback."""
        for task, settings in self.models.items():
            if settings.guardrail is None:
                continue
            yield from unknown_name(("models", task, "guardrail"), settings.guardrail, self.guardrails, "guardrail")
            guardrail = self.guardrails.get(settings.guardrail)
            for path, model in settings.chosen() if guardrail else ():
                if guardrail and guardrail.models is not None and model not in guardrail.models:
                    message = f"{model} is not among the models of guardrails.{settings.guardrail}"
                    yield Mistake(("models", task, *path), message)

    def _check_presets(self) -> Iterator[Mistake]:
        for key, preset in self.presets.items():
            yield from unknown_name(("presets", key, "task"), preset.task, self.models, "model")
            if not preset.slug.startswith(f"{self.workspace.slug}-"):
                message = f"must begin with {self.workspace.slug}-: presets are the account's, not the workspace's"
                yield Mistake(("presets", key, "slug"), message)
