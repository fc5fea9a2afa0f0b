"""The OpenRouter emulator's newer kinds against the vendor's specification and its Python SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter, components
from openrouter.errors import OpenRouterError

from sandbox.openrouter import PLATFORM

SPEC = "openrouter/openrouter_openapi.yaml"
MEMBER = "user_2sandbox00000000000000001"
LANGFUSE = {"publicKey": "pk-lf-hunter2-hunter2", "secretKey": "sk-lf-hunter2-hunter2"}


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


@pytest.fixture
def sdk(emulator: Any) -> Iterator[OpenRouter]:
    credentials = emulator.credentials
    with OpenRouter(
        api_key=credentials["OPENROUTER_MANAGEMENT_KEY"], server_url=credentials["OPENROUTER_BASE_URL"]
    ) as client:
        yield client


def made(response: httpx.Response) -> dict[str, Any]:
    assert response.is_success, response.text
    data: dict[str, Any] = response.json()["data"]
    return data


def said(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    message: str = response.json()["error"]["message"]
    return message


def test_a_providers_key_is_never_shown_and_can_be_replaced(api: httpx.Client) -> None:
    sent = {"provider": "anthropic", "key": "sk-ant-first", "name": "Ours"}
    first, second = made(api.post("/byok", json=sent)), made(api.post("/byok", json={**sent, "is_fallback": True}))
    assert (first["sort_order"], second["sort_order"]) == (0, 1)
    path = f"/byok/{first['id']}"
    renewed = made(api.patch(path, json={"key": "sk-ant-second"}))
    assert renewed["label"] != first["label"]
    assert "sk-ant-second" not in api.get(path).text + api.get("/byok").text
    assert [c["id"] for c in api.get("/byok", params={"provider": "openai"}).json()["data"]] == []
    assert api.delete(path).json() == {"deleted": True}
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"provider": "antropic"}, "provider"),
        ({"key": ""}, "key"),
        ({"allowed_api_key_hashes": []}, "allowed_api_key_hashes"),
        ({"allowed_api_key_hashes": ["0" * 64]}, "there is no API key"),
    ],
)
def test_a_wrong_credential_is_refused_by_name(api: httpx.Client, wrong: dict[str, Any], named: str) -> None:
    assert named in said(api.post("/byok", json={"provider": "openai", "key": "sk", **wrong}))


def test_a_destination_is_tried_masked_and_one_of_five(api: httpx.Client) -> None:
    sent = {"type": "langfuse", "name": "Traces", "config": LANGFUSE}
    path = f"/observability/destinations/{made(api.post('/observability/destinations', json=sent))['id']}"
    shown = made(api.get(path))
    assert shown["config"]["secretKey"] == "sk-l...ter2"
    kept = made(api.patch(path, json={"config": {"secretKey": shown["config"]["secretKey"]}, "enabled": False}))
    assert (kept["config"], kept["enabled"]) == (shown["config"], False)
    away = {**sent, "config": {**LANGFUSE, "baseUrl": "https://langfuse.invalid"}}
    assert "Connection test failed" in said(api.post("/observability/destinations", json=away))
    assert "config.publicKey" in said(
        api.post("/observability/destinations", json={**sent, "config": {"secretKey": "x"}})
    )
    for _ in range(4):
        made(api.post("/observability/destinations", json=sent))
    assert "maximum of 5" in said(api.post("/observability/destinations", json=sent))
    made(
        api.post("/observability/destinations", json={"type": "webhook", "name": "W", "config": {"url": "https://a.b"}})
    )
    assert api.get("/observability/destinations").json()["total_count"] == 6


def test_rules_of_a_destination_name_what_there_is(api: httpx.Client) -> None:
    rules = {"groups": [{"rules": [{"field": "total_cost", "operator": "gt", "value": 1}]}]}
    sent = {"type": "langfuse", "name": "Dear ones", "config": LANGFUSE, "filter_rules": rules}
    assert made(api.post("/observability/destinations", json=sent))["filter_rules"]["groups"][0]["logic"] == "and"
    rules["groups"][0]["rules"][0]["field"] = "price"
    assert "filter_rules" in said(api.post("/observability/destinations", json=sent))


def test_each_write_of_a_preset_is_a_version_and_none_can_be_deleted(api: httpx.Client) -> None:
    ask = {"role": "user", "content": "Hello!"}
    chat = {
        "model": "openai/gpt-5-mini",
        "temperature": 0.2,
        "messages": [{"role": "system", "content": "Be short."}, ask],
    }
    first = made(api.post("/presets/mine/chat/completions", json=chat))["designated_version"]
    assert (first["version"], first["system_prompt"]) == (1, "Be short.")
    assert first["config"] == {"model": "openai/gpt-5-mini", "temperature": 0.2}, "what was asked is not kept"
    messages = {"model": "openai/gpt-5.2", "max_tokens": 9, "messages": [ask], "system": "Be long."}
    made(api.post("/presets/mine/messages", json=messages))
    made(
        api.post("/presets/mine/responses", json={"model": "openai/gpt-5.2", "instructions": "Be kind.", "input": "-"})
    )
    versions = api.get("/presets/mine/versions").json()["data"]
    assert [one["system_prompt"] for one in versions] == ["Be short.", "Be long.", "Be kind."]
    assert made(api.get("/presets/mine"))["designated_version"]["version"] == 3
    assert made(api.get("/presets/mine/versions/2"))["config"] == {"model": "openai/gpt-5.2", "max_tokens": 9}
    assert [preset["slug"] for preset in api.get("/presets").json()["data"]] == ["mine"]
    assert api.get("/presets/none").status_code == 404


def test_members_are_shown_and_put_under_guardrails_only(api: httpx.Client) -> None:
    people = api.get("/organization/members").json()
    assert MEMBER in [person["id"] for person in people["data"]]
    one, two = (made(api.post("/guardrails", json={"name": name}))["id"] for name in ("one", "two"))
    for guardrail in (one, two):
        path = f"/guardrails/{guardrail}/assignments/members"
        assert api.post(path, json={"member_user_ids": [MEMBER]}).json() == {"assigned_count": 1}
    assert [a["guardrail_id"] for a in api.get("/guardrails/assignments/members").json()["data"]] == [two]
    assert "no member" in said(api.post(f"/guardrails/{one}/assignments/members", json={"member_user_ids": ["who"]}))
    workspace = made(api.post("/workspaces", json={"name": "Dev", "slug": "dev"}))["id"]
    assert api.post("/workspaces/dev/members/add", json={"user_ids": [MEMBER]}).json()["added_count"] == 1
    assert [m["user_id"] for m in api.get(f"/workspaces/{workspace}/members").json()["data"]] == [MEMBER]
    assert api.post("/workspaces/dev/members/remove", json={"user_ids": [MEMBER]}).json() == {"removed_count": 1}
    api.delete(f"/guardrails/{two}")
    assert api.get("/guardrails/assignments/members").json()["data"] == []


def test_models_have_prices_and_can_be_lost(api: httpx.Client, emulator: Any) -> None:
    def slugs(**params: Any) -> set[str]:
        return {model["id"] for model in api.get("/models", params=params).json()["data"]}

    assert "anthropic/claude-sonnet-4.5" in slugs()
    assert "openai/text-embedding-3-small" not in slugs()
    assert "openai/text-embedding-3-small" in slugs(output_modalities="all")
    assert slugs() > slugs(zdr="true") > slugs(zdr="true", context=500000)
    assert "deepseek/deepseek-r1-0528:free" not in slugs(supported_parameters="tools")
    assert slugs(input_modalities="text,audio") <= slugs(input_modalities="audio")
    found = made(api.get("/model/openai/gpt-5.2"))
    assert (found["canonical_slug"], found["pricing"]["prompt"]) == ("openai/gpt-5.2-20251211", "0.00000175")
    assert made(api.get("/model/openai/gpt-5.2-20251211"))["id"] == "openai/gpt-5.2"
    assert {
        model["architecture"]["output_modalities"][0] for model in api.get("/embeddings/models").json()["data"]
    } == {"embeddings"}
    emulator.app.state.stores("openrouter").delete("model", "openai/gpt-5.2")
    assert "openai/gpt-5.2" not in slugs()
    assert api.get("/model/openai/gpt-5.2").status_code == 404


def test_the_vendors_sdk_makes_a_round_trip_over_the_newer_kinds(sdk: OpenRouter) -> None:
    workspace = sdk.workspaces.create(name="Dev", slug="dev").data.id
    key = sdk.api_keys.create(name="web", workspace_id=workspace, limit=5).data.hash

    credential = sdk.byok.create(
        provider="anthropic", key="sk-ant-hunter2", name="Ours", workspace_id=workspace, allowed_api_key_hashes=[key]
    ).data
    assert sdk.byok.update(id=credential.id, is_fallback=True).data.is_fallback
    assert sdk.byok.get(id=credential.id).data.allowed_api_key_hashes == [key]
    sdk.byok.delete(id=credential.id)

    destination = sdk.observability.create(type_="langfuse", name="T", config=LANGFUSE, workspace_id=workspace).data
    assert isinstance(destination, components.ObservabilityLangfuseDestination)
    assert sdk.observability.update(id=destination.id, privacy_mode=True).data.model_dump()["privacy_mode"]
    page = sdk.observability.list(workspace_id=workspace)
    assert page is not None
    assert [one.model_dump()["id"] for one in page.result.data] == [destination.id]
    sdk.observability.delete(id=destination.id)

    preset = sdk.presets.create_presets_chat_completions(
        slug="dev-summary",
        model="openai/gpt-5-mini",
        messages=[components.ChatSystemMessage(role="system", content="Be short.")],
    ).data
    assert preset.designated_version is not None
    assert preset.designated_version.system_prompt == "Be short."
    assert sdk.presets.get(slug="dev-summary").data.slug == "dev-summary"

    guardrail = sdk.guardrails.create(
        name="g",
        workspace_id=workspace,
        content_filter_builtins=[components.ContentFilterBuiltinEntryInput(slug="ssn", action="redact")],
        content_filters=[components.ContentFilterEntry(pattern="x", action="flag")],
    ).data
    assert sdk.guardrails.bulk_assign_members(id=guardrail.id, member_user_ids=[MEMBER]).assigned_count == 1
    members = sdk.organization.list_members()
    assert members is not None
    assert MEMBER in [person.id for person in members.result.data]
    models = sdk.models.list()
    assert models is not None
    with pytest.raises(OpenRouterError, match="not found"):
        sdk.byok.get(id=credential.id)
