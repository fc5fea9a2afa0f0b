"""Airbyte's settings from what exists: in few words what they can say, and the rest told, never dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.airbyte import AirbyteSettings
from providers.airbyte import AIRBYTE
from tests.unit.existing_objects import Json, Platform, existing, listing, reasons


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with listing(monkeypatch) as lists:
        yield lists


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
        "tunnel.tunnel_key": {"environment": "SOURCE_GONG_TUNNEL_KEY"},
        "credentials.password": {"environment": "SOURCE_GONG_PASSWORD"},
    }
    (added,) = [entry for entry in found["added"] if entry["path"] == "airbyte.sources.gong"]
    assert added["secrets"] == ["SOURCE_GONG_TUNNEL_KEY", "SOURCE_GONG_PASSWORD"]
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
