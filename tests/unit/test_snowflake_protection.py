"""Snowflake: what protects personal data, and what loads and transforms inside it, as the three stack files have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import SettingsError, Stage
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings

REPOSITORY = Path(__file__).parents[2]
STAGES = list(Stage)
HANDED_OVER = {
    "aws.snowflake.payments": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-payments",
    "aws.failures.role": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-failures",
    "aws.failures.topic": "arn:aws:sns:us-west-2:123456789012:sophia-ai-snowflake-failures",
}
"""What the AWS component of the stack gives."""

Deploy = Callable[..., Any]
Estate = Callable[..., Any]


@pytest.fixture
def estate(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """``estate(stage, **changes)``: the Snowflake of a stack file, with whole sections of its settings exchanged."""
    monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")

    def run(stage: Stage, *, features: list[str] | None = None, **changes: Any) -> Any:
        config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
        enabled = config["snowflake:previewFeaturesEnabled"] if features is None else features
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"snowflake:previewFeaturesEnabled": json.dumps(enabled)}))
        settings = SnowflakeSettings.model_validate({**config["sophia-ai:snowflake"], **changes})
        keys = dict.fromkeys(settings.users, "MIIBIjANBgkq")

        def program() -> Snowflake:
            return Snowflake("snowflake", settings, stage=stage, public_keys=keys, outputs=HANDED_OVER)

        return deploy(program, stack=stage.value, computed=dict.fromkeys(QUALIFIED, qualified))

    return run


def qualified(_name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    parts = (inputs["database"], inputs["schema"], inputs["name"])
    return {"fullyQualifiedName": ".".join(f'"{part}"' for part in parts)}


QUALIFIED = [
    f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"
    for kind in ("DynamicTable", "FileFormatCsv", "MaskingPolicy", "RowAccessPolicy", "StageExternalS3",
                 "StageInternal", "StreamOnTable", "Table", "Tag", "View")
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_every_source_has_its_schema_and_its_loader_and_no_other(estate: Estate, stage: Stage) -> None:
    deployment = estate(stage)
    writes = {grant.name for grant in deployment.of("GrantAccountRole") if ".writes." in grant.name}
    assert {name for name in writes if name.startswith(("airbyte.", "estuary."))} == {
        "airbyte.writes.raw-apollo",
        "airbyte.writes.raw-entrata",
        "airbyte.writes.raw-gong",
        "airbyte.writes.raw-hubspot",
        "airbyte.writes.raw-linear",
        "estuary.writes.raw-postgres",
    }
    assert not [name for name in writes if name.startswith("transformer.writes.raw")]
    assert not [name for name in writes if name.startswith(("reader.", "private-data."))]


@pytest.mark.parametrize("stage", STAGES)
def test_columns_about_people_and_cards_are_masked_and_tagged(estate: Estate, stage: Stage) -> None:
    deployment = estate(stage)
    columns = {c["name"]: c for c in deployment.one("Table", "settlements").inputs["columns"]}
    masked = {name: column["maskingPolicy"] for name, column in columns.items() if column.get("maskingPolicy")}
    assert {name: policy.split('"')[-2] for name, policy in masked.items()} == {
        "CARD_NUMBER": "MASK_CARD_NUMBER",
        "PAYER_EMAIL": "MASK_EMAIL",
        "PAYER_NAME": "MASK_PERSONAL_TEXT",
    }
    tagged = deployment.one("TagAssociation", "card-data.PAN.column").inputs
    assert [name.split(".", 1)[1] for name in tagged["objectIdentifiers"]] == [
        '"RAW_PAYMENTS"."SETTLEMENTS"."CARD_NUMBER"'
    ]
    schemas = deployment.one("TagAssociation", "sensitivity.CARD.schema").inputs
    assert [name.split(".")[1] for name in schemas["objectIdentifiers"]] == ['"RAW_PAYMENTS"']


def test_a_tag_masks_what_others_make_and_dbt_may_put_it_there(estate: Estate) -> None:
    deployment = estate(Stage.PROD)
    tag = deployment.one("Tag", "personal-data").inputs
    assert {policy.split('"')[-2] for policy in tag["maskingPolicies"]} == {"MASK_PERSONAL_TEXT", "MASK_PERSONAL_DATE"}
    grant = deployment.one("GrantPrivilegesToAccountRole", "transformer.assigns.personal-data").inputs
    assert (grant["accountRoleName"], grant["privileges"]) == ('"SOPHIA_AI_TRANSFORMER"', ["APPLY"])
    assert grant["onSchemaObject"] == {
        "objectType": "TAG",
        "objectName": '"SOPHIA_AI"."GOVERNANCE"."PERSONAL_DATA"',
    }


def test_only_the_private_data_role_sees_clear_values(estate: Estate) -> None:
    deployment = estate(Stage.PROD)
    for policy in deployment.of("MaskingPolicy"):
        assert policy.inputs["body"].count("IS_ROLE_IN_SESSION") == 1
        assert "IS_ROLE_IN_SESSION('SOPHIA_AI_PRIVATE_DATA')" in policy.inputs["body"]
    parents = [
        grant.inputs.get("parentRoleName") or grant.inputs["userName"]
        for grant in deployment.of("GrantAccountRole")
        if grant.inputs["roleName"] == '"SOPHIA_AI_PRIVATE_DATA"'
    ]
    assert parents == [], "nobody inherits it: people get it one by one"


def test_the_operators_view_is_secure_and_filtered(estate: Estate) -> None:
    view = estate(Stage.PROD).one("View", "operator-payments").inputs
    assert view["isSecure"] == "true"
    assert view["rowAccessPolicy"] == {
        "policyName": '"SOPHIA_AI"."GOVERNANCE"."ROWS_BY_OPERATOR"',
        "ons": ["OPERATOR_ID"],
    }
    assert '"SOPHIA_AI"."MARTS"."DAILY_PAYMENTS"' in view["statement"]


def test_files_come_from_a_bucket_through_a_role_and_a_failure_is_told(estate: Estate) -> None:
    deployment = estate(Stage.PROD)
    integration = deployment.one("StorageIntegrationAws").inputs
    assert integration["storageAllowedLocations"] == [deployment.one("StageExternalS3").inputs["url"]]
    assert "credentials" not in deployment.one("StageExternalS3").inputs, "no AWS key is in the state"
    pipe = deployment.one("Pipe").inputs
    assert (pipe["autoIngest"], pipe["errorIntegration"]) == (True, "SOPHIA_AI_FAILURES")
    assert set(deployment.result.queues) == {"settlements"}
    assert deployment.one("Task", "post-payments").inputs["errorIntegration"] == "SOPHIA_AI_FAILURES"


def test_a_laptop_needs_no_bucket(estate: Estate) -> None:
    deployment = estate(Stage.DEV)
    assert deployment.one("StageInternal")
    assert not deployment.of("StorageIntegrationAws")
    assert deployment.one("Pipe").inputs["autoIngest"] is False


def test_tables_are_made_after_the_future_grants_that_open_them(estate: Estate) -> None:
    deployment = estate(Stage.DEV)
    for kind, name, schema, objects in (
        ("Table", "payments", "core", "tables"),
        ("View", "operator-payments", "marts", "views"),
        ("DynamicTable", "daily-payments", "marts", "dynamic-tables"),
    ):
        future = deployment.one("GrantPrivilegesToAccountRole", f"{schema}.read.{objects}")
        assert future.urn in deployment.one(kind, name).depends_on, "a future grant opens nothing that was there before"


def test_what_a_stream_or_a_dynamic_table_reads_keeps_its_changes(estate: Estate) -> None:
    tables = {table.name: table.inputs["changeTracking"] for table in estate(Stage.DEV).of("Table")}
    assert {name for name, tracked in tables.items() if tracked} == {"settlements", "payments"}
    assert "operator-access" in tables


def test_a_task_runs_when_there_is_something_to_do(estate: Estate) -> None:
    task = estate(Stage.DEV).one("Task", "post-payments").inputs
    assert task["schedule"] == {"usingCron": "*/15 * * * * America/Los_Angeles"}
    assert task["when"] == """SYSTEM$STREAM_HAS_DATA('"SOPHIA_AI_DEV"."RAW_PAYMENTS"."NEW_SETTLEMENTS"')"""
    assert task["userTaskTimeoutMs"] == 600_000
    assert task["started"] is True


def test_tasks_after_each_other_are_made_in_their_order(estate: Estate) -> None:
    first = {"name": "FIRST", "schema": "core", "statement": "SELECT 1", "schedule": {"cron": "0 6 * * *"}}
    then = {"name": "THEN", "schema": "core", "statement": "SELECT 2", "after": ["z-first"], "serverless_size": "SMALL"}
    deployment = estate(Stage.DEV, tasks={"a-then": then, "z-first": first})
    later = deployment.one("Task", "a-then")
    assert deployment.one("Task", "z-first").urn in later.depends_on
    assert later.inputs["userTaskManagedInitialWarehouseSize"] == "SMALL"


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.DEV, False)])
def test_landed_payments_are_kept_in_prod(estate: Estate, stage: Stage, kept: bool) -> None:
    for table in estate(stage).of("Table"):
        assert (table.protect, table.retain_on_delete) == (kept, kept)


def test_nothing_is_made_before_the_features_are_enabled(estate: Estate) -> None:
    with pytest.raises(SettingsError, match="snowflake_pipe_resource") as caught:
        estate(Stage.DEV, features=[])
    assert len(caught.value.problems) == 3, "all at once"


def test_everything_belongs_to_the_component(estate: Estate) -> None:
    deployment = estate(Stage.PROD)
    component = deployment.one("sophia:platform:Snowflake")
    for resource in deployment.resources:
        assert resource is component or resource.parent == component.urn
        assert not resource.provider, "an explicit provider would put the private key's environment into the state"
