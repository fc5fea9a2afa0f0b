"""Integrations: the organisation's (or one workspace's) account at an AI provider, with its credential.

The sandbox keeps no credential: it has what it shows, which is masked.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer, merged
from sandbox.portkey import providers
from sandbox.portkey.access import ORGANISATION, caller, demand, narrowed, now
from sandbox.portkey.errors import missing, taken
from sandbox.portkey.lists import page, picked, slug_of, without_nothing
from sandbox.portkey.models import AI_PROVIDERS
from sandbox.store import Document

_SLUG = r"^[a-zA-Z0-9_-]+$"
_SECRET_CONFIGURATIONS = (
    "aws_secret_access_key",
    "azure_entra_client_secret",
    "custom_headers",
    "vertex_service_account_json",
)


class SecretMapping(Body):
    target_field: str = Field(pattern=r"^(key|configurations\.\w+)$")
    secret_reference_id: str
    secret_key: str | None = None


class IntegrationUpdate(Body):
    name: str | None = Field(None, min_length=1)
    key: str | None = None
    description: str | None = None
    configurations: dict[str, Any] | None = None
    secret_mappings: list[SecretMapping] | None = None
    pricing_adjustments: dict[str, Any] | None = None


class IntegrationCreate(IntegrationUpdate):
    name: str = Field(min_length=1)
    slug: str | None = Field(None, pattern=_SLUG)
    ai_provider_id: str
    workspace_id: str | None = None
    create_default_provider: bool = True
    default_provider_slug: str | None = Field(None, pattern=_SLUG, max_length=255)


def list_integrations(call: Call) -> Response:
    """The organisation's, and those of workspaces; ``workspace_id`` leaves what that workspace may use."""
    workspace, sort = narrowed(call, call.query("workspace_id")), call.query("type") or "all"
    if sort not in ("workspace", "organisation", "all"):
        raise ApiError(400, "type: one of workspace, organisation, all is expected")
    found = [
        integration
        for integration in call.store.all("integration")
        if (sort == "all" or (sort == "workspace") is (integration["workspace_id"] is not None))
        and (workspace is None or providers.opened(call.store, integration, workspace))
    ]
    return page(call, [_summary(integration) for integration in found])


def create_integration(call: Call) -> Response:
    """One of a workspace comes with a provider in it, unless that is not wanted."""
    sent = call.body(IntegrationCreate)
    workspace = narrowed(call, sent.workspace_id)
    demand(call, f"{'workspace' if workspace else 'organisation'}_integrations.create")
    slug = sent.slug or slug_of(sent.name)
    if call.store.latest.first("integration", slug=slug):
        raise taken("integration", "the slug", slug)
    _check(sent.ai_provider_id, sent.configurations or {}, keyed=bool(sent.key or sent.secret_mappings))
    _check_mappings(sent)
    integration: Document = {
        "id": str(uuid4()),
        "slug": slug,
        "organisation_id": ORGANISATION,
        "ai_provider_id": sent.ai_provider_id,
        "workspace_id": workspace,
        **_values(sent),
        "status": "active",
        "creates_providers": True,
        "global_workspace_access_settings": {"enabled": False},
        "allow_all_models": True,
        "models": {},
        "created_at": now(),
        "last_updated_at": now(),
    }
    call.store.put("integration", integration["id"], integration)
    if workspace and sent.create_default_provider:
        providers.create_default(call.store, integration, workspace, sent.default_provider_slug)
    return answer({"id": integration["id"], "slug": slug})


def read_integration(call: Call) -> Response:
    integration = reached(call)
    enabled = call.store.all("integration-workspace", integration=integration["slug"], enabled=True)
    shown = {name: integration.get(name) for name in ("masked_key", "configurations", "secret_mappings")}
    shown |= {name: integration[name] for name in ("global_workspace_access_settings", "allow_all_models")}
    shown |= {"pricing_adjustments": integration.get("pricing_adjustments"), "workspace_count": len(enabled)}
    return answer(_summary(integration) | without_nothing(shown))


def update_integration(call: Call) -> Response:
    """Slug, AI provider and workspace stay: they are ignored here."""
    integration, sent = _changeable(call, "update"), call.body(IntegrationUpdate)
    _check_mappings(sent)
    configurations = merged(integration.get("configurations") or {}, sent.configurations or {})
    _check(integration["ai_provider_id"], configurations, keyed=True)
    integration |= _values(sent) | {"last_updated_at": now()}
    call.store.put("integration", integration["id"], integration)
    return answer({})


def delete_integration(call: Call) -> Response:
    """Its providers go with it, in whichever workspaces: nothing of the vendor's says that they keep it."""
    integration = _changeable(call, "delete")
    for provider in call.store.all("provider", integration_id=integration["slug"]):
        call.store.delete("provider", provider["id"])
    for access in call.store.all("integration-workspace", integration=integration["slug"]):
        call.store.delete("integration-workspace", access["id"])
    call.store.delete("integration", integration["id"])
    return answer({})


def reached(call: Call) -> Document:
    """The integration of the path, as far as the caller may use it."""
    integration, own = picked(call.store, "integration", call.path("slug")), caller(call).workspace
    if integration is None or not (own is None or providers.opened(call.store.latest, integration, own)):
        raise missing("integration", call.path("slug"))
    return integration


def _changeable(call: Call, action: str) -> Document:
    integration = reached(call)
    demand(call, f"{'workspace' if integration['workspace_id'] else 'organisation'}_integrations.{action}")
    return integration


def _values(sent: IntegrationUpdate) -> Document:
    members = ("name", "description", "configurations", "secret_mappings", "pricing_adjustments")
    values = {name: value for name, value in sent.sent().items() if name in members}
    if values.get("configurations"):
        values["configurations"] = _masked_configurations(values["configurations"])
    if sent.key:
        values["masked_key"] = _masked(sent.key)
    return values


def _check(ai_provider: str, configurations: Document, *, keyed: bool) -> None:
    known = AI_PROVIDERS.get(ai_provider)
    if known is None:
        raise ApiError(400, f"ai_provider_id: there is no AI provider {ai_provider}; {', '.join(AI_PROVIDERS)} are")
    absent = [name for name in known.required if not configurations.get(name)]
    if absent:
        raise ApiError(400, f"configurations: {', '.join(absent)} is needed for {ai_provider}")
    if known.keyed and not keyed and "custom_host" not in configurations:
        raise ApiError(400, f"key: an API key is needed for {ai_provider}")


def _check_mappings(sent: IntegrationUpdate) -> None:
    """Secret references are not imitated: there is none that a mapping could name."""
    for mapping in sent.secret_mappings or ():
        raise ApiError(400, f"secret_mappings: there is no secret reference {mapping.secret_reference_id}")


def _summary(integration: Document) -> Document:
    members = ("id", "organisation_id", "ai_provider_id", "name", "status", "created_at", "last_updated_at", "slug")
    scope = "workspace" if integration["workspace_id"] else "organisation"
    optional = {"description": integration.get("description"), "workspace_id": integration["workspace_id"]}
    shown = {name: integration[name] for name in members}
    return shown | without_nothing(optional) | {"type": scope, "object": "integration"}


def _masked(secret: str) -> str:
    """Both ends, where that leaves enough unsaid."""
    return f"{secret[:2]}****{secret[-3:]}" if len(secret) > 12 else "****"


def _masked_configurations(configurations: Document) -> Document:
    shown: Document = {}
    for name, value in configurations.items():
        if name not in _SECRET_CONFIGURATIONS:
            shown[name] = value
        elif isinstance(value, dict):
            shown[name] = {inner: _masked(str(text)) for inner, text in value.items()}
        else:
            shown[name] = _masked(str(value))
    return shown
