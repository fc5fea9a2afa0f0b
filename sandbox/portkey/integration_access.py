"""Which workspaces may use an integration, within which limits; and which of its models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey import providers
from sandbox.portkey.access import now, workspace_of
from sandbox.portkey.integrations import reached
from sandbox.portkey.limits import RateLimits, UsageLimits
from sandbox.portkey.lists import without_nothing
from sandbox.portkey.models import AI_PROVIDERS
from sandbox.store import Document


class Access(Body):
    enabled: bool
    usage_limits: list[UsageLimits] | None = Field(None, max_length=1)
    rate_limits: list[RateLimits] | None = Field(None, max_length=1)


class WorkspaceAccess(Access):
    id: str
    reset_usage: bool = False
    create_default_provider: bool | None = None
    default_provider_slug: str | None = None


class WorkspacesUpdate(Body):
    workspaces: list[WorkspaceAccess] = Field(default_factory=list)
    global_workspace_access: Access | None = None
    override_existing_workspace_access: bool = False
    create_default_provider: bool = True
    default_provider_slug: str | None = None


class Price(Body):
    price: int | float = Field(ge=0)


class PayAsYouGo(Body):
    request_token: Price | None = None
    response_token: Price | None = None


class Pricing(Body):
    type: Literal["static"] = "static"
    pay_as_you_go: PayAsYouGo | None = None


class ModelUpdate(Body):
    slug: str = Field(min_length=1)
    enabled: bool
    is_custom: bool | None = None
    is_finetune: bool | None = None
    base_model_slug: str | None = None
    configurations: dict[str, Any] | None = None
    pricing_config: Pricing | None = None


class ModelsUpdate(Body):
    models: list[ModelUpdate]
    allow_all_models: bool | None = None


def list_workspaces(call: Call) -> Response:
    """Ids are the workspaces' slugs here."""
    slugs = {workspace["id"]: workspace["slug"] for workspace in call.store.latest.all("workspace")}
    granted = call.store.all("integration-workspace", integration=reached(call)["slug"])
    shown = [
        {
            "id": slugs[access["workspace_id"]],
            "enabled": access["enabled"],
            "usage_limits": access["usage_limits"],
            "rate_limits": access["rate_limits"],
        }
        for access in granted
        if access["workspace_id"] in slugs
    ]
    return answer({"total": len(shown), "workspaces": shown})


def update_workspaces(call: Call) -> Response:
    """Merges by workspace. Whom it opens to anew gets a provider, unless that is not wanted."""
    integration, sent = reached(call), call.body(WorkspacesUpdate)
    if integration["workspace_id"]:
        raise ApiError(400, "workspaces: an integration of one workspace is open to that one only")
    if sent.global_workspace_access:
        access = sent.global_workspace_access.sent()
        integration |= {"global_workspace_access_settings": access, "last_updated_at": now()}
        integration["creates_providers"] = sent.create_default_provider
        call.store.put("integration", integration["id"], integration)
        if sent.override_existing_workspace_access:
            for workspace in call.store.all("workspace"):
                _change(call, integration, workspace["id"], access, _wanted(sent))
    for change in sent.workspaces:
        workspace = workspace_of(call.store.latest, change.id)
        _change(call, integration, workspace["id"], change.sent(), _wanted(sent) | _wanted(change))
    return answer({})


def list_models(call: Call) -> Response:
    integration = reached(call)
    models = list(_models(integration).values())
    return answer({"total": len(models), "allow_all_models": integration["allow_all_models"], "models": models})


def update_models(call: Call) -> Response:
    """Merges by slug. What the AI provider does not list is taken only as a custom model."""
    integration, sent = reached(call), call.body(ModelsUpdate)
    known = _models(integration)
    for model in sent.models:
        if model.slug not in known and not (model.is_custom or model.is_finetune):
            raise ApiError(400, f"models: {integration['ai_provider_id']} has no model {model.slug}")
        if model.base_model_slug and model.base_model_slug not in known:
            raise ApiError(400, f"models: there is no base model {model.base_model_slug}")
        integration["models"][model.slug] = (integration["models"].get(model.slug) or {}) | model.sent()
    if sent.allow_all_models is not None:
        integration["allow_all_models"] = sent.allow_all_models
    call.store.put("integration", integration["id"], integration | {"last_updated_at": now()})
    return answer({})


def delete_models(call: Call) -> Response:
    """Custom models only. The vendor's Terraform provider names them in a body, its specification in the query."""
    integration, slugs = reached(call), call.many("slugs") or _named_in_body(call)
    if not slugs:
        raise ApiError(400, "slugs: the models that are to be deleted are expected, joined by commas")
    for slug in slugs:
        if not (integration["models"].get(slug) or {}).get("is_custom"):
            raise ApiError(400, f"slugs: {slug} is not a custom model")
        del integration["models"][slug]
    call.store.put("integration", integration["id"], integration | {"last_updated_at": now()})
    return answer({})


class _ModelsDelete(Body):
    models: list[str] = Field(default_factory=list)


def _named_in_body(call: Call) -> list[str]:
    return call.body(_ModelsDelete).models if call.payload else []


def _wanted(sent: WorkspacesUpdate | WorkspaceAccess) -> Document:
    """What is said about the provider that comes with the access."""
    return without_nothing({"made": sent.create_default_provider, "slug": sent.default_provider_slug})


def _change(call: Call, integration: Document, workspace: str, access: Document, provider: Document) -> None:
    before = providers.opened(call.store, integration, workspace)
    providers.grant(call.store, integration, workspace, access)
    if access["enabled"] and not before and provider["made"]:
        providers.create_default(call.store, integration, workspace, provider.get("slug"))


def _models(integration: Document) -> dict[str, Document]:
    """Those of the AI provider, enabled as the integration says, and the custom ones."""
    listed = AI_PROVIDERS[integration["ai_provider_id"]].models
    models = {s: {"slug": s, "name": s, "enabled": bool(integration["allow_all_models"])} for s in listed}
    for slug, said in integration["models"].items():
        models[slug] = models.get(slug, {"slug": slug, "name": slug}) | without_nothing(said)
    return models
