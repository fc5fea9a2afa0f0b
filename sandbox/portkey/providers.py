"""Providers (once "virtual keys"): an integration, in one workspace, under a slug that requests and configs name."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey.access import caller, now, past, placed
from sandbox.portkey.errors import hidden, taken
from sandbox.portkey.limits import RateLimits, UsageLimits
from sandbox.portkey.lists import page, picked, slug_of, without_nothing
from sandbox.store import Document, Store

_SLUG = r"^[a-zA-Z0-9_-]+$"


class ProviderUpdate(Body):
    name: str | None = Field(None, min_length=1)
    note: str | None = None
    usage_limits: UsageLimits | None = None
    rate_limits: list[RateLimits] | RateLimits | None = None
    """The specification has an object in requests and a list in answers; the vendor's Terraform provider sends a list."""
    expires_at: datetime | None = None
    reset_usage: bool | None = None
    workspace_id: str | None = None


class ProviderCreate(ProviderUpdate):
    name: str = Field(min_length=1)
    integration_id: str
    slug: str | None = Field(None, pattern=_SLUG, max_length=255)


def list_providers(call: Call) -> Response:
    workspace = placed(call, call.query("workspace_id"))
    return page(call, [_shown(provider) for provider in call.store.all("provider", workspace_id=workspace)])


def create_provider(call: Call) -> Response:
    """The integration has to be open to the workspace."""
    sent = call.body(ProviderCreate)
    workspace = placed(call, sent.workspace_id)
    integration = picked(call.store.latest, "integration", sent.integration_id)
    if integration is None or not opened(call.store.latest, integration, workspace):
        raise ApiError(400, f"integration_id: there is no integration {sent.integration_id} open to this workspace")
    provider = _made(call.store, integration, workspace, sent)
    return answer({"id": provider["id"], "slug": provider["slug"], "object": "provider"})


def read_provider(call: Call) -> Response:
    return answer(_shown(_provider(call, call.query("workspace_id"))))


def update_provider(call: Call) -> Response:
    """Slug, integration and workspace stay: they are ignored here."""
    sent = call.body(ProviderUpdate)
    provider = _provider(call, call.query("workspace_id") or sent.workspace_id)
    provider |= _values(sent) | {"last_updated_at": now()}
    call.store.put("provider", provider["id"], provider)
    return answer({"id": provider["id"], "slug": provider["slug"]})


def delete_provider(call: Call) -> Response:
    """Configs and prompts that name it are left as they are, and fail from now on."""
    call.store.delete("provider", _provider(call, call.query("workspace_id"))["id"])
    return answer({})


def in_workspace(store: Store, workspace: str, named: str) -> Document | None:
    """By slug, with or without the @ of requests, or by id."""
    slug = named.removeprefix("@")
    return next((p for p in store.all("provider", workspace_id=workspace) if slug in (p["slug"], p["id"])), None)


def opened(store: Store, integration: Document, workspace: str) -> bool:
    """Whether a workspace may use an integration."""
    if integration["workspace_id"] is not None:
        return bool(integration["workspace_id"] == workspace)
    access = store.get("integration-workspace", _place(integration, workspace))
    return access is not None and bool(access["enabled"])


def grant(store: Store, integration: Document, workspace: str, access: Document) -> None:
    """Opens an integration to a workspace, or closes it, with the limits that hold there."""
    place = _place(integration, workspace)
    kept = store.get("integration-workspace", place) or {"usage_limits": None, "rate_limits": None}
    sent = {name: access[name] for name in ("enabled", "usage_limits", "rate_limits") if name in access}
    document = kept | sent | {"id": place, "integration": integration["slug"], "workspace_id": workspace}
    store.put("integration-workspace", place, document)


def create_default(store: Store, integration: Document, workspace: str, slug: str | None) -> None:
    """The provider that comes with an integration, unless there is one of that slug in the workspace."""
    wanted = slug or integration["slug"]
    if in_workspace(store, workspace, wanted) is None:
        sent = ProviderCreate(name=integration["name"], integration_id=integration["slug"], slug=wanted)
        _made(store, integration, workspace, sent)
    elif slug:
        raise taken("provider", "the slug", slug)


def _made(store: Store, integration: Document, workspace: str, sent: ProviderCreate) -> Document:
    slug = sent.slug or slug_of(sent.name)
    if in_workspace(store, workspace, slug):
        raise taken("provider", "the slug", slug)
    provider: Document = {
        "id": str(uuid4()),
        "slug": slug,
        **_values(sent),
        "integration_id": integration["slug"],
        "ai_provider_name": integration["ai_provider_id"],
        "workspace_id": workspace,
        "created_at": now(),
        "last_updated_at": now(),
    }
    return store.put("provider", provider["id"], provider)


def _values(sent: ProviderUpdate) -> Document:
    values = {
        n: v for n, v in sent.sent().items() if n in ("name", "note", "usage_limits", "rate_limits", "expires_at")
    }
    if isinstance(values.get("rate_limits"), dict):
        values["rate_limits"] = [values["rate_limits"]]
    return values


def _place(integration: Document, workspace: str) -> str:
    return f"{integration['id']}/{workspace}"


def _provider(call: Call, workspace: str | None) -> Document:
    """A slug is unique in a workspace only: an organisation's key says which one, unless it gives the id."""
    named = call.path("slug")
    if workspace is None and caller(call).workspace is None and (found := call.store.get("provider", named)):
        return found
    provider = in_workspace(call.store, placed(call, workspace), named)
    if provider is None:
        raise hidden("provider", named)
    return provider


def _shown(provider: Document) -> Document:
    status = "expired" if past(provider.get("expires_at")) else "active"
    return without_nothing(provider) | {"status": status, "object": "provider"}
