"""OpenRouter's administrative API, presets, and the list of models."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Routes
from sandbox.openrouter import access, byok, destinations, guardrails, keys, members, models, presets, workspaces
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("openrouter", access.admit_manager, access.render)
_routes_for_all_keys = Routes("openrouter", access.admit_anyone, access.render)

PLATFORM = Platform(
    name="openrouter",
    title="OpenRouter",
    routes=[
        _routes_for_all_keys("/api/v1/key", GET=keys.read_current_key),
        _routes("/api/v1/models", public=True, GET=models.list_models),
        _routes("/api/v1/model/{author}/{slug}", public=True, GET=models.read_model),
        _routes("/api/v1/embeddings/models", public=True, GET=models.list_embedding_models),
        _routes("/api/v1/credits", GET=keys.read_credits),
        _routes("/api/v1/keys", GET=keys.list_keys, POST=keys.create_key),
        _routes("/api/v1/keys/{hash}", GET=keys.read_key, PATCH=keys.update_key, DELETE=keys.delete_key),
        _routes("/api/v1/guardrails", GET=guardrails.list_guardrails, POST=guardrails.create_guardrail),
        _routes("/api/v1/guardrails/assignments/keys", GET=guardrails.list_all_assignments),
        _routes("/api/v1/guardrails/assignments/members", GET=members.list_all_assignments),
        _routes(
            "/api/v1/guardrails/{id}",
            GET=guardrails.read_guardrail,
            PATCH=guardrails.update_guardrail,
            DELETE=guardrails.delete_guardrail,
        ),
        _routes(
            "/api/v1/guardrails/{id}/assignments/keys", GET=guardrails.list_assignments, POST=guardrails.assign_keys
        ),
        _routes("/api/v1/guardrails/{id}/assignments/keys/remove", POST=guardrails.remove_keys),
        _routes(
            "/api/v1/guardrails/{id}/assignments/members", GET=members.list_assignments, POST=members.assign_members
        ),
        _routes("/api/v1/guardrails/{id}/assignments/members/remove", POST=members.remove_members),
        _routes("/api/v1/workspaces", GET=workspaces.list_workspaces, POST=workspaces.create_workspace),
        _routes(
            "/api/v1/workspaces/{id}",
            GET=workspaces.read_workspace,
            PATCH=workspaces.update_workspace,
            DELETE=workspaces.delete_workspace,
        ),
        _routes("/api/v1/workspaces/{id}/budgets", GET=workspaces.list_budgets),
        _routes(
            "/api/v1/workspaces/{id}/budgets/{interval}",
            GET=workspaces.read_budget,
            PUT=workspaces.put_budget,
            DELETE=workspaces.delete_budget,
        ),
        _routes("/api/v1/organization/members", GET=members.list_members),
        _routes("/api/v1/workspaces/{id}/members", GET=members.list_workspace_members),
        _routes("/api/v1/workspaces/{id}/members/add", POST=members.add_workspace_members),
        _routes("/api/v1/workspaces/{id}/members/remove", POST=members.remove_workspace_members),
        _routes("/api/v1/byok", GET=byok.list_credentials, POST=byok.create_credential),
        _routes(
            "/api/v1/byok/{id}", GET=byok.read_credential, PATCH=byok.update_credential, DELETE=byok.delete_credential
        ),
        _routes(
            "/api/v1/observability/destinations",
            GET=destinations.list_destinations,
            POST=destinations.create_destination,
        ),
        _routes(
            "/api/v1/observability/destinations/{id}",
            GET=destinations.read_destination,
            PATCH=destinations.update_destination,
            DELETE=destinations.delete_destination,
        ),
        _routes_for_all_keys("/api/v1/presets", GET=presets.list_presets),
        _routes_for_all_keys("/api/v1/presets/{slug}", GET=presets.read_preset),
        _routes_for_all_keys("/api/v1/presets/{slug}/versions", GET=presets.list_versions),
        _routes_for_all_keys("/api/v1/presets/{slug}/versions/{version}", GET=presets.read_version),
        _routes_for_all_keys("/api/v1/presets/{slug}/chat/completions", POST=presets.write(presets.Chat)),
        _routes_for_all_keys("/api/v1/presets/{slug}/messages", POST=presets.write(presets.Messages)),
        _routes_for_all_keys("/api/v1/presets/{slug}/responses", POST=presets.write(presets.Responses)),
    ],
    failure=_failure,
    credentials={
        "OPENROUTER_BASE_URL": "{url}/api/v1",
        "OPENROUTER_MANAGEMENT_KEY": access.MANAGEMENT_KEY,
    },
    secret=frozenset({"OPENROUTER_MANAGEMENT_KEY"}),
    simulated=(
        "keys, guardrails with assignments, workspaces, budgets, members, BYOK, destinations (nothing is sent), presets, "
        "some thirty models; no inference, no spending"
    ),
)
