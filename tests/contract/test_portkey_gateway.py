"""The Portkey emulator against the vendor's specification: configs, guardrails, prompts, partials, collections, labels."""

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
    a_guardrail,
    a_key,
    a_prompt,
    a_provider,
    a_workspace,
    as_key,
    done,
    refused,
)
from tests.contract.portkey_specification import SPEC, corrected


@pytest.fixture
def api(serve: Callable[[Any], Any], spec: Callable[[str], Any]) -> Iterator[httpx.Client]:
    """An organisation's key; every exchange is held against the specification."""
    emulator = serve(PLATFORM)
    headers = {"x-portkey-api-key": emulator.credentials["PORTKEY_ADMIN_API_KEY"]}
    with emulator.client(corrected(spec(SPEC)), **headers) as client:
        client.base_url = emulator.credentials["PORTKEY_BASE_URL"]
        yield client


def test_a_config_has_versions(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    provider, guardrail = a_provider(api, workspace), a_guardrail(api, workspace)["slug"]
    config = {
        "strategy": {"mode": "fallback", "on_status_codes": [429, 503]},
        "targets": [
            {"provider": f"@{provider}", "override_params": {"model": "gpt-4o"}},
            {
                "strategy": {"mode": "loadbalance"},
                "targets": [{"virtual_key": provider, "weight": 0.7}, {"provider": f"@{provider}", "weight": 0.3}],
            },
        ],
        "cache": {"mode": "semantic", "max_age": 600},
        "retry": {"attempts": 3, "on_status_codes": [429]},
        "input_guardrails": [guardrail],
    }
    made = done(api.post("/configs", json={"name": "Chat", "config": config, "workspace_id": workspace}))["data"]
    shown = done(api.get(f"/configs/{made['slug']}"))
    assert shown["data"]["config"] == json.loads(shown["config"]) == config
    changed = done(api.put(f"/configs/{made['slug']}", json={"name": "Chat 2", "config": {"provider": f"@{provider}"}}))
    versions = done(api.get(f"/configs/{made['id']}/versions"))
    assert [v["version_id"] for v in versions["data"]] == [changed["data"]["version_id"], made["version_id"]]
    assert json.loads(versions["data"][0]["config"]) == {"provider": f"@{provider}"}
    same = done(api.put(f"/configs/{made['slug']}", json={"name": "Chat 3"}))
    assert same["data"]["version_id"] == changed["data"]["version_id"]
    done(api.delete(f"/configs/{made['slug']}"))
    refused(api.get(f"/configs/{made['slug']}"), 403, "AB03")


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "config"),
        ({"provider": "@absent"}, "provider @absent"),
        ({"virtual_key": "absent"}, "provider absent"),
        ({"provider": "opneai", "api_key": "sk-1"}, "opneai"),
        ({"provider": "openai"}, "either"),
        ({"strategy": {"mode": "fallback"}}, "either"),
        ({"strategy": {"mode": "random"}, "targets": []}, "strategy.mode"),
        ({"strategy": {"mode": "single"}, "targets": [{"provider": "@absent"}]}, "targets[0].provider"),
        ({"strategy": {"mode": "conditional"}, "targets": [{"provider": "@openai-chat"}]}, "conditions"),
        ({"provider": "@openai-chat", "cache": {"mode": "clever"}}, "cache.mode"),
        ({"provider": "@openai-chat", "retry": {"on_status_codes": [500]}}, "retry.attempts"),
        ({"provider": "@openai-chat", "retries": {"attempts": 1}}, "retries"),
        ({"provider": "@openai-chat", "input_guardrails": ["pg-absent"]}, "input_guardrails[0]"),
    ],
)
def test_a_config_that_is_none_or_names_nothing_is_refused(
    api: httpx.Client, config: dict[str, Any], named: str
) -> None:
    workspace = a_workspace(api)
    a_provider(api, workspace)
    sent = {"name": "Chat", "config": config, "workspace_id": workspace}
    assert named in refused(api.post("/configs", json=sent), 400, "AB01")


def test_a_config_names_what_is_in_its_own_workspace(api: httpx.Client) -> None:
    first, second = a_workspace(api, "one"), a_workspace(api, "two")
    sent = {"name": "Chat", "config": {"provider": f"@{a_provider(api, first)}"}}
    assert "in this workspace" in refused(api.post("/configs", json=sent | {"workspace_id": second}), 400, "AB01")
    assert "workspace_id" in refused(api.post("/configs", json=sent), 400, "AB01")
    done(api.post("/configs", json=sent | {"workspace_id": first, "isDefault": 1}))
    done(api.post("/configs", json=sent | {"workspace_id": first, "isDefault": 1}))
    listed = done(api.get("/configs", params={"workspace_id": first}))["data"]
    assert [config["is_default"] for config in listed] == [0, 1]
    assert done(api.get("/configs", params={"workspace_id": second}))["data"] == []


def test_a_guardrail_lives(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    made = a_guardrail(api, workspace)
    for named in (made["id"], made["slug"]):
        assert done(api.get(f"/guardrails/{named}"))["checks"] == [CONTAINS]
    pii = {"id": "portkey.pii", "parameters": {"categories": ["SSN"], "redact": True}, "is_enabled": False}
    changed = done(api.put(f"/guardrails/{made['slug']}", json={"checks": [pii]}))
    assert changed["version_id"] != made["version_id"]
    shown = done(api.get(f"/guardrails/{made['slug']}"))
    assert (shown["checks"], shown["actions"], shown["name"]) == ([pii], ACTIONS, "No secrets")
    sent = {"name": "No secrets", "workspace_id": workspace, "checks": [CONTAINS], "actions": ACTIONS}
    refused(api.post("/guardrails", json=sent), 409, "AB07")
    assert done(api.get("/guardrails", params={"workspace_id": workspace}))["total"] == 1
    refused(api.get("/guardrails"), 400, "AB01")
    done(api.delete(f"/guardrails/{made['id']}"))
    refused(api.get(f"/guardrails/{made['slug']}"), 403, "AB03")


@pytest.mark.parametrize(
    ("checks", "named"),
    [
        ([], "checks"),
        ([{"id": "default.containz", "parameters": {}}], "default.containz"),
        ([CONTAINS, {"id": "default.regexMatch", "parameters": {}}], "checks[1].parameters.rule"),
        ([{"id": "default.contains", "parameters": {"words": "ssn", "operator": "any"}}], "words"),
        ([{"id": "default.contains", "parameters": {"words": ["ssn"], "operator": "one"}}], "operator"),
        ([{"id": "portkey.pii", "parameters": {"categories": ["PHONE"]}}], "PHONE"),
    ],
)
def test_a_wrong_guardrail_is_refused_by_name(api: httpx.Client, checks: list[Any], named: str) -> None:
    sent = {"name": "g", "workspace_id": a_workspace(api), "checks": checks, "actions": ACTIONS}
    assert named in refused(api.post("/guardrails", json=sent), 400, "AB01")


def test_a_prompts_versions_are_published_one_by_one(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    made = a_prompt(api, workspace, version_description="first")
    path = f"/prompts/{made['slug']}"
    first = done(api.get(path))
    assert (first["prompt_version"], first["virtual_key"], first["prompt_version_id"]) == (
        1,
        "openai-chat",
        made["version_id"],
    )
    second = done(api.put(path, json={"patch": True, "string": "Good day {{name}}"}))["prompt_version_id"]
    assert done(api.get(path))["string"] == "Hello {{name}}"
    latest = done(api.get(path, params={"version": "latest"}))
    assert (latest["string"], latest["model"], latest["prompt_version_status"]) == (
        "Good day {{name}}",
        "gpt-4o-mini",
        "archived",
    )
    versions = done(api.get(f"{path}/versions"))["data"]
    assert [(v["id"], v["prompt_version"]) for v in versions] == [(second, 2), (made["version_id"], 1)]
    done(api.put(f"{path}/makeDefault", json={"version": 2}))
    assert done(api.get(path))["prompt_version_id"] == second
    assert done(api.get(path, params={"version": "1"}))["string"] == "Hello {{name}}"
    refused(api.put(f"{path}/makeDefault", json={"version": 3}), 404, "AB08")
    assert done(api.put(path, json={"name": "Renamed"})) == {}
    listed = done(api.get("/prompts", params={"workspace_id": workspace, "search": "renam"}))
    assert [(p["name"], p["model"]) for p in listed["data"]] == [("Renamed", "gpt-4o-mini")]
    done(api.delete(path))
    refused(api.get(path), 404, "AB08")


def test_a_new_version_is_whole_unless_it_is_a_patch(api: httpx.Client) -> None:
    path = f"/prompts/{a_prompt(api, a_workspace(api))['id']}"
    said = refused(api.put(path, json={"name": "Renamed", "string": "Good day"}), 400, "AB01")
    assert "parameters, virtual_key" in said
    assert done(api.get(path))["name"] == "Reminder", "what is refused leaves nothing behind"
    whole = {"string": "Good day", "parameters": {}, "virtual_key": "openai-chat"}
    assert done(api.put(path, json=whole))["prompt_version_id"]
    assert "absent" in refused(api.put(path, json=whole | {"virtual_key": "absent"}), 400, "AB01")


@pytest.mark.parametrize("wrong", [{"virtual_key": "absent"}, {"parameters": []}, {"string": None}, {"name": ""}])
def test_a_wrong_prompt_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    workspace = a_workspace(api)
    sent = {"name": "p", "string": "s", "parameters": {}, "virtual_key": a_provider(api, workspace)}
    collection = done(api.get("/collections", params={"workspace_id": workspace}))["data"][0]["id"]
    refused(api.post("/prompts", json=sent | {"collection_id": collection} | wrong), 400, "AB01")
    refused(api.post("/prompts", json=sent | {"collection_id": ABSENT}), 404, "AB08")


def test_a_label_is_on_one_version_at_a_time(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    made = a_prompt(api, workspace)
    path = f"/prompts/{made['slug']}"
    second = done(api.put(path, json={"patch": True, "string": "two"}))["prompt_version_id"]
    label = done(api.post("/labels", json={"name": "production", "workspace_id": workspace}))["id"]
    for version in (made["version_id"], second):
        done(api.put(f"{path}/versions/{version}", json={"label_id": label}))
    labels = {v["id"]: v.get("label_id") for v in done(api.get(f"{path}/versions"))["data"]}
    assert labels == {made["version_id"]: None, second: label}
    assert done(api.get(f"{path}/versions/{second}"))["prompt_version_label_id"] == label
    refused(api.put(f"{path}/versions/{second}", json={"label_id": ABSENT}), 404, "AB08")
    done(api.put(f"/labels/{label}", json={"color_code": "#00aa00"}))
    assert done(api.get(f"/labels/{label}"))["color_code"] == "#00aa00"
    refused(api.post("/labels", json={"name": "production", "workspace_id": workspace}), 409, "AB07")
    done(api.delete(f"/labels/{label}"))
    assert "label_id" not in done(api.get(f"{path}/versions"))["data"][0]
    refused(api.get(f"/labels/{label}"), 404, "AB08")


@pytest.mark.parametrize("name", ["latest", "default", "7", "two words", "a@b", ""])
def test_a_label_cannot_be_taken_for_something_else(api: httpx.Client, name: str) -> None:
    refused(api.post("/labels", json={"name": name, "workspace_id": a_workspace(api)}), 400, "AB01")


def test_a_partials_versions_are_published_one_by_one(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    sent = {"name": "Tone", "string": "Be kind.", "workspace_id": workspace, "version_description": "first"}
    made = done(api.post("/prompts/partials", json=sent))
    path = f"/prompts/partials/{made['slug']}"
    second = done(api.put(path, json={"string": "Be brief.", "description": "second"}))["prompt_partial_version_id"]
    assert (done(api.get(path))["string"], done(api.get(path))["version_description"]) == ("Be kind.", "first")
    done(api.put(f"{path}/makeDefault", json={"version": 2}))
    assert done(api.get(path))["prompt_partial_version_id"] == second
    versions = done(api.get(f"{path}/versions"))["data"]
    assert [(v["version"], v["prompt_version_status"]) for v in versions] == [(2, "active"), (1, "archived")]
    assert done(api.get("/prompts/partials", params={"workspace_id": workspace}))["total"] == 1
    assert "workspace_id" in refused(api.post("/prompts/partials", json={"name": "a", "string": "b"}), 400, "AB01")
    done(api.delete(path))
    refused(api.get(path), 404, "AB08")


def test_collections_hold_prompts_and_each_other(api: httpx.Client) -> None:
    workspace, other = a_workspace(api, "one"), a_workspace(api, "two")
    a_prompt(api, workspace)
    default, used = done(api.get("/collections", params={"workspace_id": workspace}))["data"]
    assert (default["is_default"], used["collection_details"]["prompts_count"]) == (1, 1)
    refused(api.delete(f"/collections/{default['slug']}"), 404, "AB08")
    assert "empty" in refused(api.delete(f"/collections/{used['id']}"), 409, "AB07")
    child = {"name": "Child", "parent_collection_id": used["slug"]}
    refused(api.post("/collections", json=child | {"workspace_id": other}), 404, "AB08")
    made = done(api.post("/collections", json=child | {"workspace_id": workspace}))["slug"]
    assert [c["name"] for c in done(api.get(f"/collections/{used['id']}"))["child_collections"]] == ["Child"]
    done(api.put(f"/collections/{made}", json={"name": "Renamed"}))
    assert done(api.get(f"/collections/{made}"))["parent_collection_id"] == used["id"]
    done(api.delete(f"/collections/{made}"))
    refused(api.get(f"/collections/{made}"), 404, "AB08")


def test_publishing_is_a_scope_of_its_own(api: httpx.Client) -> None:
    workspace = a_workspace(api)
    path = f"/prompts/{a_prompt(api, workspace)['slug']}"
    headers = as_key(a_key(api, workspace, "prompts.read", "prompts.update")["key"])
    done(api.put(path, headers=headers, json={"patch": True, "string": "two"}))
    assert "prompts.publish" in refused(
        api.put(f"{path}/makeDefault", headers=headers, json={"version": 2}), 403, "AB03"
    )
