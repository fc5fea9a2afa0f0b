"""Estuary Flow: what the settings say becomes one catalog, without a secret in it, and errors come back as settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import ValidationError

from components.estuary import Estuary, EstuarySettings
from components.settings import SettingsError, Stage
from components.snowflake import Login
from components.warehouse import Warehouse
from providers.estuary_errors import Build

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]

COLLECTION: dict[str, Any] = {
    "name": "conversations",
    "key": ["/id"],
    "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
}
SETTINGS: dict[str, Any] = {
    "prefix": "acme/dev/",
    "collections": {"conversations": COLLECTION},
    "derivations": {
        "waiting-ones": {
            **COLLECTION,
            "name": "waiting",
            "transforms": {"those-that-wait": {"source": "conversations", "sql": "SELECT $id AS id"}},
        }
    },
    "captures": {
        "postgres": {
            "name": "cdc",
            "connector": "ghcr.io/estuary/source-postgres:v3",
            "configuration": {"address": "db:5432", "advanced": {"sslmode": "verify-full"}},
            "secrets": {"password": {"environment": "POSTGRES_CDC_PASSWORD"}},
            "bindings": [{"collection": "conversations", "resource": {"namespace": "public", "stream": "t"}}],
        }
    },
    "materializations": {
        "warehouse": {
            "name": "snowflake",
            "connector": "ghcr.io/estuary/materialize-snowflake:v4",
            "login": "estuary",
            "schema": "raw-postgres",
            "bindings": [{"collection": "waiting-ones", "resource": {"table": "WAITING"}}],
        }
    },
    "service_accounts": {
        "mcp": {"name": "mcp", "grants": {".": "read", "acme/shared/": "write"}, "keys": {"first": {"detail": "MCP"}}}
    },
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_CDC_PASSWORD", "postgres-hunter2")


def run(deploy: Deploy, *, stage: Stage = Stage.DEV, warehouse: bool = True, **changes: Any) -> Any:
    settings = EstuarySettings.model_validate({**SETTINGS, **changes})

    def program() -> Estuary:
        known = pulumi.Output.from_input
        login = Login("acme.snowflakecomputing.com", known("FLOW"), known("LOADER"), known("WH"), known("DB"))
        keys = {"estuary": pulumi.Output.secret("pem-hunter2")}
        ours = Warehouse({"estuary": login}, keys, {"raw-postgres": known("RAW_POSTGRES")})
        return Estuary("estuary", settings, stage=stage, warehouse=ours if warehouse else Warehouse(), outputs={})

    return deploy(program, stack=stage.value)


def changed(section: str, key: str, /, **members: Any) -> dict[str, Any]:
    return {section: {key: {**SETTINGS[section][key], **members}}}


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        EstuarySettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_the_whole_catalog_is_one_bundle_under_the_stages_prefix(deploy: Deploy) -> None:
    specs = run(deploy).one("Bundle").inputs["specs"]
    assert {name: spec["type"] for name, spec in specs.items()} == {
        "acme/dev/conversations": "collection",
        "acme/dev/waiting": "collection",
        "acme/dev/cdc": "capture",
        "acme/dev/snowflake": "materialization",
    }
    assert specs["acme/dev/cdc"]["spec"]["bindings"][0]["target"] == "acme/dev/conversations"
    assert specs["acme/dev/snowflake"]["spec"]["bindings"][0]["source"] == "acme/dev/waiting"
    (transform,) = specs["acme/dev/waiting"]["spec"]["derive"]["transforms"]
    assert (transform["name"], transform["source"]) == ("those_that_wait", "acme/dev/conversations")


def test_secrets_stand_apart_from_the_specs(deploy: Deploy) -> None:
    bundle = run(deploy).one("Bundle")
    assert "hunter2" not in str(bundle.inputs["specs"]), "it would stand in the state in plain text"
    assert bundle.inputs["configurations"] == {
        "acme/dev/cdc": {"password": "postgres-hunter2"},
        "acme/dev/snowflake": {"credentials": {"private_key": "pem-hunter2"}},
    }
    assert "configurations" in bundle.secrets


def test_the_materialization_loads_as_snowflakes_own_user_into_its_own_schema(deploy: Deploy) -> None:
    spec = run(deploy).one("Bundle").inputs["specs"]["acme/dev/snowflake"]["spec"]
    assert spec["endpoint"]["connector"]["config"] == {
        "host": "acme.snowflakecomputing.com",
        "role": "LOADER",
        "warehouse": "WH",
        "database": "DB",
        "schema": "RAW_POSTGRES",
        "credentials": {"auth_type": "jwt", "user": "FLOW"},
    }


def test_a_task_that_is_switched_off_stays_published(deploy: Deploy) -> None:
    specs = run(deploy, **changed("captures", "postgres", enabled=False)).one("Bundle").inputs["specs"]
    assert specs["acme/dev/cdc"]["spec"]["shards"] == {"disable": True}


def test_an_account_reaches_what_it_was_granted_and_its_key_is_a_secret(deploy: Deploy) -> None:
    made = run(deploy)
    grants = made.one("ServiceAccount").inputs["grants"]
    assert {grant["prefix"]: grant["capability"] for grant in grants} == {"acme/dev/": "read", "acme/shared/": "write"}
    assert list(made.result.api_keys) == ["mcp.first"]
    key = made.one("ApiKey")
    assert made.one("ServiceAccount").urn in key.depends_on


def test_in_prod_the_catalog_is_protected(deploy: Deploy) -> None:
    assert run(deploy, stage=Stage.PROD).one("Bundle").protect is True
    assert run(deploy).one("Bundle").protect is False


def test_a_schema_that_nobody_has_is_told(deploy: Deploy) -> None:
    with pytest.raises(SettingsError, match=r"estuary\.materializations\.warehouse\.login"):
        run(deploy, warehouse=False)
    with pytest.raises(SettingsError, match=r'estuary\.materializations\.warehouse\.schema.*mean "raw-postgres"'):
        run(deploy, **changed("materializations", "warehouse", schema="raw-postgre"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prefix": "acme/dev"}, "slash at its end"),
        (changed("collections", "conversations", key=["/idd"]), "not among the properties"),
        (
            changed(
                "collections", "conversations", schema={"type": "object", "properties": {"id": {"type": "string"}}}
            ),
            "must be among what the schema requires",
        ),
        (
            changed("captures", "postgres", bindings=[{"collection": "conversation", "resource": {"stream": "t"}}]),
            'did you mean "conversations"',
        ),
        (
            changed("captures", "postgres", bindings=[{"collection": "waiting-ones", "resource": {"stream": "t"}}]),
            "nothing else may write to it",
        ),
        (changed("captures", "postgres", name="conversations"), "is that of collections.conversations"),
        (changed("captures", "postgres", connector="ghcr.io/estuary/source-postgres"), "with its tag"),
        (changed("materializations", "warehouse", login=None), "needs `login`"),
    ],
    ids=["prefix", "key", "optional key", "unknown", "derived", "one name twice", "no tag", "schema without login"],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


BUILD = Build({"acme/cdc": "captures.postgres", "acme/sf": "materializations.warehouse", "acme/d": "derivations.d"})


@pytest.mark.parametrize(
    ("scope", "setting"),
    [
        ("flow://capture/acme/cdc", "captures.postgres"),
        ("flow://capture/acme/cdc#/endpoint/connector/config/address", "captures.postgres.configuration.address"),
        ("flow://capture/acme/cdc#/bindings/1/target", "captures.postgres.bindings[1].collection"),
        ("flow://materialization/acme/sf#/bindings/0/source", "materializations.warehouse.bindings[0].collection"),
        (
            "flow://materialization/acme/sf#/bindings/0/resource/a~1b",
            "materializations.warehouse.bindings[0].resource.a/b",
        ),
        ("flow://collection/acme/d#/derive/transforms/0/lambda", "derivations.d.transforms[0].lambda"),
        ("flow://collection/acme/elsewhere#/key", ""),
    ],
)
def test_a_build_error_is_told_as_the_setting_that_caused_it(scope: str, setting: str) -> None:
    error = BUILD.failed("buildFailed", [{"scope": scope, "detail": "no such thing"}])
    assert (error.setting, error.said) == (setting, "buildFailed: no such thing")


def test_all_build_errors_are_told_at_once() -> None:
    rows = [
        {"scope": "flow://capture/acme/cdc#/bindings/0", "detail": "one"},
        {"scope": "flow://materialization/acme/sf", "detail": "two"},
    ]
    error = BUILD.failed("buildFailed", rows)
    assert "captures.postgres.bindings[0]: one; materializations.warehouse: two" in error.said


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_estates_derivation_finds_the_conversations_that_wait_for_a_person(stage: str) -> None:
    """Run by SQLite itself, as Estuary does, on documents of the collection that it reads."""
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())
    settings = EstuarySettings.model_validate(document["config"]["sophia-ai:estuary"])
    derivation = settings.derivations["escalations"]
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    for migration in derivation.migrations:
        database.executescript(migration)
    members = settings.collections["conversations"].schema_["properties"]
    found = []
    for number, state in enumerate(["open", "waiting_for_person", "closed"]):
        conversation = {**dict.fromkeys(members), "id": str(number), "state": state, "topic": "collections"}
        conversation |= {"property_id": "p", "started_at": "2026-01-01T00:00:00Z", "balance_cents": 125_000}
        found += [dict(row) for row in database.execute(derivation.transforms["waiting"].sql, conversation)]
    (escalation,) = found
    assert escalation["conversation_id"] == "1"
    assert escalation.keys() <= derivation.schema_["properties"].keys()
    assert all(escalation[name] is not None for name in derivation.schema_["required"])
