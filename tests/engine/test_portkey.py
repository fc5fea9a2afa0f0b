"""Portkey through the real engine, fed by OpenRouter: deployed, left alone, rotated, damaged, repaired, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout


def key_values(checkout: Checkout) -> dict[str, list[str]]:
    """By key, the fingerprints of the values that open Portkey now."""
    values: dict[str, list[str]] = {}
    for fingerprint, value in checkout.objects("portkey", "key-value").items():
        values.setdefault(value["key"], []).append(fingerprint)
    return values


def live(checkout: Checkout) -> set[str]:
    """The kinds of which there is an object that was not archived."""
    kinds = checkout.running.objects("portkey").objects
    made = {kind: [o for o in objects.values() if o.get("status") != "archived"] for kind, objects in kinds.items()}
    return {
        kind for kind, objects in made.items() if any("is_default" not in o or not o["is_default"] for o in objects)
    }


def test_the_gateway_is_deployed_rotated_repaired_and_removed(checkout: Checkout) -> None:
    settings = checkout.settings()
    openrouter = {name: settings["openrouter"][name] for name in ("workspace", "budgets", "guardrails", "keys")}
    portkey: dict[str, Any] = settings["portkey"]
    before = live(checkout)
    checkout.configure(openrouter=openrouter, portkey=portkey)
    dev = checkout.stack()
    first = dev.up(skip_preview=True)
    assert set(first.outputs["portkey"]["configs"]) == set(portkey["configs"])
    mark = checkout.running.mark()
    assert not dev.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == [], "a run without changes asks nobody anything"
    assert not dev.refresh().has_changes

    web = next(id_ for id_, key in checkout.objects("portkey", "key").items() if key["name"] == "Web app")
    (before_rotation,) = key_values(checkout)[web]
    portkey["api_keys"]["web"]["generation"] = 2
    checkout.configure(openrouter=openrouter, portkey=portkey)
    assert {c.operation for c in dev.up(skip_preview=True).changes} == {"update"}
    assert len(key_values(checkout)[web]) == 2, "the value of before works on"
    assert before_rotation in key_values(checkout)[web]
    assert not dev.refresh().has_changes

    config = next(id_ for id_, c in checkout.objects("portkey", "config").items() if c["name"].startswith("Summaries"))
    checkout.running.delete_object("portkey", "config", config)
    assert {c.operation for c in dev.refresh().changes} == {"delete"}
    assert {c.operation for c in dev.up(skip_preview=True).changes} == {"create"}

    dev.destroy()
    assert live(checkout) == before
    assert not checkout.resources()


def test_a_config_with_a_model_that_does_not_exist_is_refused_before_anything_is_sent(checkout: Checkout) -> None:
    settings = checkout.settings()
    portkey: dict[str, Any] = settings["portkey"]
    portkey["configs"]["conversation"]["config"]["targets"][0]["override_params"]["model"] = (
        "anthropic/claude-sonet-4.5"
    )
    checkout.configure(openrouter=settings["openrouter"], portkey=portkey)
    mark = checkout.running.mark()
    refused = checkout.run("preview", "dev", code=3)
    assert 'did you mean "anthropic/claude-sonnet-4.5"' in refused.stderr
    assert [e for e in checkout.running.journal(since=mark).entries if e.platform == "portkey"] == []
