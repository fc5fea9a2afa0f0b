"""Settings from what exists: what they can say is said in few words, and what they cannot is told, never dropped."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from components.existing.__main__ import main
from components.existing.variables import Variables
from providers import openrouter
from providers.openrouter import OPENROUTER
from providers.slack import SLACK
from tests.unit.existing_objects import Json, Platform, existing, listing, reasons


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with listing(monkeypatch) as lists:
        yield lists


def test_no_variable_is_named_twice_or_like_one_of_the_stacks_own() -> None:
    variables = Variables({"sources": {"ledger": {"secrets": {"x": {"environment": "LEDGER_KEY"}}}}})
    named = variables.named("source", "ledger", [("key",), ("a", "key"), ("b", "apiKey")])
    assert list(named.values()) == ["LEDGER_KEY_2", "LEDGER_A_KEY", "LEDGER_API_KEY"]
    (own,) = variables.named("source", "slack", [("bot_token",)]).values()
    assert own == "SOURCE_SLACK_BOT_TOKEN", "the stack's own token must never be sent to a connector"


OPENROUTER_WORKSPACE = {"id": "w", "slug": "payready", "name": "Pay Ready", "default_guardrail_id": "g0"}
GUARDRAIL: Json = {"id": "g", "workspace_id": "w", "name": "Residents", "description": None, "enforce_zdr": None}
KEY: Json = {
    "hash": "k",
    "workspace_id": "w",
    "name": "Web (managed by sophia-ai/dev)",
    "limit": 5,
    "limit_reset": None,
}


def of_openrouter(platform: Platform, **objects: list[Json]) -> Json:
    there = {f"/{name}": items for name, items in objects.items() if name not in ("budgets", "assignments")}
    platform(
        OPENROUTER,
        {
            "/workspaces": [OPENROUTER_WORKSPACE],
            "/workspaces/w/budgets": objects.get("budgets", []),
            "/guardrails/assignments/keys": objects.get("assignments", []),
            **there,
        },
    )
    return existing("openrouter")


def test_models_are_called_by_the_slugs_that_people_use(platform: Platform) -> None:
    models = [
        {"id": "openai/gpt-5.2", "canonical_slug": "openai/gpt-5.2-20251211"},
        {"id": "~openai/latest", "canonical_slug": "openai/gpt-5.2-20251211"},
        {"id": "deepseek/deepseek-r1-0528:free", "canonical_slug": "deepseek/deepseek-r1-0528"},
    ]
    allowed = ["openai/gpt-5.2-20251211", "deepseek/deepseek-r1-0528:free", "gone/model-1"]
    found = of_openrouter(platform, guardrails=[GUARDRAIL | {"allowed_models": allowed}], models=models)
    assert found["settings"]["guardrails"]["residents"] == {
        "name": "Residents",
        "models": ["deepseek/deepseek-r1-0528:free", "gone/model-1", "openai/gpt-5.2"],
    }


@pytest.mark.parametrize(
    ("shown", "says", "told"),
    [
        ({"enforce_zdr": None}, False, False),
        ({"enforce_zdr": True}, True, False),
        (dict.fromkeys(openrouter.RETENTION, True), True, False),
        (dict.fromkeys(openrouter.RETENTION, True) | {"enforce_zdr_openai": False}, False, True),
        ({"enforce_zdr": True, "enforce_zdr_openai": False}, False, True),
    ],
    ids=["never set", "set", "each vendor", "all but one", "taken back for one"],
)
def test_zero_data_retention_holds_if_it_holds_for_every_vendor(
    platform: Platform, shown: Json, says: bool, told: bool
) -> None:
    found = of_openrouter(platform, guardrails=[GUARDRAIL | shown])
    assert found["settings"]["guardrails"]["residents"].get("zero_data_retention", False) is says
    assert ("enforce_zdr" in reasons(found).get("Residents", "")) is told


def test_keys_that_the_stack_has_made_come_with_their_guardrail(platform: Platform) -> None:
    found = of_openrouter(
        platform,
        guardrails=[GUARDRAIL],
        keys=[
            KEY,
            KEY | {"hash": "k2", "name": "By hand"},
            KEY | {"hash": "k3", "name": "P (managed by sophia-ai/prod)"},
        ],
        assignments=[{"key_hash": "k", "guardrail_id": "g"}],
    )
    assert found["settings"]["keys"] == {
        "web": {"name": "Web", "limit_usd": 5, "reset": None, "guardrail": "residents"}
    }
    assert "declare a new key" in reasons(found)["By hand"]
    assert reasons(found)["P"] == "it is managed by sophia-ai/prod"


def test_what_does_not_go_together_with_the_rest_is_left(platform: Platform) -> None:
    found = of_openrouter(
        platform,
        budgets=[{"id": "b", "workspace_id": "w", "reset_interval": "monthly", "limit_usd": 3}],
        keys=[KEY | {"limit_reset": "monthly"}],
        guardrails=[
            GUARDRAIL | {"id": "g0", "name": "Default"},
            GUARDRAIL | {"name": "Endless", "limit_usd": 5, "reset_interval": None},
        ],
    )
    assert found["settings"]["budgets"] == {"monthly": 3}
    assert "keys" not in found["settings"]
    assert reasons(found)["Web"] == "is more than the workspace's monthly budget of 3"
    assert "both `limit_usd` and `reset`" in reasons(found)["Endless"]
    assert "default guardrail" in reasons(found)["Default"]
    assert [entry["path"] for entry in found["added"]] == ["openrouter.workspace", "openrouter.budgets.monthly"]


def test_channels_that_are_not_the_stacks_alone_are_left(platform: Platform) -> None:
    channel = {"is_private": False, "is_archived": False, "purpose": {"value": ""}, "topic": {"value": ""}}
    platform(
        SLACK,
        {
            "/conversations.list": [
                channel | {"id": "C1", "name": "general", "is_general": True},
                channel | {"id": "C2", "name": "partner", "is_ext_shared": True},
                channel | {"id": "C3", "name": "größe"},
                channel | {"id": "C4", "name": "long", "purpose": {"value": "x" * 240}},
                channel | {"id": "C5", "name": "ours"},
            ]
        },
    )
    found = existing("slack")
    assert found["settings"] == {"channels": {"ours": {"name": "ours"}}}
    told = reasons(found)
    assert "everybody" in told["general"]
    assert "shared beyond" in told["partner"]
    assert "must be up to 80" in told["größe"]
    assert "at most 200" in told["long"]


@pytest.mark.parametrize(
    ("text", "variable", "code", "said"),
    [
        ("{", "", 3, "no JSON"),
        ("[]", "", 3, "not what it should be"),
        ('{"settings": {"channel": {}}}', "", 3, "no such setting"),
        ('{"settings": null}', "SLACK_BOT_TOKEN", 4, "SLACK_BOT_TOKEN is not set"),
    ],
    ids=["no json", "a list", "wrong settings", "no credential"],
)
def test_every_error_is_one_json_document(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    platform: Platform,
    text: str,
    variable: str,
    code: int,
    said: str,
) -> None:
    platform(SLACK, {})
    if variable:
        monkeypatch.delenv(variable)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["--platform", "slack"]) == code
    out = capsys.readouterr().out
    error = json.loads(out)["error"]
    assert said in error["what"] + error["said"]
    assert "planted-credential" not in out
