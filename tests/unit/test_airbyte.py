"""Airbyte: connections join what is declared, and secrets are never configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.airbyte import Airbyte, AirbyteSettings
from components.settings import SettingsError, Stage
from components.snowflake import Login

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


def run(deploy: Deploy, *, stage: Stage = Stage.DEV, logins: bool = True, **changes: Any) -> Any:
    settings = AirbyteSettings.model_validate({**SETTINGS, **changes})

    def program() -> Airbyte:
        known = pulumi.Output.from_input
        login = Login("host", known("LOADER_USER"), known("LOADER"), known("WH"), known("DB"))
        return Airbyte(
            "airbyte",
            settings,
            stage=stage,
            logins={"airbyte": login} if logins else {},
            private_keys={"airbyte": pulumi.Output.secret("pem-hunter2")},
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


def test_without_a_schedule_a_connection_syncs_by_hand(deploy: Deploy) -> None:
    connection = {key: value for key, value in SETTINGS["connections"]["gong-to-raw"].items() if key != "cron"}
    inputs = run(deploy, connections={"gong-to-raw": connection}).one("Connection").inputs
    assert inputs["schedule"] == {"schedule_type": "manual"}


def test_in_prod_what_holds_data_is_protected(deploy: Deploy) -> None:
    assert run(deploy, stage=Stage.PROD).one("Destination").protect is True
    assert run(deploy).one("Destination").protect is False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connections": {"x": {"name": "X", "source": "gnog", "destination": "warehouse"}}}, 'did you mean "gong"'),
        ({"tags": {"revenue": {"name": "revenue", "color": "#2E7D32"}}}, "six hexadecimal digits"),
        ({"sources": {"gong": {"name": "Gong"}}}, "either `type`"),
        (
            {"tags": {k: {"name": "revenue", "color": "2E7D32"} for k in ("revenue", "sales")}},
            "is that of tags.revenue",
        ),
        (
            {"connections": {"x": {"name": "X", "source": "gong", "destination": "warehouse", "cron": "0 0 *"}}},
            "six or seven fields",
        ),
    ],
    ids=["unknown source", "colour", "no connector", "one name twice", "cron"],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


def test_a_login_that_nobody_has_is_told(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r"airbyte\.destinations\.warehouse\.login"):
        run(deploy, logins=False)
