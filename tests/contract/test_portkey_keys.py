"""Portkey's API keys in the emulator: shown once, scoped, rotated; and the vendor's Python SDK against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.portkey import PLATFORM
from tests.contract.portkey_calls import (
    ABSENT,
    OWNER,
    a_key,
    a_workspace,
    as_key,
    done,
    refused,
)
from tests.contract.portkey_specification import SPEC, corrected

HALF_AN_HOUR = 30 * 60 * 1000


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """An organisation's key; every exchange is held against the specification."""
    headers = {"x-portkey-api-key": emulator.credentials["PORTKEY_ADMIN_API_KEY"]}
    with emulator.client(corrected(spec(SPEC)), **headers) as client:
        client.base_url = emulator.credentials["PORTKEY_BASE_URL"]
        yield client


def opens(api: httpx.Client, key: str) -> bool:
    """Whether a key with configs.list is one."""
    return api.get("/configs", headers=as_key(key)).status_code == 200


def test_a_key_is_shown_once(api: httpx.Client, emulator: Any) -> None:
    workspace = a_workspace(api)
    limits = {"credit_limit": 50, "type": "cost", "periodic_reset": "monthly"}
    more = {"usage_limits": limits, "rate_limits": [{"type": "requests", "unit": "rps", "value": 5}]}
    made = a_key(api, workspace, **more, defaults={"metadata": {"team": "collections"}})
    path = f"/api-keys/{made['id']}"
    for shown in (api.get(path), api.get("/api-keys"), api.put(path, json={"name": "renamed"})):
        assert made["key"] not in shown.text
    key = done(api.get(path))
    assert (key["type"], key["workspace_id"], key["name"]) == ("workspace-service", workspace, "renamed")
    assert (key["usage_limits"], key["defaults"]) == (limits, {"metadata": {"team": "collections"}})
    for kind in ("key", "key-value"):
        assert made["key"] not in str(emulator.app.state.stores("portkey").all(kind))
    done(api.put(path, json={"usage_limits": None, "defaults": {"allow_config_override": False}}))
    key = done(api.get(path))
    assert ("usage_limits" in key, key["allow_config_override"], key["scopes"]) == (False, 0, ["completions.write"])


def test_key_names_are_not_unique_and_workspaces_part_them(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    keys = {a_key(api, workspace)["id"], a_key(api, workspace)["id"]}
    a_key(api)
    assert {key["id"] for key in done(api.get("/api-keys", params={"workspace_id": workspace}))["data"]} == keys
    assert done(api.get("/api-keys", params={"page_size": 2, "current_page": 1}))["total"] == 3


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        ("workspace/service", {"name": ""}, "name"),
        ("workspace/service", {"scopes": None}, "scopes"),
        ("workspace/service", {"scopes": ["audit_logs.list"]}, "audit_logs.list"),
        ("workspace/service", {"workspace_id": None}, "workspace_id"),
        ("workspace/service", {"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ("workspace/service", {"usage_limits": {"credit_limit": 0}}, "credit_limit"),
        ("workspace/service", {"rate_limits": [{"type": "requests", "unit": "rpy", "value": 1}]}, "unit"),
        ("workspace/service", {"defaults": {"config_id": "pc-absent"}}, "config_id"),
        ("workspace/service", {"rotation_policy": {"key_transition_period_ms": HALF_AN_HOUR}}, "rotation_period"),
        (
            "workspace/service",
            {"rotation_policy": {"rotation_period": "weekly", "key_transition_period_ms": 7 * 24 * 3600 * 1000}},
            "shorter",
        ),
        ("workspace/user", {}, "user_id"),
        ("workspace/user", {"user_id": ABSENT}, "user_id"),
        ("organisation/user", {}, "organisation-user"),
        ("organisation/service", {"scopes": ["completions.write"]}, "completions.write"),
    ],
)
def test_a_wrong_key_is_refused_by_name(api: httpx.Client, kind: str, wrong: dict[str, Any], named: str) -> None:
    sent = {"name": "k", "scopes": ["configs.list"], "workspace_id": a_workspace(api)} | wrong
    assert named in refused(api.post(f"/api-keys/{kind}", json=sent), 400, "AB01")


def test_a_users_key_is_a_members_and_manages_no_keys(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    done(api.post(f"/admin/workspaces/{workspace}/users", json={"users": [{"id": OWNER, "role": "admin"}]}))
    sent = {"name": "Olivia", "scopes": ["completions.write"], "workspace_id": workspace, "user_id": OWNER}
    made = done(api.post("/api-keys/workspace/user", json=sent))
    shown = done(api.get(f"/api-keys/{made['id']}"))
    assert (shown["type"], shown["user_id"]) == ("workspace-user", OWNER)
    wrong = sent | {"scopes": ["workspace_service_api_keys.create"]}
    assert "workspace_service_api_keys.create" in refused(api.post("/api-keys/workspace/user", json=wrong), 400, "AB01")


def test_a_key_opens_what_its_scopes_say(api: httpx.Client) -> None:
    workspace, other = a_workspace(api, "one"), a_workspace(api, "two")
    key = a_key(api, workspace, "configs.list", "workspace_service_api_keys.create", "workspace_service_api_keys.read")
    headers = as_key(key["key"])
    assert opens(api, key["key"])
    assert "policies.list" in refused(api.get("/policies/rate-limits", headers=headers), 403, "AB03")
    sent = {"name": "child", "scopes": ["completions.write"]}
    child = done(api.post("/api-keys/workspace/service", headers=headers, json=sent))["id"]
    assert done(api.get(f"/api-keys/{child}", headers=headers))["workspace_id"] == workspace
    refused(api.delete(f"/api-keys/{child}", headers=headers), 403, "AB03")
    refused(api.post("/api-keys/organisation/service", headers=headers, json=sent), 403, "AB03")
    refused(api.get(f"/api-keys/{a_key(api, other)['id']}", headers=headers), 403, "AB03")
    refused(api.get(f"/api-keys/{a_key(api)['id']}", headers=headers), 403, "AB03")


def test_a_deleted_or_expired_key_opens_nothing(api: httpx.Client, emulator: Any) -> None:
    workspace = a_workspace(api)
    deleted, expired = (a_key(api, workspace, "configs.list", expires_at="2099-01-01T00:00:00Z") for _ in range(2))
    done(api.delete(f"/api-keys/{deleted['id']}"))
    refused(api.get(f"/api-keys/{deleted['id']}"), 403, "AB03")
    store = emulator.app.state.stores("portkey")
    store.put("key", expired["id"], store.get("key", expired["id"]) | {"expires_at": "2020-01-01T00:00:00Z"})
    assert not opens(api, deleted["key"])
    assert not opens(api, expired["key"])


def test_both_values_open_during_a_transition(api: httpx.Client) -> None:
    made = a_key(api, a_workspace(api), "configs.list")
    path = f"/api-keys/{made['id']}"
    refused(api.post(f"{path}/rotate", json={"key_transition_period_ms": HALF_AN_HOUR - 1}), 400, "AB01")
    rotated = done(api.post(f"{path}/rotate", json={"key_transition_period_ms": HALF_AN_HOUR}))
    assert rotated["id"] == made["id"]
    assert rotated["key"] != made["key"]
    assert opens(api, made["key"])
    assert opens(api, rotated["key"])
    assert "still in transition" in refused(api.post(f"{path}/rotate"), 400, "AB01")
    assert rotated["key"] not in api.get(path).text


def test_the_former_value_opens_nothing_after_the_transition(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_PORTKEY_TRANSITION_SECONDS", "0")
    made = a_key(api, a_workspace(api), "configs.list")
    second = done(api.post(f"/api-keys/{made['id']}/rotate", json={}))["key"]
    assert (opens(api, made["key"]), opens(api, second)) == (False, True)
    third = done(api.post(f"/api-keys/{made['id']}/rotate"))["key"]
    assert (opens(api, second), opens(api, third)) == (False, True)


def test_a_rotation_policy_is_kept_and_taken_away(api: httpx.Client) -> None:
    policy = {"rotation_period": "monthly", "key_transition_period_ms": HALF_AN_HOUR * 2}
    made = a_key(api, a_workspace(api), rotation_policy=policy)
    kept = done(api.get(f"/api-keys/{made['id']}"))["rotation_policy"]
    assert kept.pop("next_rotation_at")[8:] == "01T00:00:00.000Z"
    assert kept == policy
    done(api.put(f"/api-keys/{made['id']}", json={"rotation_policy": None}))
    assert "rotation_policy" not in done(api.get(f"/api-keys/{made['id']}"))


def test_the_vendors_sdk_makes_a_round_trip(emulator: Any) -> None:
    portkey_ai = pytest.importorskip("portkey_ai", reason="THE VENDOR'S SDK IS ABSENT: portkey-ai is not installed")
    exceptions = portkey_ai.api_resources.exceptions
    url, key = (emulator.credentials[name] for name in ("PORTKEY_BASE_URL", "PORTKEY_ADMIN_API_KEY"))
    # The client is a given one for the sake of the test, which sees to it that it is closed.
    client = httpx.Client(base_url=url)
    sdk = portkey_ai.Portkey(base_url=url, api_key=key, http_client=client)
    workspace = sdk.admin.workspaces.create(name="Sophia dev").id
    sdk.integrations.create(name="OpenAI", slug="openai", ai_provider_id="openai", key="sk-proj-0123456789")
    granted = [{"id": workspace, "enabled": True, "create_default_provider": False}]
    sdk.integrations.workspaces.update(slug="openai", workspaces=granted)
    provider = sdk.providers.create(name="Chat", slug="chat", integration_id="openai", workspace_id=workspace)
    assert sdk.providers.retrieve(slug=provider.slug, workspace_id=workspace).name == "Chat"
    config = sdk.configs.create(name="Chat", config={"provider": "@chat"}, workspace_id=workspace)
    updated = sdk.configs.update(slug=config.slug, config={"provider": "@chat", "cache": {"mode": "simple"}})
    assert sdk.configs.retrieve(slug=config.slug).version_id == updated.version_id != config.version_id
    checks = [{"id": "default.contains", "parameters": {"words": ["ssn"], "operator": "none"}}]
    guardrail = sdk.guardrails.create(name="g", workspace_id=workspace, checks=checks, actions={"deny": True})
    assert sdk.guardrails.retrieve(guardrail_id=guardrail.id).checks == checks
    collection = sdk.collections.create(name="Dunning", workspace_id=workspace)
    content = {"string": "Hello", "parameters": {}, "virtual_key": "chat"}
    prompt = sdk.prompts.create(name="Reminder", collection_id=collection.slug, **content)
    sdk.prompts.update(prompt_slug=prompt.slug, **content | {"string": "Good day"})
    sdk.prompts.publish(prompt_slug=prompt.slug, version=2)
    assert sdk.prompts.retrieve(prompt_slug=prompt.slug).string == "Good day"
    assert [v["prompt_version"] for v in sdk.prompts.versions.list(prompt_slug=prompt.slug).data] == [2, 1]
    scopes = ["completions.write"]
    minted = sdk.api_keys.create(type="workspace", sub_type="service", name="k", workspace_id=workspace, scopes=scopes)
    assert sdk.api_keys.retrieve(id=minted.id).scopes == scopes
    sdk.api_keys.delete(id=minted.id)
    with pytest.raises(exceptions.PermissionDeniedError, match="AB03"):
        sdk.api_keys.retrieve(id=minted.id)
    sdk.configs.delete(slug=config.slug)
    sdk.guardrails.delete(guardrail_id=guardrail.id)
    sdk.providers.delete(slug="chat", workspace_id=workspace)
    sdk.admin.workspaces.delete(workspace_id=workspace, name="Sophia dev")
    assert sdk.admin.workspaces.list().total == 0
    client.close()
