"""The OpenRouter emulator against the vendor's specification and the vendor's Python SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

from sandbox.openrouter import PLATFORM

SPEC = "openrouter/openrouter_openapi.yaml"
ABSENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def api(emulator: Any, spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """Holds every exchange against the specification."""
    key = emulator.credentials["OPENROUTER_MANAGEMENT_KEY"]
    with emulator.client(spec(SPEC), Authorization=f"Bearer {key}") as client:
        client.base_url = emulator.credentials["OPENROUTER_BASE_URL"]
        yield client


def created(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 201, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (("POST", "/keys", 201, {"name": "a", "limit_rest": "daily"}, None), "limit_rest is not a member"),
        (("POST", "/keys", 201, {"name": ""}, None), "request $.name"),
        (("POST", "/keys", 201, None, None), "a body is expected"),
        (("GET", "/api/v1/keys?ofset=1", 200, None, {"data": []}), "ofset is not a parameter"),
        (("GET", "/keys", 200, None, {"data": [{"hash": 5}]}), "response $.data[0]"),
        (("GET", "/keys", 204, None, None), "204 is not documented"),
        (("GET", "/kesy", 200, None, None), "no operation GET /kesy"),
    ],
)
def test_the_check_against_a_specification_finds_mistakes(
    spec: Callable[[str], Any], exchange: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        spec(SPEC).check(*exchange)


def test_faults_look_like_the_platforms_own(spec: Callable[[str], Any]) -> None:
    failed = PLATFORM.failure(429, "slow down")
    assert json.loads(bytes(failed.body)) == {"error": {"code": 429, "message": "slow down"}}
    spec(SPEC).check("GET", "/keys", failed.status_code, None, json.loads(bytes(failed.body)))


def test_a_key_is_shown_once_and_known_by_its_hash(api: httpx.Client) -> None:
    answered = api.post("/keys", json={"name": "mcp-gong", "limit": 50, "limit_reset": "monthly"}).json()
    key, secret = answered["data"], answered["key"]
    assert secret.startswith("sk-or-v1-")
    assert key["limit_remaining"] == 50
    for shown in (api.get(f"/keys/{key['hash']}"), api.get("/keys"), api.patch(f"/keys/{key['hash']}", json={})):
        assert secret not in shown.text
    assert key["label"].startswith(secret[:12])
    assert "..." in key["label"]


def test_the_sandbox_keeps_no_key(api: httpx.Client, emulator: Any) -> None:
    secret = api.post("/keys", json={"name": "mcp-gong"}).json()["key"]
    assert secret not in str(emulator.app.state.stores("openrouter").all("key"))


def test_a_minted_key_opens_its_own_record_and_no_administration(api: httpx.Client) -> None:
    secret = api.post("/keys", json={"name": "mcp-gong", "limit": 5}).json()["key"]
    bearer = {"Authorization": f"Bearer {secret}"}
    current = api.get("/key", headers=bearer).json()["data"]
    assert (current["limit"], current["is_management_key"]) == (5, False)
    refused = api.post("/keys", json={"name": "another"}, headers=bearer)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == 403


@pytest.mark.parametrize("change", [{"disabled": True}, None])
def test_a_disabled_or_deleted_key_opens_nothing(api: httpx.Client, change: dict[str, Any] | None) -> None:
    answered = api.post("/keys", json={"name": "mcp-gong"}).json()
    path = f"/keys/{answered['data']['hash']}"
    assert (api.patch(path, json=change) if change else api.delete(path)).is_success
    assert api.get("/key", headers={"Authorization": f"Bearer {answered['key']}"}).status_code == 401


def test_key_names_are_not_unique(api: httpx.Client) -> None:
    first, second = (created(api.post("/keys", json={"name": "same"})) for _ in range(2))
    assert first["hash"] != second["hash"]


def test_changes_to_a_key_leave_the_rest(api: httpx.Client) -> None:
    key = created(api.post("/keys", json={"name": "a", "limit": 1, "limit_reset": "daily"}))
    changed = api.patch(f"/keys/{key['hash']}", json={"limit": None, "name": "b"}).json()["data"]
    assert (changed["name"], changed["limit"], changed["limit_reset"]) == ("b", None, "daily")
    assert changed["updated_at"]


def test_disabled_keys_are_listed_only_when_asked_for(api: httpx.Client) -> None:
    key = created(api.post("/keys", json={"name": "a"}))
    api.patch(f"/keys/{key['hash']}", json={"disabled": True})
    assert api.get("/keys").json()["data"] == []
    assert [k["hash"] for k in api.get("/keys", params={"include_disabled": "true"}).json()["data"]] == [key["hash"]]


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a", "limit": "50"}, "limit"),
        ({"name": "a", "limit_reset": "yearly"}, "limit_reset"),
        ({"name": "a", "expires_at": "2027-01-01T00:00:00+02:00"}, "expires_at"),
        ({"name": "a", "expires_at": "soon"}, "expires_at"),
        ({"name": "a", "workspace_id": ABSENT}, "workspace_id"),
    ],
)
def test_a_wrong_key_is_refused_by_name(api: httpx.Client, sent: dict[str, Any], named: str) -> None:
    refused = api.post("/keys", json=sent)
    assert refused.status_code == 400
    assert named in refused.json()["error"]["message"]


def test_lists_are_paged(api: httpx.Client) -> None:
    names = [f"guardrail-{number}" for number in range(5)]
    for name in names:
        created(api.post("/guardrails", json={"name": name}))
    page = api.get("/guardrails", params={"limit": 2, "offset": 3}).json()
    assert ([found["name"] for found in page["data"]], page["total_count"]) == (names[3:], 5)
    assert api.get("/guardrails", params={"limit": 101}).status_code == 400
    models = api.get("/models", params={"limit": 1}, headers={"Authorization": ""}).json()
    assert models["links"]["next"]


def test_a_guardrail_lives(api: httpx.Client) -> None:
    sent = {
        "name": "default",
        "limit_usd": 100,
        "reset_interval": "monthly",
        "allowed_providers": ["anthropic", "openai"],
        "enforce_zdr": True,
        "enforce_zdr_xai": False,
        "content_filter_builtins": [{"slug": "credit-card", "action": "redact"}],
    }
    guardrail = created(api.post("/guardrails", json=sent))
    assert (guardrail["enforce_zdr_openai"], guardrail["enforce_zdr_xai"]) == (True, False)
    assert guardrail["content_filter_builtins"][0]["label"] == "[CREDIT_CARD]"
    path = f"/guardrails/{guardrail['id']}"
    changed = api.patch(path, json={"allowed_providers": ["anthropic"]}).json()["data"]
    assert (changed["allowed_providers"], changed["limit_usd"]) == (["anthropic"], 100)
    assert api.delete(path).json() == {"deleted": True}
    assert api.get(path).status_code == 404
    assert api.patch(path, json={"name": "back"}).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"allowed_models": []}, {"reset_interval": "lifetime"}, {"content_filters": [{"pattern": "x"}]}]
)
def test_a_wrong_guardrail_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    assert api.post("/guardrails", json={"name": "g"} | wrong).status_code == 400


def test_a_key_has_one_guardrail_at_most(api: httpx.Client) -> None:
    key = created(api.post("/keys", json={"name": "mcp"}))["hash"]
    first, second = (created(api.post("/guardrails", json={"name": name}))["id"] for name in ("one", "two"))
    for guardrail in (first, second):
        sent = {"key_hashes": [key]}
        assert api.post(f"/guardrails/{guardrail}/assignments/keys", json=sent).json() == {"assigned_count": 1}
    assert api.get(f"/guardrails/{first}/assignments/keys").json()["total_count"] == 0
    everywhere = api.get("/guardrails/assignments/keys").json()["data"]
    assert [(found["guardrail_id"], found["key_name"]) for found in everywhere] == [(second, "mcp")]
    removed = api.post(f"/guardrails/{second}/assignments/keys/remove", json={"key_hashes": [key, key]}).json()
    assert removed == {"unassigned_count": 1}


def test_an_unknown_key_cannot_be_assigned(api: httpx.Client) -> None:
    guardrail = created(api.post("/guardrails", json={"name": "g"}))["id"]
    key = created(api.post("/keys", json={"name": "mcp"}))["hash"]
    refused = api.post(f"/guardrails/{guardrail}/assignments/keys", json={"key_hashes": [key, "none"]})
    assert refused.status_code == 400
    assert api.get(f"/guardrails/{guardrail}/assignments/keys").json()["data"] == []


def test_the_default_guardrail_appears_when_it_is_configured(api: httpx.Client) -> None:
    workspace = created(api.post("/workspaces", json={"name": "Dev", "slug": "sophia-dev"}))
    path = f"/guardrails/{workspace['default_guardrail_id']}"
    assert api.get(path).status_code == 404
    assert api.patch(path, json={"limit_usd": 20}).json()["data"]["workspace_id"] == workspace["id"]
    assert api.get(path).json()["data"]["limit_usd"] == 20


def test_a_workspace_is_found_by_slug_and_slugs_are_unique(api: httpx.Client) -> None:
    workspace = created(api.post("/workspaces", json={"name": "Dev", "slug": "sophia-dev"}))
    assert api.get("/workspaces/sophia-dev").json()["data"]["id"] == workspace["id"]
    for slug in ("sophia-dev", "Sophia", "a--b"):
        assert api.post("/workspaces", json={"name": "Other", "slug": slug}).status_code == 400
    renamed = api.patch("/workspaces/sophia-dev", json={"slug": "dev"}).json()["data"]
    assert (renamed["slug"], renamed["name"]) == ("dev", "Dev")


def test_a_workspace_with_keys_stays(api: httpx.Client) -> None:
    workspace = created(api.post("/workspaces", json={"name": "Dev", "slug": "dev"}))["id"]
    key = created(api.post("/keys", json={"name": "mcp", "workspace_id": workspace}))
    assert api.get("/keys").json()["data"] == []
    assert len(api.get("/keys", params={"workspace_id": workspace}).json()["data"]) == 1
    assert api.delete("/workspaces/dev").status_code == 400
    api.delete(f"/keys/{key['hash']}")
    assert api.delete("/workspaces/dev").json() == {"deleted": True}
    assert api.delete("/workspaces/default").status_code == 403


def test_budgets_are_upserted_and_narrow_with_the_interval(api: httpx.Client) -> None:
    created(api.post("/workspaces", json={"name": "Dev", "slug": "dev"}))
    monthly = api.put("/workspaces/dev/budgets/monthly", json={"limit_usd": 100}).json()["data"]
    assert monthly["reset_interval"] == "monthly"
    refused = api.put("/workspaces/dev/budgets/daily", json={"limit_usd": 100})
    assert "monthly" in refused.json()["error"]["message"]
    again = api.put("/workspaces/dev/budgets/monthly", json={"limit_usd": 80, "include_byok_in_budgets": True}).json()
    assert (again["data"]["id"], again["data"]["limit_usd"]) == (monthly["id"], 80)
    assert api.get("/workspaces/dev/budgets").json()["include_byok_in_budgets"] is True
    assert api.put("/workspaces/dev/budgets/lifetime", json={"limit_usd": 900}).json()["data"]["reset_interval"] is None
    for _ in range(2):
        assert api.delete("/workspaces/dev/budgets/monthly").json() == {"deleted": True}
    assert api.get("/workspaces/dev/budgets/monthly").status_code == 404
    assert api.put("/workspaces/dev/budgets/hourly", json={"limit_usd": 1}).status_code == 400
    assert api.put("/workspaces/dev/budgets/daily", json={"limit_usd": 0}).status_code == 400


def test_without_a_key_nothing_opens(api: httpx.Client) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer sk-or-v1-wrong"}):
        refused = api.get("/keys", headers=headers)
        assert refused.status_code == 401
        assert set(refused.json()["error"]) == {"code", "message"}


def test_credits_are_for_managers(api: httpx.Client) -> None:
    assert api.get("/credits").json()["data"]["total_usage"] == 0


def test_the_vendors_sdk_manages_keys_guardrails_and_budgets(emulator: Any) -> None:
    credentials = emulator.credentials
    with OpenRouter(
        api_key=credentials["OPENROUTER_MANAGEMENT_KEY"], server_url=credentials["OPENROUTER_BASE_URL"]
    ) as sdk:
        workspace = sdk.workspaces.create(name="Dev", slug="dev").data
        key = sdk.api_keys.create(name="mcp-gong", limit=10, limit_reset="monthly", workspace_id=workspace.id)
        assert sdk.api_keys.get(hash=key.data.hash).data.name == "mcp-gong"
        assert sdk.api_keys.update(hash=key.data.hash, disabled=True).data.disabled
        guardrail = sdk.guardrails.create(name="g", limit_usd=5, workspace_id=workspace.id).data
        assigned = sdk.guardrails.bulk_assign_keys(id=guardrail.id, key_hashes=[key.data.hash])
        assert assigned.assigned_count == 1
        page = sdk.guardrails.list(workspace_id=workspace.id)
        assert page is not None
        assert [found.id for found in page.result.data] == [guardrail.id]
        budget = sdk.workspaces.set_budget(workspace_ref=workspace.slug, interval="daily", limit_usd=3).data
        assert budget.limit_usd == 3
        sdk.workspaces.delete_budget(workspace_ref=workspace.slug, interval="daily")
        sdk.guardrails.delete(id=guardrail.id)
        sdk.api_keys.delete(hash=key.data.hash)
        with pytest.raises(OpenRouterError, match="API key not found"):
            sdk.api_keys.get(hash=key.data.hash)
        assert sdk.workspaces.delete(id=workspace.id).DELETED
