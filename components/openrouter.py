"""OpenRouter: who may call which models, and for how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake
from components.settings import Adoptable, Key, Settings, matching, same_object, unknown_name
from providers import openrouter
from providers.base import platform_provider

Interval = Literal["daily", "weekly", "monthly"]
Model = Annotated[str, matching(r"[\w.-]+/[\w.:-]+", "must be a model of OpenRouter, such as openai/gpt-5.2")]
Dollars = Annotated[float, Field(gt=0)]


class WorkspaceSettings(Adoptable):
    """``adopt`` covers the workspace's budgets, too."""

    slug: Annotated[str, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "must be lower-case words joined by hyphens")]
    name: str
    description: str = ""


class GuardrailSettings(Adoptable):
    """``limit_usd`` is per key that the guardrail is put on; no ``models`` or ``providers`` means any.

    Models are named by their slugs, as OpenRouter's pages show them, not by their dated canonical slugs. ``adopt`` covers
    the assignments to keys, too.
    """

    name: str
    description: str = ""
    limit_usd: Dollars | None = None
    reset: Interval | None = None
    models: list[Model] | None = None
    providers: list[str] | None = None
    zero_data_retention: bool = False

    def check(self) -> Iterator[Mistake]:
        """A limit needs an interval to start anew."""
        if (self.limit_usd is None) != (self.reset is None):
            yield Mistake((), "must give both `limit_usd` and `reset`, or neither")


class KeySettings(Settings):
    """An inference key. ``expires_at`` (RFC 3339) replaces the key when it is changed."""

    name: str
    limit_usd: Dollars
    reset: Interval | None = "monthly"
    guardrail: str | None = None
    expires_at: str | None = None
    enabled: bool = True


class OpenRouterSettings(Settings):
    """``sophia-ai:openrouter``. The management key comes from OPENROUTER_MANAGEMENT_KEY; it is made by hand only."""

    workspace: WorkspaceSettings
    budgets: dict[Literal["daily", "weekly", "monthly", "lifetime"], Dollars] = Field(default_factory=dict)
    guardrails: dict[Key, GuardrailSettings] = Field(default_factory=dict)
    keys: dict[Key, KeySettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Keys name guardrails that are declared, and cannot spend more in a month than the workspace may.

        No two have the same name: of two keys that are one object, each run would throw the other's value away.
        """
        yield from same_object(("keys",), self.keys, "name")
        yield from same_object(("guardrails",), self.guardrails, "name")
        for key, settings in self.keys.items():
            if settings.guardrail:
                yield from unknown_name(("keys", key, "guardrail"), settings.guardrail, self.guardrails, "guardrail")
            monthly = self.budgets.get("monthly")
            if monthly is not None and settings.reset == "monthly" and settings.limit_usd > monthly:
                yield Mistake(("keys", key, "limit_usd"), f"is more than the workspace's monthly budget of {monthly:g}")


class OpenRouter(pulumi.ComponentResource):
    """A workspace of its own for the stage, with budgets, guardrails and keys.

    Outputs: ``workspace_id`` and, by key, ``api_keys``: the keys themselves, as secrets.

    Not managed, on purpose: the management key (made by hand only), members and their roles, and credits, which are
    money. Presets cannot be deleted by API, so that nothing here makes any.
    """

    workspace_id: pulumi.Output[str]
    api_keys: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, settings: OpenRouterSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:OpenRouter", name, None, opts)
        provider = platform_provider("openrouter", pulumi.ResourceOptions(parent=self))
        self._child = pulumi.ResourceOptions(parent=self, provider=provider)

        workspace = openrouter.Workspace("workspace", self._child, **settings.workspace.model_dump())
        self.workspace_id = workspace.id
        for interval, limit in settings.budgets.items():
            openrouter.WorkspaceBudget(
                interval,
                self._child,
                workspace_id=self.workspace_id,
                interval=interval,
                limit_usd=limit,
                adopt=settings.workspace.adopt,
            )
        guardrails = {key: self._create_guardrail(key, guardrail) for key, guardrail in settings.guardrails.items()}
        keys = {key: self._create_key(key, key_settings) for key, key_settings in settings.keys.items()}
        for key, key_settings in settings.keys.items():
            if key_settings.guardrail:
                openrouter.GuardrailKey(
                    key,
                    self._child,
                    guardrail_id=guardrails[key_settings.guardrail].id,
                    key_hash=keys[key].id,
                    adopt=settings.guardrails[key_settings.guardrail].adopt,
                )
        self.api_keys = {key: api_key.key for key, api_key in keys.items()}
        self.register_outputs({"workspace_id": self.workspace_id, "api_keys": self.api_keys})

    def _create_guardrail(self, key: str, settings: GuardrailSettings) -> openrouter.Guardrail:
        return openrouter.Guardrail(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            description=settings.description,
            limit_usd=settings.limit_usd,
            reset_interval=settings.reset,
            allowed_models=settings.models,
            allowed_providers=settings.providers,
            enforce_zdr=settings.zero_data_retention,
            adopt=settings.adopt,
        )

    def _create_key(self, key: str, settings: KeySettings) -> openrouter.ApiKey:
        return openrouter.ApiKey(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            limit=settings.limit_usd,
            limit_reset=settings.reset,
            expires_at=settings.expires_at,
            disabled=not settings.enabled,
        )
