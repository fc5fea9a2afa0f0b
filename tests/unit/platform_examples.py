"""An object of every kind of the real platforms: as it is asked for, and as its vendor shows it."""

from __future__ import annotations

from typing import Any

from providers import airbyte, asana, base, estuary, lambda_labs, n8n, openrouter, pinecone, qdrant, slack, vercel
from tests.unit import figma_examples, linear_examples

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
PINECONE_INDEX: dict[str, Any] = {
    "name": "x",
    "host": "x-0a1b2c3.svc.aped-4627-b74a.pinecone.io",
    "vector_type": "dense",
    "deletion_protection": "enabled",
    "status": {"ready": True, "state": "Ready"},
}

QDRANT_DATABASE: dict[str, Any] = {"cluster": "c-1", "address": "https://x.test:6333", "api_key": "qdrant-key"}

LAMBDA_REGION: dict[str, Any] = {"name": "us-east-1", "description": "Virginia, USA"}
LAMBDA_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"

N8N_NODE: dict[str, Any] = {
    "name": "Ask",
    "type": "n8n-nodes-base.httpRequest",
    "typeVersion": 4.2,
    "position": [0, 0],
    "parameters": {"url": "https://api.example.com"},
}

ASANA_WORKSPACE: dict[str, Any] = {"gid": "1", "resource_type": "workspace", "name": "Pay Ready"}
ASANA_PROJECT: dict[str, Any] = {"gid": "2", "resource_type": "project", "name": "Incidents"}
ASANA_OPTION: dict[str, Any] = {"gid": "6", "resource_type": "enum_option", "name": "SEV1", "color": "red"}

SHOWN: dict[str, tuple[type[base.Resource], dict[str, Any], dict[str, Any], str]] = {
    "asana workspace": (asana.Workspace, {"name": "Pay Ready"}, {**ASANA_WORKSPACE, "is_organization": True}, "1"),
    "asana person": (
        asana.Person,
        {"workspace": "1", "email": "Ada@payready.com"},
        {"gid": "x", "name": "Ada", "email": "ada@payready.com"},
        "x",
    ),
    "asana team": (
        asana.Team,
        {"workspace": "1", "name": "Platform", "visibility": "secret"},
        {"gid": "x", "name": "Platform", "description": OURS, "visibility": "secret", "organization": ASANA_WORKSPACE},
        "x",
    ),
    "asana project": (
        asana.Project,
        {"workspace": "1", "team": "3", "name": "Incidents", "notes": "What went wrong", "color": "dark-red"},
        {
            "gid": "2",
            "name": "Incidents",
            "notes": f"What went wrong {OURS}",
            "color": "dark-red",
            "default_view": "list",
            "privacy_setting": "private",
            "default_access_level": "editor",
            "archived": False,
            "workspace": ASANA_WORKSPACE,
            "team": {"gid": "3", "resource_type": "team", "name": "Platform"},
            "permalink_url": "https://app.asana.com/0/2/list",
        },
        "2",
    ),
    "asana project member": (
        asana.ProjectMember,
        {"project": "2", "member": "7", "access_level": "admin"},
        {"gid": "x", "parent": ASANA_PROJECT, "member": {"gid": "7", "name": "Ada"}, "access_level": "admin"},
        "x",
    ),
    "asana section": (
        asana.Section,
        {"project": "2", "name": "New"},
        {"gid": "4", "name": "New", "project": ASANA_PROJECT},
        "4",
    ),
    "asana order of sections": (
        asana.SectionOrder,
        {"project": "2", "sections": ["4", "5"]},
        {"data": [{"gid": "0", "name": "Untitled section"}, {"gid": "4"}, {"gid": "5"}]},
        "2",
    ),
    "asana custom field": (
        asana.CustomField,
        {
            "workspace": "1",
            "resource_subtype": "enum",
            "name": "Severity",
            "enum_options": [{"name": "SEV1", "color": "red"}],
        },
        {
            "gid": "x",
            "name": "Severity",
            "resource_subtype": "enum",
            "description": OURS,
            "enum_options": [
                {**ASANA_OPTION, "enabled": True},
                {**ASANA_OPTION, "gid": "8", "name": "SEV0", "enabled": False},
            ],
        },
        "x",
    ),
    "asana field of a project": (
        asana.FieldSetting,
        {"project": "2", "custom_field": "9", "is_important": True},
        {"gid": "x", "project": ASANA_PROJECT, "custom_field": {"gid": "9", "name": "Severity"}, "is_important": False},
        "x",
    ),
    "asana tag": (
        asana.Tag,
        {"workspace": "1", "name": "sophia-ai", "color": "dark-blue"},
        {"gid": "x", "name": "sophia-ai", "color": "dark-blue", "notes": OURS, "workspace": ASANA_WORKSPACE},
        "x",
    ),
    "asana webhook": (
        asana.Webhook,
        {
            "workspace": "1",
            "resource": "2",
            "target": "https://hooks.payready.com/asana",
            "filters": [{"resource_type": "task", "action": "added"}],
        },
        {
            "gid": "x",
            "resource": ASANA_PROJECT,
            "target": "https://hooks.payready.com/asana",
            "active": True,
            "filters": [{"resource_type": "task", "resource_subtype": None, "action": "added", "fields": None}],
        },
        "x",
    ),
    "n8n workflow": (
        n8n.Workflow,
        {
            "name": "Digest",
            "nodes": [{**N8N_NODE, "credentials": {"slackApi": {"id": "c-1"}}}],
            "connections": {},
            "settings": {"executionOrder": "v1"},
            "tag_ids": ["t-1"],
            "published": True,
        },
        {
            "id": "x",
            "name": f"Digest {OURS}",
            "active": True,
            "activeVersionId": "v-1",
            "versionId": "v-1",
            "isArchived": False,
            "nodes": [{**N8N_NODE, "id": "n-1", "credentials": {"slackApi": {"id": "c-1", "name": "Slack"}}}],
            "connections": {},
            "settings": {"executionOrder": "v1", "callerPolicy": "workflowsFromSameOwner"},
            "tags": [{"id": "t-1", "name": "managed-by-pulumi"}],
            "shared": [{"role": "workflow:owner", "projectId": "p-1"}],
        },
        "x",
    ),
    "n8n credential": (
        n8n.Credential,
        {"name": "Slack", "type": "slackApi", "data": {"accessToken": "xoxb-1"}},
        {"id": "x", "name": f"Slack {OURS}", "type": "slackApi", "shared": []},
        "x",
    ),
    "n8n tag": (n8n.Tag, {"name": "sales"}, {"id": "x", "name": "sales"}, "x"),
    "n8n variable": (
        n8n.Variable,
        {"key": "REGION", "value": "us"},
        {"id": "x", "key": "REGION", "value": "us", "type": "string", "project": None},
        "x",
    ),
    "n8n project": (n8n.Project, {"name": "Sales"}, {"id": "x", "name": "Sales", "type": "team"}, "x"),
    "n8n project member": (
        n8n.ProjectMember,
        {"project_id": "p-1", "email": "sales@payready.example", "role": "project:viewer"},
        {"id": "u-1", "email": "Sales@payready.example", "role": "project:viewer"},
        "p-1/sales@payready.example",
    ),
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
    "lambda SSH key": (
        lambda_labs.SshKey,
        {"name": "operators", "public_key": f"{LAMBDA_KEY} somebody@laptop"},
        {"id": "x", "name": "operators", "public_key": f"{LAMBDA_KEY} lambda"},
        "x",
    ),
    "lambda filesystem": (
        lambda_labs.Filesystem,
        {"name": "models", "region": "us-east-1"},
        {
            "id": "x",
            "name": "models",
            "mount_point": "/lambda/nfs/models",
            "created": "2026-08-24T10:30:00Z",
            "created_by": {"id": "u", "email": "platform@payready.example", "status": "active"},
            "is_in_use": True,
            "region": LAMBDA_REGION,
            "bytes_used": 7,
        },
        "x",
    ),
    "lambda firewall ruleset": (
        lambda_labs.FirewallRuleset,
        {
            "name": "nodes",
            "region": "us-east-1",
            "rules": [
                {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7", "description": "SSH"},
                {"protocol": "icmp", "source_network": "0.0.0.0/0"},
            ],
        },
        {
            "id": "x",
            "name": "nodes",
            "region": LAMBDA_REGION,
            "rules": [
                {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": ""},
                {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7/32", "description": "SSH"},
            ],
            "created": "2026-08-24T10:30:00Z",
            "instance_ids": [],
        },
        "x",
    ),
    "lambda instance": (
        lambda_labs.Instance,
        {
            "name": "gpu-a-1",
            "ssh_key": "operators",
            "image": {"family": "lambda-stack-24-04"},
            "mounts": {"/lambda/nfs/models": "f"},
            "setup": "0a1b",
            "tags": {"team": "ai"},
            "types": ["gpu_1x_h100_pcie", "gpu_1x_a10"],
            "regions": ["us-west-1", "us-east-1"],
            "max_price_cents": 300,
            "firewall_rulesets": {"us-east-1": ["r"]},
            "user_data": "#cloud-config",
        },
        {
            "id": "x",
            "name": "gpu-a-1",
            "ip": "203.0.113.9",
            "status": "active",
            "ssh_key_names": ["operators"],
            "file_system_names": ["models"],
            "file_system_mounts": [{"mount_point": "/lambda/nfs/models", "file_system_id": "f"}],
            "region": LAMBDA_REGION,
            "instance_type": {"name": "gpu_1x_a10", "price_cents_per_hour": 75},
            "hostname": "gpu-a-1",
            "actions": {},
            "tags": [
                {"key": "managed-by", "value": "sophia-ai/dev"},
                {"key": "setup", "value": "0a1b"},
                {"key": "team", "value": "ai"},
            ],
            "firewall_rulesets": [{"id": "r"}],
        },
        "x",
    ),
    "pinecone project": (
        pinecone.Project,
        {"name": "sophia-dev"},
        {
            "id": "x",
            "name": "sophia-dev",
            "max_pods": 0,
            "force_encryption_with_cmek": False,
            "organization_id": "-Norganization",
            "created_at": "2026-08-24T10:30:00Z",
        },
        "x",
    ),
    "pinecone API key": (
        pinecone.ApiKey,
        {"project_id": WORKSPACE, "name": "Web app", "roles": ["DataPlaneViewer", "ControlPlaneViewer"]},
        {
            "id": "x",
            "name": f"Web app {OURS}",
            "project_id": WORKSPACE,
            "roles": ["DataPlaneViewer", "ControlPlaneViewer"],
        },
        "x",
    ),
    "pinecone index": (
        pinecone.Index,
        {
            "name": "x",
            "cloud": "aws",
            "region": "us-east-1",
            "vector_type": "dense",
            "dimension": 1536,
            "metric": "cosine",
            "filterable": ["resident_id", "channel"],
            "tags": {"data": "personal"},
        },
        {
            **PINECONE_INDEX,
            "dimension": 1536,
            "metric": "cosine",
            "tags": {"data": "personal", "managed_by": "sophia-ai;dev"},
            "spec": {
                "serverless": {
                    "cloud": "aws",
                    "region": "us-east-1",
                    "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
                    "schema": {"fields": {"channel": {"filterable": True}, "resident_id": {"filterable": True}}},
                }
            },
        },
        "x",
    ),
    "pinecone index of a model on nodes of its own": (
        pinecone.Index,
        {
            "name": "x",
            "cloud": "aws",
            "region": "us-east-1",
            "model": "multilingual-e5-large",
            "field_map": {"text": "chunk"},
            "read_parameters": {"truncate": "NONE"},
            "read_capacity": {"mode": "Dedicated", "node_type": "b1", "replicas": 2, "shards": 1},
        },
        {
            **PINECONE_INDEX,
            "dimension": 1024,
            "metric": "cosine",
            "embed": {
                "model": "multilingual-e5-large",
                "metric": "cosine",
                "dimension": 1024,
                "vector_type": "dense",
                "field_map": {"text": "chunk"},
                "read_parameters": {"input_type": "query", "truncate": "NONE"},
                "write_parameters": {"input_type": "passage", "truncate": "END"},
            },
            "spec": {
                "serverless": {
                    "cloud": "aws",
                    "region": "us-east-1",
                    "read_capacity": {
                        "mode": "Dedicated",
                        "dedicated": {
                            "node_type": "b1",
                            "scaling": "Manual",
                            "manual": {"replicas": 2, "shards": 1},
                        },
                        "status": {"state": "Scaling", "current_replicas": 1, "current_shards": 1},
                    },
                }
            },
        },
        "x",
    ),
    "pinecone pod index": (
        pinecone.PodIndex,
        {"name": "x", "environment": "us-east1-gcp", "dimension": 8, "metric": "dotproduct", "filterable": ["genre"]},
        {
            **PINECONE_INDEX,
            "dimension": 8,
            "metric": "dotproduct",
            "spec": {
                "pod": {
                    "environment": "us-east1-gcp",
                    "pod_type": "p1.x1",
                    "pods": 1,
                    "replicas": 1,
                    "shards": 1,
                    "metadata_config": {"indexed": ["genre"]},
                }
            },
        },
        "x",
    ),
    "pinecone backup": (
        pinecone.Backup,
        {"index_name": "conversations", "name": "release-12", "description": "As of release 12"},
        {
            "backup_id": "x",
            "source_index_name": "conversations",
            "source_index_id": WORKSPACE,
            "name": "release-12",
            "description": f"As of release 12 {OURS}",
            "status": "Ready",
            "cloud": "aws",
            "region": "us-east-1",
            "dimension": 1536,
            "record_count": 5,
            "created_at": "2026-08-24T10:30:00Z",
        },
        "x",
    ),
    "pinecone schedule": (
        pinecone.BackupSchedule,
        {"index_name": "conversations", "name": "scheduled", "frequency": "daily", "retention_days": 7},
        {
            "schedule_id": "x",
            "name": "scheduled",
            "index_id": WORKSPACE,
            "project_id": SOURCE,
            "schedule_type": "time-based",
            "frequency": "daily",
            "retention_expire_after_days": 7,
            "enabled": True,
            "next_scheduled_run": "2026-08-25T06:00:00+00:00",
            "created_at": "2026-08-24T10:30:00.000000+00:00",
        },
        "x",
    ),
    "qdrant cluster": (
        qdrant.Cluster,
        {
            "name": "sophia-dev",
            "cloud_provider_id": "aws",
            "cloud_provider_region_id": "us-east-1",
            "number_of_nodes": 3,
            "size": {"ram": "4GiB", "cpu": "1000m", "disk": "16GiB"},
            "labels": {"stage": "dev", "managed-by": "sophia-ai"},
            "restart_policy": "ROLLING",
        },
        {
            "id": "x",
            "accountId": WORKSPACE,
            "createdAt": "2026-08-24T10:30:00Z",
            "name": "sophia-dev",
            "cloudProviderId": "aws",
            "cloudProviderRegionId": "us-east-1",
            "labels": [{"key": "managed-by", "value": "sophia-ai"}, {"key": "stage", "value": "dev"}],
            "configuration": {
                "numberOfNodes": 3,
                "version": "v1.19.1",
                "packageId": "p-4",
                "restartPolicy": "CLUSTER_CONFIGURATION_RESTART_POLICY_ROLLING",
                "reservedCpuPercentage": 20,
            },
            "state": {
                "phase": "CLUSTER_PHASE_HEALTHY",
                "endpoint": {"url": "https://x.us-east-1-0.aws.cloud.qdrant.io", "restPort": 6333, "grpcPort": 6334},
            },
        },
        "x",
    ),
    "qdrant backup schedule": (
        qdrant.BackupSchedule,
        {"cluster_id": WORKSPACE, "display_name": "Nightly", "schedule": "0 8 * * *", "retention_days": 7},
        {
            "id": "x",
            "clusterId": WORKSPACE,
            "displayName": f"Nightly {OURS}",
            "schedule": "0 8 * * *",
            "retentionPeriod": "604800s",
            "status": "BACKUP_SCHEDULE_STATUS_ACTIVE",
        },
        "x",
    ),
    "qdrant database key": (
        qdrant.DatabaseKey,
        {
            "cluster_id": WORKSPACE,
            "name": "Agents",
            "collections": {"calls": "READ_ONLY"},
            "expires_at": "2027-12-31T23:00:00+01:00",
        },
        {
            "id": "x",
            "clusterId": WORKSPACE,
            "name": "Agents",
            "expiresAt": "2027-12-31T22:00:00Z",
            "accessRules": [
                {
                    "collectionAccess": {
                        "collectionName": "calls",
                        "accessType": "COLLECTION_ACCESS_RULE_ACCESS_TYPE_READ_ONLY",
                    }
                }
            ],
            "postfix": "abc",
        },
        "x",
    ),
    "qdrant management key": (
        qdrant.ManagementKey,
        {"generation": 2},
        {"id": "x", "prefix": "0a"},
        "x",
    ),
    "qdrant collection": (
        qdrant.Collection,
        {
            **QDRANT_DATABASE,
            "name": "calls_v1",
            "vectors": {"text": {"size": 8, "distance": "Cosine"}},
            "tuning": {"text": {"on_disk": True}},
            "hnsw_config": {"m": 24},
            "replication_factor": 2,
            "metadata": {"model": "m"},
            "purpose": "Calls",
        },
        {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": 7,
            "segments_count": 2,
            "config": {
                "params": {
                    "vectors": {"text": {"size": 8, "distance": "Cosine", "on_disk": True}},
                    "shard_number": 3,
                    "replication_factor": 2,
                    "write_consistency_factor": 1,
                    "on_disk_payload": True,
                },
                "hnsw_config": {"m": 24, "ef_construct": 100, "full_scan_threshold": 10000},
                "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5},
                "quantization_config": None,
                "metadata": {"purpose": f"Calls {OURS}", "model": "m"},
            },
            "payload_schema": {},
        },
        "c-1/calls_v1",
    ),
    "qdrant alias": (
        qdrant.Alias,
        {**QDRANT_DATABASE, "name": "calls", "collection": "calls_v1"},
        {"alias_name": "calls", "collection_name": "calls_v1"},
        "c-1/calls",
    ),
    "qdrant payload index": (
        qdrant.PayloadIndex,
        {
            **QDRANT_DATABASE,
            "collection": "calls_v1",
            "field": "property_id",
            "field_schema": {"type": "keyword", "is_tenant": True},
        },
        {
            "result": {
                "payload_schema": {
                    "property_id": {
                        "data_type": "keyword",
                        "params": {"type": "keyword", "is_tenant": True},
                        "points": 7,
                    }
                }
            }
        },
        "c-1/calls_v1/property_id",
    ),
    "openrouter second key": (
        openrouter.ApiKey,
        {"workspace_id": WORKSPACE, "name": "Web app", "generation": 2},
        {
            **STAMPS,
            "hash": "x",
            "name": f"Web app #2 {OURS}",
            "disabled": False,
            "limit": None,
            "limit_reset": None,
            "include_byok_in_limit": False,
            "expires_at": None,
            "workspace_id": WORKSPACE,
        },
        "x",
    ),
    "openrouter filters": (
        openrouter.Guardrail,
        {
            "workspace_id": WORKSPACE,
            "name": "Chat",
            "content_filters": [{"pattern": "x", "action": "redact"}],
            "content_filter_builtins": [{"slug": "ssn", "action": "block"}],
        },
        {
            **STAMPS,
            "id": "x",
            "name": "Chat",
            "description": OURS,
            "enforce_zdr": None,
            "content_filters": [{"pattern": "x", "action": "redact", "label": None}],
            "content_filter_builtins": [{"slug": "ssn", "action": "block", "label": "[SSN]"}],
            "workspace_id": WORKSPACE,
        },
        "x",
    ),
    "openrouter member": (
        openrouter.GuardrailMember,
        {"guardrail_id": "g-1", "user_id": "user_1"},
        {
            "id": "a-2",
            "guardrail_id": "g-1",
            "user_id": "user_1",
            "organization_id": "org_1",
            "assigned_by": None,
            "created_at": "2026-08-24T10:30:00Z",
        },
        "g-1/user_1",
    ),
    "openrouter provider credential": (
        openrouter.ProviderCredential,
        {"workspace_id": WORKSPACE, "provider": "anthropic", "name": "Ours", "key": "sk-ant-hunter2"},
        {
            "id": "x",
            "provider": "anthropic",
            "name": f"Ours {OURS}",
            "label": "sk-...er2",
            "disabled": False,
            "is_fallback": False,
            "allowed_models": None,
            "allowed_api_key_hashes": None,
            "allowed_user_ids": None,
            "sort_order": 0,
            "workspace_id": WORKSPACE,
            "created_at": "2026-08-24T10:30:00Z",
        },
        "x",
    ),
    "openrouter destination": (
        openrouter.Destination,
        {
            "workspace_id": WORKSPACE,
            "type": "langfuse",
            "name": "Traces",
            "configuration": {"baseUrl": "https://us.cloud.langfuse.com"},
            "secret_configuration": {"secretKey": "sk-lf-hunter2", "publicKey": "pk-lf-hunter2"},
        },
        {
            **STAMPS,
            "id": "x",
            "type": "langfuse",
            "name": f"Traces {OURS}",
            "config": {
                "baseUrl": "https://us.cloud.langfuse.com",
                "secretKey": "sk-l...ter2",
                "publicKey": "pk-l...ter2",
            },
            "enabled": True,
            "privacy_mode": True,
            "sampling_rate": 1,
            "broadcast_generation_cost": False,
            "broadcast_generation_identity": False,
            "broadcast_generation_request_context": False,
            "api_key_hashes": None,
            "filter_rules": None,
            "workspace_id": WORKSPACE,
        },
        "x",
    ),
    "openrouter preset": (
        openrouter.Preset,
        {"slug": "dev-summary", "model": "openai/gpt-5-mini", "temperature": 0, "system_prompt": "Be short."},
        {
            **STAMPS,
            "id": "p",
            "slug": "dev-summary",
            "name": "dev-summary",
            "status": "active",
            "designated_version": {
                "version": 3,
                "system_prompt": "Be short.",
                "config": {"model": "openai/gpt-5-mini", "temperature": 0, "top_k": 5},
            },
        },
        "dev-summary",
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
    "slack bookmark": (
        slack.Bookmark,
        {"channel_id": "C1", "title": "Runbook", "link": "https://payready.com/runbook", "emoji": ":books:"},
        {
            "id": "Bk1",
            "channel_id": "C1",
            "title": "Runbook",
            "link": "https://payready.com/runbook",
            "emoji": ":books:",
            "icon_url": None,
            "type": "link",
            "date_created": 1764000000,
        },
        "C1/Runbook",
    ),
    "slack existing app": (
        slack.ExistingApp,
        {"app_id": "A0123ABCDEF", "manifest": {"display_information": {"name": "Sophia"}}},
        {"manifest": {"display_information": {"name": "Sophia"}, "settings": {"org_deploy_enabled": False}}},
        "A0123ABCDEF",
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
    **figma_examples.SHOWN,
    **linear_examples.SHOWN,
    "vercel token": (
        vercel.Token,
        {"name": "Pipeline", "generation": 2, "lifetime_days": 30},
        {
            "id": "x",
            "name": f"Pipeline #2 {OURS}",
            "type": "token",
            "origin": "manual",
            "createdAt": 1790000000000,
            "activeAt": 1790000000000,
            "expiresAt": 4790000000000,
        },
        "x",
    ),
    "vercel webhook": (
        vercel.Webhook,
        {"url": "https://hooks.payready.com/vercel", "events": ["deployment.error", "budget.reached"], "generation": 2},
        {
            "id": "x",
            "url": "https://hooks.payready.com/vercel?generation=2",
            "events": ["deployment.error", "budget.reached"],
            "ownerId": "team_1",
            "createdAt": 1790000000000,
            "updatedAt": 1790000000000,
        },
        "x",
    ),
    "vercel drain": (
        vercel.Drain,
        {
            "name": "Logs",
            "endpoint": "https://hooks.payready.com/logs",
            "secret": "0123456789abcdef0123456789abcdef",
            "sources": ["lambda", "build"],
            "sampling_rate": 0.5,
        },
        {
            "id": "x",
            "name": f"Logs {OURS}",
            "ownerId": "team_1",
            "status": "enabled",
            "schemas": {"log": {"version": "v1"}},
            "delivery": {
                "type": "http",
                "endpoint": "https://hooks.payready.com/logs",
                "encoding": "ndjson",
                "headers": {},
            },
            "filterV2": {"version": "v2", "filter": {"type": "basic", "log": {"sources": ["lambda", "build"]}}},
            "sampling": [{"type": "head_sampling", "rate": 0.5}],
            "source": {"kind": "self-served"},
        },
        "x",
    ),
    "vercel protection bypass": (
        vercel.ProtectionBypass,
        {"project_id": "prj_1", "name": "pipeline", "secret": "abcdefghijklmnopqrstuvwxyz012345"},
        {
            "protectionBypass": {
                "abcdefghijklmnopqrstuvwxyz012345": {"createdAt": 1790000000000, "scope": "automation-bypass"}
            }
        },
        "prj_1/pipeline",
    ),
}
