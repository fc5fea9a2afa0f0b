"""What the contract tests of Portkey make again and again."""

from __future__ import annotations

from typing import Any

import httpx

ABSENT = "00000000-0000-4000-8000-000000000000"
OWNER = "2f9d3c1e-0000-4000-8000-0000000000a1"
ORGANISATION = "2f9d3c1e-0000-4000-8000-000000000001"
CONTAINS: dict[str, Any] = {"id": "default.contains", "parameters": {"words": ["ssn"], "operator": "none"}}
FEEDBACK = {"feedback": {"value": 1, "weight": 1, "metadata": ""}}
ACTIONS = {"deny": True, "async": False, "on_success": FEEDBACK, "on_fail": FEEDBACK}


def done(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def refused(response: httpx.Response, status: int, code: str) -> str:
    """What was said, in either of the two shapes."""
    assert response.status_code == status, response.text
    document = response.json()
    said = document.get("error") or document["data"]
    assert code in (said.get("code"), said.get("errorCode")), response.text
    message: str = said["message"]
    return message


def a_workspace(api: httpx.Client, name: str = "Sophia dev") -> str:
    return str(done(api.post("/admin/workspaces", json={"name": name}))["id"])


def an_integration(api: httpx.Client, slug: str = "openai-dev", provider: str = "openai", **more: Any) -> str:
    sent = {"name": slug, "slug": slug, "ai_provider_id": provider, "key": "sk-proj-0123456789abcdef"}
    return str(done(api.post("/integrations", json=sent | more))["slug"])


def a_provider(api: httpx.Client, workspace: str, slug: str = "openai-chat", integration: str = "openai-dev") -> str:
    if not any(one["slug"] == integration for one in done(api.get("/integrations"))["data"]):
        an_integration(api, integration)
    access = {"workspaces": [{"id": workspace, "enabled": True}], "create_default_provider": False}
    done(api.put(f"/integrations/{integration}/workspaces", json=access))
    sent = {"name": slug, "slug": slug, "integration_id": integration, "workspace_id": workspace}
    return str(done(api.post("/providers", json=sent))["slug"])


def a_guardrail(api: httpx.Client, workspace: str, name: str = "No secrets") -> dict[str, Any]:
    sent = {"name": name, "workspace_id": workspace, "checks": [CONTAINS], "actions": ACTIONS}
    return done(api.post("/guardrails", json=sent))


def a_prompt(api: httpx.Client, workspace: str, **more: Any) -> dict[str, Any]:
    """In a collection of its own, with a provider of its own."""
    provider = a_provider(api, workspace)
    collection = done(api.post("/collections", json={"name": "Collections", "workspace_id": workspace}))["slug"]
    sent = {"name": "Reminder", "collection_id": collection, "string": "Hello {{name}}", "parameters": {"top_p": 1}}
    return done(api.post("/prompts", json=sent | {"virtual_key": provider, "model": "gpt-4o-mini"} | more))


def a_key(api: httpx.Client, workspace: str | None = None, *scopes: str, **more: Any) -> dict[str, Any]:
    """An organisation's, unless a workspace is named."""
    sent = {"name": "mcp-gong", "scopes": scopes or ["completions.write" if workspace else "configs.list"]}
    place = "workspace" if workspace else "organisation"
    return done(
        api.post(f"/api-keys/{place}/service", json=sent | ({"workspace_id": workspace} if workspace else {}) | more)
    )


def as_key(key: str) -> dict[str, str]:
    return {"x-portkey-api-key": key}
