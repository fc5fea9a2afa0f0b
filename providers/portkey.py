"""Portkey: the gateway of model calls. Workspaces, integrations, providers, configs, guardrails, prompts, keys, policies.

Needs an organisation's API key ("admin key"), which is made in Portkey's own pages only. How Portkey is asked, and where
the facts come from, is in ``providers/portkey_calls.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import httpx
import pulumi

from providers import base
from providers.base import Call, Calls, Environment, Kind, Listing, Out, Within
from providers.portkey_calls import (
    ChangeKey,
    CreateConfig,
    Masked,
    MaskedKeys,
    MintKey,
    OrGone,
    ReadAccess,
    ReadConfig,
    ReadIntegration,
    SetAccess,
    SetModels,
    detailed,
    listing,
)
from providers.portkey_inputs import (
    ApiKeyInputs,
    CollectionInputs,
    ConfigInputs,
    GuardrailInputs,
    IntegrationInputs,
    IntegrationWorkspaceInputs,
    PartialInputs,
    PromptInputs,
    ProviderInputs,
    RatePolicyInputs,
    UsagePolicyInputs,
    WorkspaceInputs,
    archived,
    described,
    guardrail_shown,
    in_workspace,
    integration_body,
    key_body,
    key_shown,
)
from providers.portkey_prompts import PARTIALS, PROMPTS, Create, ReadVersions, Shelf, Write


def _said(response: httpx.Response) -> str:
    """Portkey has two forms of errors; both have a text and a code of its own (AB01 to AB09)."""
    answer = response.json()
    error = answer.get("error") or answer["data"]
    return f"{error.get('errorCode') or error.get('code') or ''} {error['message']}"


PORTKEY: Final = base.Api(
    name="portkey",
    title="Portkey",
    base_url=Environment("PORTKEY_BASE_URL"),
    auth=base.Bearer(Environment("PORTKEY_ADMIN_API_KEY"), header="x-portkey-api-key", prefix=""),
    said=_said,
    limit=base.Unpublished(),
    request_id_header="x-portkey-trace-id",
)


def _calls(path: str, shelf: Listing, by: str = "id", **params: str) -> Calls:
    """The usual calls about an object that its listing shows whole."""
    item = path + "/{id}"
    return Calls(
        create=Call("POST", path),
        read=OrGone(Call("GET", item, params=params), shelf, by),
        update=Call("PUT", item, params=params),
        delete=OrGone(Call("DELETE", item, params=params), shelf, by),
        listing=shelf,
    )


_WORKSPACES: Final = listing("/admin/workspaces")


class Workspace(base.Resource):
    """A workspace: one stage's providers, configs, prompts and keys, apart from those of the others.

    Portkey deletes none that has providers, configs or keys, and deletes the logs with it.
    """

    slug: pulumi.Output[str]

    kind = Kind(
        api=PORTKEY,
        title="workspace",
        setting="workspace",
        inputs=WorkspaceInputs,
        calls=replace(
            _calls("/admin/workspaces", _WORKSPACES),
            delete=OrGone(Call("DELETE", "/admin/workspaces/{id}", {"name": "{name}"}), _WORKSPACES, "id"),
        ),
        identity="id",
        natural_key=("name",),
        mark="description",
        decode=described,
        hidden=archived,
        outputs=(Out("slug", "slug"),),
        reset={"defaults": {"metadata": {}}},
    )


class Integration(base.Resource):
    """Access to a vendor of models: the vendor's key, which Portkey keeps, and the models that may be used of it.

    Workspaces get at it by ``IntegrationWorkspace``; in each, a ``Provider`` makes it callable.
    """

    kind = Kind(
        api=PORTKEY,
        title="integration",
        setting="integrations",
        inputs=IntegrationInputs,
        calls=Calls(
            create=Call("POST", "/integrations"),
            read=ReadIntegration(),
            update=Call("PUT", "/integrations/{id}"),
            delete=Call("DELETE", "/integrations/{id}"),
            listing=detailed(listing("/integrations"), ReadIntegration()),
            create_takes=frozenset(IntegrationInputs.model_fields) - {"models"},
            setters={"models": SetModels()},
        ),
        identity="slug",
        natural_key=("slug",),
        mark="description",
        encode=integration_body,
        decode=described,
        hidden=archived,
    )


class IntegrationWorkspace(base.Resource):
    """Gives a workspace an integration, and says how much of it."""

    kind = Kind(
        api=PORTKEY,
        title="integration access",
        setting="integrations",
        inputs=IntegrationWorkspaceInputs,
        calls=Calls(
            create=SetAccess(enabled=True),
            read=ReadAccess(),
            update=SetAccess(enabled=True),
            delete=SetAccess(enabled=False),
            update_sends="whole",
        ),
        identity="{integration}/{workspace_id}",
        natural_key=("workspace_id",),
        within=Within("integration", Integration.kind),
    )


class Provider(base.Resource):
    """What configs and prompts call: an integration as one workspace has it, with limits of its own ("virtual key")."""

    kind = Kind(
        api=PORTKEY,
        title="provider",
        setting="providers",
        inputs=ProviderInputs,
        calls=_calls(
            "/providers",
            listing("/providers", workspace_id="{workspace_id}"),
            by="slug",
            workspace_id="{workspace_id}",
        ),
        identity="slug",
        natural_key=("slug",),
        within=Within("workspace_id", Workspace.kind),
        mark="note",
        decode=lambda document: {**in_workspace(document), "note": document.get("note") or ""},
    )


_GUARDRAILS: Final = listing("/guardrails", workspace_id="{workspace_id}")
_GUARDRAIL: Final = _calls("/guardrails", _GUARDRAILS, by="slug")


class Guardrail(base.Resource):
    """Checks on what goes to a model and what comes back, and what to do when one fails."""

    kind = Kind(
        api=PORTKEY,
        title="guardrail",
        setting="guardrails",
        inputs=GuardrailInputs,
        calls=replace(_GUARDRAIL, listing=detailed(_GUARDRAILS, Call("GET", "/guardrails/{id}"))),
        identity="slug",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        decode=guardrail_shown,
        hidden=archived,
    )


_CONFIGS: Final = Listing(Call("GET", "/configs", params={"workspace_id": "{workspace_id}"}))


class Config(base.Resource):
    """How a call is routed, retried, cached and guarded. Its id is its slug (``pc-…``), which callers send.

    Portkey keeps the versions of before; the newest is the one in use. API keys know a config by ``config_id``.
    """

    config_id: pulumi.Output[str]

    kind = Kind(
        api=PORTKEY,
        title="config",
        setting="configs",
        inputs=ConfigInputs,
        calls=Calls(
            create=CreateConfig(_CONFIGS),
            read=OrGone(ReadConfig(), _CONFIGS),
            update=Call("PUT", "/configs/{id}"),
            delete=OrGone(Call("DELETE", "/configs/{id}"), _CONFIGS),
            listing=detailed(_CONFIGS, ReadConfig()),
        ),
        identity="slug",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        decode=in_workspace,
        hidden=archived,
        outputs=(Out("config_id", "id"),),
    )


class Collection(base.Resource):
    """A folder of prompts. Portkey deletes none with prompts in it."""

    kind = Kind(
        api=PORTKEY,
        title="collection",
        setting="collections",
        inputs=CollectionInputs,
        calls=_calls("/collections", listing("/collections", workspace_id="{workspace_id}")),
        identity="id",
        natural_key=("name", "parent_collection_id"),
        within=Within("workspace_id", Workspace.kind),
        decode=in_workspace,
        hidden=archived,
    )


def _versioned(shelf: Shelf) -> Calls:
    """The calls of what has versions."""
    return Calls(
        create=Create(shelf),
        read=OrGone(ReadVersions(shelf), shelf.listing),
        update=Write(shelf),
        delete=OrGone(Call("DELETE", shelf.path + "/{id}"), shelf.listing),
        listing=detailed(shelf.listing, ReadVersions(shelf)),
    )


class Partial(base.Resource):
    """A text that prompts have in common (``{{>slug}}``). A change makes a new version; ``published`` says which is used."""

    version: pulumi.Output[int]

    kind = Kind(
        api=PORTKEY,
        title="partial",
        setting="partials",
        inputs=PartialInputs,
        calls=_versioned(PARTIALS),
        identity="slug",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        decode=in_workspace,
        hidden=archived,
        outputs=(Out("version", "version"),),
    )


class Prompt(base.Resource):
    """A prompt. A change makes a new version; ``published`` says which one callers get. Its id is its slug."""

    version: pulumi.Output[int]

    kind = Kind(
        api=PORTKEY,
        title="prompt",
        setting="prompts",
        inputs=PromptInputs,
        calls=_versioned(PROMPTS),
        identity="slug",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        encode=lambda payload, _wanted: in_workspace(payload),
        decode=in_workspace,
        hidden=archived,
        outputs=(Out("version", "version"),),
    )


_KEYS: Final = listing("/api-keys", workspace_id="{workspace_id}")


class ApiKey(base.Resource):
    """A key of a workspace for a program. ``key`` is shown once, when it is made or rotated, and kept as a secret.

    Another ``generation`` rotates it: the key of before works for ``transition_hours`` more, and there is no third one
    meanwhile. Portkey's own rotation by the calendar is not used, because nobody would be told of the new key.
    """

    key: pulumi.Output[str]

    kind = Kind(
        api=PORTKEY,
        title="API key",
        setting="api_keys",
        inputs=ApiKeyInputs,
        calls=Calls(
            create=MintKey(),
            read=OrGone(Masked(Call("GET", "/api-keys/{id}")), _KEYS, "id"),
            update=ChangeKey(),
            delete=OrGone(Call("DELETE", "/api-keys/{id}"), _KEYS, "id"),
            listing=MaskedKeys(_KEYS.call, pages=_KEYS.pages),
        ),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        mark="description",
        encode=key_body,
        decode=key_shown,
        outputs=(Out("key", "key", once=True, renewed="rotated.key"),),
        reset={"allow_config_override": True, "metadata": {}, "alert_emails": []},
    )


class UsagePolicy(base.Resource):
    """How much each member of a group of calls may use: US dollars (``cost``) or tokens."""

    kind = Kind(
        api=PORTKEY,
        title="usage policy",
        setting="usage_policies",
        inputs=UsagePolicyInputs,
        calls=_calls("/policies/usage-limits", listing("/policies/usage-limits", workspace_id="{workspace_id}")),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        decode=in_workspace,
        hidden=archived,
    )


class RatePolicy(base.Resource):
    """How fast each member of a group of calls may go."""

    kind = Kind(
        api=PORTKEY,
        title="rate policy",
        setting="rate_policies",
        inputs=RatePolicyInputs,
        calls=_calls("/policies/rate-limits", listing("/policies/rate-limits", workspace_id="{workspace_id}")),
        identity="id",
        natural_key=("name",),
        within=Within("workspace_id", Workspace.kind),
        decode=in_workspace,
        hidden=archived,
    )
