"""Airbyte: connections join what is declared, and secrets are never configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.airbyte import Airbyte, AirbyteSettings
from components.settings import SettingsError, Stage
from components.snowflake import Login
from components.warehouse import Warehouse

Deploy = Callable[..., Any]

SETTINGS: dict[str, Any] = {
    "workspace": {"name": "sophia-dev"},
    "tags": {"revenue": {"name": "revenue", "color": "2E7D32"}},
    "sources": {
        "gong": {
            "name": "Gong",
            "type": "gong",
            "configuration": {"start_date": "2025-01-01T00:00:00Z"},
            "secrets": {"credentials.access_key": {"environment": "GONG_ACCESS_KEY"}},
        }
    },
    "destinations": {
        "warehouse": {"name": "RAW", "type": "snowflake", "login": "airbyte", "configuration": {"schema": "RAW"}}
    },
    "connections": {
        "gong-to-raw": {
            "name": "Gong to RAW",
            "source": "gong",
            "destination": "warehouse",
            "cron": "0 0 * * * ?",
            "tags": ["revenue"],
        }
    },
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_ACCESS_KEY", "gong-hunter2")


def run(
    deploy: Deploy,
    *,
    stage: Stage = Stage.DEV,
    logins: bool = True,
    schemas: dict[str, str] | None = None,
    **changes: Any,
) -> Any:
    settings = AirbyteSettings.model_validate({**SETTINGS, **changes})

    def program() -> Airbyte:
        known = pulumi.Output.from_input
        login = Login("host", known("LOADER_USER"), known("LOADER"), known("WH"), known("DB"))
        return Airbyte(
            "airbyte",
            settings,
            stage=stage,
            warehouse=Warehouse(
                {"airbyte": login} if logins else {},
                {"airbyte": pulumi.Output.secret("pem-hunter2")},
                {key: known(name) for key, name in (schemas or {}).items()},
            ),
            outputs={},
        )

    return deploy(program, stack=stage.value)


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        AirbyteSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_the_destination_loads_as_snowflakes_own_user(deploy: Deploy) -> None:
    destination = run(deploy).one("Destination")
    shown = destination.inputs["configuration"]
    assert (shown["username"], shown["role"], shown["warehouse"]) == ("LOADER_USER", "LOADER", "WH")
    assert "pem-hunter2" not in str(shown), "a key in the configuration would stand in the state in plain text"
    assert destination.inputs["secret_configuration"] == {"credentials": {"private_key": "pem-hunter2"}}
    assert "secret_configuration" in destination.secrets


def test_a_sources_secrets_stand_apart_in_the_shape_of_its_configuration(deploy: Deploy) -> None:
    source = run(deploy).one("Source")
    assert source.inputs["secret_configuration"] == {"credentials": {"access_key": "gong-hunter2"}}
    assert source.inputs["configuration"] == {"start_date": "2025-01-01T00:00:00Z"}
    assert "secret_configuration" in source.secrets


def test_a_connection_syncs_on_its_schedule_and_carries_its_tags(deploy: Deploy) -> None:
    inputs = run(deploy).one("Connection").inputs
    assert inputs["schedule"] == {"schedule_type": "cron", "cron_expression": "0 0 * * * ?"}
    assert [tag["name"] for tag in inputs["tags"]] == ["revenue"]
    assert inputs["tag_ids"] == [inputs["tags"][0]["tag_id"]]


def test_tables_go_into_a_schema_of_the_warehouse(deploy: Deploy) -> None:
    connection = SETTINGS["connections"]["gong-to-raw"] | {"schema": "raw-gong"}
    inputs = run(deploy, connections={"x": connection}, schemas={"raw-gong": "RAW_GONG"}).one("Connection").inputs
    assert (inputs["namespace_definition"], inputs["namespace_format"]) == ("custom_format", "RAW_GONG")
    with pytest.raises(SettingsError, match=r'airbyte\.connections\.x\.schema: no value "raw-gong" .did you mean'):
        run(deploy, connections={"x": connection}, schemas={"raw-gongs": "RAW_GONG"})


def test_a_schedule_that_people_chose_in_the_ui_can_be_left_to_them(deploy: Deploy) -> None:
    connection = {k: v for k, v in SETTINGS["connections"]["gong-to-raw"].items() if k != "cron"} | {
        "keep_schedule": True
    }
    assert not run(deploy, connections={"x": connection}).one("Connection").inputs.get("schedule")


def test_streams_are_told_field_by_field(deploy: Deploy) -> None:
    hashing = {"targetField": "title", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    stream = {
        "name": "calls",
        "sync_mode": "incremental_append",
        "selected_fields": ["id", "title"],
        "mappers": [{"type": "hashing", "configuration": hashing}],
    }
    connection = SETTINGS["connections"]["gong-to-raw"] | {"streams": [stream]}
    (told,) = run(deploy, connections={"x": connection}).one("Connection").inputs["streams"]
    assert told == {
        "name": "calls",
        "sync_mode": "incremental_append",
        "selected_fields": [{"field_path": ["id"]}, {"field_path": ["title"]}],
        "mappers": [{"type": "hashing", "mapper_configuration": hashing}],
    }


MANIFEST: dict[str, Any] = {
    "type": "DeclarativeSource",
    "version": "6.48.0",
    "check": {"type": "CheckStream", "stream_names": ["units"]},
    "streams": ["#/definitions/units"],
    "definitions": {
        "units": {"$ref": "#/definitions/stream", "name": "units"},
        "stream": {"type": "DeclarativeStream"},
    },
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
PORTAL = {
    "definitions": {
        "declarative": {"portal": {"name": "Portal", "manifest": MANIFEST}},
        "sources": {"ledger": {"name": "Ledger", "docker_repository": "payready/ledger", "docker_image_tag": "1.0"}},
    },
    "sources": SETTINGS["sources"]
    | {"portal": {"name": "Portal", "definition": "portal"}, "ledger": {"name": "Ledger", "definition": "ledger"}},
}


def test_a_source_is_made_of_a_connector_of_ones_own(deploy: Deploy) -> None:
    done = run(deploy, **PORTAL)
    low_code, image = done.one("DeclarativeSourceDefinition"), done.one("SourceDefinition")
    assert low_code.inputs["manifest"] == MANIFEST
    for definition, name in ((low_code, "portal"), (image, "ledger")):
        source = done.one("Source", name)
        assert source.inputs["definition_id"] == f"id-of-{definition.name}"
        assert definition.urn in source.depends_on, "deleting a definition deletes its sources: they go first"


def test_a_manifest_is_read_from_a_file_beside_the_stack_file(deploy: Deploy) -> None:
    declarative = {"entrata": {"name": "Entrata", "manifest": "connectors/entrata.yaml"}}
    manifest = (
        run(deploy, definitions={"declarative": declarative}).one("DeclarativeSourceDefinition").inputs["manifest"]
    )
    assert manifest["spec"]["connection_specification"]["properties"]["start_date"]["default"] == "2025-01-01"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("type: [", "is no YAML"),
        ("- a", "must be a manifest"),
        ("type: DeclarativeSource\nversion: 6.48.0\ncheck: {}\nstreams: []", "streams must be a list of at least one"),
        ("type: DeclarativeSource", "spec.connection_specification must be"),
        ("{type: X, version: 6}", "type must be DeclarativeSource"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    monkeypatch.setattr("components.airbyte.manifest.PROJECT", tmp_path)
    if text is not None:
        (tmp_path / "portal.yaml").write_text(text)
    told = mistakes(definitions={"declarative": {"portal": {"name": "Portal", "manifest": "portal.yaml"}}})
    assert "portal.yaml: " in told
    assert said in told


def test_notifications_are_told_and_their_addresses_are_secret(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRBYTE_NOTIFICATION_URL", "https://hooks.test/hunter2")
    told = {"failure": {"email": True, "webhook": {"environment": "AIRBYTE_NOTIFICATION_URL"}}}
    workspace = run(deploy, workspace={"name": "x", "notifications": told}).one("Workspace")
    events = workspace.inputs["notifications"]
    assert events["failure"] == {"email": {"enabled": True}, "webhook": {"enabled": True}}
    assert events["success"] == {"email": {"enabled": False}, "webhook": {"enabled": False}}
    assert workspace.inputs["notification_urls"] == {"failure": "https://hooks.test/hunter2"}
    assert "notification_urls" in workspace.secrets
    assert "notifications" not in run(deploy).one("Workspace").inputs, "what no setting names stays as it is"


def test_a_permission_is_for_the_workspace_or_for_the_organisation(deploy: Deploy) -> None:
    user, organization = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
    who = {"user_id": user, "organization_id": organization}
    done = run(
        deploy,
        permissions={"here": who | {"role": "workspace_editor"}, "all": who | {"role": "organization_reader"}},
    )
    assert done.one("Permission", "here").inputs["scope_id"] == "id-of-workspace"
    assert done.one("Permission", "all").inputs["scope_id"] == organization


def test_a_connection_goes_before_its_ends(deploy: Deploy) -> None:
    done = run(deploy)
    connection, ends = done.one("Connection"), {done.one("Source").urn, done.one("Destination").urn}
    assert ends <= connection.depends_on


def test_without_a_schedule_a_connection_syncs_by_hand(deploy: Deploy) -> None:
    connection = {key: value for key, value in SETTINGS["connections"]["gong-to-raw"].items() if key != "cron"}
    inputs = run(deploy, connections={"gong-to-raw": connection}).one("Connection").inputs
    assert inputs["schedule"] == {"schedule_type": "manual"}


def test_in_prod_what_holds_data_is_protected(deploy: Deploy) -> None:
    assert run(deploy, stage=Stage.PROD).one("Destination").protect is True
    assert run(deploy).one("Destination").protect is False


GONG_TO_RAW: dict[str, Any] = SETTINGS["connections"]["gong-to-raw"]
PORTAL_TO_RAW = {"name": "X", "source": "portal", "destination": "warehouse"}
AES = {"type": "encryption", "configuration": {"algorithm": "AES", "key": "hunter2", "targetField": "x"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connections": {"x": {"name": "X", "source": "gnog", "destination": "warehouse"}}}, 'did you mean "gong"'),
        ({"tags": {"revenue": {"name": "revenue", "color": "#2E7D32"}}}, "six hexadecimal digits"),
        ({"sources": {"gong": {"name": "Gong"}}}, "either `type`"),
        ({"sources": {"gong": {"name": "Gong", "type": "gong", "definition": "x"}}}, "either `type`"),
        ({"sources": {"gong": {"name": "Gong", "definition": "portals"}}}, 'no definition "portals" is declared'),
        (
            {**PORTAL, "connections": {"x": PORTAL_TO_RAW | {"streams": [{"name": "unit"}]}}},
            'no stream of its manifest "unit" is declared (did you mean "units"?)',
        ),
        ({"connections": {"x": GONG_TO_RAW | {"schema": "raw", "namespace": "RAW"}}}, "cannot stand beside `schema`"),
        ({"connections": {"x": GONG_TO_RAW | {"keep_schedule": True}}}, "cannot be true where `cron`"),
        ({"connections": {"x": GONG_TO_RAW | {"streams": [{"name": "a"}, {"name": "a"}]}}}, "is there already"),
        (
            {"connections": {k: GONG_TO_RAW | {"name": k, "streams": [{"name": "a"}]} for k in ("x", "y")}},
            "lands in A, where connections.x lands already: give one of them another prefix",
        ),
        (
            {"connections": {"x": GONG_TO_RAW | {"streams": [{"name": "a", "mappers": [AES]}]}}},
            "must be RSA, whose public key is no secret",
        ),
        (
            {"tags": {k: {"name": "revenue", "color": "2E7D32"} for k in ("revenue", "sales")}},
            "is that of tags.revenue",
        ),
        (
            {"connections": {"x": {"name": "X", "source": "gong", "destination": "warehouse", "cron": "0 0 *"}}},
            "six or seven fields",
        ),
    ],
    ids=[
        "unknown source",
        "colour",
        "no connector",
        "two connectors",
        "unknown definition",
        "unknown stream",
        "schema twice",
        "schedule twice",
        "stream twice",
        "table twice",
        "key in clear",
        "one name twice",
        "cron",
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


def test_a_login_that_nobody_has_is_told(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r"airbyte\.destinations\.warehouse\.login"):
        run(deploy, logins=False)
