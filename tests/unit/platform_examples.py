"""An object of every kind of the real platforms: as it is asked for, and as its vendor shows it."""

from __future__ import annotations

from typing import Any

from providers import airbyte, base, estuary, openrouter, slack

OURS = "(managed by sophia-ai/dev)"
WORKSPACE, SOURCE, DESTINATION, TAG = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "1234")
SECRETS = {"credentials": {"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n"}}
STAMPS = {"created_at": "2026-08-24T10:30:00Z", "updated_at": None}
USAGE = {f"{kind}usage{span}": 0 for kind in ("", "byok_") for span in ("", "_daily", "_weekly", "_monthly")}
ACTOR: dict[str, Any] = {
    "workspaceId": WORKSPACE,
    "definitionId": "25c5221d-dce2-4163-ade9-739ef790f503",
    "createdAt": 1764000000,
}

SHOWN: dict[str, tuple[type[base.Resource], dict[str, Any], dict[str, Any], str]] = {
    "airbyte workspace": (
        airbyte.Workspace,
        {"name": "sophia-dev", "organization_id": "o-1"},
        {"workspaceId": "x", "name": "sophia-dev", "dataResidency": "auto", "notifications": {"failure": {}}},
        "x",
    ),
    "airbyte loud workspace": (
        airbyte.Workspace,
        {
            "name": "sophia-dev",
            "notifications": {
                event: {"email": {"enabled": True}, "webhook": {"enabled": event == "failure"}}
                for event in (
                    "failure",
                    "success",
                    "connection_update",
                    "connection_update_action_required",
                    "sync_disabled",
                    "sync_disabled_warning",
                )
            },
            "notification_urls": {"failure": "https://hooks.test/unguessable"},
        },
        {
            "workspaceId": "x",
            "name": "sophia-dev",
            "dataResidency": "auto",
            "notifications": {
                event: {
                    "email": {"enabled": True},
                    "webhook": {"enabled": event == "failure", "url": "https://hooks.test/x"},
                }
                for event in (
                    "failure",
                    "success",
                    "connectionUpdate",
                    "connectionUpdateActionRequired",
                    "syncDisabled",
                    "syncDisabledWarning",
                )
            },
        },
        "x",
    ),
    "airbyte permission": (
        airbyte.Permission,
        {
            "organization_id": "o",
            "user_id": "u",
            "scope": "workspace",
            "scope_id": WORKSPACE,
            "permission_type": "workspace_reader",
        },
        {
            "permissionId": "q",
            "userId": "u",
            "scope": "workspace",
            "scopeId": WORKSPACE,
            "permissionType": "workspace_reader",
        },
        f"u/{WORKSPACE}",
    ),
    "airbyte source definition": (
        airbyte.SourceDefinition,
        {
            "workspace_id": WORKSPACE,
            "name": "Ledger",
            "docker_repository": "payready/ledger",
            "docker_image_tag": "1.0",
        },
        {"id": "x", "name": "Ledger", "dockerRepository": "payready/ledger", "dockerImageTag": "1.0"},
        "x",
    ),
    "airbyte destination definition": (
        airbyte.DestinationDefinition,
        {"workspace_id": WORKSPACE, "name": "Lake", "docker_repository": "payready/lake", "docker_image_tag": "1.0"},
        {
            "id": "x",
            "name": "Lake",
            "dockerRepository": "payready/lake",
            "dockerImageTag": "1.0",
            "documentationUrl": "",
        },
        "x",
    ),
    "airbyte low-code source definition": (
        airbyte.DeclarativeSourceDefinition,
        {
            "workspace_id": WORKSPACE,
            "name": "Portal",
            "manifest": {"type": "DeclarativeSource", "streams": [{"name": "a"}]},
        },
        {
            "id": "x",
            "name": "Portal",
            "version": 3,
            "manifest": {"type": "DeclarativeSource", "streams": [{"name": "a"}], "metadata": {"autoImportSchema": {}}},
        },
        "x",
    ),
    "airbyte source": (
        airbyte.Source,
        {
            "workspace_id": WORKSPACE,
            "name": "Gong",
            "source_type": "gong",
            "configuration": {"start_date": "2026-01-01", "page": 100, "nested": {"a": [1, 2]}},
            "secret_configuration": {"access_key": "k"},
        },
        {
            **ACTOR,
            "sourceId": "x",
            "name": "Gong",
            "sourceType": "gong",
            "configuration": {
                "nested": {"a": [1, 2], "default": True},
                "access_key": "******",
                "page": 100,
                "start_date": "2026-01-01",
            },
        },
        "x",
    ),
    "airbyte custom source": (
        airbyte.Source,
        {"workspace_id": WORKSPACE, "name": "Own", "definition_id": ACTOR["definitionId"]},
        {**ACTOR, "sourceId": "x", "name": "Own", "sourceType": "own", "configuration": {}},
        "x",
    ),
    "airbyte destination": (
        airbyte.Destination,
        {
            "workspace_id": WORKSPACE,
            "name": "Snowflake",
            "destination_type": "snowflake",
            "configuration": {"role": "LOADER", "credentials": {"auth_type": "Key Pair Authentication"}},
            "secret_configuration": SECRETS,
        },
        {
            **ACTOR,
            "destinationId": "x",
            "name": "Snowflake",
            "destinationType": "snowflake",
            "configuration": {
                "credentials": {"private_key": "******", "auth_type": "Key Pair Authentication"},
                "role": "LOADER",
                "raw_data_schema": "airbyte_internal",
            },
        },
        "x",
    ),
    "airbyte tag": (
        airbyte.Tag,
        {"workspace_id": WORKSPACE, "name": "crm", "color": "2E7D32"},
        {"tagId": "x", "name": "crm", "color": "2E7D32", "workspaceId": WORKSPACE},
        "x",
    ),
    "airbyte connection": (
        airbyte.Connection,
        {
            "workspace_id": WORKSPACE,
            "source_id": SOURCE,
            "destination_id": DESTINATION,
            "name": "Gong to raw",
            "schedule": {"schedule_type": "cron", "cron_expression": "0 0 * * * ?"},
            "non_breaking_schema_updates_behavior": "propagate_columns",
            "streams": [
                {"name": "users", "sync_mode": "full_refresh_overwrite"},
                {"name": "calls", "sync_mode": "incremental_append", "cursor_field": ["started"]},
            ],
            "tag_ids": [TAG, SOURCE],
            "tags": [{"tag_id": TAG, "workspace_id": WORKSPACE, "name": "crm", "color": "2E7D32"}],
        },
        {
            "connectionId": "x",
            "name": "Gong to raw",
            "sourceId": SOURCE,
            "destinationId": DESTINATION,
            "workspaceId": WORKSPACE,
            "status": "active",
            "schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ? UTC"},
            "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
            "namespaceDefinition": "destination",
            "prefix": None,
            "configurations": {
                "streams": [
                    {
                        "name": "users",
                        "syncMode": "full_refresh_overwrite",
                        "primaryKey": [["id"]],
                        "selectedFields": [],
                        "mappers": [],
                    },
                    {"name": "calls", "syncMode": "incremental_append", "cursorField": ["started"], "mappers": []},
                ]
            },
            "createdAt": 1764000000,
            "tags": [
                {"tagId": TAG, "workspaceId": WORKSPACE, "name": "crm", "color": "2E7D32"},
                {"tagId": SOURCE, "workspaceId": WORKSPACE, "name": "raw", "color": "000000"},
            ],
        },
        "x",
    ),
    "airbyte connection by hand": (
        airbyte.Connection,
        {"workspace_id": WORKSPACE, "source_id": SOURCE, "destination_id": DESTINATION, "name": "By hand"},
        {
            "connectionId": "x",
            "name": "By hand",
            "sourceId": SOURCE,
            "destinationId": DESTINATION,
            "workspaceId": WORKSPACE,
            "status": "active",
            "schedule": {"scheduleType": "manual"},
            "configurations": {"streams": [{"name": "calls", "syncMode": "incremental_append"}]},
            "createdAt": 1764000000,
            "tags": [],
        },
        "x",
    ),
    "estuary storage mapping": (
        estuary.StorageMapping,
        {
            "catalog_prefix": "acme/",
            "spec": {"stores": [{"provider": "S3", "bucket": "b"}], "data_planes": ["ops/dp/a"]},
        },
        {
            "catalogPrefix": "acme/",
            "detail": f"Sophia AI {OURS}",
            "spec": {"stores": [{"provider": "S3", "bucket": "b", "prefix": None}], "data_planes": ["ops/dp/a"]},
        },
        "acme/",
    ),
    "estuary alert subscription": (
        estuary.AlertSubscription,
        {"prefix": "acme/", "email": "a@acme.test", "alert_types": ["task_idle", "shard_failed"]},
        {
            "prefix": "acme/",
            "email": "a@acme.test",
            "alertTypes": ["task_idle", "shard_failed"],
            "detail": f"Sophia AI {OURS}",
        },
        "acme/a@acme.test",
    ),
    "estuary service account": (
        estuary.ServiceAccount,
        {
            "catalog_name": "acme/mcp",
            "grants": [{"prefix": "b/", "capability": "read"}, {"prefix": "a/", "capability": "admin"}],
        },
        {
            "catalogName": "acme/mcp",
            "grants": [{"prefix": "a/", "capability": "admin"}, {"prefix": "b/", "capability": "read"}],
            "apiKeys": [],
        },
        "acme/mcp",
    ),
    "estuary key": (
        estuary.ApiKey,
        {"catalog_name": "acme/mcp", "detail": "MCP servers"},
        {
            "catalogName": "acme/mcp",
            "grants": [],
            "apiKeys": [{"id": "x", "detail": f"MCP servers {OURS}", "expiresAt": "2027-01-01T00:00:00Z"}],
        },
        "x",
    ),
    "openrouter workspace": (
        openrouter.Workspace,
        {"slug": "sophia-dev", "name": "Sophia dev"},
        {**STAMPS, "id": "x", "slug": "sophia-dev", "name": "Sophia dev", "description": OURS, "created_by": None},
        "x",
    ),
    "openrouter budget": (
        openrouter.WorkspaceBudget,
        {"workspace_id": WORKSPACE, "interval": "monthly", "limit_usd": 100},
        {**STAMPS, "id": "b", "limit_usd": 100, "reset_interval": "monthly", "workspace_id": WORKSPACE},
        f"{WORKSPACE}/monthly",
    ),
    "openrouter lifetime budget": (
        openrouter.WorkspaceBudget,
        {"workspace_id": WORKSPACE, "interval": "lifetime", "limit_usd": 2.5},
        {**STAMPS, "id": "b", "limit_usd": 2.5, "reset_interval": None, "workspace_id": WORKSPACE},
        f"{WORKSPACE}/lifetime",
    ),
    "openrouter key": (
        openrouter.ApiKey,
        {
            "workspace_id": WORKSPACE,
            "name": "Web app",
            "limit": 50,
            "limit_reset": "monthly",
            "expires_at": "2027-12-31T23:00:00+01:00",
        },
        {
            **STAMPS,
            **USAGE,
            "hash": "x",
            "name": f"Web app {OURS}",
            "label": "sk-or-v1-0e6...1c96",
            "disabled": False,
            "limit": 50,
            "limit_remaining": 50,
            "limit_reset": "monthly",
            "include_byok_in_limit": False,
            "expires_at": "2027-12-31T22:00:00.000Z",
            "workspace_id": WORKSPACE,
            "creator_user_id": None,
        },
        "x",
    ),
    "openrouter guardrail": (
        openrouter.Guardrail,
        {
            "workspace_id": WORKSPACE,
            "name": "Chat",
            "limit_usd": 20,
            "reset_interval": "daily",
            "allowed_providers": ["openai", "anthropic"],
        },
        {
            **STAMPS,
            "id": "x",
            "name": "Chat",
            "description": OURS,
            "limit_usd": 20,
            "reset_interval": "daily",
            "allowed_models": None,
            "allowed_providers": ["anthropic", "openai"],
            "ignored_providers": None,
            "enforce_zdr": None,
            "enforce_zdr_other": False,
            "workspace_id": WORKSPACE,
        },
        "x",
    ),
    "openrouter assignment": (
        openrouter.GuardrailKey,
        {"guardrail_id": "g-1", "key_hash": "h-1"},
        {
            "id": "a-1",
            "guardrail_id": "g-1",
            "key_hash": "h-1",
            "key_name": "Web app",
            "key_label": "sk-or",
            "assigned_by": None,
            "created_at": "2026-08-24T10:30:00Z",
        },
        "g-1/h-1",
    ),
    "slack channel": (
        slack.Channel,
        {"name": "sophia-alerts", "purpose": "What broke", "topic": "now"},
        {
            "id": "x",
            "name": "sophia-alerts",
            "is_private": False,
            "is_archived": False,
            "is_member": True,
            "created": 1764000000,
            "purpose": {"value": f"What broke {OURS}", "creator": "U1", "last_set": 1764000000},
            "topic": {"value": "now", "creator": "U1", "last_set": 1764000000},
            "previous_names": [],
        },
        "x",
    ),
    "slack user group": (
        slack.UserGroup,
        {"handle": "sophia", "name": "Sophia", "description": "Who helps", "channels": ["C2", "C1"]},
        {
            "id": "x",
            "handle": "sophia",
            "name": "Sophia",
            "description": f"Who helps {OURS}",
            "date_delete": 0,
            "prefs": {"channels": ["C1", "C2"], "groups": []},
            "users": ["U1"],
        },
        "x",
    ),
    "slack app": (
        slack.App,
        {"manifest": {"display_information": {"name": "Sophia"}, "features": {"bot_user": {"display_name": "s"}}}},
        {
            "manifest": {
                "features": {"bot_user": {"display_name": "s", "always_online": False}},
                "display_information": {"name": "Sophia"},
                "settings": {"org_deploy_enabled": False},
            }
        },
        "x",
    ),
}
