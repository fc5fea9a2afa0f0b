"""The Portkey emulator against the vendor's specification: workspaces, people, integrations, providers, policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.portkey import PLATFORM
from tests.contract.portkey_calls import (
    ABSENT,
    ACTIONS,
    CONTAINS,
    ORGANISATION,
    OWNER,
    a_guardrail,
    a_key,
    a_provider,
    a_workspace,
    an_integration,
    as_key,
    done,
    refused,
)
from tests.contract.portkey_specification import SPEC, corrected


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


def test_faults_look_like_the_platforms_own() -> None:
    failed = PLATFORM.failure(429, "slow down")
    assert json.loads(bytes(failed.body)) == {"success": False, "data": {"message": "slow down", "errorCode": "AB06"}}
    assert json.loads(bytes(PLATFORM.failure(503, "later").body))["data"]["errorCode"] == "AB04"


def test_without_a_key_nothing_opens(api: httpx.Client) -> None:
    for key in ("", "pk-wrong"):
        refused(api.get("/admin/workspaces", headers=as_key(key)), 401, "AB05")


def test_a_workspace_lives(api: httpx.Client) -> None:
    limits = {"usage_limits": [{"type": "cost", "credit_limit": 500, "periodic_reset": "monthly"}]}
    sent = {"name": "Sophia dev", "description": "Development", "defaults": {"metadata": {"stage": "dev"}}} | limits
    made = done(api.post("/admin/workspaces", json=sent))
    assert made["slug"].startswith("ws-sophia-dev-")
    for named in (made["id"], made["slug"]):
        assert done(api.get(f"/admin/workspaces/{named}"))["usage_limits"] == limits["usage_limits"]
    assert done(api.put(f"/admin/workspaces/{made['id']}", json={"description": "Dev", "usage_limits": None})) == {}
    changed = done(api.get(f"/admin/workspaces/{made['id']}"))
    assert (changed["name"], changed["description"], "usage_limits" in changed) == ("Sophia dev", "Dev", False)
    assert api.request("DELETE", f"/admin/workspaces/{made['id']}", json={"name": "Sophia dev"}).is_success
    refused(api.get(f"/admin/workspaces/{made['id']}"), 403, "AB03")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": ""},
        {"name": 5},
        {"name": "a", "rate_limits": [{"type": "requests", "unit": "rps", "value": 1}]},
        {"name": "a", "usage_limits": [{"credit_limit": 10, "alert_threshold": 10}]},
        {"name": "a", "usage_limits": [{"credit_limit": 1}, {"credit_limit": 2}]},
        {"name": "a", "usage_limits": [{"periodic_reset": "monthly", "periodic_reset_days": 3}]},
    ],
)
def test_a_wrong_workspace_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    refused(api.post("/admin/workspaces", json=wrong), 400, "AB01")


def test_workspace_names_are_unique_and_found(api: httpx.Client) -> None:
    a_workspace(api, "Sophia dev")
    a_workspace(api, "Sophia dev 2")
    refused(api.post("/admin/workspaces", json={"name": "Sophia dev"}), 409, "AB07")
    for query, count in (({"name": "Sophia"}, 2), ({"exact_name": "Sophia dev"}, 1), ({"exact_name": "Sophia"}, 0)):
        assert done(api.get("/admin/workspaces", params=query))["total"] == count
    page = done(api.get("/admin/workspaces", params={"page_size": 1, "current_page": 1}))
    assert ([one["name"] for one in page["data"]], page["total"]) == (["Sophia dev 2"], 2)
    refused(api.get("/admin/workspaces", params={"page_size": 0}), 400, "AB01")


def test_a_workspace_in_use_stays_unless_it_is_forced(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    a_provider(api, workspace)
    path = f"/admin/workspaces/{workspace}"
    refused(api.request("DELETE", path, json={"name": "sophia dev"}), 400, "AB01")
    assert "Virtual Keys" in refused(api.request("DELETE", path, json={"name": "Sophia dev"}), 409, "AB07")
    assert api.request("DELETE", path, json={"name": "Sophia dev", "force_delete": True}).is_success
    done(api.delete("/integrations/openai-dev"))


def test_the_organisation_has_users_whom_only_invitations_add_to(api: httpx.Client) -> None:
    workspace = done(api.post("/admin/workspaces", json={"name": "Dev"}))["slug"]
    users = done(api.get("/admin/users"))
    assert [user["role"] for user in users["data"]] == ["owner", "admin", "member"]
    member = users["data"][2]
    assert done(api.get("/admin/users", params={"email": member["email"]}))["total"] == 1
    done(api.put(f"/admin/users/{member['id']}", json={"role": "admin"}))
    refused(api.put(f"/admin/users/{member['id']}", json={"role": "admin"}), 400, "AB01")
    refused(api.delete(f"/admin/users/{OWNER}"), 403, "AB03")

    sent = {"email": "ann@payready.example", "role": "member", "workspaces": [{"id": workspace, "role": "manager"}]}
    invite = done(api.post("/admin/users/invites", json=sent))["id"]
    refused(api.post("/admin/users/invites", json=sent), 409, "AB07")
    refused(api.post("/admin/users/invites", json=sent | {"email": "ann"}), 400, "AB01")
    assert done(api.get(f"/admin/users/invites/{invite}"))["status"] == "pending"
    assert done(api.post(f"/admin/users/invites/{invite}/resend"))["inviteLink"]
    assert done(api.get("/admin/users/invites", params={"pageSize": 1, "status": "pending"}))["total"] == 1
    done(api.delete(f"/admin/users/invites/{invite}"))
    refused(api.get(f"/admin/users/invites/{invite}"), 404, "AB08")


def test_members_join_and_leave_a_workspace(api: httpx.Client) -> None:
    path = f"/admin/workspaces/{a_workspace(api)}/users"
    done(api.post(path, json={"users": [{"id": OWNER, "role": "manager"}]}))
    refused(api.post(path, json={"users": [{"id": OWNER, "role": "member"}]}), 409, "AB07")
    refused(api.post(path, json={"users": [{"id": ABSENT, "role": "member"}]}), 404, "AB08")
    refused(api.post(path, json={"users": [{"id": OWNER, "role": "owner"}]}), 400, "AB01")
    done(api.put(f"{path}/{OWNER}", json={"role": "admin"}))
    assert done(api.get(f"{path}/{OWNER}"))["role"] == "admin"
    assert [member["id"] for member in done(api.get(path))["data"]] == [OWNER]
    done(api.delete(f"{path}/{OWNER}"))
    refused(api.get(f"{path}/{OWNER}"), 404, "AB08")


def test_an_integration_never_shows_its_key(api: httpx.Client, emulator: Any) -> None:
    slug = an_integration(
        api, configurations={"openai_project": "proj_1", "custom_headers": {"x-tenant": "acme-secret"}}
    )
    shown = api.get(f"/integrations/{slug}")
    assert done(shown)["masked_key"] == "sk****def"
    assert done(shown)["configurations"]["openai_project"] == "proj_1"
    done(api.put(f"/integrations/{slug}", json={"key": "sk-proj-fedcba9876543210", "name": "OpenAI"}))
    again = api.get(f"/integrations/{slug}")
    assert (done(again)["masked_key"], done(again)["name"]) == ("sk****210", "OpenAI")
    for secret in ("0123456789abcdef", "fedcba9876543210", "acme-secret"):
        assert secret not in shown.text + again.text
        assert secret not in str(emulator.app.state.stores("portkey").all("integration"))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"ai_provider_id": "opneai"}, "ai_provider_id"),
        ({"key": None}, "key"),
        ({"slug": "with space"}, "slug"),
        ({"ai_provider_id": "azure-openai"}, "azure_resource_name"),
        ({"secret_mappings": [{"target_field": "key", "secret_reference_id": "vault"}]}, "secret_mappings"),
    ],
)
def test_a_wrong_integration_is_refused_by_name(api: httpx.Client, wrong: dict[str, Any], named: str) -> None:
    sent = {"name": "OpenAI", "slug": "openai-dev", "ai_provider_id": "openai", "key": "sk-1"} | wrong
    assert named in refused(api.post("/integrations", json=sent), 400, "AB01")


def test_an_integrations_slug_is_unique_and_stays(api: httpx.Client) -> None:
    an_integration(api)
    sent = {"name": "x", "slug": "openai-dev", "ai_provider_id": "anthropic", "key": "sk-1"}
    refused(api.post("/integrations", json=sent), 409, "AB07")
    refused(api.get("/integrations/absent"), 404, "AB08")
    assert done(api.get("/integrations", params={"type": "workspace"}))["total"] == 0
    assert done(api.get("/integrations", params={"type": "organisation"}))["total"] == 1


def test_an_integration_is_opened_to_workspaces(api: httpx.Client) -> None:
    first, second = a_workspace(api, "one"), a_workspace(api, "two")
    path = f"/integrations/{an_integration(api)}/workspaces"
    limits = [{"type": "cost", "credit_limit": 50, "periodic_reset": "monthly"}]
    sent = [{"id": first, "enabled": True, "usage_limits": limits}, {"id": second, "enabled": True}]
    done(api.put(path, json={"workspaces": sent[:1]}))
    done(api.put(path, json={"workspaces": sent[1:], "create_default_provider": False}))
    listed = done(api.get(path))
    assert (listed["total"], listed["workspaces"][0]["usage_limits"]) == (2, limits)
    assert listed["workspaces"][0]["id"].startswith("ws-one-")
    # A provider comes with the access unless it is said not to.
    assert [p["slug"] for p in done(api.get("/providers", params={"workspace_id": first}))["data"]] == ["openai-dev"]
    assert done(api.get("/providers", params={"workspace_id": second}))["data"] == []
    done(api.put(path, json={"workspaces": [{"id": second, "enabled": False}]}))
    provider = {"name": "p", "integration_id": "openai-dev", "workspace_id": second}
    assert "integration_id" in refused(api.post("/providers", json=provider), 400, "AB01")
    refused(api.put(path, json={"workspaces": [{"id": ABSENT, "enabled": True}]}), 403, "AB03")


def test_global_access_is_for_the_workspaces_to_come(api: httpx.Client) -> None:
    before = a_workspace(api, "before")
    path = f"/integrations/{an_integration(api)}/workspaces"
    done(api.put(path, json={"global_workspace_access": {"enabled": True}}))
    after = a_workspace(api, "after")
    assert [p["slug"] for p in done(api.get("/providers", params={"workspace_id": after}))["data"]] == ["openai-dev"]
    assert done(api.get("/providers", params={"workspace_id": before}))["data"] == []


def test_the_models_of_an_integration(api: httpx.Client) -> None:
    path = f"/integrations/{an_integration(api)}/models"
    assert all(model["enabled"] for model in done(api.get(path))["models"])
    price = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}
    custom = {"slug": "gpt-4o-payready", "enabled": True, "is_custom": True, "base_model_slug": "gpt-4o"}
    sent = [{"slug": "gpt-4o", "enabled": True}, custom | {"pricing_config": price}]
    done(api.put(path, json={"models": sent, "allow_all_models": False}))
    enabled = {model["slug"] for model in done(api.get(path))["models"] if model["enabled"]}
    assert enabled == {"gpt-4o", "gpt-4o-payready"}
    assert "gpt-5-typo" in refused(
        api.put(path, json={"models": [{"slug": "gpt-5-typo", "enabled": True}]}), 400, "AB01"
    )
    refused(api.delete(path, params={"slugs": "gpt-4o"}), 400, "AB01")
    done(api.delete(path, params={"slugs": "gpt-4o-payready"}))
    assert "gpt-4o-payready" not in api.get(path).text


def test_a_provider_lives_in_its_workspace(api: httpx.Client) -> None:
    first, second = a_workspace(api, "one"), a_workspace(api, "two")
    for workspace in (first, second):
        assert a_provider(api, workspace) == "openai-chat"
    again = {"name": "x", "slug": "openai-chat", "integration_id": "openai-dev", "workspace_id": first}
    refused(api.post("/providers", json=again), 409, "AB07")
    path, here = "/providers/openai-chat", {"workspace_id": first}
    refused(api.get(path), 400, "AB01")
    limits = {"type": "cost", "credit_limit": 10, "alert_threshold": 8}
    done(api.put(path, params=here, json={"note": "chat", "usage_limits": limits}))
    shown = done(api.get(path, params=here))
    assert (shown["note"], shown["usage_limits"], shown["integration_id"]) == ("chat", limits, "openai-dev")
    assert "note" not in done(api.get(path, params={"workspace_id": second}))
    done(api.delete(path, params=here))
    refused(api.get(path, params=here), 403, "AB03")


def test_an_integrations_providers_go_with_it(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    a_provider(api, workspace)
    done(api.delete("/integrations/openai-dev"))
    refused(api.get("/integrations/openai-dev"), 404, "AB08")
    assert done(api.get("/providers", params={"workspace_id": workspace}))["total"] == 0
    an_integration(api)


def test_a_workspaces_own_integration_comes_with_a_provider(api: httpx.Client) -> None:
    workspace, other = a_workspace(api, "one"), a_workspace(api, "two")
    an_integration(api, "own", workspace_id=workspace, default_provider_slug="own-chat")
    an_integration(api, "bare", workspace_id=workspace, create_default_provider=False)
    listed = done(api.get("/providers", params={"workspace_id": workspace}))["data"]
    assert [provider["slug"] for provider in listed] == ["own-chat"]
    assert done(api.get("/integrations", params={"workspace_id": other}))["total"] == 0
    refused(api.put("/integrations/own/workspaces", json={"workspaces": [{"id": other, "enabled": True}]}), 400, "AB01")


def test_policies_are_archived_not_deleted(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    scope = {"conditions": [{"key": "workspace_id", "value": workspace}], "group_by": [{"key": "api_key"}]}
    usage = {
        "name": "Monthly",
        "type": "cost",
        "credit_limit": 500,
        "alert_threshold": 400,
        "periodic_reset": "monthly",
    }
    rate = {"name": "Pace", "type": "requests", "unit": "rpm", "value": 100}
    for path, sent, change in (
        ("/policies/usage-limits", usage, {"credit_limit": 600, "periodic_reset": None}),
        ("/policies/rate-limits", rate, {"value": 200, "unit": "rph"}),
    ):
        made = done(api.post(path, json=sent | scope | {"workspace_id": workspace}))["id"]
        assert done(api.get(path, params={"workspace_id": workspace, "type": str(sent["type"])}))["total"] == 1
        done(api.put(f"{path}/{made}", json=change))
        shown = done(api.get(f"{path}/{made}"))
        assert {name: shown.get(name) for name in change} == change
        assert shown["workspace_id"] == workspace
        done(api.delete(f"{path}/{made}"))
        refused(api.get(f"{path}/{made}"), 404, "AB08")
        assert done(api.get(f"{path}/{made}", params={"status": "archived"}))["status"] == "archived"
        assert done(api.get(path))["total"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"conditions": []},
        {"group_by": []},
        {"conditions": [{"key": "team", "value": "x"}]},
        {"group_by": [{"key": "metadata."}]},
        {"type": "requests"},
        {"credit_limit": 0},
        {"alert_threshold": 100},
        {"type": "tokens", "credit_limit": 99},
        {"periodic_reset": "daily"},
        {"workspace_id": None},
    ],
)
def test_a_wrong_policy_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    scope = {"conditions": [{"key": "metadata.team", "value": "x"}], "group_by": [{"key": "api_key"}]}
    sent = {"type": "cost", "credit_limit": 100, "workspace_id": a_workspace(api)} | scope | wrong
    refused(api.post("/policies/usage-limits", json=sent), 400, "AB01")


def test_a_workspaces_key_reaches_its_workspace_only(api: httpx.Client) -> None:
    mine, other = a_workspace(api, "mine"), a_workspace(api, "other")
    theirs = a_guardrail(api, other)
    key = a_key(api, mine, "guardrails.list", "guardrails.read", "guardrails.create", "workspaces.read")
    headers = as_key(key["key"])
    made = {"name": "g", "checks": [CONTAINS], "actions": ACTIONS}
    slug = done(api.post("/guardrails", headers=headers, json=made))["slug"]
    assert done(api.get(f"/guardrails/{slug}", headers=headers))["workspace_id"] == mine
    assert done(api.get("/guardrails", headers=headers))["total"] == 1
    refused(api.get("/guardrails", headers=headers, params={"workspace_id": other}), 403, "AB03")
    refused(api.get(f"/guardrails/{theirs['id']}", headers=headers), 403, "AB03")
    refused(api.get(f"/admin/workspaces/{other}", headers=headers), 403, "AB03")
    assert "guardrails.delete" in refused(api.delete(f"/guardrails/{slug}", headers=headers), 403, "AB03")


def test_the_organisations_guardrails_are_for_all(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    sent = {"name": "All", "organisation_id": ORGANISATION, "checks": [CONTAINS], "actions": ACTIONS}
    slug = done(api.post("/guardrails", json=sent))["slug"]
    headers = as_key(a_key(api, workspace, "guardrails.read", "guardrails.delete")["key"])
    assert done(api.get(f"/guardrails/{slug}", headers=headers))["workspace_id"] is None
    refused(api.delete(f"/guardrails/{slug}", headers=headers), 403, "AB03")
