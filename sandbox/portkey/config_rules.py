"""What makes a gateway configuration a valid one: its members, and that what it names exists in its workspace.

The members and their combinations are those of Portkey's documentation (Gateway Config Object), which has a JSON schema.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from sandbox.http import ApiError, Body
from sandbox.portkey import providers
from sandbox.portkey.lists import picked
from sandbox.portkey.models import AI_PROVIDERS
from sandbox.store import Store

_SUFFICIENT = (
    ("provider", "api_key"),
    ("provider", "custom_host"),
    ("provider", "aws_access_key_id", "aws_secret_access_key"),
    ("provider", "vertex_region", "vertex_service_account_json"),
    ("provider", "vertex_region", "vertex_project_id"),
    ("provider", "azure_endpoint_name", "azure_deployment_type"),
    ("virtual_key",),
    ("strategy", "targets"),
    ("cache",),
    ("retry",),
    ("prompt_id",),
    ("forward_headers",),
    ("request_timeout",),
    ("after_request_hooks",),
    ("before_request_hooks",),
    ("input_guardrails",),
    ("output_guardrails",),
    ("passthrough",),
    ("default_params",),
    ("drop_params",),
)
"""One of these combinations has to be there. A provider of the workspace (@slug) needs no company."""


class _Closed(Body):
    model_config = ConfigDict(extra="forbid")


class Condition(_Closed):
    query: dict[str, Any]
    then: str


class Strategy(_Closed):
    mode: Literal["single", "loadbalance", "fallback", "conditional"]
    on_status_codes: list[int] | None = None
    conditions: list[Condition] | None = None
    default: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode == "conditional" and not (self.conditions and self.default):
            raise ValueError("conditions and default are needed in the mode conditional")
        return self


class Cache(_Closed):
    mode: Literal["simple", "semantic"]
    max_age: int | None = Field(None, ge=0)


class Retry(_Closed):
    attempts: int = Field(ge=0, le=5)
    on_status_codes: list[int] | None = None
    use_retry_after_headers: bool | None = None
    use_retry_after_header: bool | None = None


class CircuitBreaker(Body):
    failure_threshold: int | float = Field(ge=1)
    cooldown_interval: int | float = Field(ge=30000)
    failure_status_codes: list[int] | None = None


class Hook(Body):
    """A guardrail by its id or slug, or one that is written down on the spot."""

    id: str
    checks: list[dict[str, Any]] | None = None


class Config(_Closed):
    model_config = ConfigDict(extra="allow")

    name: str | None = None
    strategy: Strategy | None = None
    targets: list[Config] | None = None
    provider: str | None = None
    virtual_key: str | None = None
    api_key: str | None = None
    weight: int | float | None = Field(None, ge=0)
    cache: Cache | None = None
    retry: Retry | None = None
    cb_config: CircuitBreaker | None = None
    request_timeout: int | None = Field(None, ge=0)
    on_status_codes: list[int] | None = None
    override_params: dict[str, Any] | None = None
    default_params: dict[str, Any] | None = None
    drop_params: list[str] | None = None
    forward_headers: list[str] | None = None
    custom_host: str | None = None
    prompt_id: str | None = None
    passthrough: bool | None = None
    strict_open_ai_compliance: bool | None = None
    input_guardrails: list[str | Hook] | None = None
    output_guardrails: list[str | Hook] | None = None
    before_request_hooks: list[Hook] | None = None
    after_request_hooks: list[Hook] | None = None

    @model_validator(mode="after")
    def _sufficient(self) -> Self:
        given = {name for name, value in self if value is not None} | set(self.model_extra or ())
        unknown = sorted(name for name in self.model_extra or () if not name.startswith(_CLOUDS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is no member of a config")
        by_slug = self.provider is not None and self.provider.startswith("@")
        if not by_slug and not any(given.issuperset(combination) for combination in _SUFFICIENT):
            raise ValueError("either provider and api_key, virtual_key, strategy and targets, cache or retry is needed")
        names = [target.name for target in self.targets or () if target.name]
        if self.strategy and self.strategy.mode == "conditional":
            wanted = {*(c.then for c in self.strategy.conditions or ()), self.strategy.default or ""}
            if absent := sorted(wanted - set(names)):
                raise ValueError(f"strategy: there is no target named {', '.join(absent)}")
        return self


_CLOUDS = (
    "api_version",
    "aws_",
    "amzn_",
    "azure_",
    "deployment",
    "openai_",
    "resource_name",
    "vertex_",
    "workers_ai_",
)
"""Members that only some AI providers have begin like this; the sandbox takes them as they are."""


def check(store: Store, workspace: str, config: dict[str, Any]) -> None:
    """Refuses (400) a configuration that is none, or that names what is not there."""
    if not config:
        raise ApiError(400, "config: a configuration is expected")
    try:
        parsed = Config.model_validate(config)
    except ValidationError as error:
        wrong = ((".".join(("config", *map(str, item["loc"]))), item["msg"]) for item in error.errors())
        raise ApiError(400, "; ".join(f"{path}: {message}" for path, message in wrong)) from error
    _check_names(store, workspace, parsed, "config")


def _check_names(store: Store, workspace: str, config: Config, path: str) -> None:
    if config.provider is not None:
        by_slug = config.provider.startswith("@")
        if by_slug and not providers.in_workspace(store, workspace, config.provider):
            raise ApiError(400, f"{path}.provider: there is no provider {config.provider} in this workspace")
        if not by_slug and config.provider not in AI_PROVIDERS:
            raise ApiError(400, f"{path}.provider: Invalid 'provider' value {config.provider}")
    if config.virtual_key is not None and not providers.in_workspace(store, workspace, config.virtual_key):
        raise ApiError(400, f"{path}.virtual_key: there is no provider {config.virtual_key} in this workspace")
    for side in ("input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks"):
        for number, hook in enumerate(getattr(config, side) or ()):
            _check_hook(store, workspace, hook, f"{path}.{side}[{number}]")
    for number, target in enumerate(config.targets or ()):
        _check_names(store, workspace, target, f"{path}.targets[{number}]")


def _check_hook(store: Store, workspace: str, hook: str | Hook, path: str) -> None:
    if isinstance(hook, Hook) and hook.checks:
        return
    named = hook if isinstance(hook, str) else hook.id
    guardrail = picked(store, "guardrail", named)
    # The checks that Portkey comes with may be named, too.
    if "." not in named and (guardrail is None or guardrail["workspace_id"] not in (None, workspace)):
        raise ApiError(400, f"{path}: there is no guardrail {named} in this workspace")
