"""Snowflake's settings: what a person reads who made a mistake, and what a stage refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Settings, SettingsError, Stage, load_settings
from components.snowflake.previews import check_previews, in_preview
from components.snowflake.settings import SnowflakeSettings

REPOSITORY = Path(__file__).parents[2]

SETTINGS: dict[str, Any] = {
    "account": {"name": "ZNB04675", "edition": "enterprise"},
    "database": {"name": "SOPHIA_AI", "retention_days": 7},
    "schemas": {"raw": {"name": "RAW"}, "marts": {"name": "MARTS"}},
    "warehouses": {"main": {"name": "SOPHIA_AI_WH"}},
    "roles": {
        "loader": {"name": "LOADER", "write": ["raw"], "warehouses": ["main"]},
        "private": {"name": "PRIVATE", "read": ["raw"], "under_sysadmin": False},
    },
    "users": {"airbyte": {"name": "AIRBYTE", "role": "loader", "warehouse": "main"}},
    "masking_policies": {
        "email": {"name": "MASK_EMAIL", "schema": "raw", "method": "email", "clear_to": ["private"]},
        "text": {"name": "MASK_TEXT", "schema": "raw", "method": "redact"},
        "date": {"name": "MASK_DATE", "schema": "raw", "method": "year"},
    },
    "tags": {"personal": {"name": "PERSONAL", "schema": "raw", "values": ["NAME", "CONTACT"], "masks": ["email"]}},
    "tables": {
        "payments": {
            "name": "PAYMENTS",
            "schema": "raw",
            "columns": [
                {"name": "ID", "type": "VARCHAR", "nullable": False},
                {"name": "EMAIL", "type": "VARCHAR", "mask": "email", "tags": {"personal": "CONTACT"}},
            ],
        }
    },
    "file_formats": {"csv": {"name": "CSV", "schema": "raw", "type": "csv"}},
    "stages": {"files": {"name": "FILES", "schema": "raw"}},
    "streams": {"new": {"name": "NEW", "schema": "raw", "table": "payments"}},
}
COLUMN = {"name": "ID", "type": "VARCHAR"}
VIEW = {"name": "V", "schema": "marts", "columns": [{"name": "ID"}]}
TASK = {"name": "T", "schema": "marts", "statement": "SELECT 1"}
PIPE = {"name": "P", "schema": "raw", "stage": "files", "table": "payments", "file_format": "csv"}
ROWS = {
    "name": "ROWS",
    "schema": "raw",
    "mapping": {"table": "payments", "role_column": "ID", "value_column": "EMAIL"},
}

Configure = Callable[..., None]


class Only(Settings):
    """A stack with nothing but Snowflake."""

    snowflake: SnowflakeSettings


def merged(changes: dict[str, Any]) -> dict[str, Any]:
    """The settings with entries added: the maps of ``changes`` are merged into those that are there."""
    sections = {k: {**SETTINGS.get(k, {}), **v} if isinstance(v, dict) else v for k, v in changes.items()}
    return {**SETTINGS, **sections}


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"users": {"a": {"name": "A", "role": "loader", "warehouse": "main", "network_policy": "office"}}},
     "users.a.network_policy", 'no network policy "office" is declared; no network policy is'),
    ({"roles": {"all": {"name": "PUBLIC"}}},
     "roles.all.name", 'must be another role: every user has PUBLIC, and so what is granted to it, got "PUBLIC"'),
    ({"roles": {"all": {"name": "SYSADMIN"}}},
     "roles.all.name", "must be another role: this is one of Snowflake's own, got \"SYSADMIN\""),
    ({"roles": {"pipes": {"name": "PIPES", "read": ["raw"], "create": {"raw": ["PIPE"]}}}},
     "roles.pipes.create.raw", "the role may create there only what it may also write: add the schema to `write`"),
    ({"roles": {"second": {"name": "LOADER"}}},
     "roles.second.name", "is that of roles.loader: each needs its own"),
    ({"masking_policies": {"open": {"name": "M", "schema": "raw", "method": "email", "clear_to": ["loader"]}}},
     "masking_policies.open.clear_to[0]",
     'every SYSADMIN inherits what "loader" sees: give the role under_sysadmin: false'),
    ({"tags": {"both": {"name": "BOTH", "schema": "raw", "values": ["A"], "masks": ["email", "text"]}}},
     "tags.both.masks", "a tag has at most one masking policy for each type of column"),
    ({"schemas": {"raw": {"name": "RAW", "tags": {"personal": "ADRESS"}}}},
     "schemas.raw.tags.personal", 'no value of the tag "ADRESS" is declared; there are: NAME, CONTACT'),
    ({"tables": {"t": {"name": "T", "schema": "raw", "columns": [{**COLUMN, "mask": "emial"}]}}},
     "tables.t.columns[0].mask",
     'no masking policy "emial" is declared (did you mean "email"?); there are: email, text, date'),
    ({"tables": {"t": {"name": "T", "schema": "raw", "columns": [{**COLUMN, "mask": "date"}]}}},
     "tables.t.columns[0].mask", '"date" masks DATE, and the column is VARCHAR'),
    ({"tables": {"t": {"name": "T", "schema": "raw", "columns": [COLUMN, COLUMN]}}},
     "tables.t.columns[1]", '"ID" is there already'),
    ({"tables": {"t": {"name": "T", "schema": "raw", "columns": [COLUMN], "primary_key": ["ID"]}}},
     "tables.t.columns[0].nullable", "must be false: the column is part of the primary key"),
    ({"stages": {"s3": {"name": "S3", "schema": "raw", "url": "s3://bucket/in/"}}},
     "stages.s3", "needs both `url` and `integration` (files in a bucket), or neither (in Snowflake)"),
    ({"storage_integrations": {"aws": {"name": "AWS", "role_arn": "arn:aws:iam::123456789012:role/x",
                                       "locations": ["s3://bucket/in/"]}},
      "stages": {"s3": {"name": "S3", "schema": "raw", "url": "s3://other/in/", "integration": "aws"}}},
     "stages.s3.url", 'the integration "aws" opens only s3://bucket/in/'),
    ({"pipes": {"p": {**PIPE, "auto_ingest": True}}},
     "pipes.p.auto_ingest", "only a bucket tells of new files: the stage needs a `url`"),
    ({"pipes": {"p": {**PIPE, "report_failures": True}}},
     "pipes.p.report_failures", "there is nobody to report to: give notifications.failures"),
    ({"pipes": {"p": {**PIPE, "file_name_column": "FILE"}}},
     "pipes.p.file_name_column", 'no column "FILE" is declared; there are: ID, EMAIL'),
    ({"views": {"v": {**VIEW, "query": "SELECT ID FROM {tables.paymens}"}}},
     "views.v.query", 'no table "paymens" is declared (did you mean "payments"?); there are: payments'),
    ({"views": {"v": {**VIEW, "query": "SELECT ID FROM {table.payments}"}}},
     "views.v.query",
     '"{table.payments}" cannot be named here (did you mean "tables"?); there are: dynamic_tables, tables, views'),
    ({"views": {"v": {**VIEW, "query": "SELECT ID FROM {views.v}"}}},
     "views", "go round in a circle: v -> v"),
    ({"views": {"v": {**VIEW, "query": "SELECT 1", "row_access": {"policy": "rows", "column": "ID"}}}},
     "views.v.row_access.policy", 'no row access policy "rows" is declared; no row access policy is'),
    ({"row_access_policies": {"rows": {**ROWS, "type": "DATE"}}},
     "row_access_policies.rows.type", "must be VARCHAR, as in the mapping"),
    ({"row_access_policies": {"rows": ROWS}, "tables": {"payments": {"name": "P", "schema": "raw", "columns": [
        COLUMN, {"name": "EMAIL", "type": "VARCHAR"}, {"name": "ROW_VALUE", "type": "VARCHAR"}]}}},
     "row_access_policies.rows.mapping.table",
     'has a column "ROW_VALUE", and so the policy calls the value that it looks at'),
    ({"tasks": {"t": TASK}}, "tasks.t", "needs either `schedule` or `after`"),
    ({"tasks": {"t": {**TASK, "schedule": {"cron": "0 6 * *"}}}},
     "tasks.t.schedule.cron", 'must have five fields, for example 0 6 * * *, got "0 6 * *"'),
    ({"tasks": {"t": {**TASK, "after": ["t"]}}}, "tasks", "go round in a circle: t -> t"),
    ({"tasks": {"t": {**TASK, "after": ["x"], "when_stream": "newer"}}},
     "tasks.t.when_stream", 'no stream "newer" is declared (did you mean "new"?); there are: new'),
    ({"account": {"name": "ZNB04675", "edition": "standard"}, "database": {"name": "D", "retention_days": 1}},
     "masking_policies", "needs the Enterprise edition: if the account has it, say account.edition: enterprise"),
    ({"recovery": {"schema": "raw", "clones": {"c": {"name": "C", "schema": "cor", "keep_days": 3,
                                                     "schedule": {"cron": "0 6 * * *"}}}}},
     "recovery.clones.c.schema", 'no schema "cor" is declared; there are: raw, marts'),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "path", "message"), MISTAKES, ids=[path for _, path, _ in MISTAKES])
def test_a_mistake_is_told_with_its_place(
    configure: Configure, changes: dict[str, Any], path: str, message: str
) -> None:
    configure({"snowflake": merged(changes)})
    with pytest.raises(SettingsError) as caught:
        load_settings(Only)
    assert f"Pulumi.dev.yaml: sophia-ai:snowflake.{path}: {message}" in caught.value.problems


def check(settings: dict[str, Any], enabled: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the stack file lacks for settings that are right in themselves."""
    features = {"snowflake:previewFeaturesEnabled": json.dumps(enabled)} if enabled else {}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(features))
    try:
        sections = in_preview(SnowflakeSettings.model_validate(settings))
        check_previews((f"snowflake.{section}", section) for section in sections)
    except SettingsError as error:
        return list(error.problems)
    return []


def test_a_preview_feature_is_asked_for_with_the_line_to_add(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure({}, stack="dev")
    settings = {**SETTINGS, "pipes": {"p": PIPE}}
    only = "the provider makes these only as a preview feature"
    add = "under snowflake:previewFeaturesEnabled in Pulumi.dev.yaml"
    assert check(settings, ["snowflake_table_resource"], monkeypatch) == [
        f'Pulumi.dev.yaml: sophia-ai:snowflake.pipes: {only}: add "- snowflake_pipe_resource" {add}'
    ]
    assert len(check(settings, [], monkeypatch)) == 2, "all at once"
    assert check(settings, ["snowflake_table_resource", "snowflake_pipe_resource"], monkeypatch) == []


@pytest.mark.parametrize("stage", list(Stage))
def test_the_stack_files_enable_what_they_use_and_no_more(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    configure({}, stack=stage.value)
    config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    features = config["snowflake:previewFeaturesEnabled"]
    assert check(config["sophia-ai:snowflake"], features, monkeypatch) == []
    for feature in features:
        rest = [other for other in features if other != feature]
        assert check(config["sophia-ai:snowflake"], rest, monkeypatch), f"{feature} is enabled and not used"
