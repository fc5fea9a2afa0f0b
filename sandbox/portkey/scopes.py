"""What a key may do, by the kind of key: the scopes of Portkey's documentation (API Keys, Error AB03)."""

from __future__ import annotations

_CRUD = ("create", "read", "update", "delete", "list")


def _of(resource: str, *actions: str) -> set[str]:
    return {f"{resource}.{action}" for action in actions}


_SHARED = frozenset().union(
    *(
        _of(resource, *_CRUD)
        for resource in (
            "workspace_service_api_keys",
            "workspace_user_api_keys",
            "workspace_users",
            "workspace_integrations",
            "workspace_mcp_integrations",
            "mcp_servers",
            "providers",
            "policies",
            "configs",
            "guardrails",
        )
    ),
    _of("virtual_keys", *_CRUD, "copy", "duplicate"),
    _of("prompts", *_CRUD, "publish"),
    _of("workspace_service_api_keys", "rotate"),
    _of("workspace_user_api_keys", "rotate"),
    _of("analytics", "view"),
    _of("logs", "view", "list", "write", "export"),
)

ORGANISATION_SCOPES = _SHARED | frozenset().union(
    *(
        _of(resource, *_CRUD)
        for resource in (
            "organisation_users",
            "organisation_service_api_keys",
            "workspaces",
            "organisation_integrations",
            "organisation_mcp_integrations",
        )
    ),
    _of("organisation_service_api_keys", "rotate"),
    _of("audit_logs", "list"),
    _of("plugins", "create", "update", "list"),
)

WORKSPACE_SCOPES = _SHARED | frozenset().union(
    _of("completions", "write"),
    _of("mcp", "invoke"),
    _of("prompts", "render"),
    _of("workspaces", "read", "update", "list"),
    _of("organisation_integrations", "list"),
    _of("organisation_mcp_integrations", "list"),
    _of("logs", "read"),
)

USER_SCOPES = frozenset(scope for scope in WORKSPACE_SCOPES if "_api_keys." not in scope)
"""A user's key cannot manage keys; otherwise it may what a service's key may."""
