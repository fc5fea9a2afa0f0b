"""OpenRouter's whole life through the engine: rotation beside the present key, presets that stay, models that go."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sandbox.platforms import all_platforms
from sophia import Plan, Result
from sophia.cli.document import SCHEMA_FILE

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

MEMBER = "user_2sandbox00000000000000001"


@pytest.fixture
def settings(checkout: Checkout) -> dict[str, Any]:
    """OpenRouter's part of stack dev, with a person under its guardrail."""
    found: dict[str, Any] = copy.deepcopy(checkout.settings()["openrouter"])
    found["guardrails"]["residents"]["members"] = [MEMBER]
    return found


def changed(outcome: Plan | Result) -> dict[str, str]:
    return {f"{c.resource.kind} {c.resource.name}": c.operation for c in outcome.changes}


def minted(checkout: Checkout, name: str) -> str:
    exported = checkout.stack()._command("stack", "export", "--show-secrets").stdout
    (resource,) = [
        r for r in json.loads(exported)["deployment"]["resources"] if r["urn"].endswith(f"openrouter:ApiKey::{name}")
    ]
    value: str = json.loads(resource["outputs"]["key"]["plaintext"])
    return value


def test_all_kinds_live_and_change_by_what_was_changed(checkout: Checkout, settings: dict[str, Any]) -> None:
    checkout.configure(openrouter=settings)
    dev = checkout.stack()
    first = dev.up(skip_preview=True)
    assert first.outputs["openrouter"]["models"]["conversation"] == settings["models"]["conversation"]["model"]
    assert first.outputs["openrouter"]["models"]["conversation.fallbacks"] == "openai/gpt-5.2"
    assert first.outputs["openrouter"]["presets"] == {
        "conversation": "@preset/sophia-dev-conversation", "summary": "@preset/sophia-dev-summary"
    }  # fmt: skip
    mark = checkout.running.mark()
    assert not dev.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == []
    assert not dev.refresh().has_changes, "what OpenRouter shows is what was asked for"

    settings["guardrails"]["residents"]["detect"]["ssn"] = "block"
    settings["provider_credentials"]["anthropic"]["fallback"] = True
    settings["destinations"]["langfuse"]["sampling_rate"] = 0.5
    settings["models"]["summary"]["fallbacks"] = []
    checkout.configure(openrouter=settings)
    mark = checkout.running.mark()
    assert changed(dev.up(skip_preview=True)) == {
        "guardrail residents": "update", "provider credential anthropic": "update",
        "destination langfuse": "update", "preset summary": "update",
    }  # fmt: skip
    assert len([e for e in checkout.running.journal(since=mark).entries if e.method != "GET"]) == 4
    assert not dev.refresh().has_changes

    (preset,) = [p for p in checkout.objects("openrouter", "preset").values() if p["slug"] == "sophia-dev-summary"]
    assert [v["config"].get("models") for v in preset["versions"]] == [
        ["openai/gpt-5-mini", "anthropic/claude-haiku-4.5"], None
    ]  # fmt: skip
    dev.destroy()
    left = {kind for kind, found in checkout.running.objects("openrouter").objects.items() if found}
    assert left == {"workspace", "preset", "model"}, "the default workspace, and what nobody can delete"
    assert dev.up(skip_preview=True).counts.created == first.counts.created, "presets are found again"
    exported = checkout.stack()._command("stack", "export").stdout
    for platform in all_platforms():
        if platform.name in ("anthropic", "langfuse", "openrouter"):
            for name in platform.secret:
                assert platform.credentials[name].replace("{stage}", "dev") not in exported, name


def test_a_new_generation_of_a_key_stands_beside_the_present_one(checkout: Checkout, settings: dict[str, Any]) -> None:
    web = settings["keys"]["web"]
    web["expires_at"] = "2027-01-15T00:00:00Z"
    checkout.configure(openrouter=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    first = minted(checkout, "web")

    web |= {"generation": 2, "expires_at": "2027-02-15T00:00:00Z"}
    checkout.configure(openrouter=settings)
    assert changed(dev.up(skip_preview=True)) == {
        "api key web.second": "create", "guardrail key web.second": "create",
        "provider credential anthropic": "update",
    }  # fmt: skip
    assert minted(checkout, "web") == first, "the one before is as it was, its expiry too"
    second = minted(checkout, "web.second")
    names = {key["name"]: key for key in checkout.objects("openrouter", "key").values() if "Web app" in key["name"]}
    ours = "(managed by sophia-ai/dev)"
    assert {name: key["expires_at"] for name, key in names.items()} == {
        f"Web app {ours}": "2027-01-15T00:00:00Z", f"Web app #2 {ours}": "2027-02-15T00:00:00Z"
    }  # fmt: skip
    assert not dev.refresh().has_changes

    web["previous"] = "disabled"
    checkout.configure(openrouter=settings)
    assert changed(dev.up(skip_preview=True)) == {"api key web": "update"}

    web |= {"previous": "valid", "generation": 3}
    checkout.configure(openrouter=settings)
    done = changed(dev.up(skip_preview=True))
    assert (done["api key web"], "api key web.second" in done) == ("replace", False)
    assert minted(checkout, "web") != first
    assert minted(checkout, "web.second") == second, "two are valid: the third, and the second"

    web["previous"] = "deleted"
    checkout.configure(openrouter=settings)
    assert changed(dev.up(skip_preview=True))["api key web.second"] == "delete"
    assert not dev.up(skip_preview=True).has_changes


def test_a_model_that_is_gone_is_told_with_what_would_do_instead(checkout: Checkout, settings: dict[str, Any]) -> None:
    checkout.configure(openrouter=settings)
    done = checkout.run("models", "dev", "--json")
    told = json.loads(done.stdout)
    jsonschema.validate(told, json.loads(SCHEMA_FILE.read_text()))
    by_task = {task["task"]: task for task in told["models"]}
    assert set(by_task) == set(settings["models"])
    assert by_task["conversation"]["models"][0]["input"] == 3
    assert by_task["conversation"]["cheaper"][0] == {"model": "openai/gpt-5-nano", "input": 0.05, "output": 0.4}
    assert by_task["conversation"]["models"][0]["problems"] == []
    assert "well" in checkout.run("health", "dev", "--platform", "openrouter").stdout

    checkout.running.delete_object("openrouter", "model", "openai/gpt-5-mini")
    pricing = {"prompt": "0.000006", "completion": "0.00003"}
    checkout.running.change_object("openrouter", "model", "anthropic/claude-sonnet-4.5", {"pricing": pricing})
    read = checkout.run("models", "dev", code=2).stdout
    assert "openai/gpt-5-mini is not offered any more (summary)" in read
    assert (
        "anthropic/claude-sonnet-4.5 costs 6 / 30 USD a million tokens, the ceiling of conversation is 3 / 15" in read
    )
    assert "openrouter.models.summary.model" in read
    asked = checkout.run("health", "dev", "--platform", "openrouter", code=1).stdout
    assert "openai/gpt-5-mini is not offered any more" in asked
    without = {name: value for name, value in settings.items() if name not in ("models", "presets")}
    checkout.configure(openrouter=without)
    assert "chooses no models" in checkout.run("models", "dev", code=3).stderr
