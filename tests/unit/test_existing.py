"""Settings from what exists: what they can say is said in few words, and what they cannot is told, never dropped."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from components.airbyte import AirbyteSettings
from components.existing.__main__ import main, run
from components.existing.variables import Variables
from providers import openrouter
from providers.airbyte import AIRBYTE
from providers.base import Api
from providers.openrouter import OPENROUTER
from providers.slack import SLACK

Json = dict[str, Any]
Platform = Callable[[Api, dict[str, list[Json]]], list[str]]

VARIABLES = (
    "AIRBYTE_CLIENT_ID",
    "AIRBYTE_CLIENT_SECRET",
    "OPENROUTER_MANAGEMENT_KEY",
    "SLACK_BOT_TOKEN",
)
ADDRESSES = ("AIRBYTE_SERVER_URL", "OPENROUTER_BASE_URL", "SLACK_API_URL")


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Makes a platform list these objects, by path; gives back the paths that were asked for."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "planted-credential")
    for name in ADDRESSES:
        monkeypatch.setenv(name, "https://platform.test")
    clients = []
    openrouter._slugs.cache_clear()

    def listing(api: Api, objects: dict[str, list[Json]]) -> list[str]:
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            path = request.url.path
            if path == "/applications/token":
                return httpx.Response(200, json={"access_token": "planted-token", "expires_in": 900})
            asked.append(path)
            items = objects.get(path, [])
            return httpx.Response(200, json={"ok": True, "data": items, "channels": items, "usergroups": items})

        clients.append(httpx.Client(transport=httpx.MockTransport(answer)))
        monkeypatch.setitem(api.__dict__, "client", clients[-1])
        return asked

    yield listing
    openrouter._slugs.cache_clear()
    for client in clients:
        client.close()


def existing(name: str, settings: Json | None = None, workspace: str | None = None) -> Json:
    return run(name, json.dumps({"settings": settings}), "sophia-ai/dev", workspace)


def reasons(found: Json) -> dict[str, str]:
    return {entry["name"]: entry["reason"] for entry in found["left"]}


WORKSPACE = {"workspaceId": "w", "name": "Pay Ready"}
SOURCE = {"sourceId": "s", "workspaceId": "w", "name": "Gong", "sourceType": "gong", "definitionId": "d"}
DESTINATION = {
    "destinationId": "t",
    "workspaceId": "w",
    "name": "DB",
    "destinationType": "postgres",
    "definitionId": "e",
}
CONNECTION: Json = {
    "connectionId": "c",
    "workspaceId": "w",
    "sourceId": "s",
    "destinationId": "t",
    "name": "Calls",
    "status": "active",
    "schedule": {"scheduleType": "manual"},
    "namespaceDefinition": "destination",
    "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
    "configurations": {"streams": []},
}


def airbyte(platform: Platform, **objects: list[Json]) -> list[str]:
    there = {"workspaces": [WORKSPACE], "sources": [SOURCE], "destinations": [DESTINATION]} | objects
    return platform(AIRBYTE, {f"/{name}": items for name, items in there.items()})


def test_what_is_as_it_is_by_default_is_not_written(platform: Platform) -> None:
    asked = airbyte(platform, connections=[CONNECTION])
    found = existing("airbyte")
    assert found["settings"]["connections"] == {"calls": {"name": "Calls", "source": "gong", "destination": "db"}}
    assert found["left"] == []
    definitions = [f"/workspaces/w/definitions/{kind}" for kind in ("declarative_sources", "destinations", "sources")]
    kinds = ["/connections", "/destinations", "/sources", "/tags", "/workspaces", *definitions]
    assert sorted(asked) == kinds, "one call a kind"
    AirbyteSettings.model_validate(found["settings"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": {"scheduleType": "cron", "cronExpression": "0 0 9"}}, "cron must have six or seven fields"),
        ({"namespaceDefinition": "source"}, 'its is "source"'),
        ({"sourceId": "gone"}, "its source gone is not in the settings"),
        ({"status": "locked"}, 'its status is "locked"'),
        ({"tags": [{"tagId": "gone"}]}, "its tag gone is not in the settings"),
    ],
    ids=["no cron", "namespace", "source", "status", "tag"],
)
def test_a_connection_that_settings_cannot_say_is_left_with_the_reason(
    platform: Platform, changes: Json, reason: str
) -> None:
    airbyte(platform, connections=[CONNECTION | changes])
    found = existing("airbyte")
    assert "connections" not in found["settings"]
    assert reason in reasons(found)["Calls"]


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ({"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}, "Every 24 HOURS"),
        ({"scheduleType": "cron", "cronExpression": "0 0 9 * * ? Europe/Berlin"}, "Europe/Berlin"),
    ],
    ids=["basic", "time zone"],
)
def test_a_schedule_that_settings_cannot_say_is_left_to_airbyte(platform: Platform, schedule: Json, told: str) -> None:
    airbyte(platform, connections=[CONNECTION | {"schedule": schedule}])
    found = existing("airbyte")
    assert found["settings"]["connections"]["calls"]["keep_schedule"] is True
    assert told in reasons(found)["Calls"]


def test_streams_are_written_as_they_are(platform: Platform) -> None:
    hashing = {"targetField": "title", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    stream = {
        "name": "calls",
        "namespace": "public",
        "syncMode": "full_refresh_append",
        "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["title"]}],
        "mappers": [{"id": "m", "type": "hashing", "mapperConfiguration": hashing}],
    }
    airbyte(platform, connections=[CONNECTION | {"configurations": {"streams": [stream]}}])
    (written,) = existing("airbyte")["settings"]["connections"]["calls"]["streams"]
    assert written == {
        "name": "calls",
        "namespace": "public",
        "sync_mode": "full_refresh_append",
        "selected_fields": ["id", "title"],
        "mappers": [{"type": "hashing", "configuration": hashing}],
    }


def test_connectors_of_ones_own_come_with_their_sources(platform: Platform) -> None:
    manifest = {"type": "DeclarativeSource", "version": "6.48.0", "check": {}, "streams": [{"name": "units"}]}
    manifest["spec"] = {"connection_specification": {}}
    own = {"id": "d", "name": "Portal", "manifest": manifest, "version": 3}
    public = {"id": "p", "name": "Gong", "dockerRepository": "airbyte/source-gong", "dockerImageTag": "1.0.0"}
    image = {"id": "i", "name": "Ledger", "dockerRepository": "payready/ledger", "dockerImageTag": "1.0.0"}
    there: dict[str, list[dict[str, Any]]] = {
        "/workspaces": [WORKSPACE],
        "/sources": [SOURCE],
        "/workspaces/w/definitions/declarative_sources": [own],
        "/workspaces/w/definitions/sources": [public, image],
    }
    platform(AIRBYTE, there)
    settings = existing("airbyte")["settings"]
    assert settings["definitions"]["declarative"] == {"portal": {"name": "Portal", "manifest": manifest}}
    assert list(settings["definitions"]["sources"]) == ["ledger"], "the catalogue's are there in any case"
    assert settings["sources"]["gong"]["definition"] == "portal"
    AirbyteSettings.model_validate(settings)


@pytest.mark.parametrize(
    "stream",
    [
        {"name": "calls", "syncMode": "full_refresh_append", "selectedFields": [{"fieldPath": ["id", "x"]}]},
        {
            "name": "calls",
            "syncMode": "full_refresh_append",
            "mappers": [{"type": "encryption", "mapperConfiguration": {}}],
        },
        {"name": "calls", "syncMode": "full_refresh_overwrite_deduped"},
    ],
    ids=["fields", "mappers", "mode"],
)
def test_streams_that_settings_cannot_say_stay_as_they_are(platform: Platform, stream: Json) -> None:
    """A list of streams that leaves something out would take it away with the next change."""
    plain = {"name": "users", "syncMode": "full_refresh_overwrite"}
    airbyte(platform, connections=[CONNECTION | {"configurations": {"streams": [plain, stream]}}])
    found = existing("airbyte")
    assert "streams" not in found["settings"]["connections"]["calls"]
    assert "stay as they are" in reasons(found)["Calls"]


def test_a_custom_connector_is_named_by_its_definition(platform: Platform) -> None:
    airbyte(platform, sources=[SOURCE | {"sourceType": ""}])
    assert existing("airbyte")["settings"]["sources"] == {"gong": {"name": "Gong", "definition_id": "d"}}


def test_secrets_become_variables_that_a_person_sets(platform: Platform) -> None:
    shown = {"host": "db", "tunnel": {"tunnel_key": "*****"}, "credentials": {"user": "u", "password": "**********"}}
    listed = {"hosts": [{"password": "**********"}]}
    airbyte(
        platform,
        sources=[
            SOURCE | {"configuration": shown},
            SOURCE | {"sourceId": "s2", "name": "Lists", "configuration": listed, "resourceAllocation": {"cpu": 1}},
        ],
    )
    found = existing("airbyte")
    (entry,) = found["settings"]["sources"].values()
    assert entry["configuration"] == {"host": "db", "credentials": {"user": "u"}}
    assert entry["secrets"] == {
        "tunnel.tunnel_key": {"environment": "GONG_TUNNEL_KEY"},
        "credentials.password": {"environment": "GONG_PASSWORD"},
    }
    (added,) = [entry for entry in found["added"] if entry["path"] == "airbyte.sources.gong"]
    assert added["secrets"] == ["GONG_TUNNEL_KEY", "GONG_PASSWORD"]
    assert "hosts.0.password" in reasons(found)["Lists"]


def test_what_a_connector_shows_in_clear_does_not_come_into_the_file_either(platform: Platform) -> None:
    shown = {
        "apiKey": "planted-key",
        "url": "postgres://me:planted-password@db/x",
        "token_url": "https://x.test/token",
        "page_token": "",
    }
    airbyte(platform, sources=[SOURCE | {"configuration": shown}])
    found = existing("airbyte")
    (entry,) = found["settings"]["sources"].values()
    assert entry["configuration"] == {"token_url": "https://x.test/token", "page_token": ""}
    assert list(entry["secrets"]) == ["apiKey", "url"]
    assert "planted" not in json.dumps(found)


def test_no_variable_is_named_twice_or_like_one_of_the_stacks_own() -> None:
    variables = Variables({"sources": {"gong": {"secrets": {"x": {"environment": "GONG_KEY"}}}}})
    named = variables.named("source", "gong", [("key",), ("a", "key"), ("b", "apiKey")])
    assert list(named.values()) == ["GONG_KEY_2", "GONG_A_KEY", "GONG_API_KEY"]
    (own,) = variables.named("source", "slack", [("bot_token",)]).values()
    assert own == "SOURCE_SLACK_BOT_TOKEN", "the stack's own token must never be sent to a connector"


def test_what_no_setting_says_is_told(platform: Platform) -> None:
    airbyte(platform, sources=[SOURCE | {"resourceAllocation": {"cpu": 1}}])
    assert "resourceAllocation" in reasons(existing("airbyte"))["Gong"]


def test_whom_airbyte_tells_is_written_and_the_addresses_are_not(platform: Platform) -> None:
    webhook = {"enabled": True, "url": "https://hooks.test/planted"}
    loud = {"notifications": {"failure": {"webhook": webhook}, "success": {"email": {"enabled": True}}}}
    airbyte(platform, workspaces=[WORKSPACE | loud])
    found = existing("airbyte")
    assert found["settings"]["workspace"]["notifications"] == {
        "failure": {"webhook": {"environment": "NOTIFICATIONS_WEBHOOK"}},
        "success": {"email": True},
    }
    (added,) = [entry for entry in found["added"] if entry["path"] == "airbyte.workspace"]
    assert added["secrets"] == ["NOTIFICATIONS_WEBHOOK"]
    assert "planted" not in json.dumps(found)
    left = existing("airbyte", {"workspace": {"name": "Pay Ready"}})
    assert "notifications (failure, success)" in reasons(left)["Pay Ready"]


def test_keys_are_made_of_names_and_never_twice(platform: Platform) -> None:
    names = ["Größe (neu)", "A b", "a-b", "2024", "日本", "x" * 90]
    sources = [SOURCE | {"sourceId": str(n), "name": name} for n, name in enumerate(names)]
    airbyte(platform, sources=sources)
    found = existing("airbyte")
    assert list(found["settings"]["sources"]) == ["groe-neu", "a-b", "a-b-2", "source-2024", "source", "x" * 60]
    AirbyteSettings.model_validate(found["settings"])


def test_the_workspace_that_the_settings_name_is_the_one_that_is_read(platform: Platform) -> None:
    other = {"workspaceId": "o", "name": "Other"}
    airbyte(platform, workspaces=[other, WORKSPACE])
    found = existing("airbyte", {"workspace": {"name": "Pay Ready"}})
    assert found["settings"]["sources"]
    assert "another workspace" in reasons(found)["Other"]
    nowhere: Json = {"workspace": {"name": "Not made yet"}}
    assert existing("airbyte", nowhere)["settings"] == nowhere


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
