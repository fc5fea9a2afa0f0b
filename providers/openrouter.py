"""OpenRouter: workspaces and budgets, API keys, guardrails and who they hold for, providers' own credentials, where traces
go, presets.

Needs a management key, which is made in OpenRouter's own pages only and cannot run inference.
Source of facts: OpenRouter's OpenAPI description (OpenRouterTeam/docs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pulumi

from providers import base, openrouter_inputs
from providers.base import (
    Call,
    Calls,
    Environment,
    Json,
    Kind,
    Listing,
    Offset,
    Out,
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


def _in_workspace(path: str, **params: str) -> Listing:
    """The list of the objects of one workspace; without the parameter it is that of the default one."""
    return Listing(Call("GET", path, params={"workspace_id": "{workspace_id}", **params}), pages=Offset(size=100))


class Workspace(base.Resource):
    """A workspace: keys, guardrails and budgets of one stage, apart from those of the others."""

    kind = Kind(
        api=OPENROUTER,
        title="workspace",
        setting="workspace",
        inputs=openrouter_inputs.WorkspaceInputs,
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


@dataclass(frozen=True)
class _Budgets(Listing):
    """Each with what is said once for all of them, beside the list."""

    def fetch(self, api: base.Api, values: Mapping[str, Any]) -> Iterator[Json]:
        answer = self.call.send(api, values)
        beside = {"include_byok_in_budgets": answer.get("include_byok_in_budgets")}
        yield from ({**budget, **beside} for budget in answer.get(self.items) or [])


_BUDGET = "/workspaces/{workspace_id}/budgets/{interval}"


class WorkspaceBudget(base.Resource):
    """What a workspace may spend in an interval, in US dollars. Setting it again changes it: there is one an interval."""

    kind = Kind(
        api=OPENROUTER,
        title="workspace budget",
        setting="budgets",
        inputs=openrouter_inputs.BudgetInputs,
        calls=Calls(
            create=Call("PUT", _BUDGET, answer="data"),
            read=Call("GET", _BUDGET, answer="data"),
            update=Call("PUT", _BUDGET, answer="data"),
            delete=Call("DELETE", _BUDGET),
            update_sends="whole",
            listing=_Budgets(Call("GET", "/workspaces/{workspace_id}/budgets")),
        ),
        identity="{workspace_id}/{interval}",
        natural_key=("interval",),
        within=Within("workspace_id", Workspace.kind),
        encode=openrouter_inputs.budget_body,
        decode=lambda document: {**document, "interval": document.get("reset_interval") or "lifetime"},
    )


class ApiKey(base.Resource):
    """An inference key with its spending limit. ``key`` is shown once, when it is made, and kept as a secret.

    The name ends with the stack that manages it: OpenRouter has no other place for that, and names need not be unique.
    From the second on, the generation stands before that. A key whose value was lost with a killed run is deleted and
    made anew.
    """

    key: pulumi.Output[str]

    kind = Kind(
        api=OPENROUTER,
        title="API key",
        setting="keys",
        inputs=openrouter_inputs.ApiKeyInputs,
        calls=Calls(
            create=Call("POST", "/keys", answer="data"),
            read=Call("GET", "/keys/{id}", answer="data"),
            update=Call("PATCH", "/keys/{id}", answer="data"),
            delete=Call("DELETE", "/keys/{id}"),
            create_takes=frozenset(
                {"workspace_id", "name", "generation", "limit", "limit_reset", "include_byok_in_limit", "expires_at"}
            ),
            listing=Listing(
                Call("GET", "/keys", params={"workspace_id": "{workspace_id}", "include_disabled": "true"}),
                pages=Offset(size=100, limit_param=None),
            ),
        ),
        identity="hash",
        natural_key=("name", "generation"),
        within=Within("workspace_id", Workspace.kind),
        outputs=(Out("key", "key", once=True),),
        mark="name",
        encode=openrouter_inputs.key_body,
        decode=openrouter_inputs.key_shown,
    )


RETENTION = tuple(f"enforce_zdr_{vendor}" for vendor in ("anthropic", "openai", "google", "xai", "other"))
"""The members of a guardrail that ``enforce_zdr`` stands for when it is written."""


@cache
def _slugs() -> Mapping[str, str]:
    """By canonical slug, the slug by which people call a model; one call in the life of a process.

    Variants (``:free``) and moving aliases (``~vendor/model-latest``) have the canonical slug of what they stand for.
    """
    models = Call("GET", "/models", params={"output_modalities": "all"}).send(OPENROUTER, {}).get("data", [])
    named = [(m["canonical_slug"], m["id"]) for m in models if not m["id"].startswith("~") and ":" not in m["id"]]
    return {**dict(reversed(named)), **{slug: slug for _, slug in named}}


def _slug(canonical: str) -> str:
    model, colon, variant = canonical.partition(":")
    return _slugs().get(model, model) + colon + variant


def _in_our_words(document: Json, *lists: str) -> Json:
    """Models by the slugs of who wrote them ("openai/gpt-5.2"): OpenRouter shows canonical ones, with a date in them."""
    return {**document, **{name: [_slug(one) for one in document[name]] for name in lists if document.get(name)}}


def _guardrail_shown(document: Json) -> Json:
    """A guardrail as it was written. Of zero data retention OpenRouter shows what holds for each vendor."""
    vendors = [document[name] for name in RETENTION if document.get(name) is not None]
    said = document.get("enforce_zdr")
    return {
        **_in_our_words(document, "allowed_models", "ignored_models"),
        "description": document.get("description") or "",
        "enforce_zdr": bool(any(vendors) if said is None else said) and all(vendors),
    }


class Guardrail(base.Resource):
    """A guardrail: which models and providers may be used, how much may be spent by whom it is assigned to, and which
    texts are blocked or blacked out before a provider sees them.
    """

    kind = Kind(
        api=OPENROUTER,
        title="guardrail",
        setting="guardrails",
        inputs=openrouter_inputs.GuardrailInputs,
        calls=rest("/guardrails", answer="data", listing=_in_workspace("/guardrails")),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        mark="description",
        decode=_guardrail_shown,
        reset={"include_byok_in_budgets": False},
    )


_ASSIGNED_KEYS = "/guardrails/{guardrail_id}/assignments/keys"


class GuardrailKey(base.Resource):
    """Puts one API key under a guardrail."""

    kind = Kind(
        api=OPENROUTER,
        title="guardrail assignment",
        setting="guardrails",
        inputs=openrouter_inputs.GuardrailKeyInputs,
        calls=Calls(
            create=Call("POST", _ASSIGNED_KEYS, repeatable=True),
            delete=Call("POST", f"{_ASSIGNED_KEYS}/remove", body={"key_hashes": ["{key_hash}"]}, repeatable=True),
            listing=Listing(Call("GET", _ASSIGNED_KEYS), pages=Offset(size=100)),
        ),
        identity="{guardrail_id}/{key_hash}",
        natural_key=("key_hash",),
        within=Within("guardrail_id", Guardrail.kind),
        encode=lambda _payload, wanted: {"key_hashes": [wanted.wire()["key_hash"]]},
    )


_ASSIGNED_MEMBERS = "/guardrails/{guardrail_id}/assignments/members"


class GuardrailMember(base.Resource):
    """Puts a member of the organisation under a guardrail: all that they do with keys of their own, and in the chat."""

    kind = Kind(
        api=OPENROUTER,
        title="guardrail member",
        setting="guardrails",
        inputs=openrouter_inputs.GuardrailMemberInputs,
        calls=Calls(
            create=Call("POST", _ASSIGNED_MEMBERS, repeatable=True),
            delete=Call(
                "POST", f"{_ASSIGNED_MEMBERS}/remove", body={"member_user_ids": ["{user_id}"]}, repeatable=True
            ),
            listing=Listing(Call("GET", _ASSIGNED_MEMBERS), pages=Offset(size=100)),
        ),
        identity="{guardrail_id}/{user_id}",
        natural_key=("user_id",),
        within=Within("guardrail_id", Guardrail.kind),
        encode=lambda _payload, wanted: {"member_user_ids": [wanted.wire()["user_id"]]},
    )


class ProviderCredential(base.Resource):
    """A key of our own at a model's provider (BYOK): calls with it are on that provider's bill, and under its contract.

    OpenRouter never shows the key again. Another one takes its place at once, without a new object.
    """

    kind = Kind(
        api=OPENROUTER,
        title="provider credential",
        setting="provider_credentials",
        inputs=openrouter_inputs.ProviderCredentialInputs,
        calls=rest("/byok", answer="data", listing=_in_workspace("/byok")),
        identity="id",
        natural_key=("provider", "name"),
        within=Within("workspace_id", Workspace.kind),
        mark="name",
        decode=lambda document: _in_our_words(document, "allowed_models"),
    )


class Destination(base.Resource):
    """Where OpenRouter sends a trace of each call. OpenRouter takes at most five of a type, and tries each before it
    takes it.

    Its configuration's secrets are shown masked. A member of the configuration that is no longer in the settings keeps
    its value: OpenRouter has no way to take one out.
    """

    kind = Kind(
        api=OPENROUTER,
        title="observability destination",
        setting="destinations",
        inputs=openrouter_inputs.DestinationInputs,
        calls=rest("/observability/destinations", answer="data", listing=_in_workspace("/observability/destinations")),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        mark="name",
        encode=openrouter_inputs.destination_body,
    )


class Preset(base.Resource):
    """A model with its fallbacks, prompt and parameters, which a call names as ``@preset/<slug>``.

    Writing one makes a new version of it, and earlier ones stay. OpenRouter has no call that deletes a preset: deleting
    this only forgets it, and it goes on working. It belongs to the account, not to a workspace, and has no room for a
    mark of who manages it.
    """

    kind = Kind(
        api=OPENROUTER,
        title="preset",
        setting="presets",
        inputs=openrouter_inputs.PresetInputs,
        calls=Calls(
            create=Call("POST", "/presets/{slug}/chat/completions", answer="data"),
            read=Call("GET", "/presets/{slug}", answer="data"),
            update=Call("POST", "/presets/{slug}/chat/completions", answer="data"),
            update_sends="whole",
        ),
        identity="{slug}",
        natural_key=("slug",),
        encode=openrouter_inputs.preset_body,
        decode=openrouter_inputs.preset_shown,
    )


def assignments() -> Mapping[str, str]:
    """The guardrail of each key that has one, both by id, in all workspaces. Raises ``PlatformError``."""
    listing = Listing(Call("GET", "/guardrails/assignments/keys"), pages=Offset(size=100))
    return {found["key_hash"]: found["guardrail_id"] for found in listing.fetch(OPENROUTER, {})}


def member_assignments() -> Mapping[str, str]:
    """The guardrail of each member that has one, both by id, in all workspaces. Raises ``PlatformError``."""
    listing = Listing(Call("GET", "/guardrails/assignments/members"), pages=Offset(size=100))
    return {found["user_id"]: found["guardrail_id"] for found in listing.fetch(OPENROUTER, {})}
