"""A gateway config in Portkey's words: how a call is routed, retried, cached and guarded.

Source of facts: the schema of Portkey's open gateway (Portkey-AI/gateway, requestValidator) and its documentation of the
config object. Providers and guardrails are named by their keys in the stack file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake, Path, did_you_mean
from components.settings import Settings, unknown_name, unknown_names

StatusCode = Annotated[int, Field(ge=100, le=599)]


class ConditionSettings(Settings):
    """Where ``query`` holds for a call's metadata or params, the target named ``then`` is called."""

    query: Annotated[dict[str, Any], Field(min_length=1)]
    then: str


class StrategySettings(Settings):
    """Which of the targets are called: one, by weight, one after the other, or by conditions."""

    mode: Literal["single", "loadbalance", "fallback", "conditional"]
    on_status_codes: list[StatusCode] | None = None
    conditions: list[ConditionSettings] | None = None
    default: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Members that belong to one mode stand with that mode only."""
        conditional = self.mode == "conditional"
        if conditional != bool(self.conditions) or conditional != bool(self.default):
            yield Mistake((), "gives `conditions` and `default` with the mode conditional, and with no other one")
        if self.on_status_codes is not None and self.mode != "fallback":
            yield Mistake(("on_status_codes",), "belongs to the mode fallback")


class RetrySettings(Settings):
    attempts: Annotated[int, Field(ge=1, le=5)]
    on_status_codes: list[StatusCode] | None = None
    use_retry_after_header: bool | None = None


class CacheSettings(Settings):
    """``max_age`` in seconds. ``semantic`` answers what is asked alike, too."""

    mode: Literal["simple", "semantic"]
    max_age: Annotated[int, Field(gt=0)] | None = None


class TargetSettings(Settings):
    """Either a provider, or a strategy with targets of its own.

    ``override_params`` take the place of what callers say (``model``); ``request_timeout`` is in milliseconds.
    """

    name: str | None = None
    provider: str | None = None
    override_params: dict[str, Any] | None = None
    weight: Annotated[float, Field(ge=0)] | None = None
    strategy: StrategySettings | None = None
    targets: Annotated[list[TargetSettings], Field(min_length=1)] | None = None
    retry: RetrySettings | None = None
    cache: CacheSettings | None = None
    request_timeout: Annotated[int, Field(gt=0)] | None = None
    input_guardrails: list[str] | None = None
    output_guardrails: list[str] | None = None
    strict_open_ai_compliance: bool | None = None

    def check(self) -> Iterator[Mistake]:
        """Targets and a strategy come together, without a provider; conditions lead to targets that are there."""
        if (self.strategy is None) != (self.targets is None):
            yield Mistake((), "must give both `strategy` and `targets`, or neither")
        if (self.provider is None) == (self.targets is None):
            yield Mistake((), "must give either `provider`, or `strategy` and `targets`")
        if self.strategy is None or self.targets is None:
            return
        yield from self._check_conditions(self.strategy, self.targets)
        for index, target in enumerate(self.targets):
            if target.weight is not None and self.strategy.mode != "loadbalance":
                yield Mistake(("targets", index, "weight"), "belongs to the mode loadbalance")

    def _check_conditions(self, strategy: StrategySettings, targets: list[TargetSettings]) -> Iterator[Mistake]:
        names = [target.name for target in targets if target.name]
        for index, condition in enumerate(strategy.conditions or []):
            path: Path = ("strategy", "conditions", index, "then")
            yield from unknown_name(path, condition.then, names, "target")
        if strategy.default:
            yield from unknown_name(("strategy", "default"), strategy.default, names, "target")

    def unknown(self, models: Mapping[str, list[str] | None], guardrails: Mapping[str, Any]) -> Iterator[Mistake]:
        """Names of what does not exist. ``models``: by provider those that may be called, None where it is any."""
        if self.provider is not None:
            yield from unknown_name(("provider",), self.provider, models, "provider")
            model = (self.override_params or {}).get("model")
            yield from unknown_model(("override_params", "model"), model, self.provider, models)
        for side in ("input_guardrails", "output_guardrails"):
            yield from unknown_names((side,), getattr(self, side) or [], guardrails, "guardrail")
        for index, target in enumerate(self.targets or []):
            for path, message in target.unknown(models, guardrails):
                yield Mistake(("targets", index, *path), message)

    def wire(self, slugs: Mapping[str, str], guardrails: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
        """The config as the gateway reads it; ``slugs``: of providers."""
        names = {"provider", "targets", "input_guardrails", "output_guardrails"}
        config = self.model_dump(exclude_none=True, exclude=names)
        if self.provider is not None:
            config["provider"] = f"@{slugs[self.provider]}"
        if self.targets is not None:
            config["targets"] = [target.wire(slugs, guardrails) for target in self.targets]
        for side in ("input_guardrails", "output_guardrails"):
            if (keys := getattr(self, side)) is not None:
                config[side] = [guardrails[key] for key in keys]
        return config


def unknown_model(
    path: Path, model: object, provider: str, models: Mapping[str, list[str] | None]
) -> Iterator[Mistake]:
    """A mistake if the provider's integration does not allow the model."""
    allowed = models.get(provider)
    if model is not None and allowed is not None and model not in allowed:
        hint = did_you_mean(str(model), allowed)
        said = f'the integration of provider "{provider}" does not allow {model}{hint}; it allows: {", ".join(allowed)}'
        yield Mistake(path, said)
