"""Portkey: the gateway through which every model call of the stage goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.portkey.prompts import Prompts
from components.portkey.settings import (
    ApiKeySettings,
    ConfigSettings,
    GuardrailSettings,
    IntegrationSettings,
    ModelSettings,
    PolicySettings,
    PortkeySettings,
    ProviderSettings,
    RateLimitSettings,
    UsageLimitSettings,
    WorkspaceSettings,
)
from components.settings import Stage, data_store_options, secret_tree
from providers import portkey
from providers.base import dynamic

__all__ = ["Portkey", "PortkeySettings"]


class Portkey(pulumi.ComponentResource):
    """A workspace of its own for the stage: integrations with vendors of models, providers, guardrails, configs, prompts,
    API keys, and limits on what they use. In prod the workspace, which has the logs, is protected.

    Outputs: ``workspace_id``; by key ``api_keys`` (the keys themselves, as secrets), and ``configs`` and ``prompts`` (the
    slugs that callers send).

    Not managed, on purpose: the admin key (made by hand only), people and their roles (an administrator's), labels of
    prompt versions (``published`` says which is used), Portkey's own rotation of keys (nobody would be told of the new
    one), MCP servers and references to other secret stores (the estate has none), and logs.
    """

    workspace_id: pulumi.Output[str]
    api_keys: Mapping[str, pulumi.Output[str]]
    configs: Mapping[str, pulumi.Output[str]]
    prompts: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: PortkeySettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: for secrets with ``output:``, such as OpenRouter's keys."""
        super().__init__("sophia:platform:Portkey", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._settings, self._outputs = settings, outputs

        self._workspace = self._create_workspace(settings.workspace, data_store_options(stage, self._child))
        self.workspace_id = self._workspace.id
        self._access = {key: self._create_integration(key, entry) for key, entry in settings.integrations.items()}
        providers = {key: self._create_provider(key, entry) for key, entry in settings.providers.items()}
        self._after_providers = pulumi.ResourceOptions.merge(
            self._child, pulumi.ResourceOptions(depends_on=list(providers.values()))
        )
        self._guardrails = {key: self._create_guardrail(key, entry) for key, entry in settings.guardrails.items()}
        configs = {key: self._create_config(key, entry) for key, entry in settings.configs.items()}
        made = Prompts(settings, self.workspace_id, self._child, self._after_providers)
        keys = {
            key: self._create_api_key(key, entry, configs[entry.config] if entry.config else None)
            for key, entry in settings.api_keys.items()
        }
        self._create_policies(keys)
        self.api_keys = {key: api_key.key for key, api_key in keys.items()}
        self.configs = {key: config.id for key, config in configs.items()}
        self.prompts = {key: prompt.id for key, prompt in made.prompts.items()}
        self.register_outputs(
            {"workspace_id": self.workspace_id, "configs": self.configs, "prompts": self.prompts}
            | {"api_keys": self.api_keys}
        )

    def _create_workspace(self, settings: WorkspaceSettings, opts: pulumi.ResourceOptions) -> portkey.Workspace:
        return portkey.Workspace(
            "workspace",
            opts,
            name=settings.name,
            description=settings.description,
            defaults=None if settings.metadata is None else {"metadata": settings.metadata},
            usage_limits=_one(_usage_limit(settings.usage_limit)),
            rate_limits=_one(_rate_limit(settings.rate_limit)),
            adopt=settings.adopt,
        )

    def _create_integration(self, key: str, settings: IntegrationSettings) -> portkey.IntegrationWorkspace:
        """The integration itself, and with it what the workspace may do with it."""
        secrets = secret_tree(settings.secrets, self._outputs, f"portkey.integrations.{key}.secrets")
        integration = portkey.Integration(
            key,
            self._child,
            slug=settings.slug,
            name=settings.name,
            ai_provider_id=settings.ai_provider_id,
            description=settings.description,
            key=secrets.pop("key", None),
            configurations=settings.configurations,
            secret_configurations=secrets or None,
            models=None if settings.models is None else [_model(model) for model in settings.models],
            adopt=settings.adopt,
        )
        return portkey.IntegrationWorkspace(
            key,
            self._child,
            integration=integration.id,
            workspace_id=self.workspace_id,
            workspace_slug=self._workspace.slug,
            usage_limits=_one(_usage_limit(settings.usage_limit)),
            rate_limits=_one(_rate_limit(settings.rate_limit)),
            adopt=settings.adopt,
        )

    def _create_provider(self, key: str, settings: ProviderSettings) -> portkey.Provider:
        after_access = pulumi.ResourceOptions(depends_on=[self._access[settings.integration]])
        return portkey.Provider(
            key,
            pulumi.ResourceOptions.merge(self._child, after_access),
            workspace_id=self.workspace_id,
            slug=settings.slug,
            name=settings.name,
            integration_id=self._settings.integrations[settings.integration].slug,
            note=settings.note,
            usage_limits=_usage_limit(settings.usage_limit),
            rate_limits=_one(_rate_limit(settings.rate_limit)),
            expires_at=settings.expires_at,
            adopt=settings.adopt,
        )

    def _create_guardrail(self, key: str, settings: GuardrailSettings) -> portkey.Guardrail:
        return portkey.Guardrail(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            checks=[check.model_dump(exclude_none=True) for check in settings.checks],
            actions=settings.actions(),
            adopt=settings.adopt,
        )

    def _create_config(self, key: str, settings: ConfigSettings) -> portkey.Config:
        slugs = {name: provider.slug for name, provider in self._settings.providers.items()}
        guardrails = {name: guardrail.id for name, guardrail in self._guardrails.items()}
        return portkey.Config(
            key,
            self._after_providers,
            workspace_id=self.workspace_id,
            name=settings.name,
            config=settings.config.wire(slugs, guardrails),
            adopt=settings.adopt,
        )

    def _create_api_key(self, key: str, settings: ApiKeySettings, config: portkey.Config | None) -> portkey.ApiKey:
        limits = settings.rate_limits
        return portkey.ApiKey(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            description=settings.description,
            scopes=settings.scopes,
            config_id=config.config_id if config else None,
            allow_config_override=settings.allow_config_override,
            metadata=settings.metadata,
            usage_limits=_usage_limit(settings.usage_limit),
            rate_limits=None if limits is None else [_rate_limit(limit) for limit in limits],
            alert_emails=settings.alert_emails,
            expires_at=settings.expires_at,
            generation=settings.generation,
            transition_hours=settings.transition_hours,
        )

    def _create_policies(self, keys: Mapping[str, portkey.ApiKey]) -> None:
        for key, usage in self._settings.usage_policies.items():
            portkey.UsagePolicy(key, self._child, **self._scope(usage, keys), **(_usage_limit(usage) or {}))
        for key, rate in self._settings.rate_policies.items():
            portkey.RatePolicy(key, self._child, **self._scope(rate, keys), **(_rate_limit(rate) or {}))

    def _scope(self, settings: PolicySettings, keys: Mapping[str, portkey.ApiKey]) -> dict[str, Any]:
        """What a policy is about; without conditions the whole workspace."""
        values: dict[str, pulumi.Input[str]] = {
            name: keys[value].id if name == "api_key" else value for name, value in settings.conditions.items()
        }
        return {
            "workspace_id": self.workspace_id,
            "name": settings.name,
            "conditions": [{"key": k, "value": v} for k, v in (values or {"workspace_id": self.workspace_id}).items()],
            "group_by": [{"key": name} for name in settings.group_by],
            "adopt": settings.adopt,
        }


def _usage_limit(settings: UsageLimitSettings | None) -> dict[str, Any] | None:
    members = {"type", "credit_limit", "alert_threshold", "periodic_reset"}
    return None if settings is None else settings.model_dump(include=members, exclude_none=True)


def _rate_limit(settings: RateLimitSettings | None) -> dict[str, Any] | None:
    return None if settings is None else settings.model_dump(include={"type", "unit", "value"})


def _one(limit: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    """Where Portkey has a list of limits, of which there is at most one."""
    return None if limit is None else [limit]


def _model(settings: str | ModelSettings) -> dict[str, Any]:
    if isinstance(settings, str):
        return {"slug": settings}
    prices = {"request_token": settings.request_token_price, "response_token": settings.response_token_price}
    paid = {name: {"price": price} for name, price in prices.items() if price is not None}
    return {
        "slug": settings.slug,
        "is_custom": True,
        **({"base_model_slug": settings.base_model} if settings.base_model else {}),
        **({"pricing_config": {"type": "static", "pay_as_you_go": paid}} if paid else {}),
    }
