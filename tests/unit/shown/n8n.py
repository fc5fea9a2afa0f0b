"""An object of every kind of n8n's: as it is asked for, and as n8n shows it."""

from __future__ import annotations

from typing import Any

from providers import n8n
from tests.unit.shown.example import OURS, Examples

NODE: dict[str, Any] = {
    "name": "Ask",
    "type": "n8n-nodes-base.httpRequest",
    "typeVersion": 4.2,
    "position": [0, 0],
    "parameters": {"url": "https://api.example.com"},
}

SHOWN: Examples = {
    "n8n workflow": (
        n8n.Workflow,
        {
            "name": "Digest",
            "nodes": [{**NODE, "credentials": {"slackApi": {"id": "c-1"}}}],
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
            "nodes": [{**NODE, "id": "n-1", "credentials": {"slackApi": {"id": "c-1", "name": "Slack"}}}],
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
}
