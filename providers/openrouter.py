"""OpenRouter: API keys, guardrails with the keys they hold for, workspaces and their budgets.

Needs a management key, which is made in OpenRouter's own pages only and cannot run inference.
Source of facts: OpenRouter's OpenAPI description (OpenRouterTeam/docs).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import httpx
import pulumi
from pydantic import Field

from providers import base
from providers.base import (
    Call,
    Calls,
    Environment,
    Immutable,
    Json,
    Kind,
    Listing,
    Offset,
    Out,
    Unordered,
    Within,
    rest,
)


def _said(response: httpx.Response) -> str:
    error = response.json()["error"]
    return f"{error['message']} {error.get('metadata') or ''}"


OPENROUTER = base.Api(
    name="openrouter",
    title="OpenRouter",
    base_url=Environment("OPENROUTER_BASE_URL"),
    auth=base.Bearer(Environment("OPENROUTER_MANAGEMENT_KEY")),
    said=_said,
    limit=base.Unpublished(),
)

Interval = Literal["daily", "weekly", "monthly"]


class WorkspaceInputs(base.Inputs):
    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=400)


class Workspace(base.Resource):
    """A workspace: keys, guardrails and budgets of one stage, apart from those of the others."""

    kind = Kind(
        api=OPENROUTER,
        title="workspace",
        setting="workspace",
        inputs=WorkspaceInputs,
        calls=rest(
            "/workspaces",
            answer="data",
            listing=Listing(Call("GET", "/workspaces"), pages=Offset(size=100)),
        ),
        identity="id",
        natural_key=("slug",),
        mark="description",
        decode=lambda document: {**document, "description": document.get("description") or ""},
    )


class BudgetInputs(base.Inputs):
    workspace_id: Immutable[str]
    interval: Immutable[Literal["daily", "weekly", "monthly", "lifetime"]]
    limit_usd: float = Field(gt=0)


def _budget_body(payload: Json, _wanted: base.Inputs) -> Json:
    return {key: value for key, value in payload.items() if key not in ("workspace_id", "interval")}


_BUDGET = "/workspaces/{workspace_id}/budgets/{interval}"


class WorkspaceBudget(base.Resource):
    """What a workspace may spend in an interval, in US dollars. Setting it again changes it: there is one an interval."""

    kind = Kind(
        api=OPENROUTER,
        title="workspace budget",
        setting="budgets",
        inputs=BudgetInputs,
        calls=Calls(
            create=Call("PUT", _BUDGET, answer="data"),
            read=Call("GET", _BUDGET, answer="data"),
            update=Call("PUT", _BUDGET, answer="data"),
            delete=Call("DELETE", _BUDGET),
            listing=Listing(Call("GET", "/workspaces/{workspace_id}/budgets")),
        ),
        identity="{workspace_id}/{interval}",
        natural_key=("interval",),
        within=Within("workspace_id", Workspace.kind),
        encode=_budget_body,
        decode=lambda document: {**document, "interval": document.get("reset_interval") or "lifetime"},
    )


class ApiKeyInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=60)
    limit: float | None = Field(
        default=None, ge=0, description="US dollars; without it the key may spend what there is"
    )
    limit_reset: Interval | None = None
    include_byok_in_limit: bool = False
    expires_at: Immutable[base.Instant | None] = Field(default=None, description="a key is replaced to change it")
    disabled: bool = False


class ApiKey(base.Resource):
    """An inference key with its spending limit. ``key`` is shown once, when it is made, and kept as a secret.

    The name ends with the stack that manages it: OpenRouter has no other place for that, and names need not be unique.
    A key whose value was lost with a killed run is deleted and made anew.
    """

    key: pulumi.Output[str]

    kind = Kind(
        api=OPENROUTER,
        title="API key",
        setting="keys",
        inputs=ApiKeyInputs,
        calls=Calls(
            create=Call("POST", "/keys", answer="data"),
            read=Call("GET", "/keys/{id}", answer="data"),
            update=Call("PATCH", "/keys/{id}", answer="data"),
            delete=Call("DELETE", "/keys/{id}"),
            create_takes=frozenset(
                {"workspace_id", "name", "limit", "limit_reset", "include_byok_in_limit", "expires_at"}
            ),
            listing=Listing(
                Call("GET", "/keys", params={"workspace_id": "{workspace_id}", "include_disabled": "true"}),
                pages=Offset(size=100, limit_param=None),
            ),
        ),
        identity="hash",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        outputs=(Out("key", "key", once=True),),
        mark="name",
    )


RETENTION = tuple(f"enforce_zdr_{vendor}" for vendor in ("anthropic", "openai", "google", "xai", "other"))
"""The members of a guardrail that ``enforce_zdr`` stands for when it is written."""


@cache
def _slugs() -> Mapping[str, str]:
    """By canonical slug, the slug by which people call a model; one call in the life of a process.

    Variants (``:free``) and moving aliases (``~vendor/model-latest``) have the canonical slug of what they stand for.
    """
    models = Call("GET", "/models").send(OPENROUTER, {}).get("data", [])
    named = [(m["canonical_slug"], m["id"]) for m in models if not m["id"].startswith("~") and ":" not in m["id"]]
    return {**dict(reversed(named)), **{slug: slug for _, slug in named}}


def _slug(canonical: str) -> str:
    model, colon, variant = canonical.partition(":")
    return _slugs().get(model, model) + colon + variant


def _guardrail_shown(document: Json) -> Json:
    """A guardrail in the words of who wrote it: OpenRouter shows models by canonical slugs ("openai/gpt-5.2-20251211",
    where "openai/gpt-5.2" was sent), and of zero data retention what holds for each vendor.
    """
    vendors = [document[name] for name in RETENTION if document.get(name) is not None]
    said = document.get("enforce_zdr")
    shown = {
        **document,
        "description": document.get("description") or "",
        "enforce_zdr": bool(any(vendors) if said is None else said) and all(vendors),
    }
    if document.get("allowed_models"):
        shown["allowed_models"] = [_slug(canonical) for canonical in document["allowed_models"]]
    return shown


class GuardrailInputs(base.Inputs):
    workspace_id: Immutable[str]
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=900)
    limit_usd: float | None = Field(default=None, gt=0)
    reset_interval: Interval | None = None
    allowed_models: Unordered[str] | None = None
    allowed_providers: Unordered[str] | None = None
    ignored_providers: Unordered[str] | None = None
    enforce_zdr: bool = Field(default=False, description="only providers that retain nothing (zero data retention)")


class Guardrail(base.Resource):
    """A guardrail: which models and providers may be used, and how much may be spent by whom it is assigned to."""

    kind = Kind(
        api=OPENROUTER,
        title="guardrail",
        setting="guardrails",
        inputs=GuardrailInputs,
        calls=rest(
            "/guardrails",
            answer="data",
            listing=Listing(
                Call("GET", "/guardrails", params={"workspace_id": "{workspace_id}"}),
                pages=Offset(size=100),
            ),
        ),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        mark="description",
        decode=_guardrail_shown,
    )


class GuardrailKeyInputs(base.Inputs):
    guardrail_id: Immutable[str]
    key_hash: Immutable[str]


class GuardrailKey(base.Resource):
    """Puts one API key under a guardrail."""

    kind = Kind(
        api=OPENROUTER,
        title="guardrail assignment",
        setting="guardrails",
        inputs=GuardrailKeyInputs,
        calls=Calls(
            create=Call("POST", "/guardrails/{guardrail_id}/assignments/keys", repeatable=True),
            delete=Call(
                "POST",
                "/guardrails/{guardrail_id}/assignments/keys/remove",
                body={"key_hashes": ["{key_hash}"]},
                repeatable=True,
            ),
            listing=Listing(Call("GET", "/guardrails/{guardrail_id}/assignments/keys"), pages=Offset(size=100)),
        ),
        identity="{guardrail_id}/{key_hash}",
        natural_key=("key_hash",),
        within=Within("guardrail_id", Guardrail.kind),
        encode=lambda _payload, wanted: {"key_hashes": [wanted.wire()["key_hash"]]},
    )


def assignments() -> Mapping[str, str]:
    """The guardrail of each key that has one, both by id, in all workspaces. Raises ``PlatformError``."""
    listing = Listing(Call("GET", "/guardrails/assignments/keys"), pages=Offset(size=100))
    return {found["key_hash"]: found["guardrail_id"] for found in listing.fetch(OPENROUTER, {})}
