"""Portkey's administrative API: workspaces and people, all that the gateway works with, prompts, keys, policies."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from sandbox.http import ApiError, Routes
from sandbox.platform import Platform
from sandbox.portkey import (
    access,
    collections,
    configs,
    errors,
    guardrails,
    integration_access,
    integrations,
    keys,
    labels,
    members,
    partials,
    policies,
    prompts,
    providers,
    workspaces,
)
from sandbox.portkey.access import needs


def _failure(status: int, message: str) -> Response:
    return errors.render(ApiError(status, message))


_routes = Routes("portkey", access.admit, errors.render)
_routes_like_openai = Routes("portkey", access.admit, errors.render_as_openai)


def _either(action: str) -> tuple[str, str]:
    """Integrations are the organisation's or a workspace's; which one it is, is seen when it is found."""
    return f"organisation_integrations.{action}", f"workspace_integrations.{action}"


def _policies(path: str, of: policies.Policies) -> list[Route]:
    return [
        _routes(path, GET=needs(of.list, "policies.list"), POST=needs(of.create, "policies.create")),
        _routes(
            f"{path}/{{policy}}",
            GET=needs(of.read, "policies.read"),
            PUT=needs(of.update, "policies.update"),
            DELETE=needs(of.delete, "policies.delete"),
        ),
    ]


_PEOPLE = [
    _routes("/v1/admin/users", GET=needs(members.list_users, "organisation_users.list")),
    _routes(
        "/v1/admin/users/invites",
        GET=needs(members.list_invites, "organisation_users.list"),
        POST=needs(members.create_invite, "organisation_users.create"),
    ),
    _routes(
        "/v1/admin/users/invites/{invite}",
        GET=needs(members.read_invite, "organisation_users.read"),
        DELETE=needs(members.delete_invite, "organisation_users.delete"),
    ),
    _routes("/v1/admin/users/invites/{invite}/resend", POST=needs(members.resend_invite, "organisation_users.create")),
    _routes(
        "/v1/admin/users/{user}",
        GET=needs(members.read_user, "organisation_users.read"),
        PUT=needs(members.update_user, "organisation_users.update"),
        DELETE=needs(members.delete_user, "organisation_users.delete"),
    ),
    _routes(
        "/v1/admin/workspaces/{workspace}/users",
        GET=needs(members.list_members, "workspace_users.list"),
        POST=needs(members.add_members, "workspace_users.create"),
    ),
    _routes(
        "/v1/admin/workspaces/{workspace}/users/{user}",
        GET=needs(members.read_member, "workspace_users.read"),
        PUT=needs(members.update_member, "workspace_users.update"),
        DELETE=needs(members.remove_member, "workspace_users.delete"),
    ),
]

_GATEWAY = [
    _routes(
        "/v1/integrations",
        GET=needs(integrations.list_integrations, *_either("list")),
        POST=needs(integrations.create_integration, *_either("create")),
    ),
    _routes(
        "/v1/integrations/{slug}",
        GET=needs(integrations.read_integration, *_either("read")),
        PUT=needs(integrations.update_integration, *_either("update")),
        DELETE=needs(integrations.delete_integration, *_either("delete")),
    ),
    _routes(
        "/v1/integrations/{slug}/workspaces",
        GET=needs(integration_access.list_workspaces, *_either("read")),
        PUT=needs(integration_access.update_workspaces, "organisation_integrations.update"),
    ),
    _routes(
        "/v1/integrations/{slug}/models",
        GET=needs(integration_access.list_models, *_either("read")),
        PUT=needs(integration_access.update_models, *_either("update")),
        DELETE=needs(integration_access.delete_models, *_either("update")),
    ),
    _routes(
        "/v1/providers",
        GET=needs(providers.list_providers, "providers.list", "virtual_keys.list"),
        POST=needs(providers.create_provider, "providers.create", "virtual_keys.create"),
    ),
    _routes(
        "/v1/providers/{slug}",
        GET=needs(providers.read_provider, "providers.read", "virtual_keys.read"),
        PUT=needs(providers.update_provider, "providers.update", "virtual_keys.update"),
        DELETE=needs(providers.delete_provider, "providers.delete", "virtual_keys.delete"),
    ),
    _routes(
        "/v1/configs",
        GET=needs(configs.list_configs, "configs.list"),
        POST=needs(configs.create_config, "configs.create"),
    ),
    _routes(
        "/v1/configs/{slug}",
        GET=needs(configs.read_config, "configs.read"),
        PUT=needs(configs.update_config, "configs.update"),
        DELETE=needs(configs.delete_config, "configs.delete"),
    ),
    _routes("/v1/configs/{slug}/versions", GET=needs(configs.list_versions, "configs.read")),
    _routes_like_openai(
        "/v1/guardrails",
        GET=needs(guardrails.list_guardrails, "guardrails.list"),
        POST=needs(guardrails.create_guardrail, "guardrails.create"),
    ),
    _routes_like_openai(
        "/v1/guardrails/{guardrail}",
        GET=needs(guardrails.read_guardrail, "guardrails.read"),
        PUT=needs(guardrails.update_guardrail, "guardrails.update"),
        DELETE=needs(guardrails.delete_guardrail, "guardrails.delete"),
    ),
]

_PROMPTS = [
    _routes(
        "/v1/prompts/partials",
        GET=needs(partials.list_partials, "prompts.list"),
        POST=needs(partials.create_partial, "prompts.create"),
    ),
    _routes(
        "/v1/prompts/partials/{id}",
        GET=needs(partials.read_partial, "prompts.read"),
        PUT=needs(partials.update_partial, "prompts.update"),
        DELETE=needs(partials.delete_partial, "prompts.delete"),
    ),
    _routes("/v1/prompts/partials/{id}/versions", GET=needs(partials.list_versions, "prompts.read")),
    _routes("/v1/prompts/partials/{id}/makeDefault", PUT=needs(partials.publish_partial, "prompts.publish")),
    _routes(
        "/v1/prompts",
        GET=needs(prompts.list_prompts, "prompts.list"),
        POST=needs(prompts.create_prompt, "prompts.create"),
    ),
    _routes(
        "/v1/prompts/{id}",
        GET=needs(prompts.read_prompt, "prompts.read"),
        PUT=needs(prompts.update_prompt, "prompts.update"),
        DELETE=needs(prompts.delete_prompt, "prompts.delete"),
    ),
    _routes("/v1/prompts/{id}/versions", GET=needs(prompts.list_versions, "prompts.read")),
    _routes(
        "/v1/prompts/{id}/versions/{version}",
        GET=needs(prompts.read_version, "prompts.read"),
        PUT=needs(prompts.update_version, "prompts.update"),
    ),
    _routes("/v1/prompts/{id}/makeDefault", PUT=needs(prompts.publish_prompt, "prompts.publish")),
    _routes(
        "/v1/collections",
        GET=needs(collections.list_collections, "prompts.list"),
        POST=needs(collections.create_collection, "prompts.create"),
    ),
    _routes(
        "/v1/collections/{collection}",
        GET=needs(collections.read_collection, "prompts.read"),
        PUT=needs(collections.update_collection, "prompts.update"),
        DELETE=needs(collections.delete_collection, "prompts.delete"),
    ),
    _routes_like_openai(
        "/v1/labels",
        GET=needs(labels.list_labels, "prompts.list"),
        POST=needs(labels.create_label, "prompts.create"),
    ),
    _routes_like_openai(
        "/v1/labels/{label}",
        GET=needs(labels.read_label, "prompts.read"),
        PUT=needs(labels.update_label, "prompts.update"),
        DELETE=needs(labels.delete_label, "prompts.delete"),
    ),
]

PLATFORM = Platform(
    name="portkey",
    title="Portkey",
    routes=[
        *_PEOPLE,
        _routes(
            "/v1/admin/workspaces",
            GET=needs(workspaces.list_workspaces, "workspaces.list"),
            POST=needs(workspaces.create_workspace, "workspaces.create"),
        ),
        _routes(
            "/v1/admin/workspaces/{workspace}",
            GET=needs(workspaces.read_workspace, "workspaces.read"),
            PUT=needs(workspaces.update_workspace, "workspaces.update"),
            DELETE=needs(workspaces.delete_workspace, "workspaces.delete"),
        ),
        *_GATEWAY,
        *_PROMPTS,
        _routes("/v1/api-keys", GET=keys.list_keys),
        _routes("/v1/api-keys/{id}/rotate", POST=keys.rotate_key),
        _routes("/v1/api-keys/{type}/{sub_type}", POST=keys.create_key),
        _routes("/v1/api-keys/{id}", GET=keys.read_key, PUT=keys.update_key, DELETE=keys.delete_key),
        *_policies("/v1/policies/usage-limits", policies.usage),
        _routes(
            "/v1/policies/usage-limits/{policy}/entities", GET=needs(policies.usage.list_entities, "policies.read")
        ),
        _routes(
            "/v1/policies/usage-limits/{policy}/entities/{entity}/reset",
            PUT=needs(policies.usage.reset_entity, "policies.update"),
        ),
        *_policies("/v1/policies/rate-limits", policies.rates),
    ],
    failure=_failure,
    credentials={
        "PORTKEY_BASE_URL": "{url}/v1",
        "PORTKEY_ADMIN_API_KEY": access.ADMIN_API_KEY,
    },
    secret=frozenset({"PORTKEY_ADMIN_API_KEY"}),
    simulated=(
        "workspaces, members, invitations, integrations with their workspaces and models, providers, configs, "
        "guardrails, prompts, partials, collections, labels, API keys with scopes and rotation, policies; "
        "no inference, nothing is spent, nothing rotates by itself"
    ),
)
