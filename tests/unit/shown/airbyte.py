"""An object of every kind of Airbyte's: as it is asked for, and as Airbyte shows it."""

from __future__ import annotations

from typing import Any

from providers import airbyte
from tests.unit.shown.example import Examples

WORKSPACE, SOURCE, DESTINATION, TAG = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "1234")
SECRETS = {"credentials": {"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n"}}
ACTOR: dict[str, Any] = {
    "workspaceId": WORKSPACE,
    "definitionId": "25c5221d-dce2-4163-ade9-739ef790f503",
    "createdAt": 1764000000,
}

SHOWN: Examples = {
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
}
