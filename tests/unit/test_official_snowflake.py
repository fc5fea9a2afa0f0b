"""The stand-in for pulumi_snowflake, called over gRPC as the engine calls it: what a user of Snowflake would meet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as rpc
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from sandbox.official import PLATFORMS, serve
from sandbox.official.values import from_struct, to_struct
from sandbox.store import Database, Store

Properties = dict[str, Any]

PREVIEWS = [
    "snowflake_table_resource",
    "snowflake_pipe_resource",
    "snowflake_dynamic_table_resource",
    "snowflake_procedure_sql_resource",
    "snowflake_table_column_masking_policy_application_resource",
    "snowflake_email_notification_integration_resource",
    "snowflake_notification_integration_resource",
]
IN = {"database": "D", "schema": "S"}
COLUMNS = [{"name": "ID", "type": "NUMBER(38,0)"}, {"name": "MAIL", "type": "VARCHAR"}]
TABLE = {**IN, "name": "T", "columns": COLUMNS}
INTEGRATION = {
    "name": "LAKE",
    "enabled": True,
    "storageProvider": "S3",
    "storageAwsRoleArn": "arn:aws:iam::111122223333:role/lake",
    "storageAllowedLocations": ["s3://lake/raw/"],
}
STAGE = {**IN, "name": "LANDING", "url": "s3://lake/raw/gong/", "storageIntegration": "LAKE"}
PIPE = {**IN, "name": "P", "autoIngest": True, "copyStatement": "COPY INTO D.S.T FROM @D.S.LANDING"}
MASK = {
    **IN,
    "name": "MASK",
    "arguments": [{"name": "VAL", "type": "VARCHAR"}],
    "returnDataType": "VARCHAR",
    "body": "CASE WHEN IS_ROLE_IN_SESSION('PII') THEN VAL ELSE '*' END",
}
TASK = {**IN, "name": "NIGHTLY", "started": True, "sqlStatement": "SELECT 1", "schedule": {"minutes": 5}}
GRANT = {"accountRoleName": "R"}


class Snowflake:
    """Speaks to the stand-in in the engine's words; a type is named as the SDK names it."""

    def __init__(self, stub: Any, store: Store) -> None:
        self.stub = stub
        self.store = store

    def configure(self, *features: str) -> None:
        args = to_struct({"previewFeaturesEnabled": json.dumps(features)})
        self.stub.Configure(rpc.ConfigureRequest(args=args))

    def complaints(self, kind: str, inputs: Properties) -> list[str]:
        checked = self.stub.Check(rpc.CheckRequest(urn=_urn(kind), news=to_struct(inputs)))
        return [failure.reason for failure in checked.failures]

    def create(self, kind: str, inputs: Properties) -> tuple[str, Properties]:
        assert self.complaints(kind, inputs) == []
        made = self.stub.Create(rpc.CreateRequest(urn=_urn(kind), properties=to_struct(inputs)))
        return made.id, from_struct(made.properties)[0]

    def refusal(self, kind: str, inputs: Properties) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.create(kind, inputs)
        return str(caught.value.details())

    def update(self, kind: str, key: str, inputs: Properties) -> Properties:
        changed = self.stub.Update(rpc.UpdateRequest(urn=_urn(kind), id=key, news=to_struct(inputs)))
        return from_struct(changed.properties)[0]

    def exists(self, kind: str, key: str) -> bool:
        return bool(self.stub.Read(rpc.ReadRequest(urn=_urn(kind), id=key)).id)

    def delete(self, kind: str, key: str) -> None:
        self.stub.Delete(rpc.DeleteRequest(urn=_urn(kind), id=key))

    def undeletable(self, kind: str, key: str) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.delete(kind, key)
        assert self.exists(kind, key)
        return str(caught.value.details())


def _token(kind: str) -> str:
    return f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"


def _urn(kind: str) -> str:
    return f"urn:pulumi:dev::sophia-ai::sophia:platform:Snowflake${_token(kind)}::thing"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Snowflake]:
    """An account in which nothing has been made, and no preview feature is enabled."""
    database = Database(tmp_path / "sandbox.sqlite3")
    server = serve(database, lambda _: None)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Snowflake(ResourceProviderStub(channel), Store(database, "snowflake"))
    server.stop(0)
    database.close()


@pytest.fixture
def snowflake(empty: Snowflake) -> Snowflake:
    """An account with a database, a schema, a warehouse, a role and a table."""
    empty.configure(*PREVIEWS)
    empty.create("Database", {"name": "D"})
    empty.create("Schema", {"name": "S", "database": "D"})
    empty.create("Warehouse", {"name": "W"})
    empty.create("AccountRole", {"name": "R"})
    empty.create("Table", TABLE)
    return empty


def test_the_account_says_that_it_is_of_the_enterprise_edition() -> None:
    (platform,) = [platform for platform in PLATFORMS if platform.name == "snowflake"]
    assert "Enterprise" in platform.simulated


def test_a_preview_resource_is_refused_until_its_feature_is_enabled(empty: Snowflake) -> None:
    empty.create("Database", {"name": "D"})
    empty.create("Schema", {"name": "S", "database": "D"})
    assert empty.refusal("Table", TABLE) == (
        "snowflake_table_resource is currently a preview feature, and must be enabled by adding "
        "snowflake_table_resource to `preview_features_enabled` in Terraform configuration."
    )
    empty.configure("snowflake_table_resource")
    assert empty.create("Table", TABLE)[0] == "D|S|T"
    assert "snowflake_pipe_resource is currently" in empty.refusal("Pipe", PIPE)
    empty.configure()
    with pytest.raises(grpc.RpcError, match="snowflake_table_resource is currently a preview feature"):
        empty.delete("Table", "D|S|T")


def test_promoted_features_need_no_enabling_and_unknown_ones_are_refused(empty: Snowflake) -> None:
    urn = "urn:pulumi:dev::sophia-ai::pulumi:providers:snowflake::default_2_22_0"

    def failures(given: str) -> list[str]:
        news = to_struct({"previewFeaturesEnabled": given})
        return [failure.reason for failure in empty.stub.CheckConfig(rpc.CheckRequest(urn=urn, news=news)).failures]

    assert failures(json.dumps(["snowflake_pipe_resource", "snowflake_network_rule_resource"])) == []
    (unknown,) = failures(json.dumps(["snowflake_pipe_resource", "snowflake_pipes_resource"]))
    assert unknown.endswith("expected one of the preview features, got snowflake_pipes_resource")
    assert "not a list of names" in failures("snowflake_pipe_resource")[0]
    empty.create("Database", {"name": "D"})
    empty.create("Schema", {"name": "S", "database": "D"})
    rule = {**IN, "name": "N", "mode": "INGRESS", "type": "IPV4", "valueLists": ["10.0.0.0/8"]}
    assert empty.create("NetworkRule", rule)[0] == '"D"."S"."N"'


def test_ids_are_those_of_the_provider_and_imports_may_quote(snowflake: Snowflake) -> None:
    snowflake.create("StorageIntegrationAws", INTEGRATION)
    assert snowflake.create("StageExternalS3", STAGE)[0] == '"D"."S"."LANDING"'
    assert snowflake.create("Pipe", PIPE)[0] == "D|S|P"
    assert snowflake.create("MaskingPolicy", MASK)[0] == '"D"."S"."MASK"'
    assert snowflake.create("Tag", {**IN, "name": "PII"})[0] == '"D"."S"."PII"'
    association = {"objectIdentifiers": ["D.S.T"], "objectType": "table", "tagId": "D.S.PII", "tagValue": "card"}
    assert snowflake.create("TagAssociation", association)[0] == '"D"."S"."PII"|card|TABLE'
    applied = {"table": "D.S.T", "column": "MAIL", "maskingPolicy": "D.S.MASK"}
    assert snowflake.create("TableColumnMaskingPolicyApplication", applied)[0] == '"D"."S"."T"."MAIL"'
    procedure = {
        **IN,
        "name": "CLONE",
        "arguments": [{"argName": "A", "argDataType": "STRING"}, {"argName": "B", "argDataType": "int"}],
        "returnType": "VARCHAR",
        "procedureDefinition": "BEGIN RETURN ''; END",
    }
    assert snowflake.create("ProcedureSql", procedure)[0] == '"D"."S"."CLONE"(VARCHAR, NUMBER)'
    assert snowflake.exists("Database", "D")
    assert snowflake.exists("Database", '"D"')
    assert snowflake.exists("Table", '"D"."S"."T"')


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("Task", {**TASK, "schedule": {"usingCron": "0 0 * * UTC"}}, "five fields and a time zone are expected, not 5"),
        ("Task", {**TASK, "schedule": {"usingCron": "0 25 * * * UTC"}}, "25 is no hour"),
        ("Task", {**TASK, "schedule": {"usingCron": "0 9 * * MON America/Los_Angles"}}, "is no time zone"),
        ("Task", {**TASK, "schedule": {"minutes": 20000}}, "at most 11520 minutes"),
        ("Task", {**TASK, "warehouse": "NONE"}, "Warehouse 'NONE' does not exist"),
        ("Task", {**IN, "name": "N", "started": True, "sqlStatement": "SELECT 1"}, "no schedule, no predecessor"),
        (
            "DynamicTable",
            {**IN, "name": "Y", "warehouse": "W", "query": "SELECT 1", "targetLag": {"maximumDuration": "5 parsecs"}},
            "Invalid target lag '5 parsecs'",
        ),
        (
            "DynamicTable",
            {**IN, "name": "Y", "warehouse": "W", "query": "SELECT 1", "targetLag": {"maximumDuration": "10 seconds"}},
            "the minimum is 1 minute",
        ),
        ("StreamOnTable", {**IN, "name": "X", "table": "D.S.NONE"}, "Table 'D.S.NONE' does not exist"),
        ("View", {**IN, "name": "V", "statement": "DELETE FROM T"}, "unexpected 'DELETE'"),
        ("View", {**IN, "name": "T", "statement": "SELECT 1"}, "Object 'T' already exists"),
        ("Table", {**TABLE, "name": "U", "columns": COLUMNS * 2}, "duplicate column name 'ID'"),
        ("Warehouse", {"name": "X", "minClusterCount": 3, "maxClusterCount": 2}, "cannot be greater than MAX_CLUSTER"),
        ("ResourceMonitor", {"name": "M", "suspendTrigger": 90}, "must have a credit quota"),
        ("Database", {"name": "E", "isTransient": True, "dataRetentionTimeInDays": 7}, "DATA_RETENTION_TIME_IN_DAYS"),
        (
            "NetworkRule",
            {**IN, "name": "N", "mode": "EGRESS", "type": "IPV4", "valueLists": []},
            "must be one of [INGR",
        ),
        ("NetworkPolicy", {"name": "N", "allowedIpLists": ["10.0.0.256"]}, "invalid value '10.0.0.256'"),
        ("NetworkPolicy", {"name": "N", "allowedNetworkRuleLists": ["D.S.N"]}, "Network rule 'D.S.N' does not exist"),
        (
            "MaskingPolicy",
            {**MASK, "arguments": [{"name": "VAL", "type": "NUMBER"}]},
            "argument and return type mismatch: NUMBER and VARCHAR",
        ),
        ("GrantAccountRole", {"roleName": "R", "parentRoleName": '"R"'}, "cannot be granted to itself"),
        ("GrantAccountRole", {"roleName": "R", "userName": "NOBODY"}, "User 'NOBODY' does not exist"),
        ("Execute", {"execute": "CREAT DATABASE X", "revert": "DROP DATABASE X"}, "unexpected 'CREAT'"),
    ],
)
def test_what_snowflake_refuses_when_it_is_written(
    snowflake: Snowflake, kind: str, inputs: Properties, said: str
) -> None:
    assert said in snowflake.refusal(kind, inputs)


@pytest.mark.parametrize("cron", ["0 9-17 * * MON-FRI America/Los_Angeles", "*/15 0 L * * UTC", "0 0 1,15 JAN * UTC"])
def test_schedules_that_snowflake_takes(snowflake: Snowflake, cron: str) -> None:
    snowflake.create("Task", {**TASK, "warehouse": "W", "schedule": {"usingCron": cron}})


@pytest.mark.parametrize(
    ("where", "privilege", "said"),
    [
        ({"onAccount": True}, "SELECT", "Invalid object type 'ACCOUNT' for privilege 'SELECT'"),
        (
            {"onAccountObject": {"objectType": "WAREHOUSE", "objectName": "W"}},
            "SELECT",
            "type 'WAREHOUSE' for privilege",
        ),
        ({"onSchema": {"schemaName": "D.S"}}, "CREATE DATABASE", "type 'SCHEMA' for privilege 'CREATE DATABASE'"),
        ({"onSchemaObject": {"objectType": "TABLE", "objectName": "D.S.T"}}, "USAGE", "'TABLE' for privilege 'USAGE'"),
        (
            {"onSchemaObject": {"future": {"objectTypePlural": "DYNAMIC TABLES", "inSchema": "D.S"}}},
            "UPDATE",
            "'DYNAMIC_TABLE' for privilege 'UPDATE'",
        ),
        (
            {"onSchemaObject": {"objectType": "STAGE", "objectName": "D.S.NONE"}},
            "USAGE",
            "Stage 'D.S.NONE' does not exist",
        ),
        ({"onAccountObject": {"objectType": "INTEGRATION", "objectName": "NONE"}}, "USAGE", "Integration 'NONE' does"),
    ],
)
def test_a_privilege_that_the_object_does_not_have(
    snowflake: Snowflake, where: Properties, privilege: str, said: str
) -> None:
    assert said in snowflake.refusal("GrantPrivilegesToAccountRole", {**GRANT, "privileges": [privilege], **where})


def test_a_grant_is_idempotent_possible_to_public_and_gone_when_it_was_revoked(snowflake: Snowflake) -> None:
    grant = {"accountRoleName": "PUBLIC", "privileges": ["USAGE"], "onSchema": {"schemaName": "D.S"}}
    key, _ = snowflake.create("GrantPrivilegesToAccountRole", grant)
    assert snowflake.create("GrantPrivilegesToAccountRole", grant)[0] == key
    snowflake.store.delete(_token("GrantPrivilegesToAccountRole"), key)
    assert not snowflake.exists("GrantPrivilegesToAccountRole", key)


def test_a_storage_integration_tells_aws_whom_to_trust_and_keeps_telling_the_same(snowflake: Snowflake) -> None:
    key, made = snowflake.create("StorageIntegrationAws", INTEGRATION)
    told = made["describeOutputs"][0]
    assert told["iamUserArn"].startswith("arn:aws:iam::")
    assert told["externalId"].startswith("SANDBOX_SFCRole=")
    changed = snowflake.update("StorageIntegrationAws", key, {**INTEGRATION, "comment": "lake"})
    assert changed["describeOutputs"][0] == {**told, "comment": "lake"}


def test_a_stage_lies_where_its_integration_allows(snowflake: Snowflake) -> None:
    snowflake.create("StorageIntegrationAws", INTEGRATION)
    assert "is not allowed by integration 'LAKE'" in snowflake.refusal(
        "StageExternalS3", {**STAGE, "url": "s3://lake/rawest/"}
    )
    assert "File format 'D.S.F' does not" in snowflake.refusal(
        "StageExternalS3", {**STAGE, "fileFormat": {"formatName": "D.S.F"}}
    )
    snowflake.create("StageExternalS3", STAGE)
    assert "Object 'LANDING' already exists" in snowflake.refusal("StageInternal", {**IN, "name": "LANDING"})
    assert "Object 'LAKE' already" in snowflake.refusal(
        "EmailNotificationIntegration", {"name": "LAKE", "enabled": True}
    )


def test_a_pipe_copies_from_a_stage_that_exists_and_has_a_channel(snowflake: Snowflake) -> None:
    assert "Stage 'D.S.LANDING' does not exist" in snowflake.refusal("Pipe", PIPE)
    snowflake.create("StorageIntegrationAws", INTEGRATION)
    snowflake.create("StageExternalS3", STAGE)
    snowflake.create("StageInternal", {**IN, "name": "INSIDE"})
    inside = {**PIPE, "copyStatement": "copy into t from @inside"}
    assert "external stages only" in snowflake.refusal("Pipe", inside)
    formatted = {**PIPE, "copyStatement": f"{PIPE['copyStatement']} FILE_FORMAT = (FORMAT_NAME = 'D.S.F')"}
    assert "File format 'D.S.F' does not exist" in snowflake.refusal("Pipe", formatted)
    selecting = {**PIPE, "copyStatement": 'COPY INTO "D"."S"."T" (ID) FROM (SELECT $1 FROM @"D"."S"."LANDING"/x)'}
    key, made = snowflake.create("Pipe", selecting)
    assert made["notificationChannel"].startswith("arn:aws:sqs:")
    assert snowflake.update("Pipe", key, selecting)["notificationChannel"] == made["notificationChannel"]
    assert "unexpected 'INSERT'" in snowflake.refusal("Pipe", {**PIPE, "name": "Q", "copyStatement": "INSERT INTO T"})


def test_a_tag_allows_only_its_values_and_one_policy_a_data_type(snowflake: Snowflake) -> None:
    snowflake.create("MaskingPolicy", MASK)
    snowflake.create("MaskingPolicy", {**MASK, "name": "OTHER"})
    both = {**IN, "name": "PII", "maskingPolicies": ["D.S.MASK", "D.S.OTHER"]}
    assert "already has a masking policy for the data type VARCHAR" in snowflake.refusal("Tag", both)
    snowflake.create("Tag", {**IN, "name": "PII", "allowedValues": ["card", "person"], "maskingPolicies": ["D.S.MASK"]})
    column = {"objectIdentifiers": ["D.S.T.MAIL"], "objectType": "COLUMN", "tagId": "D.S.PII", "tagValue": "person"}
    assert "Invalid tag value 'pet'" in snowflake.refusal("TagAssociation", {**column, "tagValue": "pet"})
    wrong = {**column, "objectIdentifiers": ["D.S.T.EMAIL"]}
    assert "invalid identifier 'EMAIL'" in snowflake.refusal("TagAssociation", wrong)
    key, _ = snowflake.create("TagAssociation", column)
    assert "Policy MASK cannot be dropped/replaced" in snowflake.undeletable("MaskingPolicy", '"D"."S"."MASK"')
    snowflake.delete("Tag", '"D"."S"."PII"')
    assert not snowflake.exists("TagAssociation", key)
    snowflake.delete("MaskingPolicy", '"D"."S"."MASK"')


def test_a_column_has_one_policy_of_its_own_type(snowflake: Snowflake) -> None:
    snowflake.create("MaskingPolicy", MASK)
    applied = {"table": "D.S.T", "column": "MAIL", "maskingPolicy": "D.S.MASK"}
    wrong = snowflake.refusal("TableColumnMaskingPolicyApplication", {**applied, "column": "ID"})
    assert "Data type of column 'ID' (NUMBER) does not match" in wrong
    snowflake.create("TableColumnMaskingPolicyApplication", applied)
    assert "Column MAIL already attached" in snowflake.refusal("TableColumnMaskingPolicyApplication", applied)
    assert "cannot be dropped" in snowflake.undeletable("MaskingPolicy", '"D"."S"."MASK"')


def test_what_is_attached_cannot_be_dropped(snowflake: Snowflake) -> None:
    rule = {**IN, "name": "N", "mode": "INGRESS", "type": "IPV4", "valueLists": ["10.0.0.0/8"]}
    snowflake.create("NetworkRule", rule)
    snowflake.create("NetworkPolicy", {"name": "N", "allowedNetworkRuleLists": ['"D"."S"."N"']})
    assert "associated with some network policies" in snowflake.undeletable("NetworkRule", '"D"."S"."N"')
    snowflake.create("ServiceUser", {"name": "U", "networkPolicy": "N"})
    assert "Unset the network policy" in snowflake.undeletable("NetworkPolicy", "N")
    snowflake.create("AuthenticationPolicy", {**IN, "name": "KEYS", "authenticationMethods": ["KEYPAIR"]})
    attached = {"userName": "U", "authenticationPolicyName": "D.S.KEYS"}
    snowflake.create("UserAuthenticationPolicyAttachment", attached)
    assert "already has an AUTHENTICATION_POLICY" in snowflake.refusal("UserAuthenticationPolicyAttachment", attached)
    assert "Policy KEYS cannot be dropped" in snowflake.undeletable("AuthenticationPolicy", '"D"."S"."KEYS"')
    access = {**IN, "name": "ROWS", "arguments": [{"name": "A", "type": "VARCHAR"}], "body": "TRUE"}
    snowflake.create("RowAccessPolicy", access)
    view = {**IN, "name": "V", "statement": "SELECT 1", "rowAccessPolicy": {"policyName": "D.S.ROWS", "ons": ["A"]}}
    snowflake.create("View", view)
    assert "Policy ROWS cannot be dropped" in snowflake.undeletable("RowAccessPolicy", '"D"."S"."ROWS"')


def test_a_database_takes_all_in_it_along_and_a_warehouse_leaves_its_tasks(snowflake: Snowflake) -> None:
    snowflake.create("Task", {**TASK, "warehouse": "W"})
    snowflake.create("StreamOnTable", {**IN, "name": "CHANGES", "table": "D.S.T"})
    on_table = {**GRANT, "privileges": ["SELECT"], "onSchemaObject": {"objectType": "TABLE", "objectName": "D.S.T"}}
    grant, _ = snowflake.create("GrantPrivilegesToAccountRole", on_table)
    snowflake.delete("Warehouse", "W")
    assert snowflake.exists("Task", '"D"."S"."NIGHTLY"')
    snowflake.delete("Table", "D|S|T")
    assert not snowflake.exists("GrantPrivilegesToAccountRole", grant)
    assert snowflake.exists("StreamOnTable", '"D"."S"."CHANGES"')
    snowflake.delete("Database", "D")
    assert not snowflake.exists("Task", '"D"."S"."NIGHTLY"')
    assert not snowflake.exists("StreamOnTable", '"D"."S"."CHANGES"')
    assert snowflake.exists("AccountRole", "R")


def test_an_estate_of_hundreds_of_grants_stays_quick(snowflake: Snowflake) -> None:
    for number in range(40):
        snowflake.create("AccountRole", {"name": f"ROLE_{number}"})
    started = time.perf_counter()
    keys = []
    for number in range(400):
        where = {"onSchemaObject": {"objectType": "TABLE", "objectName": "D.S.T"}}
        privilege = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "REBUILD", "EVOLVE SCHEMA")
        grant = {"accountRoleName": f"ROLE_{number % 40}", "privileges": [privilege[number // 50]], **where}
        keys.append(snowflake.create("GrantPrivilegesToAccountRole", {**grant, "withGrantOption": number % 2 == 0})[0])
    for key in dict.fromkeys(keys):
        snowflake.delete("GrantPrivilegesToAccountRole", key)
    assert time.perf_counter() - started < 15
