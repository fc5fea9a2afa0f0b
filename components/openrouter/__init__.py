"""OpenRouter: who may call which models, and for how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pulumi

from components.openrouter.settings import (
    DestinationSettings,
    GuardrailSettings,
    KeySettings,
    OpenRouterSettings,
    PresetSettings,
    ProviderCredentialSettings,
    WorkspaceSettings,
)
from components.settings import secret_tree
from providers import openrouter
from providers.base import dynamic

__all__ = ["OpenRouter", "OpenRouterSettings"]

_NOTHING: Mapping[str, pulumi.Input[str]] = MappingProxyType({})


class OpenRouter(pulumi.ComponentResource):
    """A workspace of its own for the stage, with budgets, guardrails, keys, credentials of ours at models' providers,
    destinations of traces, and presets.

    Outputs: ``workspace_id``; by key, ``api_keys``: the present generation of the keys, as secrets; ``models``, which is
    plain data: by task (``summary``) the slug of its model, and as ``summary.fallbacks`` those of its fallbacks, joined by
    commas; ``presets``: by key what a call names as its model (``@preset/…``).

    A key has two slots: odd generations are in the first, even ones in the second, so that a new generation replaces the
    key before the present one, and both it and the present one are valid until the next.

    Not managed, on purpose: the management key (made by hand only), the organisation's members and their roles (people
    are invited in OpenRouter's pages or by SCIM), and credits, which are money. Presets cannot be deleted by API: one that
    goes out of the settings, or with the stack, is only forgotten, and works on.
    """

    workspace_id: pulumi.Output[str]
    api_keys: Mapping[str, pulumi.Output[str]]
    models: Mapping[str, str]
    presets: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: OpenRouterSettings,
        *,
        outputs: Mapping[str, pulumi.Input[str]] = _NOTHING,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that secrets name with ``output:``.

        Raises SettingsError for an output that nobody hands over, CredentialsError for a variable that is not set.
        """
        super().__init__("sophia:platform:OpenRouter", name, None, opts)
        self._child = dynamic(pulumi.ResourceOptions(parent=self))
        self._outputs = outputs

        self.workspace_id = self._create_workspace(settings.workspace, broadcasts=bool(settings.destinations))
        for interval, limit in settings.budgets.items():
            openrouter.WorkspaceBudget(
                interval,
                self._child,
                workspace_id=self.workspace_id,
                interval=interval,
                limit_usd=limit,
                include_byok_in_budgets=settings.workspace.byok_in_budgets,
                adopt=settings.workspace.adopt,
            )
        guardrails = {key: self._create_guardrail(key, guardrail) for key, guardrail in settings.guardrails.items()}
        slots = {key: self._create_key(key, key_settings) for key, key_settings in settings.keys.items()}
        for key, key_settings in settings.keys.items():
            if key_settings.guardrail:
                self._assign(
                    slots[key], guardrails[key_settings.guardrail], settings.guardrails[key_settings.guardrail]
                )
        for key, credential in settings.provider_credentials.items():
            self._create_provider_credential(key, credential, _hashes(credential.keys, slots))
        for key, destination in settings.destinations.items():
            self._create_destination(key, destination, _hashes(destination.keys, slots))
        presets = {key: self._create_preset(key, preset, settings) for key, preset in settings.presets.items()}

        self.api_keys = {
            key: slots[key][_slot(key, key_settings.generation)].key for key, key_settings in settings.keys.items()
        }
        self.models = {
            **{task: model.model for task, model in settings.models.items()},
            **{f"{task}.fallbacks": ",".join(model.fallbacks) for task, model in settings.models.items()},
        }
        self.presets = {key: pulumi.Output.concat("@preset/", preset.id) for key, preset in presets.items()}
        self.register_outputs(
            {
                "workspace_id": self.workspace_id,
                "api_keys": self.api_keys,
                "models": self.models,
                "presets": self.presets,
            }
        )

    def _create_workspace(self, settings: WorkspaceSettings, *, broadcasts: bool) -> pulumi.Output[str]:
        """Without ``broadcasts`` it is left as it is: destinations that somebody made by hand get their traces on."""
        workspace = openrouter.Workspace(
            "workspace",
            self._child,
            slug=settings.slug,
            name=settings.name,
            description=settings.description,
            default_text_model=settings.default_text_model,
            default_provider_sort=settings.default_provider_sort,
            is_data_discount_logging_enabled=settings.data_discount_logging,
            is_observability_io_logging_enabled=settings.private_logging,
            is_observability_broadcast_enabled=True if broadcasts else None,
            adopt=settings.adopt,
        )
        return workspace.id

    def _create_guardrail(self, key: str, settings: GuardrailSettings) -> openrouter.Guardrail:
        detect = settings.detect
        guardrail = openrouter.Guardrail(
            key,
            self._child,
            workspace_id=self.workspace_id,
            name=settings.name,
            description=settings.description,
            limit_usd=settings.limit_usd,
            reset_interval=settings.reset,
            include_byok_in_budgets=settings.byok_in_limit,
            allowed_models=settings.models,
            ignored_models=settings.ignored_models,
            allowed_providers=settings.providers,
            ignored_providers=settings.ignored_providers,
            enforce_zdr=settings.zero_data_retention,
            enable_paid_model_training=settings.training,
            enable_free_model_training=settings.training,
            enable_free_model_publication=settings.training,
            content_filters=None if settings.filters is None else [one.model_dump() for one in settings.filters],
            content_filter_builtins=None
            if detect is None
            else [{"slug": s, "action": detect[s]} for s in sorted(detect)],
            adopt=settings.adopt,
        )
        for member in settings.members:
            openrouter.GuardrailMember(
                f"{key}.{member}", self._child, guardrail_id=guardrail.id, user_id=member, adopt=settings.adopt
            )
        return guardrail

    def _create_key(self, key: str, settings: KeySettings) -> dict[str, openrouter.ApiKey]:
        """By the names of their slots, the key of the present generation and, unless it is deleted, the one before."""
        present, slots = settings.generation, {}
        for generation in (present - 1, present):
            is_present = generation == present
            if generation < 1 or (settings.previous == "deleted" and not is_present):
                continue
            # The expiry that the settings say is that of the present key: the one before keeps its own.
            kept = None if is_present else pulumi.ResourceOptions(ignore_changes=["expires_at"])
            slots[_slot(key, generation)] = openrouter.ApiKey(
                _slot(key, generation),
                pulumi.ResourceOptions.merge(self._child, kept),
                workspace_id=self.workspace_id,
                name=settings.name,
                generation=generation,
                limit=settings.limit_usd,
                limit_reset=settings.reset,
                include_byok_in_limit=settings.byok_in_limit,
                expires_at=settings.expires_at,
                disabled=not settings.enabled or (settings.previous == "disabled" and not is_present),
            )
        return slots

    def _assign(
        self, slots: Mapping[str, openrouter.ApiKey], guardrail: openrouter.Guardrail, settings: GuardrailSettings
    ) -> None:
        for slot, api_key in slots.items():
            openrouter.GuardrailKey(
                slot, self._child, guardrail_id=guardrail.id, key_hash=api_key.id, adopt=settings.adopt
            )

    def _create_provider_credential(
        self, key: str, settings: ProviderCredentialSettings, hashes: list[pulumi.Output[str]] | None
    ) -> None:
        openrouter.ProviderCredential(
            key,
            self._child,
            workspace_id=self.workspace_id,
            provider=settings.provider,
            name=settings.name,
            key=settings.key.resolve(self._outputs, f"openrouter.provider_credentials.{key}.key"),
            is_fallback=settings.fallback,
            disabled=not settings.enabled,
            allowed_models=settings.models,
            allowed_api_key_hashes=hashes,
            adopt=settings.adopt,
        )

    def _create_destination(
        self, key: str, settings: DestinationSettings, hashes: list[pulumi.Output[str]] | None
    ) -> None:
        secrets = secret_tree(settings.secrets, self._outputs, f"openrouter.destinations.{key}.secrets")
        openrouter.Destination(
            key,
            self._child,
            workspace_id=self.workspace_id,
            type=settings.type,
            name=settings.name,
            configuration=settings.configuration,
            secret_configuration=secrets or None,
            enabled=settings.enabled,
            privacy_mode=settings.privacy_mode,
            sampling_rate=settings.sampling_rate,
            broadcast_generation_cost="cost" in settings.details,
            broadcast_generation_identity="identity" in settings.details,
            broadcast_generation_request_context="request_context" in settings.details,
            api_key_hashes=hashes,
            filter_rules=settings.filter_rules,
            adopt=settings.adopt,
        )

    def _create_preset(self, key: str, settings: PresetSettings, all_settings: OpenRouterSettings) -> openrouter.Preset:
        """One that is there already is always taken over: OpenRouter deletes none, and earlier versions stay."""
        model = all_settings.models[settings.task]
        return openrouter.Preset(
            key,
            self._child,
            slug=settings.slug,
            model=model.model,
            models=[model.model, *model.fallbacks] if model.fallbacks else None,
            system_prompt=settings.system_prompt,
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_tokens,
            provider=model.routing(),
            adopt=True,
        )


def _slot(key: str, generation: int) -> str:
    """The logical name of the slot that a generation of a key is in."""
    return key if generation % 2 else f"{key}.second"


def _hashes(
    keys: Iterable[str] | None, slots: Mapping[str, Mapping[str, openrouter.ApiKey]]
) -> list[pulumi.Output[str]] | None:
    return None if keys is None else [api_key.id for key in keys for api_key in slots[key].values()]
